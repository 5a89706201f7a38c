"""The embedded database: reads on the event loop's thread, one writer thread, one
file (or none).
"""

import fcntl
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from oneself.faults import Fault, FaultCode
from oneself.store.database import Load, Row, Tx, Value
from oneself.store.retrying import Again, insist
from oneself.store.sqlite_errors import meaning
from oneself.store.sqlite_writer import Writer, checked
from oneself.store.statements import for_sqlite

T = TypeVar("T")

MEMORY = ":memory:"
OLDEST_SQLITE = (3, 35, 0)
CACHED_STATEMENTS = 512
WRITE_BUSY_SECONDS = 2.5
READ_BUSY_SECONDS = 0.1
"""A reader waits on the event loop's thread, so it waits briefly there and tries again after a
pause.
"""

# https://www.sqlite.org/pragma.html. Durable at every COMMIT, also on macOS, where fsync alone is
# not.
_WRITER_SETTINGS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-16000",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA trusted_schema=OFF",
)
_READER_SETTINGS = ("PRAGMA query_only=ON", "PRAGMA cache_size=-16000", "PRAGMA trusted_schema=OFF")


class SqliteDatabase:
    """A SQLite file, or with `path` `:memory:` a database that ends with this object.

    `clock` gives microseconds. `exclusive` takes the file's lock file, as a serving process must:
    SQLite's one writer is a thread of that process. Tools open without and share the file. `trace`
    is told every statement that SQLite itself begins. All verbs are called on the loop on which
    `open` ran.
    """

    engine = "sqlite"
    clock_difference = None

    def __init__(
        self,
        path: str | Path,
        clock: Callable[[], int],
        *,
        exclusive: bool = False,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self.path = str(path)
        self._clock = clock
        self._exclusive = exclusive
        self._trace = trace
        self._lock: int | None = None
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None
        self._writer: Writer | None = None
        self._reads = 0

    def load(self) -> Load:
        """One connection reads and one writes; those who wait, wait for the writer."""
        writer = self._writer
        if writer is None:
            return Load(self._reads, 0, 0, 0, 2, 0)
        return Load(self._reads + writer.statements, writer.commits, 2, 0, 2, writer.waiting)

    async def open(self) -> None:
        """Take the lock file where asked, open both connections, start the writer.

        Raises Fault(database_unavailable) when another process serves the file or the file cannot
        be used.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            detail = f"SQLite {sqlite3.sqlite_version} is too old, RETURNING came with 3.35"
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail)
        try:
            if self.path != MEMORY:
                self._claim_file()
            self._writing = self._connect(WRITE_BUSY_SECONDS)
            self._reading = self._writing
            if self.path != MEMORY:
                _expect_wal(self._writing)
                self._reading = self._connect(READ_BUSY_SECONDS)
                _apply(self._reading, _READER_SETTINGS)
            _apply(self._writing, _WRITER_SETTINGS)
        except (OSError, sqlite3.Error) as error:
            self._let_go()
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"{self.path}: {error}") from None
        except Fault:
            self._let_go()
            raise
        self.watch(self._trace)
        self._writer = Writer(self._writing, self._clock)

    async def close(self) -> None:
        """Commit what was accepted, then close the file and free its lock."""
        if self._writer is not None:
            await self._writer.stop()
        self._let_go()

    def watch(self, trace: Callable[[str], None] | None) -> None:
        """Tell `trace` every statement that SQLite begins from now on, or nobody any more."""
        for connection in (self._writing, self._reading):
            if connection is not None:
                connection.set_trace_callback(trace)

    async def all(self, sql: str, *args: Value) -> list[Row]:
        """Give every row that one reading statement finds."""
        try:
            return self._read(sql, args)
        except Again:
            return await insist(lambda: self._read_later(sql, args))

    async def one(self, sql: str, *args: Value) -> Row | None:
        """Give the first row that one reading statement finds, or None."""
        rows = await self.all(sql, *args)
        return rows[0] if rows else None

    batch_one = one

    async def change(self, sql: str, *args: Value) -> Row | None:
        """Make one write statement, answered after its COMMIT, and give its first RETURNING row."""
        return await self.write(lambda tx: tx.one(sql, *args))

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a closure as one unit of the writer's next group and give its value after
        the COMMIT.
        """
        writer = self._writer
        if writer is None:
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail="the database is not open")
        return cast(T, await insist(lambda: writer.submit(work)))

    def _read(self, sql: str, args: tuple[Value, ...]) -> list[Row]:
        """Read on this thread: the rows are fetched to the end, so that no snapshot stays open."""
        connection = self._reading
        if connection is None or self._writer is None:
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail="the database is not open")
        self._reads += 1
        try:
            if connection is not self._writing:
                return connection.execute(for_sqlite(sql), checked(args)).fetchall()
            with self._writer.between_groups, _read_only(connection):
                return connection.execute(for_sqlite(sql), checked(args)).fetchall()
        except Exception as error:
            raise meaning(error) from None

    async def _read_later(self, sql: str, args: tuple[Value, ...]) -> list[Row]:
        """Read once more, after a pause."""
        return self._read(sql, args)

    def _connect(self, busy_seconds: float) -> sqlite3.Connection:
        """A connection without transactions of the driver's own making."""
        return sqlite3.connect(
            self.path,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )

    def _claim_file(self) -> None:
        """Make the file ours to read only, and hold its lock file when this process is to
        serve it.
        """
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        if not self._exclusive:
            return
        self._lock = os.open(f"{self.path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 32).decode("ascii", "replace").strip() or "unknown"
            raise Fault(
                FaultCode.DATABASE_UNAVAILABLE,
                detail=f"{self.path} is served by another process ({holder}): one may serve a file",
            ) from None
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode("ascii"), 0)

    def _let_go(self) -> None:
        """Close whatever is open. The lock file stays, unlocked: removing it would race with the
        next holder.
        """
        for connection in (self._reading, self._writing):
            if connection is not None:
                connection.close()
        if self._lock is not None:
            os.close(self._lock)
        self._reading = self._writing = self._lock = None


@contextmanager
def _read_only(connection: sqlite3.Connection) -> Iterator[None]:
    """In memory one connection does both: while it reads it must not be able to write."""
    connection.execute("PRAGMA query_only=ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA query_only=OFF")


def _expect_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to write-ahead logging, which lets readers be while the writer writes."""
    mode: Any = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"no write-ahead log here, but {mode}")


def _apply(connection: sqlite3.Connection, settings: tuple[str, ...]) -> None:
    """Set what holds for the life of a connection."""
    for setting in settings:
        connection.execute(setting).fetchall()
