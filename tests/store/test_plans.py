"""No request reads everybody: how SQLite would go about each statement in a database that is new."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import oneself.store
from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from oneself.store.statements import for_sqlite
from tests.store.conftest import clock

# What is meant to read all rows there are, or all of a project.
WHOLE = {
    "accounts.ALL": "the list of everybody's accounts, page by page",
    "data_keys.COUNT": "a rotation's progress; a key or two for each project",
    "outbox.NEWEST": "the development page of letters",
    "projects.ALL": "the operator's list",
    "projects.DATA_KEYS": "a key or two for each project",
    "projects.KEYS": "some keys for each project",
    "projects.REVOKE_KEYS": "some keys for each project",
    "restores.DOUBT": "a restore doubts every grant",
    "revocations.COUNT": "how much is waiting",
    "signing_keys.SUMMARY": "the operator's list",
    "teams.ALL": "the list of teams",
    "users.COUNT": "how many there are",
}
# PostgreSQL alone is asked this.
FOREIGN = {"postgres_link.CLOCK_QUERY"}
# Columns that many rows have in common.
SHARED = {"project_id", "config_id", "issuer", "provider", "status", "kind"}
_STATEMENT = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b")


@pytest.fixture
async def migrated(tmp_path: Path) -> Path:
    """A database of this version without a row."""
    file = tmp_path / "plans.sqlite3"
    db = await open_database(f"sqlite:///{file}", clock)
    await migrate(db)
    await db.close()
    return file


def statements() -> Iterator[tuple[str, str]]:
    """Every statement that is a constant, by its name, but for those that are parts of others."""
    for module in pkgutil.iter_modules(oneself.store.__path__):
        for name, text in vars(importlib.import_module(f"oneself.store.{module.name}")).items():
            if (
                name[0] != "_"
                and not name.endswith("_BRANCH")
                and name.isupper()
                and isinstance(text, str)
                and _STATEMENT.match(text)
            ):
                yield f"{module.name}.{name}", text


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The steps in which SQLite would go about it."""
    numbered = for_sqlite(sql.replace("{0}", "$8, $9"))
    values = max((int(number) for number in re.findall(r"\?(\d+)", numbered)), default=0)
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {numbered}", [None] * values)]


def wide(sql: str, steps: list[str]) -> list[str]:
    """The steps that read a whole table, or all that share a project or something as common."""
    own = set(re.findall(r"(?:\bWITH|,)\s+(?:RECURSIVE\s+)?(\w+)(?:\(\w+\))? AS \(", sql))
    found = []
    for step in steps:
        scanned = re.match(r"SCAN (\w+)", step)
        asked = re.search(r"\((\w+[=<>].*)\)$", step)
        columns = set(re.findall(r"(\w+)(?:,\w+\))?[=<>]", asked[1])) if asked else set()
        if (scanned and scanned[1] not in own | {"CONSTANT"}) or (asked and columns <= SHARED):
            found.append(step)
    return found


def found_wide(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Every statement with such steps."""
    every = {name: wide(sql, plan(connection, sql)) for name, sql in statements() if name not in FOREIGN}
    assert len(every) > 100
    return {name: steps for name, steps in every.items() if steps}


def test_no_statement_reads_more_than_it_must(migrated: Path) -> None:
    with closing(sqlite3.connect(migrated)) as connection:
        found = found_wide(connection)
    assert {name: steps for name, steps in found.items() if name not in WHOLE} == {}
    assert [name for name in WHOLE if name not in found] == [], "no leave without need"


def test_without_what_the_database_says_of_its_indexes_everybody_is_read(migrated: Path) -> None:
    with closing(sqlite3.connect(migrated)) as connection:
        connection.execute("DELETE FROM sqlite_stat1")
        connection.execute("ANALYZE sqlite_schema")
        assert {"accounts.IN_THE_WAY", "vault.OF_USER", "views.ONE_USER_WITH_TEAM"} <= {*found_wide(connection)}


def test_something_is_said_of_every_index(migrated: Path) -> None:
    with closing(sqlite3.connect(migrated)) as connection:
        said = {row[0]: row[1].split() for row in connection.execute("SELECT idx, stat FROM sqlite_stat1")}
        indexes = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}
        indexes.discard("sqlite_autoindex_schema_state_1")  # it has one row
        assert said.keys() == indexes
        for index in indexes:
            columns = connection.execute(f"PRAGMA index_info('{index}')").fetchall()
            assert len(said[index]) == len(columns) + 1, index


async def test_those_who_are_connected_already_plan_by_it(tmp_path: Path) -> None:
    db = await open_database(f"sqlite:///{tmp_path / 'open.sqlite3'}", clock)
    await migrate(db)
    for name, sql in statements():
        if name == "vault.OF_USER":
            steps = [str(row[3]) for row in await db.all(f"EXPLAIN QUERY PLAN {sql}", "p", "u")]
            assert wide(sql, steps) == []
    await db.close()
