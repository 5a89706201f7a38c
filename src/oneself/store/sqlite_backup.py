"""Copies of a SQLite file: taken while it is written to, looked through, and marked as copies."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from oneself.faults import Fault, FaultCode
from oneself.store.restores import MARK_COPY

_PAGES = 4_096
_BUSY_SECONDS = 30.0


def copy(source: Path, target: Path, told: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Copy a database as it is at one moment into the new file `target` (mode 0600), whoever writes to it meanwhile.

    `told` hears how many pages are copied, and of how many. Raises Fault(DATABASE_UNAVAILABLE) for a file that is no
    database, or whose copy is not whole (https://www.sqlite.org/backup.html).
    """
    if not source.is_file():
        raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"{source} is no file")
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    try:
        with closing(_connect(source)) as reading, closing(_connect(target)) as writing:
            # An open snapshot keeps the copy at one moment: without it every commit of another process begins it anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=_PAGES, progress=lambda _, left, total: told(total - left, total))
            writing.execute("PRAGMA journal_mode=DELETE").fetchone()
            _check(writing)
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"{source}: {error}") from None
    except Fault:
        target.unlink(missing_ok=True)
        raise


def mark(copied: Path) -> None:
    """Say inside of a copy that it is one, so that no server serves it before it is restored; durable on return.

    Raises Fault(DATABASE_UNAVAILABLE).
    """
    try:
        with closing(_connect(copied)) as writing:
            writing.execute("PRAGMA synchronous=FULL")
            writing.execute(MARK_COPY)
    except sqlite3.Error as error:
        raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"{copied}: {error}") from None


@contextmanager
def unserved(path: Path) -> Iterator[None]:
    """Hold a database's lock file, so that no server serves it meanwhile. Raises Fault(DATABASE_UNAVAILABLE)."""
    lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            detail = f"{path} is being served: stop the server first"
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail) from None
        yield
    finally:
        os.close(lock)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


def _check(copied: sqlite3.Connection) -> None:
    """Every page, index and reference (https://www.sqlite.org/pragma.html#pragma_integrity_check)."""
    found = copied.execute("PRAGMA integrity_check(1)").fetchone()[0]
    dangling = copied.execute("PRAGMA foreign_key_check").fetchone()
    if found != "ok" or dangling is not None:
        detail = f"the database is damaged: {found if found != 'ok' else f'a row of {dangling[0]} points nowhere'}"
        raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail)
