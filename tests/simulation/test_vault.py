"""Two refreshers, an unlink, a rotation of master keys and a crash meet at one grant, thousands of times over."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import sqlite3
import statistics
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast, get_args

import pytest

from oneself.actions import access_token, accounts, history, key_ring, projects, renewing, users
from oneself.actions.accounts import NewAccount
from oneself.actions.projects import Declaration, DeclaredProvider
from oneself.actions.runtime import Point, ProjectDirectory, Runtime, Settings
from oneself.actions.users import NewUser
from oneself.crypto.seal import KeyRing, generate_line
from oneself.faults import Fault, FaultCode
from oneself.model import Project, ProviderCredentials, TokenSet
from oneself.steps import refreshing, tokens
from oneself.store import accounts as accounts_store
from oneself.store import data_keys, schema_files, vault
from oneself.store.database import Tx
from tests.simulation.timing import run
from tests.simulation.world import Died, Process, SimDatabase, SimOutbound, SimProvider

# A story takes some ten milliseconds.
RUNS = 1_000
EPOCH = 1_800_000_000_000_000
POINTS: tuple[Point, ...] = tuple(point for point in get_args(Point) if point.startswith(("refresh.", "rewrap.")))
OLD, NEW = (generate_line(os.urandom) for _ in range(2))
EXPECTED = {
    FaultCode.PROVIDER_UNAVAILABLE,
    FaultCode.RECONNECT_NEEDED,
    FaultCode.CONNECTION_MISSING,
    FaultCode.SCOPE_MISSING,
}


def clock() -> int:
    """Virtual time, as microseconds since 1970."""
    return EPOCH + int(asyncio.get_running_loop().time() * 1_000_000)


@dataclass(frozen=True)
class Ground:
    """A database image with one user, connected to GitHub with a token that is about to expire."""

    image: bytes
    project_id: str
    user_id: str
    account_id: str


def under_way(rt: Runtime) -> list[asyncio.Task[Any]]:
    """What runs in a process beside those who asked for it."""
    return [*rt.refreshes._under_way.values(), *rt.reads._running]


@dataclass
class Story:
    """One interleaving, as its seed tells it."""

    ground: Ground
    seed: int
    told: list[str] = field(default_factory=list)
    faults: list[FaultCode] = field(default_factory=list)
    unlinked: bool = False
    processes: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        loses, suspends = self.chance.choice([0.0, 0.1, 0.3]), self.chance.choice([0.0, 0.0, 0.4])
        self.provider = SimProvider(Random(self.chance.random()), loses=loses, suspends=suspends)
        self.schedule: list[str] = []
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(self.ground.image)
        self.connection.execute("PRAGMA foreign_keys = ON")

    def process(self, ring: str, die_at: Point | None = None) -> tuple[Process, Runtime]:
        """One more process, with its own memory; at `die_at` it ends."""
        process = Process(Random(self.chance.random()), f"{len(self.processes)}", self.schedule)
        self.processes.append(process)

        def reached(point: Point) -> None:
            if point == die_at:
                process.dead = True
                raise Died

        return process, runtime(self.connection, process, self.provider, ring, reached)

    async def play(self) -> None:
        """Let everybody meet, then ask once more in peace."""
        doomed, first = self.process(f"{OLD},{NEW}", self.chance.choice([*POINTS, None]))
        _, second = self.process(f"{NEW},{OLD}")
        _, rotating = self.process(
            f"{NEW},{OLD}", self.chance.choice(["rewrap.batch_written", "rewrap.batch_stored", None])
        )
        work: list[Awaitable[None]] = [self.read(rt, 3.0) for rt in (first, second) for _ in range(3)]
        work.append(self.rotate(rotating))
        if self.chance.random() < 0.2:
            work.append(self.unlink(second))
        if self.chance.random() < 0.5:
            work.append(self.kill(doomed))
        if self.chance.random() < 0.3:
            work.append(self.consent(second))
        tasks = [asyncio.ensure_future(one) for one in work]
        # whoever belongs to a dead process never ends
        _, hanging = await asyncio.wait(tasks, timeout=600)
        for task in hanging:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, BaseException) and not isinstance(ended, Died | asyncio.CancelledError):
                raise ended
        # what a dead process does for others goes with it, and nothing begins for those who are gone
        left = [*under_way(first), *under_way(second)]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        assert [*under_way(first), *under_way(second)] == []
        # leases end, pauses are over
        await asyncio.sleep(60)
        self.provider.loses = self.provider.suspends = 0.0
        _, last = self.process(f"{NEW},{OLD}")
        await key_ring.rewrap(last, lambda *_: None)
        _, after = self.process(NEW)
        self.told.clear()
        self.faults.clear()
        await self.read(after, 0.0)
        await self.judge(after)

    async def read(self, rt: Runtime, within: float) -> None:
        """A reader, at some moment."""
        await asyncio.sleep(self.chance.random() * within)
        project = await projects.by_id(rt, self.ground.project_id)
        assert project is not None
        try:
            found = await access_token.fresh(rt, project, self.ground.user_id, "github")
        except Fault as fault:
            assert fault.code in EXPECTED, fault
            self.faults.append(fault.code)
        else:
            assert found.access_token.startswith("at-")
            self.told.append(found.access_token)

    async def rotate(self, rt: Runtime) -> None:
        """The command that wraps the keys anew."""
        await asyncio.sleep(self.chance.random() * 3)
        await key_ring.rewrap(rt, lambda *_: None)

    async def unlink(self, rt: Runtime) -> None:
        """The person disconnects the account."""
        await asyncio.sleep(self.chance.random() * 4)
        project = await projects.by_id(rt, self.ground.project_id)
        assert project is not None
        await accounts.remove(rt, project, self.ground.account_id, dialect="stack")
        self.unlinked = True

    async def consent(self, rt: Runtime) -> None:
        """The person signs in once more, which gives the account a new grant; somewhat later a reader comes."""
        await asyncio.sleep(self.chance.random() * 4)
        project = await projects.by_id(rt, self.ground.project_id)
        assert project is not None
        key = await rt.projects.data_key(project.id)
        access, refresh = self.provider.consent()
        held = TokenSet(access_token=access, refresh_token=refresh, expires_at=clock() + 3_600_000_000)

        async def work(tx: Tx) -> None:
            row = await tx.one("SELECT id FROM external_accounts WHERE id = $1", self.ground.account_id)
            if row is not None:
                await tokens.keep(tx, key, project.id, self.ground.user_id, self.ground.account_id, held)

        await rt.db.write(work)

    async def kill(self, process: Process) -> None:
        """The machine takes a process away, wherever it is."""
        await asyncio.sleep(self.chance.random() * 4)
        process.dead = True

    async def judge(self, rt: Runtime) -> None:
        """What must hold at the end, whatever happened."""
        project = await projects.by_id(rt, self.ground.project_id)
        assert project is not None
        entries = await history.of_user(rt, project, self.ground.user_id, 100)
        decisions = Counter(entry.decision for entry in entries if entry.action == "token.refresh")
        provider = self.provider
        assert provider.most_callers <= 1, "two calls for one grant at once"
        if self.unlinked:
            assert self.faults == [FaultCode.CONNECTION_MISSING]
            assert self.connection.execute("SELECT count(*) FROM token_sets").fetchone() == (0,)
            return
        if provider.replayed:
            assert decisions["ambiguous"], "a refresh token was used twice, and nobody said why"
        # nothing but the provider's own word disconnects; what it says of a grant that a new one ended does no harm
        assert provider.replayed <= decisions["revoked"] <= provider.replayed + provider.met_ended, decisions
        assert provider.replayed <= 1, decisions
        if self.told:
            assert set(self.told) == provider.access or not provider.access, "not the token that lives"
        else:
            assert self.faults == [FaultCode.RECONNECT_NEEDED], self.faults
            assert decisions["ambiguous"], "a grant was lost in silence"


def runtime(
    connection: sqlite3.Connection,
    process: Process,
    provider: SimProvider,
    ring: str,
    reached: Callable[[Point], None],
) -> Runtime:
    """A core whose database, way out, clock and chance are the simulation's."""
    db = SimDatabase(connection, process, clock)
    keys = KeyRing.parse(ring, process.chance.randbytes)
    return Runtime(
        db=db,
        outbound=cast(Any, SimOutbound(provider, process, clock)),
        ring=keys,
        clock=clock,
        random=process.chance.randbytes,
        projects=ProjectDirectory(db, keys, process.chance.randbytes),
        settings=Settings(base_url="http://localhost"),
        reached=reached,
    )


