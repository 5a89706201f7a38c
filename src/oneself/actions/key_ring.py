"""The key ring over all projects: what hangs on each master key, and wrapping everything anew under the first."""

from collections import Counter
from collections.abc import AsyncIterator, Callable

from oneself.actions.runtime import Runtime
from oneself.crypto.seal import wrapped_under
from oneself.model import Noun
from oneself.store import data_keys
from oneself.store.database import Tx

BATCH = 100


class MasterKeyUse(Noun, frozen=True, kw_only=True):
    """What hangs on one master key. `in_ring` False: the ring lacks it, and what hangs on it cannot be opened."""

    id: str
    active: bool
    in_ring: bool
    data_keys: int
    open_trips: int

    @property
    def removable(self) -> bool:
        """Whether it may leave the ring: it is not the active one and nothing hangs on it."""
        return not self.active and not self.data_keys and not self.open_trips


async def status(rt: Runtime) -> list[MasterKeyUse]:
    """What hangs on each master key: those of the ring in its order, then those that it lacks."""
    keys = Counter[str]()
    async for _, _, wrapped in _all(rt, BATCH):
        keys[wrapped_under(wrapped)] += 1
    trips = await data_keys.open_trips(rt.db, rt.clock())
    ring = rt.ring.ids()
    lacking = sorted({*keys, *trips} - set(ring))
    return [
        MasterKeyUse(
            id=key_id,
            active=key_id == rt.ring.active_id,
            in_ring=key_id in ring,
            data_keys=keys[key_id],
            open_trips=trips.get(key_id, 0),
        )
        for key_id in (*ring, *lacking)
    ]


async def lacking(rt: Runtime) -> dict[str, int]:
    """Master keys that the ring lacks although data keys are wrapped under them, and how many."""
    return {use.id: use.data_keys for use in await status(rt) if not use.in_ring and use.data_keys}


async def rewrap(rt: Runtime, told: Callable[[int, int], None], batch: int = BATCH) -> int:
    """Wrap every data key under the ring's first key that is not yet; gives how many were.

    Servers go on meanwhile: the data keys themselves stay as they are. A commit for each batch; after a kill, running
    it again goes on where it was. `told` hears how many were looked at, and of how many. Raises
    Fault(MASTER_KEY_MISSING) for one that is wrapped under a key which the ring lacks.
    """
    total, seen, done = await data_keys.count(rt.db), 0, 0
    after = ("", "")
    while page := await data_keys.page(rt.db, after, batch):
        done += await _batch(rt, page)
        after = page[-1][:2]
        seen += len(page)
        told(min(seen, total), total)
    return done


async def _batch(rt: Runtime, page: list[tuple[str, str, bytes]]) -> int:
    old = [one for one in page if wrapped_under(one[2]) != rt.ring.active_id]
    if not old:
        return 0
    new = [rt.ring.wrap(rt.ring.unwrap(wrapped, project, key), project, key) for project, key, wrapped in old]

    async def work(tx: Tx) -> int:
        changed = [
            await data_keys.rewrap(tx, project, key, wrapped, fresh)
            for (project, key, wrapped), fresh in zip(old, new, strict=True)
        ]
        rt.reached("rewrap.batch_written")
        return sum(changed)

    done = await rt.db.write(work)
    rt.reached("rewrap.batch_stored")
    return done


async def _all(rt: Runtime, batch: int) -> AsyncIterator[tuple[str, str, bytes]]:
    after = ("", "")
    while page := await data_keys.page(rt.db, after, batch):
        for one in page:
            yield one
        after = page[-1][:2]
