"""What the database holds, read behind the server's back: whether a refused request changed anything at all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import asyncpg

Rows = Mapping[str, Counter[tuple[Any, ...]]]

# When somebody was last seen says nothing about what a request did; it is written late and in batches.
# Neither does that a letter was tried, nor that somebody guessed at a code.
UNTOLD = {
    "sessions": {"last_accessed_at"},
    "users": {"last_active_at"},
    "outbox": {"attempts", "next_at", "sent_at"},
    "one_time_codes": {"attempts"},
}
REFUSALS = "Refuse:"


class Ground(Protocol):
    """One database as rows. `mark` is cheap, and moves whenever anything may have been written."""

    def mark(self) -> object: ...
    def tables(self) -> list[str]: ...
    def columns(self, table: str) -> list[str]: ...
    def run(self, sql: str) -> list[tuple[Any, ...]]: ...
    def close(self) -> None: ...


class SqliteGround:
    """The file of a SQLite database; other processes' commits move its `data_version`."""

    def __init__(self, url: str) -> None:
        self._db = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
        self._db.execute("PRAGMA foreign_keys = ON")

    def mark(self) -> object:
        return self._db.execute("PRAGMA data_version").fetchone()

    def tables(self) -> list[str]:
        found = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return [row[0] for row in found]

    def columns(self, table: str) -> list[str]:
        return [row[1] for row in self._db.execute(f'PRAGMA table_info("{table}")')]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self._db.execute(sql).fetchall()

    def close(self) -> None:
        self._db.close()


class PostgresGround:
    """A PostgreSQL database; whatever anybody writes moves the end of its log."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._db: asyncpg.Connection[Any] = self._runner.run(_connected(url))

    def mark(self) -> object:
        return self.run("SELECT pg_current_wal_insert_lsn()::text")

    def tables(self) -> list[str]:
        return [row[0] for row in self.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    def columns(self, table: str) -> list[str]:
        sql = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY 1"
        return [row[0] for row in self.run(sql)]

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._runner.run(self._db.fetch(sql))]

    def close(self) -> None:
        self._runner.run(self._db.close())
        self._runner.close()


async def _connected(url: str) -> asyncpg.Connection[Any]:
    return await asyncpg.connect(url)


def ground_of(database_url: str) -> Ground:
    """The ground under a server, by the address in its configuration."""
    return SqliteGround(database_url) if database_url.startswith("sqlite") else PostgresGround(database_url)


class Watch:
    """Tells after each request what changed since the one before."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._selects = {table: _select(table, ground.columns(table)) for table in ground.tables()}
        assert "users" in self._selects
        self._mark: object = None
        self._rows: Rows = {}
        self.settle()

    def settle(self) -> None:
        """Take what is there now as what shall stay."""
        self._mark = self.ground.mark()
        self._rows = self._read()

    def clear(self, kept: Collection[str]) -> None:
        """Take away all people and trips, and all projects but these, so that the next look is quick."""
        for table in ("users", "flows", "audit", "user_tombstones", "outbox", "one_time_codes"):
            self.ground.run(f"DELETE FROM {table}")
        listed = ", ".join(f"'{project_id}'" for project_id in kept)
        self.ground.run(f"DELETE FROM projects WHERE id NOT IN ({listed})")
        self.settle()

    def changes(self) -> list[str]:
        """The rows that came or went, each in a line; then all is settled. Audit rows of refusals may come."""
        mark = self.ground.mark()
        if mark == self._mark:
            return []
        before, after = self._rows, self._read()
        self._mark, self._rows = mark, after
        found = []
        for table, rows in after.items():
            came, went = rows - before[table], before[table] - rows
            found += [f"- {table} {row}"[:500] for row in went]
            found += [f"+ {table} {row}"[:500] for row in came if table != "audit" or not _tells_of_refusal(row)]
        return found

    def _read(self) -> Rows:
        return {table: Counter(self.ground.run(sql)) for table, sql in self._selects.items()}


def _select(table: str, columns: list[str]) -> str:
    told = [column for column in columns if column not in UNTOLD.get(table, ())]
    return f'SELECT {", ".join(told)} FROM "{table}"'


def _tells_of_refusal(row: tuple[Any, ...]) -> bool:
    return any(isinstance(value, str) and value.startswith(REFUSALS) for value in row)
