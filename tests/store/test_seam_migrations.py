"""Migrations: each step once, whoever comes first; refusals that say what to do; backfills that go
on where they stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oneself.faults import Fault
from oneself.store.database import Database, StatementFailed, Tx
from oneself.store.migrate import Progress, migrate, schema_status
from oneself.store.opening import open_database
from oneself.store.schema_files import Migration, migrations
from tests.store.conftest import clock

FILES = {
    "0001_first.sql": "CREATE TABLE a (n BIGINT PRIMARY KEY, m BIGINT); INSERT INTO a (n) VALUES (1);",
    "0002_second.sqlite.sql": "CREATE TABLE only_sqlite (n BIGINT);",
    "0002_second.postgresql.sql": "CREATE TABLE only_postgresql (n BIGINT);",
    "0003_fill.sql": """--! repeat
        UPDATE a SET m = n * 2 WHERE n IN (SELECT n FROM a WHERE m IS NULL ORDER BY n LIMIT 3);""",
    "0004_index.sqlite.sql": "--! autocommit\nCREATE INDEX IF NOT EXISTS a_m ON a (m);",
    "0004_index.postgresql.sql": """--! autocommit
        CREATE INDEX CONCURRENTLY IF NOT EXISTS a_m ON a (m)""",
    "0005_contract.sql": "--! oldest-code 3\nALTER TABLE a ADD COLUMN extra TEXT;",
}


def written(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def steps(db: Database, tmp_path: Path) -> list[Migration]:
    return migrations(db.engine, written(tmp_path / "migrations", FILES))


@pytest.fixture
async def second(db: Database, address: str) -> AsyncIterator[Database]:
    """Another process's connection to the same database; in memory there is none but the first."""
    if "memory" in address:
        yield db
        return
    other = await open_database(address, clock)
    yield other
    await other.close()


async def test_an_empty_database_is_refused_and_then_migrated(db: Database, steps: list[Migration]) -> None:
    before = await schema_status(db, steps)
    assert (before.version, before.code, len(before.pending)) == (0, 5, 5)
    assert "no schema yet" in before.refusal and "migrate" in before.refusal
    after = await migrate(db, steps=steps)
    assert (after.version, after.oldest_code, after.pending, after.refusal) == (5, 3, (), "")
    await db.all(f"SELECT n FROM only_{db.engine}")
    assert await db.all("SELECT n, m FROM a") != []


async def test_the_packages_own_steps_apply(db: Database) -> None:
    assert (await migrate(db)).refusal == ""
    assert (await schema_status(db)).refusal == ""


async def test_each_step_is_applied_once_whoever_comes_first(
    db: Database, second: Database, steps: list[Migration]
) -> None:
    done = await asyncio.gather(*(migrate(d, steps=steps) for d in (db, second, db, second)))
    assert {status.version for status in done} == {5}
    assert [tuple(row) for row in await db.all("SELECT n, m FROM a")] == [(1, 2)]
    await migrate(second, steps=steps)
    assert [tuple(row) for row in await db.all("SELECT n, m FROM a")] == [(1, 2)]


async def test_the_table_of_the_state_is_made_once_whoever_comes_first(db: Database, second: Database) -> None:
    """PostgreSQL's IF NOT EXISTS fails for one of two who come together, in one of three ways."""
    for _ in range(60):
        done = await asyncio.gather(*(migrate(d, steps=[]) for d in (db, second) * 4))
        assert {status.version for status in done} == {0}
        assert len(await db.all("SELECT id FROM schema_state")) == 1
        await db.change("DROP TABLE schema_state")


async def test_a_step_that_fails_leaves_no_trace(db: Database, steps: list[Migration], tmp_path: Path) -> None:
    broken = {"0002_bad.sql": "CREATE TABLE b (n BIGINT); INSERT INTO nowhere VALUES (1);"}
    only = {"0001_first.sql": FILES["0001_first.sql"]}
    bad = migrations(db.engine, written(tmp_path / "broken", only | broken))
    with pytest.raises(StatementFailed):
        await migrate(db, steps=bad)
    status = await schema_status(db, bad)
    assert status.version == 1
    assert status.refusal.startswith("the database's schema is 1 and this code needs 2")
    with pytest.raises(StatementFailed):
        await db.all("SELECT n FROM b")
    assert (await migrate(db, steps=steps)).version == 5


