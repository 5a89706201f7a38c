"""The verbs of the seam mean the same on SQLite in memory, SQLite on disk and PostgreSQL."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any

import pytest

from oneself.faults import Fault, FaultCode
from oneself.model import Secret
from oneself.store.database import Database, StatementFailed, Tx
from oneself.store.opening import database_at, open_database
from tests.store.conftest import Count, clock

TABLE = """
CREATE TABLE things (
    id TEXT NOT NULL PRIMARY KEY,
    size BIGINT,
    flag BOOLEAN NOT NULL,
    body BYTEA
)"""
INSERT = "INSERT INTO things (id, size, flag, body) VALUES ($1, $2, $3, $4) RETURNING id, size"
BY_ID = "SELECT id, size, flag, body FROM things WHERE id = $1"


class Colour(StrEnum):
    RED = "red"


@pytest.fixture(autouse=True)
async def table(db: Database) -> None:
    await db.change(TABLE)


async def test_every_type_comes_back_as_it_went(db: Database) -> None:
    big = 2**63 - 1
    await db.change(INSERT, "ä€𝄞'\"$1;", big, True, bytes(range(256)))
    row = await db.one(BY_ID, "ä€𝄞'\"$1;")
    assert row is not None
    assert (row[0], row[1], bool(row[2]), row[3]) == ("ä€𝄞'\"$1;", big, True, bytes(range(256)))
    await db.change(INSERT, Colour.RED, None, False, None)
    row = await db.one(BY_ID, "red")
    assert row is not None
    assert (row[0], row[1], bool(row[2]), row[3]) == ("red", None, False, None)


async def test_one_gives_the_first_row_or_none(db: Database) -> None:
    assert await db.one(BY_ID, "nobody") is None
    assert await db.all(BY_ID, "nobody") == []
    for name in "cab":
        assert tuple(await db.change(INSERT, name, ord(name), False, None) or ()) == (
            name,
            ord(name),
        )
    row = await db.one("SELECT id FROM things ORDER BY id")
    assert row is not None and row[0] == "a"
    rows = await db.all("SELECT id FROM things ORDER BY id DESC")
    assert [r[0] for r in rows] == ["c", "b", "a"]
    row = await db.batch_one("SELECT id, size FROM things WHERE id = $1", "b")
    assert row is not None and tuple(row) == ("b", 98)
    assert await db.batch_one("SELECT id, size FROM things WHERE id = $1", "z") is None


async def test_run_counts_the_rows_it_changed(db: Database) -> None:
    async def work(tx: Tx) -> list[int]:
        return [
            await tx.run("INSERT INTO things (id, flag) VALUES ('a', $1), ('b', $1)", False),
            await tx.run("INSERT INTO things (id, flag) VALUES ('a', $1) ON CONFLICT DO NOTHING", True),
            await tx.run("UPDATE things SET flag = $1", True),
            await tx.run("UPDATE things SET flag = $1 WHERE id = 'a' RETURNING id", True),
            await tx.run(
                "WITH every AS (SELECT id FROM things) UPDATE things SET size = 1 WHERE id IN (SELECT id FROM every)"
            ),
            await tx.run("DELETE FROM things WHERE id = $1", "nobody"),
            await tx.run("DELETE FROM things"),
        ]

    assert await db.write(work) == [2, 0, 2, 1, 2, 0, 2]


async def test_a_change_is_whole_though_it_gives_one_row(db: Database) -> None:
    for name in "abc":
        await db.change(INSERT, name, 1, False, None)
    assert await db.change("UPDATE things SET size = 2 RETURNING id") is not None

    async def work(tx: Tx) -> None:
        await tx.one("UPDATE things SET flag = $1 RETURNING id", True)

    await db.write(work)
    rows = await db.all("SELECT size, flag FROM things")
    assert [(size, bool(flag)) for size, flag in rows] == [(2, True)] * 3


async def test_the_shared_subset_means_the_same(db: Database) -> None:
    for name, size in (("a", 1), ("b", 1), ("c", 2)):
        await db.change(INSERT, name, size, size == 1, None)
    optional = "SELECT id FROM things WHERE (CAST($1 AS TEXT) IS NULL OR id = $1) ORDER BY id"
    assert [r[0] for r in await db.all(optional, None)] == ["a", "b", "c"]
    assert [r[0] for r in await db.all(optional, "b")] == ["b"]
    page = "SELECT id FROM things WHERE (size, id) > ($1, $2) ORDER BY size, id LIMIT $3"
    assert [r[0] for r in await db.all(page, 1, "a", 2)] == ["b", "c"]
    upsert = """INSERT INTO things (id, size, flag) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET size = excluded.size WHERE things.size < excluded.size
        RETURNING size"""
    assert await db.change(upsert, "a", 0, True) is None
    assert tuple(await db.change(upsert, "a", 9, True) or ()) == (9,)
    flagged = "SELECT count(*) FROM things WHERE flag = $1 AND size >= $2"
    assert tuple(await db.one(flagged, True, 1) or ()) == (2,)


async def test_a_dollar_inside_quotes_stays(db: Database) -> None:
    row = await db.one("SELECT '$1', CAST($1 AS TEXT) /* $2 */ -- $3", "x")
    assert row is not None and tuple(row) == ("$1", "x")


async def test_a_change_is_there_for_the_next_read(db: Database) -> None:
    for number in range(50):
        await db.change(INSERT, str(number), number, False, None)
        row = await db.one(BY_ID, str(number))
        assert row is not None and row[1] == number


async def test_a_bug_is_told_without_values_and_harms_nothing(db: Database) -> None:
    with pytest.raises(StatementFailed):
        await db.one("SELECT x FROM nowhere")
    with pytest.raises(StatementFailed) as failed:
        await db.change(INSERT, "canary-value", None, None, None)
    assert "canary-value" not in str(failed.value)
    assert failed.value.__cause__ is None and failed.value.__suppress_context__
    wrong: list[Any] = [Secret("canary-value"), "canary-value\0", 2**70, 1.5j, "canary-\ud800"]
    for value in wrong:
        with pytest.raises(StatementFailed) as failed:
            await db.change(INSERT, value if not isinstance(value, int) else "x", value, True, None)
        assert "canary" not in str(failed.value)
    assert await db.all("SELECT id FROM things") == []


async def test_reads_outside_of_a_transaction_cost_one_statement(db: Database, count: Count) -> None:
    await db.change(INSERT, "a", 1, True, None)
    async with count(db) as counts:
        await db.one(BY_ID, "a")
        await db.all(BY_ID, "b")
        await db.batch_one(BY_ID, "b")
    assert (len(counts.statements), counts.commits) == (3, 0), str(counts)


async def test_a_change_costs_one_statement_and_one_commit(db: Database, count: Count) -> None:
    async with count(db) as counts:
        await db.change(INSERT, "a", 1, True, None)
    assert (len(counts.statements), counts.commits) == (1, 1), str(counts)

    async def work(tx: Tx) -> None:
        await tx.one(BY_ID, "a")
        await tx.run("UPDATE things SET size = size + 1 WHERE id = $1", "a")
        await tx.one(INSERT, "b", 1, True, None)

    async with count(db) as counts:
        await db.write(work)
    assert (len(counts.statements), counts.commits) == (3, 1), str(counts)


async def test_a_closed_database_says_so(address: str) -> None:
    db = database_at(address, clock)
    await db.open()
    await db.close()
    await db.close()
    for call in (
        db.one("SELECT 1"),
        db.change("SELECT 1"),
        db.write(lambda tx: tx.one("SELECT 1")),
    ):
        with pytest.raises(Fault) as refused:
            await call
        assert refused.value.code == FaultCode.DATABASE_UNAVAILABLE


async def test_closing_finishes_what_was_accepted(address: str, tmp_path: object) -> None:
    db = await open_database(address, clock)
    await db.change("CREATE TABLE IF NOT EXISTS counted (n BIGINT)")
    writes = [asyncio.create_task(db.write(lambda tx: tx.run("INSERT INTO counted (n) VALUES (1)"))) for _ in range(6)]
    await asyncio.sleep(0)
    await db.close()
    assert await asyncio.gather(*writes) == [1] * 6


async def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(Fault, match="mysql"):
        database_at("mysql://somewhere/x", clock)
