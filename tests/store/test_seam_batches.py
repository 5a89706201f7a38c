"""Micro-batches answer each caller as if it had asked alone, on PostgreSQL with
fewer statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from oneself.faults import Fault, FaultCode
from oneself.store.database import Database, Row, StatementFailed, Tx
from oneself.store.opening import database_at
from oneself.store.postgres import PostgresDatabase
from oneself.store.postgres_batch import over_arrays
from tests.store.conftest import Count, clock

TABLE = """CREATE TABLE things (
    project TEXT NOT NULL, id TEXT NOT NULL, size BIGINT, flag BOOLEAN NOT NULL, body BYTEA,
    PRIMARY KEY (project, id)
)"""
INSERT = "INSERT INTO things (project, id, size, flag, body) VALUES ($1, $2, $3, $4, $5)"
BY_ID = """SELECT id, size, flag, body FROM things
    WHERE project = $1 AND id = $2 AND (CAST($3 AS TEXT) IS NULL OR id <> $3) -- $4"""
SHAPES = (
    ("SELECT size, id FROM things WHERE size >= $1 ORDER BY size LIMIT 1", lambda n: (n,)),
    ("SELECT t.id, u.id FROM things t, things u WHERE t.size = $1 AND u.size = $1", lambda n: (n,)),
    (
        "SELECT count(*), '$1;' FROM things WHERE flag = $1 AND body = $2",
        lambda n: (n % 2 == 0, bytes([n])),
    ),
    (
        "WITH p1 AS (SELECT id, size FROM things WHERE id = $1) SELECT p1.size, p1.id FROM p1",
        lambda n: (f"id{n}",),
    ),
    ("SELECT id FROM things WHERE size > $1 ORDER BY size", lambda n: (n,)),
    ("SELECT id FROM things ORDER BY size LIMIT $1", lambda n: (n + 1,)),
    ("SELECT 1 FROM things WHERE id = 'id3'", lambda _: ()),
)


@pytest.fixture
async def filled(address: str) -> AsyncIterator[Database]:
    """A database with a hundred rows; on PostgreSQL with two connections, so that
    batches happen.
    """
    db = database_at(address, clock, size=2)
    await db.open()
    await db.change(TABLE)

    async def fill(tx: Tx) -> None:
        for n in range(100):
            await tx.run(INSERT, "p", f"id{n}", n, n % 2 == 0, bytes([n]))

    await db.write(fill)
    yield db
    await db.close()


def plain(row: Row | None) -> tuple[object, ...] | None:
    return None if row is None else tuple(row)


async def test_every_caller_gets_its_own_row(filled: Database, count: Count) -> None:
    names = [f"id{n}" for n in range(-20, 120)]
    async with count(filled) as counts:
        rows = await asyncio.gather(*(filled.batch_one(BY_ID, "p", name, None) for name in names))
    for name, row in zip(names, rows, strict=True):
        n = int(name[2:])
        expected = (name, n, n % 2 == 0, bytes([n])) if 0 <= n < 100 else None
        assert plain(row) == expected
    if filled.engine == "postgresql":
        assert len(counts.statements) < 10, str(counts)
    excluded = await asyncio.gather(*(filled.batch_one(BY_ID, "p", n, n) for n in names))
    assert excluded == [None] * len(names)


@pytest.mark.parametrize("shape", range(len(SHAPES)))
async def test_statements_of_every_shape_answer_as_if_alone(filled: Database, shape: int) -> None:
    sql, args = SHAPES[shape]
    alone = [plain(await filled.one(sql, *args(n))) for n in range(60)]
    together = await asyncio.gather(*(filled.batch_one(sql, *args(n)) for n in range(60)))
    assert [plain(row) for row in together] == alone
    together = await asyncio.gather(*(filled.batch_one(sql, *args(n)) for n in range(60)))
    assert [plain(row) for row in together] == alone


async def test_one_bad_caller_does_not_fail_its_neighbours(filled: Database) -> None:
    divide = "SELECT 100 / size, id FROM things WHERE id = $1"
    wanted = [f"id{n}" for n in range(40)]
    rows = await asyncio.gather(*(filled.batch_one(divide, n) for n in wanted), return_exceptions=True)
    if filled.engine == "postgresql":
        assert isinstance(rows[0], StatementFailed) and "22012" in str(rows[0])
    assert [plain(row)[1] for row in rows[1:] if not isinstance(row, BaseException)] == wanted[1:]  # type: ignore[index]
    bad: list[object] = ["id1", 2**80, "id2"] * 10
    sized = "SELECT id FROM things WHERE id = $1"
    rows = await asyncio.gather(
        *(filled.batch_one(sized, n) for n in bad),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    for name, row in zip(bad, rows, strict=True):
        assert isinstance(row, StatementFailed) if isinstance(name, int) else plain(row) == (name,)  # type: ignore[arg-type]


async def test_callers_who_leave_do_not_disturb_the_others(filled: Database) -> None:
    tasks = [asyncio.create_task(filled.batch_one(BY_ID, "p", f"id{n}", None)) for n in range(60)]
    await asyncio.sleep(0)
    for task in tasks[::3]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for n, row in enumerate(done):
        if n % 3:
            assert not isinstance(row, BaseException) and row is not None and row[0] == f"id{n}"


async def test_a_batch_outlives_its_connection(postgres_url: str) -> None:
    db = database_at(postgres_url, clock, size=2)
    operator = database_at(postgres_url, clock, size=1)
    await db.open()
    await operator.open()
    slow = "SELECT CAST($1 AS TEXT), pg_sleep(0.01)"
    reads = [asyncio.create_task(db.batch_one(slow, str(n))) for n in range(40)]
    await asyncio.sleep(0.1)
    await operator.one(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    rows = await asyncio.gather(*reads)
    assert [row[0] for row in rows if row is not None] == [str(n) for n in range(40)]
    await operator.close()
    await db.close()


async def test_an_unreachable_server_is_told_to_everybody(postgres_url: str) -> None:
    db = database_at(postgres_url, clock, size=1)
    assert isinstance(db, PostgresDatabase)
    db.pool._hosts = ["postgresql://127.0.0.1:1/x"]
    done = await asyncio.gather(*(db.batch_one("SELECT $1", str(n)) for n in range(20)), return_exceptions=True)
    assert {getattr(o, "code", o) for o in done} == {FaultCode.DATABASE_UNAVAILABLE}
    assert all(isinstance(o, Fault) for o in done)
    await db.close()


def test_the_array_statement_is_the_callers_in_order() -> None:
    sql = over_arrays("SELECT a FROM t WHERE b = $1 AND c = $2", ["text", "int8"])
    assert sql == (
        "SELECT batch_of_callers.caller, answer.* FROM"
        " unnest(CAST($1 AS text[]), CAST($2 AS int8[])) WITH ORDINALITY"
        " AS batch_of_callers (p1, p2, caller), LATERAL (SELECT * FROM"
        " (SELECT a FROM t WHERE b = batch_of_callers.p1 AND c = batch_of_callers.p2\n) AS single"
        " LIMIT 1) AS answer"
    )