async def test_older_code_serves_where_the_schema_bears_it(db: Database, steps: list[Migration]) -> None:
    await migrate(db, steps=steps)
    for code, may in ((5, True), (4, True), (3, True), (2, False), (1, False)):
        refusal = (await schema_status(db, steps[:code])).refusal
        assert (refusal == "") is may, refusal
    assert "bears no code older than 3, and this code is 2" in refusal.replace("is 1", "is 2")
    assert (await migrate(db, steps=steps[:2])).version == 5


async def test_a_backfill_goes_in_batches_and_on_where_it_stopped(db: Database, steps: list[Migration]) -> None:
    await migrate(db, steps=steps[:2])

    async def fill(tx: Tx) -> None:
        for n in range(2, 11):
            await tx.run("INSERT INTO a (n) VALUES ($1)", n)

    await db.write(fill)
    rows: list[int] = []

    def cut(progress: Progress) -> None:
        rows.append(progress.rows)
        if progress.rows == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await migrate(db, cut, steps)
    assert rows == [0, 3, 6]
    assert (await schema_status(db, steps)).version == 2
    rows.clear()
    await migrate(db, lambda progress: rows.append(progress.rows), steps[:3])
    assert rows == [0, 3, 4, 4]
    assert tuple(await db.one("SELECT count(*) FROM a WHERE m = n * 2") or ()) == (10,)


async def test_progress_is_told(db: Database, steps: list[Migration]) -> None:
    told: list[Progress] = []
    await migrate(db, told.append, steps)
    assert [p.name for p in told if p.done] == [f"{s.number:04}_{s.name}" for s in steps]
    assert {(p.index, p.total) for p in told} == {(n, 5) for n in range(1, 6)}
    told.clear()
    await migrate(db, told.append, steps)
    assert told == []


async def test_traffic_that_holds_a_lock_is_waited_for(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oneself.store.migrate.LOCK_PAUSE", 0.05)
    monkeypatch.setattr(
        "oneself.store.migrate.PATIENCE",
        ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '100ms'"),
    )
    steps = migrations("postgresql", written(tmp_path / "migrations", FILES))
    db = await open_database(postgres_url, clock)
    await migrate(db, steps=steps[:4])
    held, free, told = asyncio.Event(), asyncio.Event(), list[Progress]()

    async def traffic(tx: Tx) -> None:
        await tx.run("UPDATE a SET m = 0")
        held.set()
        await free.wait()

    def told_waiting(progress: Progress) -> None:
        told.append(progress)
        if progress.waiting:
            free.set()

    holding = asyncio.create_task(db.write(traffic))
    await held.wait()
    assert (await migrate(db, told_waiting, steps)).version == 5
    assert any(p.waiting for p in told)
    await holding
    await db.close()


async def test_a_gap_in_the_versions_is_refused(db: Database, steps: list[Migration]) -> None:
    await migrate(db, steps=steps[:1])
    with pytest.raises(Fault, match="does not follow"):
        await migrate(db, steps=[steps[0], steps[2]])


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"0001_a.sql": "SELECT 1", "0003_b.sql": "SELECT 1"}, "without gaps"),
        ({"0002_a.sql": "SELECT 1"}, "without gaps"),
        ({"0001_a.sql": "SELECT 1", "0001_b.sql": "SELECT 1"}, "number 1"),
        ({"0001_a.sql": "SELECT 1", "0001_b.sqlite.sql": "SELECT 1"}, "number 1"),
        ({"first.sql": "SELECT 1"}, "not a name"),
        ({"0001_a.mysql.sql": "SELECT 1"}, "not a name"),
        ({"0001_a.sql": "--! repaet\nSELECT 1"}, "means nothing"),
        ({"0001_a.sql": "--! oldest-code\nSELECT 1"}, "means nothing"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        migrations("sqlite", written(tmp_path / "odd", files))


def test_both_engines_have_the_same_steps() -> None:
    names = [[(s.number, s.name) for s in migrations(e)] for e in ("sqlite", "postgresql")]
    assert names[0] == names[1] != []
