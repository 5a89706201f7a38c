"""SQLite's side of the seam: group commit, durability under SIGKILL, several processes, the lock
file.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oneself.faults import Fault, FaultCode
from oneself.store import sqlite, sqlite_writer
from oneself.store.database import Database, StatementFailed, Tx
from oneself.store.opening import open_database
from oneself.store.sqlite import SqliteDatabase
from tests.store.conftest import Count, clock

ROOT = Path(__file__).parents[2]
TABLE = "CREATE TABLE rows (n BIGINT NOT NULL PRIMARY KEY)"
INSERT = "INSERT INTO rows (n) VALUES ($1)"
ACKNOWLEDGED = "CREATE TABLE acknowledged (writer TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (writer, n))"


@pytest.fixture(params=["memory", "disk"])
async def one(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    path = ":memory:" if request.param == "memory" else tmp_path / "one.sqlite3"
    db = SqliteDatabase(path, clock)
    await db.open()
    await db.change(TABLE)
    yield db
    await db.close()


class Failing:
    """The writing connection, failing on order: stands in for a disk that does."""

    def __init__(self, real: sqlite3.Connection, verb: str, code: int, times: int = 1, after: int = 0) -> None:
        self.real, self.verb, self.code, self.times, self.after = real, verb, code, times, after

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)

    def execute(self, sql: str, args: tuple[object, ...] = ()) -> sqlite3.Cursor:
        ordered = sql.startswith(self.verb)
        if ordered and self.after:
            self.after -= 1
        elif ordered and self.times:
            self.times -= 1
            error = sqlite3.OperationalError("on order")
            error.sqlite_errorcode = self.code
            error.sqlite_errorname = "ON_ORDER"
            raise error
        return self.real.execute(sql, args)


def break_writer(db: SqliteDatabase, verb: str, code: int, times: int = 1, after: int = 0) -> None:
    writer = db._writer
    assert writer is not None and db._writing is not None
    writer._connection = Failing(db._writing, verb, code, times, after)  # type: ignore[assignment]


def insert(db: Database, number: int) -> asyncio.Task[int]:
    return asyncio.create_task(db.write(lambda tx: tx.run(INSERT, number)))


async def stored(db: Database) -> list[int]:
    return [row[0] for row in await db.all("SELECT n FROM rows ORDER BY n")]


async def occupy(db: Database) -> threading.Event:
    """Keep the writer busy until the event is set, so that what follows waits and becomes one
    group.
    """
    free, begun = threading.Event(), threading.Event()

    async def work(_tx: Tx) -> None:
        begun.set()
        free.wait(5)

    task = asyncio.create_task(db.write(work))
    assert await asyncio.to_thread(begun.wait, 5)
    task.add_done_callback(lambda done: done.exception())
    return free


async def test_many_waiting_units_share_one_commit(one: SqliteDatabase, count: Count) -> None:
    async with count(one) as counts:
        free = await occupy(one)
        tasks = [insert(one, n) for n in range(300)]
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(*tasks)
    assert len(counts.statements) == 300
    assert counts.commits <= 4, str(counts.commits)
    assert await stored(one) == list(range(300))


async def test_a_group_is_bounded(one: SqliteDatabase, count: Count, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "GROUP_UNITS", 10)
    monkeypatch.setattr(sqlite_writer, "GROUP_SECONDS", 60)
    async with count(one) as counts:
        free = await occupy(one)
        tasks = [insert(one, n) for n in range(99)]
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(*tasks)
    assert counts.commits == 10


async def test_one_wakeup_answers_a_group(one: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    wakeups: list[object] = []
    wake = loop.call_soon_threadsafe

    def counting(*args: object, **kwargs: object) -> object:
        wakeups.append(args)
        return wake(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_soon_threadsafe", counting)
    monkeypatch.setattr(sqlite_writer, "GROUP_SECONDS", 60)  # however slow this machine is
    free = await occupy(one)
    tasks = [insert(one, n) for n in range(100)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(*tasks)
    assert len(wakeups) <= 2


async def test_awaiting_anything_but_the_transaction_is_an_error(one: SqliteDatabase) -> None:
    strays = [asyncio.sleep(0), asyncio.sleep(0.01), asyncio.get_running_loop().create_future()]
    for number, stray in enumerate(strays):

        async def work(tx: Tx, number: int = number, stray: object = stray) -> None:
            await tx.run(INSERT, number)
            await stray  # type: ignore[misc]

        free = await occupy(one)
        neighbour = insert(one, 100 + number)
        failing = asyncio.create_task(one.write(work))
        await asyncio.sleep(0)
        free.set()
        with pytest.raises(RuntimeError, match=r"transaction|event loop"):
            await failing
        assert await neighbour == 1
    assert await stored(one) == [100, 101, 102]


async def test_a_failed_commit_fails_the_whole_group(one: SqliteDatabase) -> None:
    free = await occupy(one)
    tasks = [insert(one, n) for n in range(20)]
    await asyncio.sleep(0)
    break_writer(one, "COMMIT", sqlite3.SQLITE_IOERR)
    free.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in done:
        assert isinstance(outcome, Fault) and "unknown" in outcome.detail
        assert outcome.code == FaultCode.DATABASE_UNAVAILABLE
    assert await stored(one) == []
    assert await insert(one, 7) == 1
    assert await stored(one) == [7]


async def test_a_busy_database_is_tried_again(one: SqliteDatabase) -> None:
    for verb in ("BEGIN", "COMMIT"):
        await one.change("DELETE FROM rows")
        break_writer(one, verb, sqlite3.SQLITE_BUSY, times=2)
        assert await asyncio.gather(*(insert(one, n) for n in range(20))) == [1] * 20
        assert await stored(one) == list(range(20))
    break_writer(one, "BEGIN", sqlite3.SQLITE_BUSY, times=1000)
    done = await asyncio.gather(*(insert(one, 50 + n) for n in range(5)), return_exceptions=True)
    assert {getattr(o, "code", o) for o in done} == {FaultCode.DATABASE_CONTENDED}
    break_writer(one, "BEGIN", sqlite3.SQLITE_BUSY, times=0)
    assert await insert(one, 99) == 1


async def test_a_full_disk_is_a_ground_that_fails(one: SqliteDatabase) -> None:
    break_writer(one, "INSERT", sqlite3.SQLITE_FULL)
    with pytest.raises(Fault) as refused:
        await insert(one, 1)
    assert refused.value.code == FaultCode.DATABASE_UNAVAILABLE
    assert await insert(one, 1) == 1


async def test_what_sqlite_itself_rolls_back_is_lost_for_the_whole_group(
    one: SqliteDatabase,
) -> None:
    """As a full disk does: the transaction is gone in the middle of a group."""

    async def lose(tx: Tx) -> None:
        await tx.run("INSERT OR ROLLBACK INTO rows (n) VALUES ($1)", 0)

    free = await occupy(one)
    before, losing, after = insert(one, 0), asyncio.create_task(one.write(lose)), insert(one, 2)
    await asyncio.sleep(0)
    free.set()
    done = await asyncio.gather(before, losing, after, return_exceptions=True)
    assert isinstance(done[0], Fault) and isinstance(done[1], Fault) and done[2] == 1
    assert await stored(one) == [2]


async def test_a_reference_checked_at_commit_fails_its_unit_alone(one: SqliteDatabase) -> None:
    await one.change("CREATE TABLE late (n BIGINT REFERENCES rows (n) DEFERRABLE INITIALLY DEFERRED)")
    free = await occupy(one)
    tasks = [insert(one, n) for n in range(5)]
    dangling = asyncio.create_task(one.write(lambda tx: tx.run("INSERT INTO late (n) VALUES (77)")))
    tasks += [insert(one, n) for n in range(5, 10)]
    await asyncio.sleep(0)
    free.set()
    with pytest.raises(StatementFailed, match="FOREIGN KEY"):
        await dangling
    assert await asyncio.gather(*tasks) == [1] * 10
    assert await stored(one) == list(range(10))
    assert await one.all("SELECT n FROM late") == []


async def test_no_caller_is_forgotten_when_a_group_falls_apart(one: SqliteDatabase) -> None:
    """A constraint at COMMIT, then a busy database, with others waiting behind the group."""
    await one.change("CREATE TABLE late (n BIGINT REFERENCES rows (n) DEFERRABLE INITIALLY DEFERRED)")
    free = await occupy(one)
    dangling = asyncio.create_task(one.write(lambda tx: tx.run("INSERT INTO late (n) VALUES (7777)")))
    tasks = [insert(one, n) for n in range(300)]
    await asyncio.sleep(0)
    break_writer(one, "BEGIN", sqlite3.SQLITE_BUSY, times=2, after=1)
    free.set()
    with pytest.raises(StatementFailed, match="FOREIGN KEY"):
        await dangling
    assert await asyncio.wait_for(asyncio.gather(*tasks), 20) == [1] * 300
    assert len(await stored(one)) == 300


async def test_a_rollback_that_fails_does_not_end_the_writer(one: SqliteDatabase) -> None:
    class Broken(Failing):
        def execute(self, sql: str, args: tuple[object, ...] = ()) -> sqlite3.Cursor:
            if sql == "ROLLBACK":
                Failing.execute(self, "COMMIT")
            return super().execute(sql, args)

    writer = one._writer
    assert writer is not None and one._writing is not None
    broken = Broken(one._writing, "COMMIT", sqlite3.SQLITE_IOERR, times=2)
    writer._connection = broken  # type: ignore[assignment]
    with pytest.raises(Fault, match="unknown"):
        await asyncio.wait_for(insert(one, 1), 5)
    assert broken.times == 0 and one._writing.in_transaction
    writer._connection = one._writing
    assert await asyncio.wait_for(insert(one, 2), 5) == 1
    assert await stored(one) == [2]


async def test_reading_verbs_cannot_write(one: SqliteDatabase) -> None:
    for verb in (one.all, one.one, one.batch_one):
        with pytest.raises(StatementFailed, match="READONLY"):
            await verb("INSERT INTO rows (n) VALUES (1) RETURNING n")
    assert await insert(one, 1) == 1


async def test_readers_go_on_while_the_writer_writes(tmp_path: Path) -> None:
    db = SqliteDatabase(tmp_path / "one.sqlite3", clock)
    await db.open()
    await db.change(TABLE)
    free = threading.Event()

    async def work(tx: Tx) -> None:
        await tx.run(INSERT, 1)
        free.wait(5)

    writing = asyncio.create_task(db.write(work))
    await asyncio.sleep(0.05)
    assert await stored(db) == []
    free.set()
    await writing
    assert await stored(db) == [1]
    await db.close()


def file_modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_the_file_is_set_up_to_be_durable(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite3"
    db = await open_database(f"sqlite:///{path}", clock)
    assert isinstance(db, SqliteDatabase) and db._writing is not None
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 2500}
    for pragma, value in wanted.items():
        assert db._writing.execute(f"PRAGMA {pragma}").fetchone()[0] == value
    await db.change(TABLE)
    assert file_modes(tmp_path) == {0o600}
    await db.close()


async def test_one_process_serves_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    serving = await open_database(url, clock, exclusive=True)
    await serving.change(TABLE)
    with pytest.raises(Fault, match=f"served by another process .{os.getpid()}") as refused:
        await open_database(url, clock, exclusive=True)
    assert refused.value.code == FaultCode.DATABASE_UNAVAILABLE
    tool = await open_database(url, clock)
    assert await insert(tool, 1) == 1
    assert await stored(serving) == [1]
    await tool.close()
    await serving.close()
    again = await open_database(url, clock, exclusive=True)
    await again.close()


async def test_a_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, and longer than a header " * 10)
    for path in (tmp_path / "nowhere" / "x.sqlite3", tmp_path, tmp_path / "text"):
        with pytest.raises(Fault) as refused:
            await open_database(f"sqlite:///{path}", clock)
        assert refused.value.code == FaultCode.DATABASE_UNAVAILABLE


async def test_a_lock_held_too_long_is_contended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WRITE_BUSY_SECONDS", 0.05)
    path = tmp_path / "one.sqlite3"
    db = await open_database(f"sqlite:///{path}", clock)
    await db.change(TABLE)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    done = await asyncio.gather(*(insert(db, n) for n in range(10)), return_exceptions=True)
    assert {getattr(o, "code", o) for o in done} == {FaultCode.DATABASE_CONTENDED}
    assert time.monotonic() - begun < 3
    assert await stored(db) == []
    other.execute("ROLLBACK")
    other.close()
    assert await insert(db, 3) == 1
    await db.close()


def writer_process(url: str, name: str, limit: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.seam_writer", url, name, str(limit)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
    )


@pytest.mark.races
async def test_what_was_acknowledged_outlives_sigkill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    db = await open_database(url, clock)
    await db.change(ACKNOWLEDGED)
    await db.close()
    for round_ in ("a", "b", "c"):
        child = writer_process(url, round_, 10**9)
        assert child.stdout is not None
        told = [child.stdout.readline() for _ in range(200 + 100 * ord(round_) % 370)]
        child.kill()
        told += child.stdout.read().splitlines(keepends=True)
        child.wait()
        acknowledged = {int(line) for line in told if line.endswith(b"\n")}
        assert len(acknowledged) >= 200
        db = await open_database(url, clock)
        rows = await db.all("SELECT n FROM acknowledged WHERE writer = $1", round_)
        assert acknowledged <= {row[0] for row in rows}
        assert tuple(await db.one("PRAGMA integrity_check") or ()) == ("ok",)
        await db.close()


@pytest.mark.races
async def test_several_processes_write_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    db = await open_database(url, clock)
    await db.change(ACKNOWLEDGED)
    children = [writer_process(url, name, 400) for name in "ab"]
    told = [child.communicate(timeout=60)[0].split() for child in children]
    assert [len(set(lines)) for lines in told] == [400, 400], [set(t) for t in told if len(t) != 400]
    rows = await db.all("SELECT writer, count(*) FROM acknowledged GROUP BY writer ORDER BY writer")
    assert [tuple(row) for row in rows] == [("a", 400), ("b", 400)]
    await db.close()