async def _ground() -> Ground:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in schema_files.migrations("sqlite"):
        for statement in step.statements:
            connection.execute(statement)
    rt = runtime(connection, Process(Random(0)), SimProvider(Random(0), 0.0), OLD, lambda _: None)
    credentials = ProviderCredentials(config_id="github", provider="github", client_id="Iv1.x")
    declared = DeclaredProvider(credentials=credentials, client_secret="s")
    project = (await projects.create(rt, Declaration(display_name="S", providers=(declared,)))).project
    person = await users.create(rt, project, NewUser(email="a@x.example"))
    account = await accounts.add(
        rt,
        project,
        NewAccount(
            user_id=person.user.id,
            config_id="github",
            subject="1",
            allow_sign_in=True,
            allow_connected_accounts=True,
        ),
    )
    await _connect(rt, project, person.user.id, account.id)
    return Ground(connection.serialize(), project.id, person.user.id, account.id)


async def _connect(rt: Runtime, project: Project, user_id: str, account_id: str) -> None:
    key = await rt.projects.data_key(project.id)
    held = TokenSet(access_token="at-0", refresh_token="rt-0", expires_at=clock() + 1)
    await rt.db.write(lambda tx: tokens.keep(tx, key, project.id, user_id, account_id, held))


def tell(stories: int) -> set[tuple[str, ...]]:
    """That many stories, from a seed that is printed; the orders in which their processes took steps."""
    schedules: set[tuple[str, ...]] = set()
    ground = run(_ground())
    first = secrets.randbits(32)
    print(f"seeds from {first}")
    for seed in range(first, first + stories):
        story = Story(ground, seed)
        try:
            run(story.play())
        except AssertionError as broken:
            broken.add_note(f"seed {seed}")
            raise
        finally:
            story.connection.close()
        schedules.add(tuple(story.schedule))
    return schedules


