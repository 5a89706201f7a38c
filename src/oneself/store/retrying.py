"""How often a unit of work is tried again, and after which pause."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from oneself.faults import Fault, FaultCode

T = TypeVar("T")

TRIES = 4
FIRST_PAUSE = 0.004
"""Seconds before the second try; each further pause is three times as long, give or take a half."""


class Again(Exception):
    """A try that certainly changed nothing and may be made again; `code` is the fault when no try
    is left.
    """

    def __init__(self, reason: str, code: FaultCode = FaultCode.DATABASE_CONTENDED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class LockTimeout(Fault):
    """Somebody else held a lock for longer than this connection waits: contention that needs
    patience, not haste.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(FaultCode.DATABASE_CONTENDED, detail=detail)


async def insist(attempt: Callable[[], Awaitable[T]]) -> T:
    """Make an attempt until it does not ask to be made again, `TRIES` times at most.

    The jitter parts those who collided, so that they do not meet again.
    """
    pause = FIRST_PAUSE
    for left in reversed(range(TRIES)):
        try:
            return await attempt()
        except Again as again:
            if left == 0:
                raise Fault(again.code, detail=f"{again.reason}, {TRIES} times") from again
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - a pause is no secret
        pause *= 3
    raise AssertionError("unreachable: the last try returns or raises")
