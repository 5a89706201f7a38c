"""A gate per provider host: so many calls at once, so many waiting, no queue for others."""

import asyncio
from collections import deque

from oneself.faults import Fault, FaultCode


class Gate:
    """Lets `most` in at once and `waiting` wait, in the order in which they came."""

    def __init__(self, most: int, waiting: int) -> None:
        self._free = most
        self._most = most
        self._room = waiting
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def idle(self) -> bool:
        """Nobody is in, and nobody waits."""
        return self._free == self._most and not self._queue

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._queue)

    @property
    def inside(self) -> int:
        """How many are in."""
        return self._most - self._free

    async def enter(self) -> None:
        """Wait for a place. Raises `provider_unavailable` at once where too many wait already."""
        if self._free > 0:
            self._free -= 1
            return
        if len(self._queue) >= self._room:
            raise Fault(FaultCode.PROVIDER_UNAVAILABLE, "too many calls wait for it", sent=False)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            elif turn in self._queue:
                self._queue.remove(turn)
            raise

    def leave(self) -> None:
        """Give the place to the next who still waits, or free it."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Gates:
    """The gates of all hosts; one that nobody uses is forgotten."""

    def __init__(self, most: int, waiting: int) -> None:
        self._most = most
        self._waiting = waiting
        self._gates: dict[str, Gate] = {}

    @property
    def standing(self) -> tuple[int, int]:
        """How many are in and how many wait, over all hosts."""
        gates = self._gates.values()
        return sum(gate.inside for gate in gates), sum(gate.waiting for gate in gates)

    def through(self, host: str) -> "Passage":
        """Hold a place at the gate of `host` for an `async with`. Raises `provider_unavailable` where it is full."""
        return Passage(self, host)

    async def enter(self, host: str) -> Gate:
        """Take a place; `leave` gives it back."""
        gate = self._gates.get(host)
        if gate is None:
            gate = self._gates[host] = Gate(self._most, self._waiting)
        try:
            await gate.enter()
        except BaseException:
            self._forget(host, gate)
            raise
        return gate

    def leave(self, host: str, gate: Gate) -> None:
        """Give a place back."""
        gate.leave()
        self._forget(host, gate)

    def _forget(self, host: str, gate: Gate) -> None:
        if gate.idle:
            self._gates.pop(host, None)


class Passage:
    """One call's way through the gate of a host."""

    __slots__ = ("_gate", "_gates", "_host")

    def __init__(self, gates: Gates, host: str) -> None:
        self._gates = gates
        self._host = host
        self._gate: Gate | None = None

    async def __aenter__(self) -> None:
        self._gate = await self._gates.enter(self._host)

    async def __aexit__(self, *_: object) -> None:
        if self._gate is not None:
            self._gates.leave(self._host, self._gate)
