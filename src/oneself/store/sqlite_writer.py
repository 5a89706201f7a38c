"""SQLite's one writer: a thread that runs many waiting units of work in one transaction (group
commit).
"""

import asyncio
import contextlib
import contextvars
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from oneself.faults import Fault, FaultCode
from oneself.store.database import Row, StatementFailed, Tx, Value
from oneself.store.retrying import Again
from oneself.store.sqlite_errors import meaning, primary_code
from oneself.store.statements import for_sqlite

T = TypeVar("T")
Work = Callable[[Tx], Awaitable[Any]]

GROUP_UNITS = 256
GROUP_SECONDS = 0.01
"""A group closes at whichever comes first; nobody ever waits for a group to fill."""


class SqliteTx:
    """One unit's view of the group's transaction. Its verbs never suspend."""

    __slots__ = ("_connection", "_over", "broken", "now", "statements")

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self.now = now
        self.broken: Exception | None = None
        self.statements = 0
        self._connection = connection
        self._over = False

    async def all(self, sql: str, *args: Value) -> list[Row]:
        """Give every row that one statement finds or returns."""
        return self._rows(sql, args)[0]

    async def one(self, sql: str, *args: Value) -> Row | None:
        """Give the first row, after the statement has run to its end."""
        rows = self._rows(sql, args)[0]
        return rows[0] if rows else None

    async def run(self, sql: str, *args: Value) -> int:
        """Run one statement and give the number of rows that it changed."""
        rows, changed = self._rows(sql, args)
        if changed < 0 and not rows:  # a change behind WITH, which the driver does not count
            changed = int(self._connection.execute("SELECT changes()").fetchone()[0])
        return max(changed, len(rows))

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement for each of the rows."""
        self._guarded(lambda: self._connection.executemany(for_sqlite(sql), [checked(row) for row in rows]))

    def end(self) -> None:
        """Close the view: a closure that kept it learns so."""
        self._over = True

    def _rows(self, sql: str, args: tuple[Value, ...]) -> tuple[list[Row], int]:
        """Run a statement to its end and give its rows and the driver's count of changes."""

        def ask() -> tuple[list[Row], int]:
            cursor = self._connection.execute(for_sqlite(sql), checked(args))
            return cursor.fetchall(), cursor.rowcount

        return self._guarded(ask)

    def _guarded(self, ask: Callable[[], T]) -> T:
        """Ask the driver, unless the transaction is over or broken; what it raises breaks it."""
        if self._over:
            raise StatementFailed("the transaction is over")
        if self.broken is not None:
            raise self.broken
        self.statements += 1
        try:
            return ask()
        except Exception as error:
            self.broken = meaning(error)
            raise self.broken from None


def checked(args: Sequence[Value]) -> Sequence[Value]:
    """Refuse by ValueError the one text that only SQLite would take: with a NUL in it."""
    for value in args:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("a text with NUL")
    return args


class _GroupLost(Fault):
    """SQLite itself rolled the group's transaction back."""

    def __init__(self, detail: str) -> None:
        super().__init__(FaultCode.DATABASE_UNAVAILABLE, detail=f"rolled back by SQLite: {detail}")


class Unit:
    """One waiting unit of work, its caller's future, and its outcome."""

    __slots__ = ("context", "error", "future", "value", "work")

    def __init__(self, work: Work, future: "asyncio.Future[Any]") -> None:
        self.work = work
        self.future = future
        self.context = contextvars.copy_context()
        self.value: Any = None
        self.error: BaseException | None = None


