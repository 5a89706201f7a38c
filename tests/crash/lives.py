"""One short life of a process: it opens the core, does one job, tells what came of it, and may be killed on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from oneself.actions import access_token, callback, projects, redeem
from oneself.actions.callback import CallbackRequest
from oneself.actions.redeem import RedeemRequest
from oneself.actions.runtime import Clock, Point, ProjectDirectory, Runtime, Settings
from oneself.crypto.seal import KeyRing
from oneself.faults import Fault
from oneself.model import Project, Secret
from oneself.rules.lifetimes import DAY
from oneself.steps.sessions import SessionWish
from oneself.store.database import Database
from oneself.store.opening import open_database
from oneself.upstream.http import Outbound

# Sessions outlast the clock, which a run pushes forward by a day for many of its kills.
WISH = SessionWish(kind="stytch", lifetime=36_500 * DAY)
BASE_URL = "http://localhost:8000"
CALLBACK_URL = f"{BASE_URL}/callback"


@dataclass(frozen=True)
class Ground:
    """What every process of a run stands on. `ahead` is how far its clock is pushed, in microseconds."""

    database_url: str
    master_keys: str
    emulator: str
    project_id: str
    ahead: int = 0

    def clock(self) -> int:
        """The machine's clock, pushed forward."""
        return time.time_ns() // 1_000 + self.ahead


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do, and the point at which it dies (none: only from outside)."""

    verb: Literal["redeem", "read", "callback"]
    die_at: Point | None = None
    grant: str = ""
    verifier: str = ""
    user_id: str = ""
    provider: str = ""
    state: str = ""
    cookie: str = ""
    params: dict[str, str] = {}
    # how many readers ask at once
    readers: int = 1
    wait_seconds: float = 0.1
    # when it begins, in seconds of the machine's monotonic clock, so that several processes do at once
    begin_at: float = 0.0


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a process acknowledged: a result, or a fault's code."""

    fault: str = ""
    ambiguous: bool = False
    user_id: str = ""
    session_token: str = ""
    access_token: str = ""
    grant: str = ""
    # how long each of several readers waited, in seconds
    waits: list[float] = []


def runtime(
    ground: Ground,
    db: Database,
    die_at: Point | None = None,
    clock: Clock | None = None,
    wait_seconds: float = 0.1,
) -> Runtime:
    """A core over an open database, which ends its process at `die_at`; its readers wait for others' refreshes for
    `wait_seconds`: little, where those others may be dead.
    """

    def reached(point: Point) -> None:
        if point == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    ring = KeyRing.parse(ground.master_keys, os.urandom)
    return Runtime(
        db=db,
        outbound=Outbound(frozenset({urlsplit(ground.emulator).netloc}), clock=clock or ground.clock),
        ring=ring,
        clock=clock or ground.clock,
        random=os.urandom,
        projects=ProjectDirectory(db, ring, os.urandom),
        settings=Settings(base_url=BASE_URL, refresh_wait_seconds=wait_seconds),
        reached=reached,
    )


READY = b"ready\n"
BYE = b"bye\n"


def live(ground: Ground, job: Job, pipe: int) -> None:
    """A whole life: the line between "ready" and "bye" is what a client was told."""
    asyncio.run(_live(ground, job, pipe))


async def _live(ground: Ground, job: Job, pipe: int) -> None:
    size = 2 if job.readers == 1 else 6
    db = await open_database(ground.database_url, ground.clock, clock_limit=None, size=size)
    rt = runtime(ground, db, job.die_at, wait_seconds=job.wait_seconds)
    project = await projects.by_id(rt, ground.project_id)
    assert project is not None
    if job.readers > 1:
        # a process that has served for a while has its connections open
        await asyncio.gather(*(db.one("SELECT 1") for _ in range(size)))
    os.write(pipe, READY)  # from here on a kill may come from outside
    await asyncio.sleep(max(0.0, job.begin_at - time.monotonic()))
    os.write(pipe, msgspec.json.encode(await done(rt, project, job)) + b"\n")
    await rt.outbound.close()
    await db.close()
    os.write(pipe, BYE)


async def done(rt: Runtime, project: Project, job: Job) -> Told:
    """Do the job; what a client would be told."""
    verbs: dict[str, Any] = {"redeem": _redeem, "read": _read, "callback": _callback}
    try:
        told: Told = await verbs[job.verb](rt, project, job)
    except Fault as fault:
        return Told(fault=fault.code.value, ambiguous=bool(fault.facts.get("ambiguous")))
    return told


async def _redeem(rt: Runtime, project: Project, job: Job) -> Told:
    verifier = Secret(job.verifier) if job.verifier else None
    wanted = RedeemRequest(dialect="stytch", grant=Secret(job.grant), verifier=verifier, session=WISH)
    ended = await redeem.redeem(rt, project, wanted)
    assert ended.session_token is not None
    return Told(
        user_id=ended.view.user.id,
        session_token=ended.session_token.reveal(),
        access_token=ended.tokens.access_token,
    )


async def _read(rt: Runtime, project: Project, job: Job) -> Told:
    waits: list[float] = []

    async def one() -> str:
        began = time.perf_counter()
        tokens = await access_token.fresh(rt, project, job.user_id, job.provider)
        waits.append(time.perf_counter() - began)
        return tokens.access_token

    found = set(await asyncio.gather(*(one() for _ in range(job.readers))))
    return Told(user_id=job.user_id, access_token=" ".join(sorted(found)), waits=waits)


async def _callback(rt: Runtime, project: Project, job: Job) -> Told:
    came = CallbackRequest(dialect="stytch", state=job.state, params=job.params, cookie=job.cookie)
    landing = await callback.finish(rt, came)
    if landing.fault is not None:
        raise landing.fault
    return Told(grant=landing.grant)
