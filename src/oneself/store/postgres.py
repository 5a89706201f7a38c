"""PostgreSQL behind the seam: single statements in one round trip, closures as transactions."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from oneself.store.database import Load, Row, StatementFailed, Tx, Value
from oneself.store.postgres_batch import Batcher
from oneself.store.postgres_errors import Lost, outcome_unknown
from oneself.store.postgres_link import Dialing, Link
from oneself.store.postgres_pool import Pool
from oneself.store.retrying import insist

T = TypeVar("T")
A = TypeVar("A")


class PostgresTx:
    """One open transaction on one connection."""

    __slots__ = ("_link", "_over", "broken", "now")

    def __init__(self, link: Link, now: int) -> None:
        self.now = now
        self.broken: Exception | None = None
        self._link = link
        self._over = False

    async def all(self, sql: str, *args: Value) -> list[Row]:
        """Give every row that one statement finds or returns."""
        return await self._call(self._link.all, sql, args)

    async def one(self, sql: str, *args: Value) -> Row | None:
        """Give the first row that one statement finds or returns, or None."""
        return await self._call(self._link.one, sql, args)

    async def run(self, sql: str, *args: Value) -> int:
        """Run one statement and give the number of rows that it changed."""
        return await self._call(self._link.run, sql, args)

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        """Run one statement for each of the rows, in one round trip."""
        await self._call(self._link.many, sql, rows)

    def end(self) -> None:
        """Close the view: a closure that kept it learns so."""
        self._over = True

    async def _call(
        self,
        verb: Callable[[str, A], Coroutine[Any, Any, T]],
        sql: str,
        args: A,
    ) -> T:
        """Send one statement; its failure breaks the transaction for good."""
        if self._over:
            raise StatementFailed("the transaction is over")
        if self.broken is not None:
            raise self.broken
        try:
            return await verb(sql, args)
        except Lost as lost:
            self.broken = lost.nothing_done()
            raise self.broken from None
        except Exception as error:
            self.broken = error
            raise


class PostgresDatabase:
    """A PostgreSQL database, at whichever of the URL's hosts takes writes.

    `size` is the most connections that this process opens. See `Dialing` for the settings and
    their units. All verbs are called on the loop on which `open` ran.
    """

    engine = "postgresql"

    def __init__(self, dialing: Dialing, *, size: int = 8, wait_seconds: float = 10.0) -> None:
        self._dialing = dialing
        self._clock = dialing.clock
        self.pool = Pool(dialing, size, wait_seconds)
        self._batcher = Batcher(self.pool, self.one)

    def load(self) -> Load:
        """The pool's account of itself."""
        return self.pool.load()

    async def open(self) -> None:
        """Open the first connection; Fault(database_unavailable) says why that cannot be."""
        self.pool.release(await self.pool.acquire())

    async def close(self) -> None:
        """Let statements in flight end, then close every connection."""
        await self.pool.close()

    @property
    def clock_difference(self) -> int:
        """Microseconds by which the database's clock was ahead of ours when last measured."""
        return self.pool.clock_difference

    async def all(self, sql: str, *args: Value) -> list[Row]:
        """Give every row that one reading statement finds."""
        return await insist(lambda: self._read(lambda link: link.all(sql, args)))

    async def one(self, sql: str, *args: Value) -> Row | None:
        """Give the first row that one reading statement finds, or None."""
        return await insist(lambda: self._read(lambda link: link.one(sql, args)))

    async def batch_one(self, sql: str, *args: Value) -> Row | None:
        """Read like `one`; while no connection is free, callers of a statement share one."""
        if self._dialing.pooled:
            return await self.one(sql, *args)
        return await self._batcher.read(sql, args)

    async def change(self, sql: str, *args: Value) -> Row | None:
        """Make one write statement in its own commit, in one round trip, and give its first row."""
        return await insist(lambda: self._change(sql, args))

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a closure between BEGIN and COMMIT and give its value once that is committed."""
        return await insist(lambda: self._write(work))

    async def _read(self, ask: Callable[[Link], Awaitable[T]]) -> T:
        """Read once. A connection that was lost may be replaced, for nothing was changed."""
        link = self.pool.take() or await self.pool.acquire()
        try:
            return await ask(link)
        except Lost as lost:
            raise lost.nothing_done() from None
        except Exception:
            raise
        except BaseException:
            link.abandoned = True
            raise
        finally:
            self.pool.release(link)

    async def _change(self, sql: str, args: tuple[Value, ...]) -> Row | None:
        """Make one statement once, outside of any BEGIN: its end is its commit."""
        link = self.pool.take() or await self.pool.acquire()
        try:
            await _before_commit(link.prepare(sql))
            return await _committing(link, link.one(sql, args))
        except Exception:
            raise
        except BaseException:
            link.abandoned = True
            raise
        finally:
            self.pool.release(link)

    async def _write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run the closure once."""
        link = self.pool.take() or await self.pool.acquire()
        try:
            value = await self._work(link, work)
            if await _committing(link, link.say("COMMIT")) != "COMMIT":
                raise StatementFailed("the transaction had failed and was rolled back")
            return value
        except Exception:
            raise
        except BaseException:  # cancelled somewhere in between: the server rolls back
            link.abandoned = True
            raise
        finally:
            self.pool.release(link)

    async def _work(self, link: Link, work: Callable[[Tx], Awaitable[T]]) -> T:
        """From BEGIN to just before COMMIT; whatever fails on the way is rolled back."""
        await _before_commit(link.say("BEGIN"))
        tx = PostgresTx(link, self._clock())
        try:
            value = await work(tx)
            if tx.broken is not None:
                raise tx.broken
            return value
        except Exception as error:
            await _roll_back(link)
            raise tx.broken or error from None
        finally:
            tx.end()


async def _before_commit(step: Awaitable[T]) -> T:
    """Await a step that commits nothing: a lost connection is a reason to try another."""
    try:
        return await step
    except Lost as lost:
        raise lost.nothing_done() from None


async def _committing(link: Link, step: Awaitable[T]) -> T:
    """Await a step that commits, and believe in the commit only what is certain.

    An operator who cancels a COMMIT that waits for its synchronous standby gets a warning and a
    success: https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION
    """
    link.warned = False
    try:
        done = await step
    except Lost as lost:
        raise lost.maybe_done() from None
    link.tally.commits += 1
    if link.warned:
        raise outcome_unknown("the server stopped waiting for its standby")
    return done


async def _roll_back(link: Link) -> None:
    """Undo what is open, or cut the connection, which does the same."""
    if link.lost is not None:  # nothing will be answered there any more
        return
    try:
        await link.say("ROLLBACK")
    except Exception:
        link.drop()
