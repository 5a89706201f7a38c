"""Transactions mean the same on every kind of database: whole or not at all, and again when they
collide.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars

import pytest

from oneself.faults import Fault, FaultCode
from oneself.store.database import Database, StatementFailed, Tx
from oneself.store.opening import database_at
from oneself.store.retrying import TRIES

SCHEMA = (
    "CREATE TABLE owners (id TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)",
    """CREATE TABLE things (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        owner TEXT NOT NULL REFERENCES owners (id)
    )""",
    "CREATE UNIQUE INDEX things_name ON things (name)",
    "INSERT INTO owners (id, version) VALUES ('o', 0)",
)
INSERT = "INSERT INTO things (id, name, owner) VALUES ($1, $2, $3)"
NAMES = "SELECT name FROM things ORDER BY name"


@pytest.fixture(autouse=True)
async def schema(db: Database) -> None:
    for statement in SCHEMA:
        await db.change(statement)


async def names(db: Database) -> list[str]:
    return [row[0] for row in await db.all(NAMES)]


async def test_the_clock_is_read_once(address: str) -> None:
    readings: list[int] = []

    def clock() -> int:
        readings.append(len(readings) + 1)
        return readings[-1]

    db = database_at(address, clock, clock_limit=None)
    await db.open()

    async def work(tx: Tx) -> tuple[int, int]:
        before = tx.now
        await tx.all("SELECT 1")
        return before, tx.now

    assert await db.write(work) == (1, 1)
    assert await db.write(work) == (2, 2)
    await db.close()


async def test_what_a_closure_raises_undoes_it_and_reaches_the_caller(db: Database) -> None:
    refusal = Fault(FaultCode.ACCOUNT_IN_USE)

    async def work(tx: Tx) -> None:
        await tx.run(INSERT, "1", "one", "o")
        raise refusal

    with pytest.raises(Fault) as refused:
        await db.write(work)
    assert refused.value is refusal
    assert await names(db) == []


async def test_many_rows_are_written_in_their_order_or_not_at_all(db: Database) -> None:
    async def work(tx: Tx, *rows: tuple[str, str, str]) -> None:
        await tx.many(INSERT, rows)

    await db.write(lambda tx: work(tx, ("1", "one", "o"), ("2", "two", "o")))
    await db.write(work)
    with pytest.raises(Fault) as refused:
        await db.write(lambda tx: work(tx, ("3", "three", "o"), ("4", "one", "o")))
    assert refused.value.code is FaultCode.DATABASE_CONTENDED
    with pytest.raises(StatementFailed):
        await db.write(lambda tx: work(tx, ("3", "three", "nobody"), ("4", "four", "o")))
    assert await names(db) == ["one", "two"]


async def test_a_failed_statement_breaks_its_transaction_even_when_swallowed(db: Database) -> None:
    async def work(tx: Tx) -> str:
        await tx.run(INSERT, "1", "one", "o")
        with contextlib.suppress(StatementFailed):
            await tx.one("SELECT x FROM nowhere")
        with contextlib.suppress(StatementFailed):
            await tx.run(INSERT, "2", "two", "o")
        return "fine"

    with pytest.raises(StatementFailed, match="nowhere"):
        await db.write(work)
    assert await names(db) == []


async def test_a_broken_reference_is_a_bug_and_is_undone(db: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.run(INSERT, "1", "one", "o")
        await tx.run(INSERT, "2", "two", "nobody")

    with pytest.raises(StatementFailed):
        await db.write(work)
    assert await names(db) == []


async def test_a_unique_violation_runs_the_closure_again(db: Database) -> None:
    seen: list[bool] = []
    await db.change(INSERT, "0", "taken", "o")

    async def work(tx: Tx) -> str:
        first = not seen
        seen.append(first)
        name = "taken" if first else "free"
        await tx.run(INSERT, "1", "before", "o")
        await tx.run(INSERT, "2", name, "o")
        return name

    assert await db.write(work) == "free"
    assert seen == [True, False]
    assert await names(db) == ["before", "free", "taken"]


async def test_after_the_last_try_it_is_contended(db: Database) -> None:
    tries: list[int] = []
    await db.change(INSERT, "0", "taken", "o")

    async def work(tx: Tx) -> None:
        tries.append(tx.now)
        await tx.run(INSERT, "1", "taken", "o")

    with pytest.raises(Fault) as refused:
        await db.write(work)
    assert refused.value.code == FaultCode.DATABASE_CONTENDED
    assert len(tries) == TRIES
    with pytest.raises(Fault) as refused:
        await db.change(INSERT, "1", "taken", "o")
    assert refused.value.code == FaultCode.DATABASE_CONTENDED


async def test_a_transaction_that_is_over_takes_nothing(db: Database) -> None:
    kept: list[Tx] = []

    async def work(tx: Tx) -> None:
        kept.append(tx)

    await db.write(work)
    with pytest.raises(StatementFailed, match="over"):
        await kept[0].run(INSERT, "1", "one", "o")
    assert await names(db) == []


async def test_a_closure_sees_its_callers_context(db: Database) -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request")

    async def work(_tx: Tx) -> str:
        return request.get()

    async def caller(name: str) -> str:
        request.set(name)
        return await db.write(work)

    assert await asyncio.gather(*(caller(str(n)) for n in range(20))) == [str(n) for n in range(20)]


async def test_fifty_for_one_name_make_one_and_all_agree(db: Database) -> None:
    """Find or create, as the noun files do it: the losers decide again on what the winner wrote."""

    async def find_or_create(number: int) -> str:
        async def work(tx: Tx) -> str:
            row = await tx.one("SELECT id FROM things WHERE name = $1", "wanted")
            if row is not None:
                return str(row[0])
            await tx.run(INSERT, str(number), "wanted", "o")
            return str(number)

        return await db.write(work)

    answers = await asyncio.gather(*(find_or_create(n) for n in range(50)))
    assert len(set(answers)) == 1
    assert await names(db) == ["wanted"]


async def test_counting_under_a_row_lock_loses_nothing(db: Database) -> None:
    async def work(tx: Tx) -> int:
        row = await tx.one("UPDATE owners SET version = version + 1 WHERE id = 'o' RETURNING version")
        assert row is not None
        return int(row[0])

    versions = await asyncio.gather(*(db.write(work) for _ in range(100)))
    assert sorted(versions) == list(range(1, 101))


async def test_one_of_many_fails_alone(db: Database) -> None:
    async def work(tx: Tx, number: int) -> int:
        await tx.run(INSERT, f"{number}", f"n{number:03}", "o")
        if number % 7 == 3:
            raise Fault(FaultCode.ACCOUNT_TWIN, detail=str(number))
        if number % 7 == 5:
            await tx.run(INSERT, f"x{number}", f"x{number}", "nobody")
        return number

    def bound(number: int) -> asyncio.Task[int]:
        return asyncio.create_task(db.write(lambda tx: work(tx, number)))

    done = await asyncio.gather(*(bound(n) for n in range(140)), return_exceptions=True)
    for number, outcome in enumerate(done):
        expected = {3: Fault, 5: StatementFailed}.get(number % 7, int)
        assert isinstance(outcome, expected), (number, outcome)
    assert await names(db) == [f"n{n:03}" for n in range(140) if n % 7 not in (3, 5)]


async def test_a_caller_who_leaves_harms_nobody(db: Database) -> None:
    async def work(tx: Tx, number: int) -> int:
        await tx.one("SELECT name FROM things WHERE id = $1", "x")
        return await tx.run(INSERT, str(number), str(number), "o")

    def bound(number: int) -> asyncio.Task[int]:
        return asyncio.create_task(db.write(lambda tx: work(tx, number)))

    tasks = [bound(n) for n in range(40)]
    await asyncio.sleep(0.001)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert done[1::2] == [1] * 20
    assert all(o == 1 or isinstance(o, asyncio.CancelledError) for o in done)
    assert {str(n) for n in range(1, 40, 2)} <= set(await names(db))
    assert await db.write(lambda tx: work(tx, 99)) == 1
