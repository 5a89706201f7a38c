"""A run of many kills over one database: what each process acknowledged goes into a history, and is checked."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import msgspec

from oneself.actions import access_token, history, sessions
from oneself.actions.runtime import Point
from oneself.faults import Fault, FaultCode
from oneself.model import Secret, SessionRef
from oneself.rules.lifetimes import DAY, MINUTE
from tests.actions.conftest import World
from tests.crash.lives import BYE, CALLBACK_URL, READY, Ground, Job, Told, done
from tests.crash.zygote import Zygote

Verb = Literal["redeem", "read", "callback"]
POINTS: tuple[Point, ...] = get_args(Point)
_AREA: dict[Verb, str] = {"redeem": "redeem.", "read": "refresh.", "callback": "callback."}
# Random kills fall into the time that a whole job takes.
LONGEST_SECONDS = 0.06
PROVIDERS = ("github", "spotify")


@dataclass
class Run:
    """A seeded run: the same seed chooses the same jobs, points and moments."""

    world: World
    ground: Ground
    seed: int
    zygote: Zygote
    sessions: list[tuple[str, str]] = field(default_factory=list)
    spent: list[str] = field(default_factory=list)
    reported: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    _people: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self._forking = threading.Lock()

    @property
    def kills(self) -> int:
        """How many processes were killed so far."""
        return sum(self.killed.values())

    async def go(self, kills: int, told: Callable[[int], None] = lambda _: None) -> None:
        """Kill that many processes. Raises AssertionError at the first broken promise."""
        while self.kills < kills:
            verb = self.chance.choice(get_args(Verb))
            area = [point for point in POINTS if point.startswith(_AREA[verb])]
            die_at = self.chance.choice([*area, None])
            if verb == "redeem" and (die_at == "redeem.refused" or self.chance.random() < 0.2):
                die_at = self.chance.choice(["redeem.taken", "redeem.refused", "redeem.committed", None])
                work = self._refused
            else:
                work = {"redeem": self._redeem, "read": self._read, "callback": self._callback}[verb]
            try:
                await work(die_at)
            except AssertionError as broken:
                broken.add_note(f"seed {self.seed}, kill {self.kills}, {verb} that dies at {die_at}")
                raise
            told(self.kills)
        await self.replay()

    async def replay(self) -> None:
        """Hold everything that was ever acknowledged against what is left."""
        rt, project = self.world.rt, self.world.project
        for token, user_id in self.sessions:
            view = await sessions.authenticate(rt, project, "stytch", SessionRef(token=Secret(token)))
            assert view.session.user_id == user_id, "an acknowledged session is another's"
        for grant in self.spent:
            assert await self._refusal(grant) is FaultCode.GRANT_UNKNOWN, "a grant worked twice"

    # --- one kill each --------------------------------------------------------------------------------------------

    async def _redeem(self, die_at: Point | None) -> None:
        """Two processes redeem one grant; one of them dies."""
        grant = await self.world.grant(self.chance.choice(PROVIDERS), "ada")
        before = await self._redeemed()
        heard = await self._lives(Job(verb="redeem", grant=grant), die_at)
        acknowledged = [told for told in heard if told.session_token]
        assert {told.fault for told in heard if told.fault} <= {"grant_unknown", "database_contended"}, heard
        assert len(acknowledged) <= 1, "a grant was redeemed twice"
        try:
            late = await self.world.redeem(grant)
        except Fault as fault:
            assert fault.code is FaultCode.GRANT_UNKNOWN
        else:
            assert not acknowledged, "a grant that was redeemed works again"
            assert late.session is not None
        assert await self._redeemed() == before + 1, "half of a redeem was committed, or none, or two"
        self.spent.append(grant)
        for told in acknowledged:
            self.sessions.append((told.session_token, told.user_id))
            kept = await history.of_user(self.world.rt, self.world.project, told.user_id, 1)
            assert kept, "the audit row of an acknowledged redeem is lost"

    async def _refused(self, die_at: Point | None) -> None:
        """Two processes redeem one grant with a verifier that its trip never had, which spends it; one of them dies."""
        grant = await self.world.grant(self.chance.choice(PROVIDERS), "ada")
        before, refused = await self._redeemed(), await self._redeemed("Refuse:verifier_unexpected")
        heard = await self._lives(Job(verb="redeem", grant=grant, verifier="w" * 43), die_at)
        told = [one for one in heard if one.fault == "verifier_unexpected"]
        assert {one.fault for one in heard} <= {"verifier_unexpected", "grant_unknown", "database_contended"}, heard
        assert len(told) <= 1, "a grant was spent twice"
        spent = await self._refusal(grant) is FaultCode.GRANT_UNKNOWN
        assert spent or not told, "a grant whose refusal was acknowledged works again"
        after = await self._redeemed("Refuse:verifier_unexpected") - refused
        assert after == int(spent), "a spent grant without its audit row, or a row without"
        assert await self._redeemed() == before + (0 if spent else 1)
        self.spent.append(grant)

    async def _callback(self, die_at: Point | None) -> None:
        """Two copies of a callback; the process of one dies."""
        provider = self.chance.choice(PROVIDERS)
        started = await self.world.begin(provider, "ada", callback_url=CALLBACK_URL)
        params = await self.world.visit(started.location)
        await self.world.control("counts", "DELETE")
        job = Job(verb="callback", state=started.state, cookie=started.cookie, params=params)
        heard = await self._lives(job, die_at)
        late = await done(self.world.rt, self.world.project, job)
        grants = {told.grant for told in (*heard, late) if told.grant}
        assert len(grants) <= 1, "one trip, two grants"
        assert (await self.world.control("counts", "GET")).get(f"{provider}.token", 0) <= 1, "a code was used twice"
        if any(told.grant for told in heard):
            assert late.grant in grants, "an acknowledged grant is lost"
        for grant in grants:
            assert (await self.world.redeem(grant)).view.user.id
            self.spent.append(grant)

    async def _read(self, die_at: Point | None) -> None:
        """Two processes read one expired token; one of them dies."""
        provider = self.chance.choice(PROVIDERS)
        user_id = await self._person(provider)
        self.world.clock.ahead += DAY
        failing = die_at is not None and "failure" in die_at
        if failing:
            await self.world.control("faults", provider=provider, endpoint="token", kind="server_error", retry_after=1)
        if die_at == "refresh.looked":
            # long enough for the other process to wait, and to look at what became of it
            await self.world.control("faults", provider=provider, endpoint="token", kind="delay", seconds=0.1, times=1)
        before = await self._decisions(user_id)
        await self.world.control("counts", "DELETE")
        heard = await self._lives(Job(verb="read", user_id=user_id, provider=provider), die_at)
        await self.world.control("faults", "DELETE")
        self.world.clock.ahead += MINUTE
        late = await done(self.world.rt, self.world.project, Job(verb="read", user_id=user_id, provider=provider))
        calls = (await self.world.control("counts", "GET")).get(f"{provider}.token.refresh_token", 0)
        new = (await self._decisions(user_id))[len(before) :]
        tokens = {told.access_token for told in heard if told.access_token}
        assert "revoked" not in new, "a refresh token was used twice"
        assert len(tokens) <= 1, "one refresh, two tokens"
        if tokens:
            assert late.access_token in tokens, f"an acknowledged token is lost: {late}"
        if provider == "spotify":
            assert late.access_token, f"a refresh token that may be sent again was not: {late}"
            assert "ambiguous" not in new
            assert calls <= 2 + failing
            return
        assert calls <= 1 + failing, "a refresh token that works once was sent twice"
        assert new.count("ambiguous") == (0 if late.access_token else 1), f"told {new}, answered {late}"
        if not late.access_token:
            assert late.fault == "reconnect_needed", late
            self.reported += 1
            del self._people[provider]

    # --- what they share ------------------------------------------------------------------------------------------

    async def _person(self, provider: str) -> str:
        """Somebody connected there; signed in again where the last kill cost the grant, as a person would do."""
        if provider not in self._people:
            ended = await self.world.sign_in(provider, {"github": "ada", "spotify": "grace"}[provider])
            self._people[provider] = ended.view.user.id
            await access_token.fresh(self.world.rt, self.world.project, ended.view.user.id, provider)
        return self._people[provider]

    async def lives(self, job: Job) -> Told:
        """Let one process do a job in peace; what it acknowledged."""
        ground = replace(self.ground, ahead=self.world.clock.ahead)
        told, killed = await asyncio.to_thread(self._life, ground, job, None)
        assert told is not None
        assert not killed
        return told

    async def _lives(self, job: Job, die_at: Point | None) -> list[Told]:
        """Let two processes do one job at once, the first to die on the way; what each acknowledged."""
        ground = replace(self.ground, ahead=self.world.clock.ahead)
        after = None if die_at else self.chance.random() * LONGEST_SECONDS
        doomed = msgspec.structs.replace(job, die_at=die_at)
        lives = (
            asyncio.to_thread(self._life, ground, doomed, after),
            asyncio.to_thread(self._life, ground, job, None),
        )
        ended = await asyncio.gather(*lives)
        if ended[0][1]:
            self.killed[die_at or f"{job.verb}, any moment"] += 1
        assert not ended[1][1], "nobody killed this one"
        return [told for told, _ in ended if told is not None]

    def _life(self, ground: Ground, job: Job, kill_after: float | None) -> tuple[Told | None, bool]:
        with self._forking:
            pid, pipe = self.zygote.fork(ground, job)
        with os.fdopen(pipe, "rb") as heard:
            assert heard.readline() == READY, "a process did not start; its words are above"
            if kill_after is not None:
                time.sleep(kill_after)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            said = heard.read().splitlines(keepends=True)
        killed = BYE not in said
        told = [msgspec.json.decode(line, type=Told) for line in said if line != BYE and line.endswith(b"\n")]
        return (told[0] if told else None), killed

    async def _redeemed(self, decision: str = "") -> int:
        """How many redeems the audit holds: those with a decision, or all that were not refused."""
        sql = """SELECT count(*) FROM audit WHERE action = 'redeem.sign_in'
            AND (decision = $1 OR $1 = '' AND decision NOT LIKE 'Refuse:%')"""
        row = await self.world.rt.db.one(sql, decision)
        assert row is not None
        return int(row[0])

    async def _decisions(self, user_id: str) -> list[str]:
        entries = await history.of_user(self.world.rt, self.world.project, user_id, 100_000)
        return [entry.decision for entry in reversed(entries) if entry.action == "token.refresh"]

    async def _refusal(self, grant: str) -> FaultCode | None:
        try:
            await self.world.redeem(grant)
        except Fault as fault:
            return fault.code
        return None
