"""Keys that sign give way to new ones: on a schedule, when an operator asks, or at once when one has leaked."""

import logging
from datetime import UTC, datetime
from typing import cast

from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.rules.lifetimes import DAY, SECOND, SIGNATURE_KNOWN, SIGNING_KEY_OVERLAP
from oneself.steps.signing_keys import Use, make
from oneself.store import projects, signing_keys
from oneself.store.database import Tx
from oneself.store.signing_keys import StoredKey, UseSummary

_LOG = logging.getLogger("oneself.signing")

BATCH = 50
TRIES = 4


async def rotate(rt: Runtime, project_id: str, use: Use) -> int:
    """Make the key that follows the one that signs, publish it, and say from when it signs (microseconds).

    The keys before it stay published until nothing that they signed is good any more. Where a next key is published
    already, its time is given and nothing is made: several processes at once make one. 0 for a use that has no key.
    Raises Fault(PROJECT_UNKNOWN).
    """
    for _ in range(TRIES):
        newest = await _newest(rt, project_id, use)
        if newest is None:
            return 0
        if newest.signs_at > rt.clock():
            return newest.signs_at
        made = await _follow(rt, project_id, use, newest)
        if made is not None:
            return made.signs_at
    raise Fault(FaultCode.DATABASE_CONTENDED, "others change the same signing keys")


async def replace(rt: Runtime, project_id: str, use: Use) -> bool:
    """Put a new key in the place of all others, at once: what they signed is refused from now on. False for a use that
    has no key.

    For a key that has leaked: who holds a token of it must come back with a session or a refresh token, and clients
    that keep the published keys may refuse the new one until they ask again. Raises Fault(PROJECT_UNKNOWN).
    """
    for _ in range(TRIES):
        newest = await _newest(rt, project_id, use)
        if newest is None:
            return False
        if await _follow(rt, project_id, use, newest, at_once=True) is not None:
            return True
    raise Fault(FaultCode.DATABASE_CONTENDED, "others change the same signing keys")


async def rotate_due(rt: Runtime) -> int:
    """Begin the rotations that the schedule asks for, a batch of them; how many were begun by this process.

    One statement where there are none. Several processes may do so at once: each use gets one new key.
    """
    period = rt.settings.signing_key_seconds * SECOND
    if not period:
        return 0
    due = await signing_keys.newest_since(rt.db, rt.clock() - period, BATCH)
    # Each process begins at another place, so that two seldom make a key for the same use.
    begin = int.from_bytes(rt.random(2)) % len(due) if due else 0
    made = 0
    for project_id, name in (*due[begin:], *due[:begin]):
        use = cast(Use, name)
        newest = await _newest(rt, project_id, use)
        if newest is None or newest.signs_at > rt.clock() - period:
            continue
        try:
            made += await _follow(rt, project_id, use, newest) is not None
        except Fault as fault:
            # One project's trouble (a data key that cannot be opened) keeps no other's keys from their time.
            _LOG.warning("no new key signs tokens of project %s (%s): %s", project_id, use, fault)
    return made


async def places(rt: Runtime, project: Project | None) -> list[tuple[str, Use]]:
    """Every project and use that has keys, or those of one project."""
    found: list[tuple[str, Use]] = []
    after = ("", "") if project is None else (project.id, "")
    while page := await signing_keys.newest(rt.db, after, BATCH):
        for project_id, name in page:
            if project is not None and project_id != project.id:
                return found
            found.append((project_id, cast(Use, name)))
        after = page[-1]
    return found


async def forget_retired(rt: Runtime) -> int:
    """Erase the private halves of keys that are published no more, and remove those whose signatures nobody needs to
    know any more; how many rows changed.
    """

    async def work(tx: Tx) -> int:
        gone = await signing_keys.delete_retired(tx, tx.now - SIGNATURE_KNOWN)
        return gone + await signing_keys.erase_retired(tx, tx.now)

    return await rt.db.write(work)


async def status(rt: Runtime) -> list[UseSummary]:
    """How the keys of each use stand over all projects."""
    return await signing_keys.summary(rt.db, rt.clock())


async def _newest(rt: Runtime, project_id: str, use: Use) -> StoredKey | None:
    stored = await signing_keys.of_use(rt.db, project_id, use, rt.clock())
    return stored[0] if stored else None


async def _follow(
    rt: Runtime, project_id: str, use: Use, newest: StoredKey, *, at_once: bool = False
) -> StoredKey | None:
    """Make the key of the next generation; None where somebody else made it meanwhile."""
    project = await rt.projects.by(projects.BY_ID, project_id)
    if project is None:
        raise Fault(FaultCode.PROJECT_UNKNOWN, "no such project")
    data_key = await rt.projects.data_key(project_id)
    now = rt.clock()
    signs_at = now if at_once else now + rt.settings.key_published_before
    key = await make(project, use, data_key, rt.random, generation=newest.generation + 1, now=now, signs_at=signs_at)

    async def work(tx: Tx) -> bool:
        if not await signing_keys.insert(tx, project_id, use, key):
            return False
        if at_once:
            await signing_keys.delete_older(tx, project_id, use, key.generation)
            await projects.touch(tx, project_id)
        else:
            await signing_keys.retire_older(tx, project_id, use, key.generation, signs_at + _overlap(rt))
        return True

    if not await rt.db.write(work):
        return None
    if at_once:
        rt.projects.forget(project_id)
    _LOG.info("%s signs tokens of project %s (%s) from %s", key.kid, project_id, use, utc(signs_at))
    return key


def _overlap(rt: Runtime) -> int:
    """How long a key stays published that signs no more: longer than the tokens that processes still sign with it for
    a moment, and than clients that read the list before.
    """
    return max(SIGNING_KEY_OVERLAP, rt.settings.access_token_seconds * SECOND + DAY)


def utc(micros: int) -> str:
    """A time in words: `2026-11-28 07:30:00 UTC`."""
    return f"{datetime.fromtimestamp(micros / 1_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
