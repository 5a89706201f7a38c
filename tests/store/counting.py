"""Counting what a piece of code costs, at SQLite's own trace and in PostgreSQL's own log, never in
our code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from oneself.store.database import Database
from oneself.store.sqlite import SqliteDatabase
from tests.postgres_server import Cluster

_FRAME = ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "END", "PRAGMA", "SET")
_CHANGING = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "TRUNCATE")


@dataclass
class Counts:
    """What was executed inside `counted`; complete when its block has ended."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0

    def __str__(self) -> str:
        listed = "\n".join(f"  {' '.join(sql.split())}" for sql in self.statements)
        return f"{len(self.statements)} statements, {self.commits} commits:\n{listed}"


@asynccontextmanager
async def counted(db: Database, cluster: Cluster | None = None) -> AsyncIterator[Counts]:
    """Count the statements and commits of `db` while the block runs; BEGIN, COMMIT and their kin
    are no statements.

    On PostgreSQL the server's log tells, so `cluster` is needed and the database must have been
    made with `log_statements`; a change outside of BEGIN counts as a commit of its own.
    """
    counts = Counts()
    if isinstance(db, SqliteDatabase):
        executed: list[str] = []
        db.watch(executed.append)
        try:
            yield counts
        finally:
            db.watch(None)
        # Python's trace repeats a statement for each cascade that SQLite runs on its behalf, in the
        # same words.
        executed = [sql for at, sql in enumerate(executed) if not at or sql != executed[at - 1] or "DELETE" not in sql]
    else:
        assert cluster is not None, "PostgreSQL is counted in its server's log"
        row = await db.one("SELECT current_database()")
        assert row is not None
        since = cluster.mark()
        yield counts
        executed = cluster.statements(str(row[0]), since, transaction_words=True)
    _sum_up(executed, counts)


def _sum_up(executed: list[str], counts: Counts) -> None:
    """Tell statements from the frame around them, and find the commits."""
    open_transactions = 0
    for sql in executed:
        words = sql.split(maxsplit=1)
        word = words[0].upper().rstrip(";") if words else ""
        if word in {"BEGIN", "START"}:
            open_transactions += 1
        elif word in {"COMMIT", "END"}:
            counts.commits += 1
            open_transactions -= 1
        elif word == "ROLLBACK" and "TO" not in sql.upper().split():
            open_transactions -= 1
        elif word and word not in _FRAME and not word.startswith("--"):
            counts.statements.append(sql)
            if not open_transactions and _changes(sql):
                counts.commits += 1


def _changes(sql: str) -> bool:
    """Whether a statement alone is a change; a CTE that changes something names it inside."""
    words = sql.upper().replace("(", " ").split()
    return words[0] in _CHANGING or (words[0] == "WITH" and bool({*words} & {*_CHANGING}))
