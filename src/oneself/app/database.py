"""Opening the database that the settings name, and refusing in words where that cannot be."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from oneself.config import Config
from oneself.faults import Fault
from oneself.store.database import Database
from oneself.store.opening import open_database


class StartRefused(Exception):
    """The server will not start; the text says why and what to do."""


def microseconds() -> int:
    """The time: microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


@asynccontextmanager
async def opened_database(config: Config, *, serving: bool = False, patient: bool = False) -> AsyncIterator[Database]:
    """Open the database alone; `patient` without a limit for how long one statement may take.

    Raises StartRefused.
    """
    try:
        db = await open_database(
            config.database_url.reveal(),
            microseconds,
            exclusive=serving,
            size=config.limits.database_connections,
            statement_timeout=0 if patient else 15.0,
        )
    except Fault as fault:
        raise StartRefused(f"The database cannot be used: {fault.detail}. {_advice(config)}") from None
    try:
        yield db
    finally:
        await db.close()


def _advice(config: Config) -> str:
    """What to look at where the database cannot be used; nothing secret of its address."""
    if config.engine == "sqlite":
        return (
            "See that the folder of `database_url` is there and may be written to, and that no other process serves it."
        )
    where = urlsplit(config.database_url.reveal()).netloc.rpartition("@")[2]
    return f"See that it runs at {where or 'the address in `database_url`'} and lets this user in with this password."
