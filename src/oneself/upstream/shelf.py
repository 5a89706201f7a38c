"""What providers publish (metadata, keys), kept for a while: bounded, fetched once however many
ask.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from oneself.faults import Fault, FaultCode

SECOND = 1_000_000


@dataclass(slots=True)
class _Entry:
    """`value` was fetched at `at`; `tried` is when a fetch last ended, well or not (`fault`)."""

    value: Any = None
    at: int = 0
    tried: int = 0
    fault: Fault | None = None
    task: asyncio.Task[None] | None = None


class Shelf:
    """Keeps at most `most` documents by key; times are microseconds of `clock`."""

    def __init__(self, clock: Callable[[], int], most: int = 512) -> None:
        self._clock = clock
        self._most = most
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def get(
        self,
        key: str,
        fetch: Callable[[], Awaitable[Any]],
        *,
        fresh: int = 3600 * SECOND,
        stale: int = 24 * 3600 * SECOND,
        pause: int = 5 * SECOND,
    ) -> Any:
        """Give the document, fetching it when it is older than `fresh`.

        When a fetch fails, a document younger than `stale` still serves, and nobody tries again
        for `pause`, so that a broken provider is not stormed. Otherwise raises the fetch's Fault.
        """
        entry = self._entry(key)
        now = self._clock()
        if entry.at and now - entry.at < fresh:
            return entry.value
        if entry.task is None and (not entry.tried or now - entry.tried >= pause):
            entry.task = asyncio.create_task(self._fetch(entry, fetch))
        if entry.task is not None:
            # A caller that gives up must not take the fetch away from the others.
            await asyncio.shield(entry.task)
        if entry.at and self._clock() - entry.at < max(stale, fresh):
            return entry.value
        if entry.fault is not None:
            fault = entry.fault
            raise Fault(fault.code, fault.detail, fault.step, **fault.facts)
        raise Fault(FaultCode.PROVIDER_UNAVAILABLE, "the fetch was broken off", sent=False)

    async def close(self) -> None:
        """Stop the fetches that run and forget everything."""
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        self._entries.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _entry(self, key: str) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return entry

    async def _fetch(self, entry: _Entry, fetch: Callable[[], Awaitable[Any]]) -> None:
        try:
            entry.value = await fetch()
            entry.at, entry.fault = self._clock(), None
        except Fault as fault:
            entry.fault = fault
        finally:
            entry.tried = self._clock()
            entry.task = None
