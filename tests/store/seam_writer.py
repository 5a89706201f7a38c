"""A process for the seam's tests: writes rows to a SQLite file for ever and prints the number of
each that was acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from oneself.faults import Fault
from oneself.store.database import Tx
from oneself.store.opening import open_database
from tests.store.conftest import clock

CLIENTS = 20
INSERT = "INSERT INTO acknowledged (writer, n) VALUES ($1, $2)"


async def write_on(url: str, writer: str, limit: int) -> None:
    """Write rows of `writer` up to `limit` with several clients, one line of output for each
    acknowledged.
    """
    db = await open_database(url, clock)
    numbers = itertools.count(1)

    async def client() -> None:
        for number in numbers:
            if number > limit:
                return

            async def work(tx: Tx, number: int = number) -> None:
                await tx.run(INSERT, writer, number)

            try:
                await db.write(work)
            except Fault as fault:
                os.write(1, f"{fault}\n".encode())
            else:
                os.write(1, f"{number}\n".encode())

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    await db.close()


if __name__ == "__main__":
    asyncio.run(write_on(sys.argv[1], sys.argv[2], int(sys.argv[3])))
