"""The bounded pool that hashes passwords: few threads, a short queue; a flood of guesses stops nobody else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from oneself.crypto.passwords import hash_password, verify_password
from oneself.faults import Fault, FaultCode

T = TypeVar("T")

# Two threads give twice the rate of one, since hashing releases the lock; each takes 19 MiB and about 30 ms. Imported
# hashes may ask for more (`crypto.passwords` bounds it), until their owners sign in.
THREADS = 2
MOST_WAITING = 64
RETRY_SECONDS = 1


class HashingPool:
    """Hashes and verifies passwords off the event loop."""

    def __init__(self, threads: int = THREADS, most_waiting: int = MOST_WAITING) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._room = threads + most_waiting
        self._inside = 0

    @property
    def inside(self) -> int:
        """How many passwords are being hashed or wait for it."""
        return self._inside

    async def hash(self, password: str, random: Callable[[int], bytes]) -> str:
        """The encoded hash of a new password. Raises Fault(LIMIT_REACHED) while the queue is full."""
        return await self._run(lambda: hash_password(password, random))

    async def verify(self, encoded: str, password: str) -> bool:
        """Whether `password` gives `encoded`; an empty hash takes as long and says no.

        Raises Fault(LIMIT_REACHED) while the queue is full.
        """
        return await self._run(lambda: verify_password(encoded or None, password))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._inside >= self._room:
            raise Fault(FaultCode.LIMIT_REACHED, "too many passwords at once", retry_after=RETRY_SECONDS)
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._inside -= 1
