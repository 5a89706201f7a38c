"""One connection to PostgreSQL, its prepared statements, and how one is opened."""

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from oneself.faults import Fault, FaultCode
from oneself.store.database import Row, Value
from oneself.store.postgres_errors import Lost, meaning

CACHED_STATEMENTS = 1024
HANG_UP_SECONDS = 3.0
CLOCK_QUERY = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
# What the server answers when it stops waiting for its synchronous standby and commits all the
# same; it is a mere warning, SQLSTATE 01000.
_WARNING = "01000"


@dataclass(frozen=True)
class Dialing:
    """How connections are opened; all times are seconds, but for `clock_limit` in microseconds.

    `statement_timeout` 0 means none. `pooled` says that a transaction-mode pooler stands before
    the server: nothing may then live on a connection between two transactions.
    """

    url: str
    clock: Callable[[], int]
    connect_timeout: float = 5.0
    statement_timeout: float = 15.0
    lock_timeout: float = 5.0
    clock_limit: int | None = 1_000_000
    pooled: bool = False
    application: str = "oneself"
    extra: Mapping[str, str] = field(default_factory=dict)

    def hosts(self) -> list[str]:
        """One address for each host that the URL names, in its order."""
        parts = urlsplit(self.url)
        if "," not in parts.netloc:
            return [self.url]
        user, at, hosts = parts.netloc.rpartition("@")
        return [urlunsplit(parts._replace(netloc=user + at + host)) for host in hosts.split(",")]

    def session(self) -> dict[str, str]:
        """What the server is told about a session when it begins."""
        told = {"application_name": self.application, **self.extra}
        if self.pooled:  # a pooler refuses what it does not know: set these on the role instead
            return told
        timeout = {"statement_timeout": self.statement_timeout, "lock_timeout": self.lock_timeout}
        told |= {name: str(round(seconds * 1000)) for name, seconds in timeout.items()}
        told["idle_in_transaction_session_timeout"] = "60000"
        told |= {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10"}
        return told


@dataclass(slots=True)
class Tally:
    """What a process's connections did in all, those that are closed by now included."""

    statements: int = 0
    commits: int = 0


class Link:
    """A connection and the statements prepared on it. Used by one task at a time.

    Its verbs raise `Again`, `Lost`, a Fault or StatementFailed, never an error of the driver.
    """

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.tally = Tally()
        self.epoch = 0
        self.idle_since = 0.0
        self.warned = False
        self.lost: Lost | None = None
        self.abandoned = False  # by a caller who was cancelled in the middle
        self.clock_difference = 0
        self._statements: dict[str, Any] = {}
        self._numbers = itertools.count()
        raw.add_log_listener(self._listen)

    @property
    def closed(self) -> bool:
        """Whether the connection has gone."""
        return bool(self.raw.is_closed())

    async def prepare(self, sql: str) -> Any:
        """The prepared statement of a text, made at its first use by one round trip more."""
        statement = self._statements.get(sql)
        if statement is None:
            if len(self._statements) >= CACHED_STATEMENTS:
                self._statements.clear()
            name = f"s{next(self._numbers)}"  # without a name it would be parsed at every use
            statement = await self._guarded(partial(self.raw.prepare, sql, name=name))
            self._statements[sql] = statement
        return statement

    async def all(self, sql: str, args: Sequence[object]) -> list[Row]:
        """Every row of one statement."""
        statement = self._statements.get(sql) or await self.prepare(sql)
        self.tally.statements += 1
        rows: list[Row] = await self._guarded(statement.fetch, *args)
        return rows

    async def one(self, sql: str, args: Sequence[Value]) -> Row | None:
        """The first row of one statement, or None."""
        statement = self._statements.get(sql) or await self.prepare(sql)
        self.tally.statements += 1
        row: Row | None = await self._guarded(statement.fetchrow, *args)
        return row

    async def run(self, sql: str, args: Sequence[Value]) -> int:
        """One statement, and the number of rows that it changed."""
        statement = self._statements.get(sql) or await self.prepare(sql)
        self.tally.statements += 1
        await self._guarded(statement.fetch, *args)
        return changed_rows(statement.get_statusmsg())

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """One statement for each of the rows, sent together."""
        statement = self._statements.get(sql) or await self.prepare(sql)
        self.tally.statements += 1
        await self._guarded(statement.executemany, rows)

    async def parameter_types(self, sql: str) -> list[str]:
        """The server's names for the types of a statement's parameters, in their order."""
        statement = await self.prepare(sql)
        return [kind.name for kind in statement.get_parameters()]

    async def say(self, command: str) -> str:
        """A command without parameters, such as BEGIN; gives the server's word for what it did."""
        return str(await self._guarded(self.raw.execute, command))

    def drop(self) -> None:
        """Cut the connection at once, whatever it is doing."""
        self.raw.terminate()

    async def hang_up(self) -> None:
        """Have the server cancel what it is still doing for us, then close; never fails."""
        with contextlib.suppress(Exception):
            await self.raw.close(timeout=HANG_UP_SECONDS)
        self.drop()

    async def _guarded(self, call: Callable[..., Awaitable[Any]], *args: object) -> Any:
        """Call the driver and translate what it raises."""
        try:
            return await call(*args)
        except Exception as error:
            if isinstance(error, asyncpg.InvalidCachedStatementError):
                self._statements.clear()  # a migration changed what one of them returns
            translated = meaning(error, closed=self.closed)
            if isinstance(translated, Lost):
                self.lost = translated
            raise translated from None

    def _listen(self, _connection: object, message: Any) -> None:
        """Notice that the server warned while it worked."""
        self.warned = self.warned or getattr(message, "sqlstate", None) == _WARNING


class PooledLink(Link):
    """A connection through a transaction-mode pooler: nothing is kept on it, statements included.

    Each statement is sent whole with its parameters, so that it does not matter which server the
    pooler gives it to; the driver asks for its types first, which is one round trip more.
    """

    async def prepare(self, _sql: str) -> Any:
        """Nothing: whatever is prepared may be on another server the next time."""

    async def all(self, sql: str, args: Sequence[object]) -> list[Row]:
        """Every row of one statement."""
        self.tally.statements += 1
        rows: list[Row] = await self._guarded(self.raw.fetch, sql, *args)
        return rows

    async def one(self, sql: str, args: Sequence[Value]) -> Row | None:
        """The first row of one statement, or None."""
        self.tally.statements += 1
        row: Row | None = await self._guarded(self.raw.fetchrow, sql, *args)
        return row

    async def run(self, sql: str, args: Sequence[Value]) -> int:
        """One statement, and the number of rows that it changed."""
        self.tally.statements += 1
        return changed_rows(await self._guarded(self.raw.execute, sql, *args))

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """One statement for each of the rows, sent together."""
        self.tally.statements += 1
        await self._guarded(self.raw.executemany, sql, rows)


def changed_rows(word: object) -> int:
    """The number in a command tag such as `UPDATE 3` or `INSERT 0 1`; 0 where it has none."""
    last = str(word).rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


async def dial(dialing: Dialing, address: str) -> Link:
    """Connect to one host, if it takes writes and its clock agrees with ours.

    Raises Fault(database_unavailable) with the reason.
    """
    patience = dialing.statement_timeout + 2.0 if dialing.statement_timeout else None
    try:
        raw = await asyncpg.connect(
            address,
            timeout=dialing.connect_timeout,
            command_timeout=patience,
            statement_cache_size=0,
            server_settings=dialing.session(),
            target_session_attrs=SessionAttribute.read_write,
        )
    except (ValueError, asyncpg.ClientConfigurationError):  # its text may quote a password
        raise _unreachable("the database's URL cannot be understood") from None
    except Exception as error:  # the driver knows a dozen kinds of not getting through
        raise _unreachable(f"{type(error).__name__} {error.args[0] if error.args else ''}") from None
    link = PooledLink(raw) if dialing.pooled else Link(raw)
    try:
        await _compare_clocks(link, dialing)
    except BaseException:
        link.drop()
        raise
    return link


async def _compare_clocks(link: Link, dialing: Dialing) -> None:
    """Measure the database's clock against ours and refuse more than `clock_limit` between them.

    Half the round trip is given in our favour: a slow network is no wrong clock.
    """
    if dialing.clock_limit is None:
        return
    before = dialing.clock()
    try:
        row = await link.one(CLOCK_QUERY, ())
    except Lost as lost:
        raise _unreachable(lost.reason) from None
    after = dialing.clock()
    assert row is not None
    link.clock_difference = int(row[0]) - (before + after) // 2
    if abs(link.clock_difference) - (after - before) // 2 > dialing.clock_limit:
        seconds = link.clock_difference / 1_000_000
        raise _unreachable(f"its clock is {seconds:+.1f} s from ours: set both by NTP")


def _unreachable(reason: str) -> Fault:
    """The fault of a database that cannot be used now, with why."""
    return Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"PostgreSQL: {reason}")
