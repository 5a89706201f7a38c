"""Databases for the store's tests: each in memory, on disk and on PostgreSQL, empty or with the
schema.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from oneself.store.database import Database
from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from tests.store.counting import Counts, counted

KINDS = ("memory", "disk", "postgresql")


def clock() -> int:
    """The machine's clock in microseconds."""
    return time.time_ns() // 1000


class Count(Protocol):
    """What the fixture `count` gives."""

    def __call__(self, db: Database) -> AbstractAsyncContextManager[Counts]: ...


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of this test's own, once for each kind."""
    if request.param == "memory":
        yield "sqlite://:memory:"
    elif request.param == "disk":
        yield f"sqlite:///{tmp_path / 'seam.sqlite3'}"
    else:
        yield request.getfixturevalue("postgres_url")


@pytest.fixture
async def db(address: str) -> AsyncIterator[Database]:
    """An open, empty database, once for each kind."""
    database = await open_database(address, clock)
    yield database
    await database.close()


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """An open database with the schema and no rows, once for each kind."""
    if request.param == "memory":
        database = await open_database("sqlite://:memory:", clock)
        await migrate(database)
    else:
        kind = "sqlite" if request.param == "disk" else "postgres"
        database = await open_database(request.getfixturevalue(f"migrated_{kind}_url"), clock)
    yield database
    await database.close()


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Count:
    """What tells statements and commits where they happen: `async with` it over a database."""

    def counting(db: Database) -> AbstractAsyncContextManager[Counts]:
        cluster = request.getfixturevalue("postgres") if db.engine == "postgresql" else None
        return counted(db, cluster)

    return counting


@pytest.fixture
def numbers() -> Iterator[int]:
    """Numbers that no other caller of this test gets."""
    return itertools.count(1)
