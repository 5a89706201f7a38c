"""A thousand readers of one expired provider token, over four processes: one call, and how long everybody waited.

The processes are the core alone, without HTTP, so that what is measured is the single flight: a future for a process,
and one poller in those that do not hold the lease.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.engines import now
from oneself.crypto.seal import generate_line
from oneself.rules.lifetimes import DAY
from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from tests.crash.lives import Job
from tests.crash.opening import opened_run
from tests.crash.running import Run
from tests.processes.fleet import emulated

NAME = "a thousand readers of one expired token"
PROVIDER = "github"
PROCESSES, READERS = 4, 250
START_SECONDS = 1.0
UPSTREAM_SECONDS = 0.5
ALLOWED_SECONDS = 0.1
"""What is promised beside the provider's own time, for 99 of a hundred."""


class WrongAnswer(Exception):
    """The readers were told more than one token, or the provider was asked more than once: no figure counts."""


@dataclass(slots=True)
class Waits:
    """Each round's waits in seconds, sorted, and how often the provider was asked in all of them."""

    rounds: list[list[float]] = field(default_factory=list)
    calls: int = 0

    def quantile(self, part: float) -> float:
        """The median over the rounds of a round's quantile."""
        found = sorted(waits[min(len(waits) - 1, int(part * len(waits)))] for waits in self.rounds)
        return found[len(found) // 2]


def measured(database_url: str, rounds: int) -> Waits:
    """Let a thousand wait, that many times, on an empty database. Raises WrongAnswer."""
    with emulated() as emulator:
        return asyncio.run(_measured(database_url, emulator, rounds))


async def _measured(database_url: str, emulator: str, rounds: int) -> Waits:
    waits = Waits()
    db = await open_database(database_url, now, clock_limit=None)
    await migrate(db)
    await db.close()
    async with opened_run(database_url, generate_line(secrets.token_bytes), emulator, 0) as run:
        user_id = (await run.world.sign_in(PROVIDER, "ada")).view.user.id
        for _ in range(rounds):
            await _round(run, user_id, waits)
    return waits


async def _round(run: Run, user_id: str, waits: Waits) -> None:
    world = run.world
    world.clock.ahead += DAY
    slow: dict[str, Any] = {"provider": PROVIDER, "endpoint": "token", "kind": "delay", "seconds": UPSTREAM_SECONDS}
    await world.control("faults", **slow, times=1)
    await world.control("counts", "DELETE")
    # behind the start of the processes, which is no part of the wait
    begin_at = time.monotonic() + START_SECONDS
    job = Job(verb="read", user_id=user_id, provider=PROVIDER, readers=READERS, wait_seconds=30, begin_at=begin_at)
    told = await asyncio.gather(*(run.lives(job) for _ in range(PROCESSES)))
    tokens = {one.access_token for one in told}
    calls = (await world.control("counts", "GET")).get(f"{PROVIDER}.token.refresh_token", 0)
    if len(tokens) != 1 or " " in min(tokens) or not min(tokens) or calls != 1:
        raise WrongAnswer(f"{calls} calls and these answers: {[(one.fault, bool(one.access_token)) for one in told]}")
    waits.calls += calls
    waits.rounds.append(sorted(wait for one in told for wait in one.waits))
