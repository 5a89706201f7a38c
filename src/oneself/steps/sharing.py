"""What many ask for at the same time is done once in a process."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """Work under way, by its key: whoever asks for the same meanwhile gets the same outcome."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    async def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The outcome of the work under this key, which begins here unless it is under way."""
        running = self._under_way.get(key)
        if running is None:
            running = self._under_way[key] = asyncio.create_task(work())
            running.add_done_callback(lambda flight: self._landed(key, flight))
        # A caller who goes away must not take the work with it: others wait for it.
        return await asyncio.shield(running)

    async def settle(self) -> None:
        """Wait for all that is under way, however it ends."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _landed(self, key: Hashable, flight: "asyncio.Task[T]") -> None:
        del self._under_way[key]
        # asked for here, so that nobody is told of it where all who waited have gone away
        if not flight.cancelled():
            flight.exception()


Work = Callable[[Callable[[], None]], Coroutine[Any, Any, T]]
"""What looks at something and then acts on it; it calls what it is given as soon as it has looked."""


@dataclass(slots=True)
class _Turn(Generic[T]):
    """Work that has not begun, for all who came while the work before it was looking: so many of them still wait."""

    work: Work[T]
    outcome: "asyncio.Future[T]"
    waiting: int = 0


class Turns(Generic[T]):
    """The same work asked for again and again: whoever comes while one is looking shares the next one.

    So however many come at once cost two looks, and nobody is told what was seen before he asked.
    """

    def __init__(self) -> None:
        # whose look is under way, and what comes after it
        self._looking: dict[Hashable, _Turn[T] | None] = {}
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How much is done for others, beside what those who came first do themselves."""
        return len(self._running)

    async def share(self, key: Hashable, work: Work[T]) -> T:
        """What comes of the work. All who give this key ask for the same."""
        if key not in self._looking:
            self._looking[key] = None
            return await self._look(key, work)
        turn = self._looking[key]
        if turn is None:
            turn = self._looking[key] = _Turn(work, asyncio.get_running_loop().create_future())
        turn.waiting += 1
        try:
            # A caller who goes away must not take the work with it: others wait for it.
            return await asyncio.shield(turn.outcome)
        finally:
            turn.waiting -= 1

    async def settle(self) -> None:
        """Wait for all that is done for others, however it ends; what nobody waits for any more does not begin."""
        await asyncio.sleep(0)  # what was about to begin has done so, or has found nobody waiting
        while self._running:
            await asyncio.wait(self._running)

    async def _look(self, key: Hashable, work: Work[T]) -> T:
        looking = True

        def looked() -> None:
            nonlocal looking
            if looking:
                looking = False
                self._next(key)

        try:
            return await work(looked)
        finally:
            looked()

    def _next(self, key: Hashable) -> None:
        """Begin the work that others wait for, if any do."""
        turn = self._looking.pop(key)
        if turn is not None:
            self._looking[key] = None
            # Not before whoever has just looked went on: he may be about to do what the others will wait for.
            asyncio.get_running_loop().call_soon(self._begin, key, turn)

    def _begin(self, key: Hashable, turn: _Turn[T]) -> None:
        if not turn.waiting:
            # All have gone away, as they do when the process stops: it must not call anybody after that.
            self._next(key)
            return
        task = asyncio.get_running_loop().create_task(self._together(key, turn))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _together(self, key: Hashable, turn: _Turn[T]) -> None:
        outcome = turn.outcome
        try:
            outcome.set_result(await self._look(key, turn.work))
        except Exception as error:
            outcome.set_exception(error)
            outcome.exception()  # asked for here, so that nobody is told of it where all who waited have gone away
        except BaseException:
            outcome.cancel()
            raise
