"""Micro-batches: hot reads of one row that find no connection free travel together as one
statement.

Arrays live here and nowhere else. Only reads: a batch has one fate, and writes must not share one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from oneself.faults import Fault
from oneself.store.database import Row, StatementFailed, Value
from oneself.store.postgres_errors import Lost
from oneself.store.postgres_link import Link
from oneself.store.postgres_pool import Pool
from oneself.store.statements import renumbered

BATCH_ROWS = 256
Args = tuple[Value, ...]


class Call:
    """One caller's parameters, and the future of its row."""

    __slots__ = ("args", "row")

    def __init__(self, args: Args) -> None:
        self.args = args
        self.row: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()

    def answer(self, row: Row | None) -> None:
        """Give the caller its row, unless it has left."""
        if not self.row.done():
            self.row.set_result(row)

    def refuse(self, error: Exception) -> None:
        """Give the caller an error, unless it has left."""
        if not self.row.done():
            self.row.set_exception(error)


class Batcher:
    """Gathers the calls of each statement while every connection is in use.

    `one` reads a row alone: for whoever finds a connection, and for all of a batch that failed.
    """

    def __init__(self, pool: Pool, one: Callable[..., Awaitable[Row | None]]) -> None:
        self._pool = pool
        self._one = one
        self._open: dict[str, list[Call]] = {}
        self._alone: set[str] = set()  # statements that cannot be asked over arrays
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self, sql: str, args: Args) -> Row | None:
        """Read one row: at once where a connection is to be had, else with whoever waits too."""
        if not self._pool.exhausted or sql in self._alone or not args:
            return await self._one(sql, *args)
        calls = self._open.get(sql)
        if calls is None or len(calls) >= BATCH_ROWS:
            calls = self._open[sql] = []
            self._spawn(self._travel(sql, calls))
        call = Call(args)
        calls.append(call)
        return await call.row

    def _spawn(self, work: Awaitable[None]) -> None:
        """Start a task and keep it from being collected."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _travel(self, sql: str, calls: list[Call]) -> None:
        """Wait in the pool's line, then ask for everybody who has come meanwhile."""
        try:
            link = await self._pool.acquire()
        except Fault as fault:
            self._close(sql, calls)
            for call in calls:
                call.refuse(Fault(fault.code, detail=fault.detail))
            return
        self._close(sql, calls)
        try:
            done = await self._ask(link, sql, [call for call in calls if not call.row.done()])
        except BaseException:  # a loop that ends, or a bug of ours: nobody is left waiting
            link.abandoned = True
            for call in calls:
                call.row.cancel()
            raise
        finally:
            self._pool.release(link)
        if not done:
            await asyncio.gather(*(self._read_alone(sql, call) for call in calls))

    def _close(self, sql: str, calls: list[Call]) -> None:
        """Let nobody else get on."""
        if self._open.get(sql) is calls:
            del self._open[sql]

    async def _ask(self, link: Link, sql: str, calls: Sequence[Call]) -> bool:
        """Ask for all calls in one statement; False where they must be asked one by one."""
        if len(calls) < 2:
            return False
        try:
            types = await link.parameter_types(sql)
            asked = over_arrays(sql, types)
            try:
                await link.prepare(asked)
            except StatementFailed:
                self._alone.add(sql)
                return False
            columns = [list(column) for column in zip(*(call.args for call in calls), strict=True)]
            rows = await link.all(asked, columns)
        except Exception as error:
            if not (isinstance(error, Lost) and error.late):
                return False
            for call in calls:  # asking one by one would take everybody's time once more
                call.refuse(error.nothing_done())
            return True
        _hand_out(calls, rows)
        return True

    async def _read_alone(self, sql: str, call: Call) -> None:
        """One caller's read by itself, so that one bad row does not fail its neighbours."""
        if call.row.done():
            return
        try:
            call.answer(await self._one(sql, *call.args))
        except Exception as error:
            call.refuse(error)


def over_arrays(sql: str, types: Sequence[str]) -> str:
    """The statement that answers `sql` for every element of one array per parameter.

    Its first column is the caller's index, from 1; callers without a row are left out. The LIMIT
    keeps the inner statement a lookup for each caller, whatever the planner thinks of the whole.
    """
    arrays = ", ".join(f"CAST(${n} AS {name}[])" for n, name in enumerate(types, 1))
    names = ", ".join(f"p{n}" for n in range(1, len(types) + 1))
    single = renumbered(sql, "batch_of_callers.p{}")
    return (
        f"SELECT batch_of_callers.caller, answer.* FROM unnest({arrays}) WITH ORDINALITY"
        f" AS batch_of_callers ({names}, caller),"
        f" LATERAL (SELECT * FROM ({single}\n) AS single LIMIT 1) AS answer"
    )


def _hand_out(calls: Sequence[Call], rows: Sequence[Row]) -> None:
    """Give each caller the row with its index, or None."""
    for row in rows:
        calls[row[0] - 1].answer(row[1:])
    for call in calls:
        call.answer(None)