class Writer:
    """Owns the one writing connection and the thread that drives it. Made and called on the event
    loop.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], int]) -> None:
        self._connection = connection
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        # counted by the thread alone, read by anybody
        self.statements = 0
        self.commits = 0
        self.between_groups = threading.Lock()  # held by the thread while a group runs
        self._ended = self._loop.create_future()
        self._stopping = False  # told by the loop: takes no more units
        self._ending = False  # met by the thread: no unit is behind the end mark
        self._thread = threading.Thread(target=self._live, name="oneself-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> "asyncio.Future[Any]":
        """Queue a unit of work; its future is answered after the COMMIT that holds it."""
        if self._stopping:
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail="the database is closed")
        unit = Unit(work, self._loop.create_future())
        self._queue.put(unit)
        return unit.future

    @property
    def waiting(self) -> int:
        """How many units wait for the next group."""
        return self._queue.qsize()

    async def stop(self) -> None:
        """Commit what was accepted, then end the thread."""
        if not self._stopping:
            self._stopping = True
            self._queue.put(None)
        await asyncio.shield(self._ended)

    # --- from here on the writer's thread ---------------------------------------------------------

    def _live(self) -> None:
        """Run groups until the end mark comes."""
        try:
            while not self._ending and (unit := self._queue.get()) is not None:
                self._group(unit)
        finally:
            self._tell(self._ended.set_result, None)

    def _group(self, first: Unit) -> None:
        """Run one group to its COMMIT and answer its units."""
        units = [first]
        with self.between_groups:
            try:
                self._begin()
                self._gather(units)
                self._commit(units)
            except BaseException as error:
                if primary_code(error) == sqlite3.SQLITE_BUSY or isinstance(error, Again):
                    self._join_waiting(units)
                self._fail(units, error)
        self._tell(_answer, units)

    def _begin(self) -> None:
        """Take the write lock, waiting for other processes as long as `busy_timeout` says."""
        self._rollback()
        self._connection.execute("BEGIN IMMEDIATE")

    def _gather(self, units: list[Unit]) -> None:
        """Run the first unit and whatever waits behind it, within the bounds of a group."""
        deadline = time.monotonic() + GROUP_SECONDS
        self._run(units[0])
        while len(units) < GROUP_UNITS and time.monotonic() < deadline:
            unit = self._next_waiting()
            if unit is None:
                return
            units.append(unit)
            self._run(unit)

    def _next_waiting(self) -> Unit | None:
        """The next unit that already waits, or None when there is none; notices the end mark."""
        try:
            unit = self._queue.get_nowait()
        except Empty:
            return None
        self._ending = unit is None
        return unit

    def _run(self, unit: Unit) -> None:
        """Run one unit inside its own savepoint; its failure undoes it alone."""
        if unit.future.cancelled():
            return
        unit.value, unit.error = None, None
        execute = self._connection.execute
        execute("SAVEPOINT unit")
        tx = SqliteTx(self._connection, self._clock())
        try:
            unit.value = unit.context.run(_drive, unit.work, tx)
            unit.error = tx.broken
        except BaseException as error:
            unit.error = tx.broken or error
        tx.end()
        self.statements += tx.statements
        if not self._connection.in_transaction:  # a full disk or an I/O error undid the group
            raise _GroupLost(str(unit.error))
        if unit.error is not None:
            execute("ROLLBACK TO unit")
        execute("RELEASE unit")

    def _commit(self, units: list[Unit]) -> None:
        """Make the group durable. A constraint that only COMMIT checks is brought home to the unit
        that broke it.
        """
        try:
            self._connection.execute("COMMIT")
            self.commits += 1
        except sqlite3.Error as error:
            if primary_code(error) != sqlite3.SQLITE_CONSTRAINT:
                raise _commit_fault(error) from None  # to every unit of the group
            self._rollback()
            if len(units) == 1:
                raise
            for unit in units:
                self._alone(unit)

    def _alone(self, unit: Unit) -> None:
        """Run one unit of a group that did not stand once more, in a transaction of its own."""
        try:
            self._begin()
            self._run(unit)
            self._commit([unit])
        except BaseException as error:
            self._fail([unit], error)

    def _fail(self, units: list[Unit], error: BaseException) -> None:
        """Give every unit of the group the same error, and roll back whatever is open."""
        if isinstance(error, sqlite3.Error):
            error = meaning(error)
        for unit in units:
            unit.error = error
        with contextlib.suppress(sqlite3.Error):  # then the next group begins with it
            self._rollback()

    def _join_waiting(self, units: list[Unit]) -> None:
        """Add those who wait: a database too busy for the group is too busy for them as well."""
        while (unit := self._next_waiting()) is not None:
            units.append(unit)

    def _rollback(self) -> None:
        """Leave no transaction open, whatever state the connection is in."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _tell(self, function: Callable[[Any], None], argument: object) -> None:
        """Call back on the event loop: one wakeup for a whole group. A loop that is closed asks no
        more.
        """
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:
            self._stopping = True


def _drive(work: Work, tx: SqliteTx) -> object:
    """Run a closure's coroutine from start to end; RuntimeError if it awaits anything but the
    transaction.
    """
    steps = work(tx).__await__()
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value
    steps.close()
    raise RuntimeError("a unit of work awaited something other than its transaction")


def _answer(units: list[Unit]) -> None:
    """On the loop: give each caller its outcome."""
    for unit in units:
        if unit.future.done():
            continue
        if unit.error is not None:
            unit.future.set_exception(unit.error)
        else:
            unit.future.set_result(unit.value)


def _commit_fault(error: sqlite3.Error) -> Exception:
    """What a failed COMMIT is to every unit of its group: certain only when the
    database was busy.
    """
    translated = meaning(error)
    if isinstance(translated, Again):
        return translated
    detail = f"COMMIT failed, its outcome is unknown: {translated}"
    return Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail)
