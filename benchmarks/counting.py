"""How many statements and commits each operation costs, counted at the database in a run of its own.

PostgreSQL logs what it executes, SQLite traces what it begins; neither is our own counter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from benchmarks.http_client import Connection
from benchmarks.operations import Operation
from benchmarks.reference.scripts import Script
from oneself.store import flows, projects, revocations, sessions
from oneself.store.postgres_link import CLOCK_QUERY
from tests.postgres_server import Cluster

TIMES = 12
# What the server does by itself every second or so, whoever asks or not.
_BY_ITSELF = (*(projects.CHANGED, projects.PRESENT, sessions.TOUCH, revocations.IS_DUE, flows.UNREDEEMED, CLOCK_QUERY),)
_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request costs the database."""

    statements: float
    commits: float


class Miscounted(Exception):
    """The statements of an operation and those of its reference are not the same: the comparison is void."""


class Log(Protocol):
    """What a database saw, as one can read it."""

    @property
    def exact(self) -> bool:
        """Whether the texts are those that were asked, without parameters filled in."""
        ...

    def mark(self) -> int:
        """Where the log ends now."""
        ...

    def since(self, mark: int) -> list[str]:
        """What was executed after a mark."""
        ...

    def is_own(self, plain: str) -> bool:
        """Whether the server does this by itself."""
        ...


async def count(connection: Connection, operation: Operation, log: Log, reference: Script | None) -> Cost:
    """Run an operation a few times alone, and hold what the database saw against the reference. Raises Miscounted."""
    await operation.once(connection)
    mark = log.mark()
    for _ in range(TIMES):
        await operation.once(connection)
    seen = [_plain(sql) for sql in log.since(mark)]
    work = [sql for sql in seen if not sql.upper().startswith(_FRAME) and not log.is_own(sql)]
    if reference is not None and log.exact:
        expected = sorted(_plain(sql) for sql in reference.statements) * TIMES
        if sorted(work) != sorted(expected):
            odd = set(work) ^ set(expected)
            raise Miscounted(f"{operation.name}: these are only on one side: {sorted(odd) or 'counts differ'}")
    return Cost(len(work) / TIMES, _commits(seen, log.is_own) / TIMES)


@dataclass(frozen=True, slots=True)
class PostgresLog:
    """The statements of one database, out of its server's log."""

    cluster: Cluster
    database: str
    exact: bool = True

    def mark(self) -> int:
        """Where the log ends now."""
        return self.cluster.mark()

    def since(self, mark: int) -> list[str]:
        """What was executed after a mark."""
        return self.cluster.statements(self.database, mark, transaction_words=True)

    def is_own(self, plain: str) -> bool:
        """Whether the server does this by itself."""
        return plain in {_plain(sql) for sql in _BY_ITSELF}


@dataclass(frozen=True, slots=True)
class SqliteTrace:
    """The statements of the traced server; their parameters are filled in, so texts are not compared."""

    file: Path
    exact: bool = False

    def mark(self) -> int:
        """Where the trace ends now."""
        return self.file.stat().st_size

    def since(self, mark: int) -> list[str]:
        """What was begun after a mark."""
        with self.file.open("rb") as trace:
            trace.seek(mark)
            return [msgspec.json.decode(line, type=str) for line in trace]

    def is_own(self, plain: str) -> bool:
        """Whether the server does this by itself; their beginnings, up to the first parameter, tell."""
        return any(plain.startswith(_plain(sql).partition("$")[0]) for sql in _BY_ITSELF)


def _plain(sql: str) -> str:
    return " ".join(sql.split())


def _commits(seen: Sequence[str], is_own: Callable[[str], bool]) -> int:
    """COMMITs that hold a change of ours, and changes outside of any transaction."""
    commits, inside, changed = 0, False, False
    for sql in seen:
        word = sql.upper()
        if word.startswith("BEGIN"):
            inside, changed = True, False
        elif word.startswith("COMMIT"):
            commits += changed
            inside = changed = False
        elif not word.startswith(("SELECT", "WITH", *_FRAME)) and not is_own(sql):
            changed = True
            commits += not inside
    return commits
