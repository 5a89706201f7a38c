"""Drives one operation over many connections, and says how many came back, how soon, and what they cost the server."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from benchmarks.http_client import Answer, Connection, connect

LEAST = 0.01
"""The processor time that a system counts at all, in seconds."""

LONGEST = 60.0
"""For how many seconds a slow operation is waited for beyond its time, until each connection has seen it once."""

Once = Callable[[Connection], Awaitable[None]]


class WrongAnswer(Exception):
    """An answer is not what the operation must give: the run is void."""


class Spent(Exception):
    """What was prepared for an operation is used up: the measurement ends here."""


@dataclass(slots=True)
class Sample:
    """What one measurement saw. `seconds` is its length, `cpu_seconds` what the server took meanwhile."""

    seconds: float
    cpu_seconds: float
    latencies: list[float] = field(repr=False)

    @property
    def count(self) -> int:
        """How many came back."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """How many came back in a second."""
        return self.count / self.seconds

    @property
    def cpu_micros(self) -> float:
        """Microseconds of the server's processor for each."""
        return self.cpu_seconds / self.count * 1e6

    @property
    def busy(self) -> float:
        """The part of its core that the server used."""
        return self.cpu_seconds / self.seconds

    def quantile(self, part: float) -> float:
        """The latency in seconds that this part of all stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, math.ceil(part * len(ordered)) - 1)]


async def drive(
    address: tuple[str, int],
    once: Once,
    cpu_seconds: Callable[[], float],
    *,
    connections: int,
    warm_up: float,
    seconds: float,
) -> Sample:
    """Run `once` on each connection again and again; what happens in the first `warm_up` seconds is left out.
    It takes longer than `seconds` where by then not every connection could have come back.

    Any exception of `once` but Spent ends the run and is raised: a benchmark with errors measures nothing.
    """
    opened = [await connect(address) for _ in range(connections)]
    watch = _Watch(cpu_seconds, warm_up, seconds, connections)
    try:
        async with asyncio.TaskGroup() as group:
            for connection in opened:
                group.create_task(_repeat(connection, once, watch))
    except* Exception as errors:
        raise errors.exceptions[0] from None
    finally:
        for connection in opened:
            connection.close()
    return watch.sample()


def check(answer: Answer, status: int, must_hold: bytes) -> Answer:
    """Hold an answer against what it must be. Raises WrongAnswer."""
    if answer.status != status or must_hold not in answer.body:
        said = answer.body[:500].decode("utf-8", "replace")
        raise WrongAnswer(f"expected {status} with {must_hold.decode()!r}, got {answer.status}: {said}")
    return answer


class _Watch:
    """Begins to count when the warm-up is over; it is enough when the time is over and `least` have come back."""

    def __init__(self, cpu_seconds: Callable[[], float], warm_up: float, seconds: float, least: int) -> None:
        self._cpu_seconds = cpu_seconds
        self._begin = time.perf_counter() + warm_up
        self._end = self._begin + seconds
        # A few that came back say nothing of a rate.
        self._least = least
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None
        self._latencies: list[float] = []

    def note(self, began: float, ended: float) -> bool:
        """Note one that came back; False when the time is over."""
        if self._first is None:
            if ended >= self._begin:
                self._first = (ended, self._cpu_seconds())
            return True
        if self._last is None:
            self._latencies.append(ended - began)
            enough = len(self._latencies) >= self._least or ended >= self._end + LONGEST
            if ended >= self._end and enough:
                self.stop()
        return self._last is None

    def stop(self) -> None:
        """End the measurement now."""
        if self._last is None:
            self._last = (time.perf_counter(), self._cpu_seconds())

    def sample(self) -> Sample:
        """What was seen. Raises Spent where it ended before it began."""
        if self._first is None or self._last is None or not self._latencies:
            raise Spent("too little was prepared")
        took = max(self._last[1] - self._first[1], LEAST)
        return Sample(self._last[0] - self._first[0], took, self._latencies)


async def _repeat(connection: Connection, once: Once, watch: _Watch) -> None:
    try:
        while True:
            began = time.perf_counter()
            await once(connection)
            if not watch.note(began, time.perf_counter()):
                return
    except Spent:
        watch.stop()
