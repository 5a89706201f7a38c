"""What an error of SQLite means to a unit of work: again, a ground that fails, or a bug."""

import sqlite3

from oneself.faults import Fault, FaultCode
from oneself.store.database import StatementFailed
from oneself.store.retrying import Again

# Primary result codes: https://www.sqlite.org/rescode.html
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_GROUND = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}
# Extended result codes of a unique index, a primary key and a rowid that are already taken.
_TAKEN = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}


def primary_code(error: BaseException) -> int:
    """The primary result code of an error, or 0 where it carries none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def meaning(error: Exception) -> Exception:
    """Translate what the driver raised; SQLite's own messages name columns, never values."""
    if not isinstance(error, sqlite3.Error):
        return StatementFailed(f"a parameter does not fit: {type(error).__name__}")
    code = int(getattr(error, "sqlite_errorcode", 0))
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    text = f"{name}: {error.args[0] if error.args else ''}"
    if code in _TAKEN or code & 0xFF in _BUSY:
        return Again(text)
    if code & 0xFF in _GROUND:
        return Fault(FaultCode.DATABASE_UNAVAILABLE, detail=text)
    return StatementFailed(text)
