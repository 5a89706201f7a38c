"""Bringing a database's schema up to this code's, and telling whether this code may serve on it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from oneself.faults import Fault, FaultCode
from oneself.store.database import Database, Reader, StatementFailed, Tx
from oneself.store.retrying import LockTimeout
from oneself.store.schema_files import Migration, migrations

T = TypeVar("T")

LOCK_TRIES = 60
LOCK_PAUSE = 1.0
"""Seconds between tries, while traffic or another migration holds a lock that a step needs."""

EXISTS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_state'",
    "postgresql": "SELECT relname FROM pg_class WHERE oid = to_regclass('schema_state')",
}
CREATE = """
CREATE TABLE IF NOT EXISTS schema_state (
    id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    oldest_code BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
)"""
BEGIN_AT_NOTHING = """
INSERT INTO schema_state (id, version, oldest_code, changed_at) VALUES (1, 0, 0, $1)
ON CONFLICT (id) DO NOTHING"""
READ = "SELECT version, oldest_code FROM schema_state WHERE id = 1"
LOCK = "UPDATE schema_state SET changed_at = $1 WHERE id = 1 RETURNING version"
ADVANCE = """
UPDATE schema_state SET version = $1, oldest_code = COALESCE(CAST($2 AS BIGINT), oldest_code),
    changed_at = $3
WHERE id = 1 AND version = $4"""
# A step may take its time, but it must not make the traffic queue behind it for a lock.
PATIENCE = ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '2s'")


@dataclass(frozen=True)
class SchemaStatus:
    """Where a database's schema stands beside this code.

    `version` is the newest step that was applied (0: none), `oldest_code` the oldest code that it
    bears, `code` this code's newest step, `pending` the names of the steps still to be applied.
    """

    version: int
    oldest_code: int
    code: int
    pending: tuple[str, ...]

    @property
    def refusal(self) -> str:
        """Why this code must not serve on this schema, and what to do; empty where it may."""
        if self.version == 0:
            return "the database has no schema yet: run `oneself migrate`"
        if self.pending:
            return f"the database's schema is {self.version} and this code needs {self.code}: run `oneself migrate`"
        if self.code < self.oldest_code:
            return (
                f"the database's schema is {self.version}, which bears no code older than"
                f" {self.oldest_code}, and this code is {self.code}: run a newer release"
            )
        return ""


@dataclass(frozen=True)
class Progress:
    """What a migration is doing: step `index` of `total`, `rows` changed so far by a backfill.

    `waiting` is true while somebody else holds a lock that the step needs.
    """

    name: str
    index: int
    total: int
    rows: int = 0
    done: bool = False
    waiting: bool = False


async def schema_status(db: Database, steps: Sequence[Migration] | None = None) -> SchemaStatus:
    """Read where the schema stands; two statements, changes nothing."""
    steps = migrations(db.engine) if steps is None else steps
    version, oldest_code = await _state(db, db.engine)
    pending = tuple(f"{s.number:04}_{s.name}" for s in steps if s.number > version)
    return SchemaStatus(version, oldest_code, len(steps), pending)


async def migrate(
    db: Database,
    progress: Callable[[Progress], None] = lambda _: None,
    steps: Sequence[Migration] | None = None,
) -> SchemaStatus:
    """Apply every step that is still to be applied, and give where the schema then stands.

    Several processes may call this at once: each step is taken under the row of `schema_state`,
    and whoever comes second finds it done. On PostgreSQL open the database without a statement
    timeout for this. Raises Fault(database_contended) when a lock is not to be had for minutes.
    """
    steps = migrations(db.engine) if steps is None else steps
    if (await _state(db, db.engine))[0] == 0:
        await _begin(db)
    version, _ = await _state(db, db.engine)
    pending = [step for step in steps if step.number > version]
    for index, step in enumerate(pending, 1):
        await _apply(db, step, Progress(f"{step.number:04}_{step.name}", index, len(pending)), progress)
    return await schema_status(db, steps)


async def _state(db: Reader, engine: str) -> tuple[int, int]:
    """Version and oldest code as the database says, zeros where it says nothing."""
    if await db.one(EXISTS[engine]) is None:
        return 0, 0
    row = await db.one(READ)
    return (int(row[0]), int(row[1])) if row is not None else (0, 0)


async def _begin(db: Database) -> None:
    """State that nothing was applied yet, whoever else does so at the same time.

    PostgreSQL's IF NOT EXISTS is a look before the leap: of two that make one table at once, one
    fails in the catalogue, with whatever SQLSTATE its moment gives (42P07, 42710, 23505). It fails
    only after the other's commit, so the table is there then.
    """
    try:
        await db.write(_make_table)
    except StatementFailed:
        if await db.one(EXISTS[db.engine]) is None:
            raise
        await db.write(_make_table)


async def _make_table(tx: Tx) -> None:
    """Make the table that states the schema."""
    await tx.run(CREATE)
    await tx.run(BEGIN_AT_NOTHING, tx.now)


async def _apply(db: Database, step: Migration, at: Progress, progress: Callable[[Progress], None]) -> None:
    """Apply one step in its own way, then say so."""
    progress(at)
    rows = 0
    for statement in step.statements if step.mode != "transaction" else ():
        if step.mode == "repeat":
            rows += await _repeat(db, statement, at, progress)
        else:
            await _patiently(partial(db.change, statement), at, progress)
    await _patiently(partial(db.write, partial(_advance, step=step, engine=db.engine)), at, progress)
    progress(replace(at, rows=rows, done=True))


async def _advance(tx: Tx, step: Migration, engine: str) -> None:
    """Under the row that states the schema: make the step, unless somebody else has."""
    await _take_time(tx, engine)
    row = await tx.one(LOCK, tx.now)
    version = int(row[0]) if row is not None else -1
    if version >= step.number:
        return
    if version != step.number - 1:
        detail = f"the schema is {version}, so step {step.number} does not follow"
        raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail)
    for statement in step.statements if step.mode == "transaction" else ():
        await tx.run(statement)
    await tx.run(ADVANCE, step.number, step.oldest_code, tx.now, version)


async def _repeat(db: Database, statement: str, at: Progress, progress: Callable[[Progress], None]) -> int:
    """Run a backfill's statement until it changes nothing, each time in a commit of its own.

    Cut off in the middle it goes on where it was: what is done no longer matches its WHERE.
    """

    async def batch(tx: Tx) -> int:
        await _take_time(tx, db.engine)
        return await tx.run(statement)

    rows = 0
    while changed := await _patiently(partial(db.write, batch), at, progress):
        rows += changed
        progress(replace(at, rows=rows))
    return rows


async def _take_time(tx: Tx, engine: str) -> None:
    """Allow this transaction to run for long, and to wait for locks only briefly."""
    if engine == "postgresql":
        for setting in PATIENCE:
            await tx.run(setting)


async def _patiently(attempt: Callable[[], Awaitable[T]], at: Progress, progress: Callable[[Progress], None]) -> T:
    """Make an attempt again for as long as somebody else holds a lock that it needs."""
    for _ in range(LOCK_TRIES):
        try:
            return await attempt()
        except LockTimeout:
            progress(replace(at, waiting=True))
            await asyncio.sleep(LOCK_PAUSE)
    return await attempt()