def test_no_interleaving_loses_a_grant_in_silence_or_uses_a_token_twice() -> None:
    schedules = tell(RUNS)
    print(f"{len(schedules)} interleavings in {RUNS} stories")
    assert len(schedules) > RUNS * 9 // 10
    # several processes really took part, and not one after the other
    assert all(len(set(schedule)) >= 3 for schedule in schedules)
    assert statistics.median(_turns(schedule) for schedule in schedules) > 5


def _turns(schedule: tuple[str, ...]) -> int:
    """How often the next step is another process's."""
    return sum(one != other for one, other in itertools.pairwise(schedule))


def test_a_vault_that_sends_again_what_it_may_have_sent_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing.Grant, "replay_within", None)
    with pytest.raises(AssertionError, match="used twice"):
        tell(RUNS)


def test_a_vault_without_a_lease_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "LEASE", vault.LEASE.replace("fence = $6 AND lease_until < $7", "$6 > 0 AND $7 > 0"))
    monkeypatch.setattr(renewing, "_settled", lambda *_: None)
    with pytest.raises(AssertionError):
        tell(RUNS)


def test_a_vault_that_forgets_an_answer_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "keep", _forgets)
    with pytest.raises(AssertionError):
        tell(RUNS)


def test_a_vault_that_disconnects_in_silence_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "_tell", _says_nothing)
    with pytest.raises(AssertionError):
        tell(RUNS)


def test_a_vault_whose_outages_disconnect_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "postpone", _ends_instead)
    with pytest.raises(AssertionError):
        tell(RUNS)


def test_a_vault_without_a_fence_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that comes late is written over the tokens of a newer consent."""
    monkeypatch.setattr(vault, "STORE", vault.STORE.replace("AND fence = $4", "AND $4 > 0"))
    with pytest.raises(AssertionError):
        tell(RUNS * 3)


def test_a_vault_that_brings_back_what_was_unlinked_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_store, "DELETE", accounts_store.OWNER)
    with pytest.raises(AssertionError):
        tell(RUNS)


def test_a_rotation_that_loses_a_key_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_keys, "REWRAP", data_keys.REWRAP.replace("wrapped = $4", "wrapped = substr($4, 1, 40)"))
    with pytest.raises((AssertionError, Fault)):
        tell(RUNS)


async def _says_nothing(*_: Any) -> None:
    """Tells nobody."""


async def _ends_instead(tx: Any, place: Any, fence: int, *_: Any) -> None:
    """Takes every failure for the end of the grant."""
    await refreshing.end(tx, place, fence, None, "")


async def _forgets(tx: Any, place: Any, *_: Any, **__: Any) -> bool:
    """Closes the journal, and keeps nothing."""
    project_id, account_id, scopes = place.key
    await vault.close(tx, project_id, account_id, scopes, 10**9)
    return True
