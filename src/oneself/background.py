"""What nobody asks for and somebody must do: sweeping rows that ended, handing grants back, sending mail, rotating
signing keys, refreshing tokens ahead of their end, and hearing of other processes' changes.

Any process may run it, and all may at once: every piece of work is idempotent and small.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from oneself.actions import leftovers, mailing, renewing_ahead, revoking, signing_rotation
from oneself.actions import sessions as session_verbs
from oneself.actions.runtime import Runtime
from oneself.faults import Fault
from oneself.steps.numbers import Numbers
from oneself.store import candidates, codes, flows, outbox, sessions
from oneself.store.database import Tx

_LOG = logging.getLogger("oneself.background")

POLL_SECONDS = 1.0
SEEN_SECONDS = 5.0
REVOKE_SECONDS = 2.0
ROTATE_SECONDS = 10.0
MAIL_SECONDS = 1.0
SWEEP_SECONDS = 60.0
LEFTOVERS_SECONDS = 30.0
AHEAD_SECONDS = 15.0
# Rows of trips stay an hour after their end, so that a timeout can be told from an unknown state.
FLOWS_STAY_MICROS = 3_600 * 1_000_000
SESSIONS_STAY_MICROS = 86_400 * 1_000_000
# One-time codes stay a day, so that somebody late is told that the code is too old.
CODES_STAY_MICROS = 86_400 * 1_000_000
# A candidate is worth a try for as long as a provider may keep a grant that nobody uses.
CANDIDATES_STAY_MICROS = 180 * 86_400 * 1_000_000
BATCH = 500

Sweep = Callable[[Tx, int, int], Awaitable[int]]


async def run(rt: Runtime) -> None:
    """Work until cancelled. A database that is away stops nothing: the next round tries again."""
    async with asyncio.TaskGroup() as group:
        for seconds, name, work in (
            (POLL_SECONDS, "hearing of changes", rt.projects.poll),
            (SEEN_SECONDS, "noting who was seen", lambda: session_verbs.write_seen(rt)),
            (REVOKE_SECONDS, "handing grants back", lambda: revoking.drain(rt)),
            (MAIL_SECONDS, "sending mail", lambda: mailing.drain(rt)),
            (ROTATE_SECONDS, "rotating signing keys", lambda: signing_rotation.rotate_due(rt)),
            (LEFTOVERS_SECONDS, "collecting what nobody redeemed", lambda: leftovers.collect(rt)),
            (AHEAD_SECONDS, "refreshing ahead", lambda: refresh_ahead(rt)),
            (SWEEP_SECONDS, "sweeping", lambda: sweep(rt)),
        ):
            group.create_task(_every(seconds, name, work, rt.numbers))


async def refresh_ahead(rt: Runtime) -> int:
    """Renew provider tokens before anybody has to wait for it, where the operator wants that; how many were tried."""
    within = rt.settings.refresh_ahead_seconds
    return await renewing_ahead.renew_ending(rt, within * 1_000_000) if within else 0


async def sweep(rt: Runtime) -> int:
    """Delete all trips, sessions, codes and kept letters that ended long enough ago, and forget keys that signed; how
    many rows went.
    """
    gone = await signing_rotation.forget_retired(rt)
    for one_batch, stay_micros in (
        (flows.sweep, FLOWS_STAY_MICROS),
        (sessions.sweep, SESSIONS_STAY_MICROS),
        (codes.sweep, CODES_STAY_MICROS),
        (outbox.sweep, 0),
        (candidates.sweep, CANDIDATES_STAY_MICROS),
    ):
        gone += await _emptied(rt, one_batch, stay_micros)
    return gone


async def _emptied(rt: Runtime, one_batch: Sweep, stay_micros: int) -> int:
    """Sweep in batches of a commit each, so that no writer waits long behind it."""
    gone = 0
    while True:
        count = await rt.db.write(lambda tx: one_batch(tx, tx.now - stay_micros, BATCH))
        gone += count
        if count < BATCH:
            return gone


async def _every(seconds: float, name: str, work: Callable[[], Awaitable[object]], numbers: Numbers) -> None:
    failing = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Fault as fault:
            if not failing:
                _LOG.warning("%s does not work: %s", name, fault)
            failing = True
            numbers.failed(name)
        except Exception:
            # a bug here must not end the process that serves; it is told, and tried again
            numbers.failed(name)
            _LOG.exception("%s failed", name)
        else:
            failing = False
