"""From a database's URL to the engine behind the seam."""

from collections.abc import Callable

from oneself.faults import Fault, FaultCode
from oneself.later import Later
from oneself.store.database import Database
from oneself.store.sqlite import MEMORY, SqliteDatabase

# The driver of PostgreSQL loads where there is one: half of all servers have none.
_DIALING = Later("oneself.store.postgres_link", "Dialing")
_POSTGRES = Later("oneself.store.postgres", "PostgresDatabase")
_IN_MEMORY = {"", MEMORY, f"/{MEMORY}"}


def database_at(
    url: str,
    clock: Callable[[], int],
    *,
    exclusive: bool = False,
    size: int = 8,
    statement_timeout: float = 15.0,
    lock_timeout: float = 5.0,
    clock_limit: int | None = 1_000_000,
    pooled: bool = False,
) -> Database:
    """Give the database that a URL names, not opened yet.

    `sqlite:///relative`, `sqlite:////absolute`, `sqlite://:memory:`, or
    `postgresql://user:password@host1:5432,host2:5432/name`. `clock` gives microseconds.
    `exclusive` holds a SQLite file for one serving process. The rest is for PostgreSQL: most
    connections, timeouts in seconds (0: none), the greatest difference of clocks in microseconds
    (None: not compared), and whether a transaction-mode pooler stands before the server.
    Raises Fault(database_unavailable) for a URL of another kind.
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        path = MEMORY if rest in _IN_MEMORY else rest.removeprefix("/")
        return SqliteDatabase(path, clock, exclusive=exclusive)
    if scheme in {"postgresql", "postgres"} and separator:
        dialing = _DIALING.get()(
            url,
            clock,
            statement_timeout=statement_timeout,
            lock_timeout=lock_timeout,
            clock_limit=clock_limit,
            pooled=pooled,
        )
        postgres: Database = _POSTGRES.get()(dialing, size=size)
        return postgres
    detail = f"a database URL begins with sqlite:// or postgresql://, not with {scheme!r}"
    raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail)


async def open_database(
    url: str,
    clock: Callable[[], int],
    *,
    exclusive: bool = False,
    size: int = 8,
    statement_timeout: float = 15.0,
    lock_timeout: float = 5.0,
    clock_limit: int | None = 1_000_000,
    pooled: bool = False,
) -> Database:
    """Open the database that a URL names; see `database_at` for the arguments."""
    database = database_at(
        url,
        clock,
        exclusive=exclusive,
        size=size,
        statement_timeout=statement_timeout,
        lock_timeout=lock_timeout,
        clock_limit=clock_limit,
        pooled=pooled,
    )
    await database.open()
    return database
