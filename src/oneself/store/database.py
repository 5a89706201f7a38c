"""The seam between the nouns of the store and the two engines: what a transaction and a database
can do.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

Value: TypeAlias = str | int | bool | bytes | None
"""What a parameter may be: TEXT, BIGINT, BOOLEAN, BYTEA or NULL. An enum of text is text."""

Row: TypeAlias = Sequence[Any]
"""One row, read by position. A BOOLEAN may come as 0 or 1: row mappers wrap it in `bool`."""


class Load(NamedTuple):
    """What the database did for this process since it was opened, and how it stands now.

    `statements` as this code made them (BEGIN, COMMIT and what prepares them aside); `idle` of the
    `connections` that are open, of `most` that may be; `waiting` for a connection or for the writer.
    """

    statements: int
    commits: int
    connections: int
    idle: int
    most: int
    waiting: int


class StatementFailed(Exception):
    """The database refuses a statement for a reason that no second try cures: a bug of ours.

    Its text names the engine's error and the constraint, and never a value that was in the row.
    """


class Reader(Protocol):
    """What a function that only reads asks for: a database and a transaction both are one.

    SQL is written for PostgreSQL (`$1`); SQLite takes the same text, rewritten once.
    """

    async def all(self, sql: str, *args: Value) -> list[Row]:
        """Give every row that one statement finds."""
        ...

    async def one(self, sql: str, *args: Value) -> Row | None:
        """Give the first row that one statement finds (or returns from a change), or None."""
        ...


class Tx(Reader, Protocol):
    """An open transaction. A statement that failed breaks it: it will roll back whatever its
    closure does next.
    """

    @property
    def now(self) -> int:
        """The transaction's one clock reading, in microseconds since 1970 UTC."""
        ...

    async def run(self, sql: str, *args: Value) -> int:
        """Run one statement and give the number of rows that it changed."""
        ...

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement that changes something and gives nothing back for each of the rows, in their order: so
        many cost hardly more than one.
        """
        ...


class Database(Reader, Protocol):
    """One database of either engine. Outside a transaction `all` and `one` are for reading only.

    Every verb raises Fault(database_unavailable) when the database cannot be reached or does not
    answer in time, Fault(database_contended) when others stood in the way four times, and
    StatementFailed for a bug.
    """

    @property
    def engine(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    @property
    def clock_difference(self) -> int | None:
        """Microseconds by which the database's clock was ahead of ours when last measured; None where it has none of
        its own.
        """
        ...

    def load(self) -> Load:
        """Tell what was done for this process, and who waits; asks nothing of the database."""
        ...

    async def open(self) -> None:
        """Connect, and refuse with Fault(database_unavailable) and a reason where that
        cannot work.
        """
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go of every connection."""
        ...

    async def batch_one(self, sql: str, *args: Value) -> Row | None:
        """Read like `one`, for a hot statement of at most one row: many callers may travel
        together.
        """
        ...

    async def change(self, sql: str, *args: Value) -> Row | None:
        """Make one write statement in a commit of its own and give its first RETURNING row, or
        None.
        """
        ...

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a closure as one transaction and give its value once that is durably committed.

        The closure may run again, four times at most, after a unique violation, a deadlock or a
        busy database, so it must rest on nothing but what it reads inside. It awaits nothing but
        the transaction. What it raises undoes it alone. A COMMIT whose outcome is unknown is
        Fault(database_unavailable) and is never made again.
        """
        ...
