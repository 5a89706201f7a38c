"""Every operand of a search is one statement with an index behind it: the plans of both engines say which."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import combinations
from typing import Any, get_args

import pytest

from oneself.model import Operand, OperandName
from oneself.store.database import Database, Row, Tx
from oneself.store.opening import open_database
from oneself.store.user_search import Conditions, condition, finds_few, page
from tests.store.conftest import clock

PROJECT = "b"
USERS = 6_000

OPERANDS: dict[OperandName, Operand] = {
    "created_after": Operand(name="created_after", number=USERS - 5),
    "created_before": Operand(name="created_before", number=5),
    "created_between": Operand(name="created_between", number=5, until=9),
    "status": Operand(name="status", values=("pending",)),
    "user_ids": Operand(name="user_ids", values=("u7", "u8")),
    "external_ids": Operand(name="external_ids", values=("x7", "x8")),
    "name_prefix": Operand(name="name_prefix", values=("ada",)),
    "phones": Operand(name="phones", values=("+12020000007",)),
    "phone_ids": Operand(name="phone_ids", values=("p7",)),
    "phone_verified": Operand(name="phone_verified", flag=True),
    "phone_contains": Operand(name="phone_contains", values=("00007",)),
    "emails": Operand(name="emails", values=("a7@corp.example",)),
    "email_ids": Operand(name="email_ids", values=("e7", "e8")),
    "email_verified": Operand(name="email_verified", flag=True),
    "email_prefix": Operand(name="email_prefix", values=("a77",)),
    "providers": Operand(name="providers", values=("github",)),
    "password_exists": Operand(name="password_exists", flag=True),
    "nothing": Operand(name="nothing"),
}

# The index that finds the users who match: (SQLite, PostgreSQL). What most users match is walked from the newest on, in
# the order of the answer, and so are names, of which any word may begin so.
OWN: dict[OperandName, tuple[str, ...]] = {
    "created_after": ("users_created",),
    "created_before": ("users_created",),
    "created_between": ("users_created",),
    "status": ("users_status",),
    "user_ids": ("users",),
    "external_ids": ("users_external_id",),
    "phones": ("phones_number",),
    "phone_ids": ("phones",),
    "phone_contains": ("phones_number", "phones_user", "phones"),
    "emails": ("emails_folded", "emails_sign_in"),
    "email_ids": ("emails",),
    "email_prefix": ("emails_domain",),
    "providers": ("accounts_provider",),
    "password_exists": ("users_password",),
}
# PostgreSQL expects it to match a third of all numbers, and may well read them all.
NEARLY_ALL: tuple[OperandName, ...] = ("phone_contains",)
WALKED: tuple[OperandName, ...] = ("name_prefix", "phone_verified", "email_verified")


class Written(Exception):
    """The statement that a search would run."""


class Writer:
    """Takes a search's statement instead of running it; there is but one."""

    def __init__(self) -> None:
        self.sql = ""
        self.args: tuple[Any, ...] = ()

    async def all(self, sql: str, *args: Any) -> list[Row]:
        assert not self.sql
        self.sql, self.args = sql, args
        raise Written

    async def one(self, sql: str, *args: Any) -> Row | None:
        raise AssertionError((sql, args))


async def statement(operator: str, *operands: Operand) -> Writer:
    conditions = Conditions(PROJECT)
    for operand in operands:
        conditions.add(condition(conditions, operand))
    writer = Writer()
    few = finds_few(operator, operands)
    with pytest.raises(Written):
        await page(writer, conditions, operator, "-created", "", 101, 1_000, few)
    return writer


async def plan(db: Database, written: Writer) -> str:
    """How the engine would go about it."""
    if db.engine == "sqlite":
        return "\n".join(str(row[3]) for row in await db.all(f"EXPLAIN QUERY PLAN {written.sql}", *written.args))
    return "\n".join(str(row[0]) for row in await db.all(f"EXPLAIN {written.sql}", *written.args))


@pytest.fixture
async def stocked(migrated_url: str) -> AsyncIterator[Database]:
    """Users of three projects: most of one, whose searches are looked at."""
    db = await open_database(migrated_url, clock)
    await db.write(stock)
    if db.engine == "postgresql":
        for table in ("users", "emails", "phones", "external_accounts"):
            await db.change(f"ANALYZE {table}")
    yield db
    await db.close()


async def stock(tx: Tx) -> None:
    """Straight into the tables: the numbers 1 to USERS, each a user."""
    for project, count in (("a", 500), (PROJECT, USERS), ("c", 500)):
        await tx.run(
            "INSERT INTO projects (id, display_name, environment, stytch_id, stytch_public_token, stytch_callback_id,"
            " stack_id, owner_team_id, version, changed_at, created_at, config)"
            " VALUES ($1, '', 'test', $1, $1, $1, $1, '', 1, 0, 0, '{}')",
            project,
        )
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        await tx.run(
            "INSERT INTO users (project_id, id, version, security_epoch, status, created_at, signed_up_at,"
            " last_active_at, is_anonymous, display_name, first_name, middle_name, last_name, folded_name,"
            " picture_url, external_id, client_metadata, client_read_only_metadata, server_metadata, password_hash,"
            f" password_id, extras) {numbers} SELECT $1, 'u' || i, 1, 1,"
            " CASE WHEN i % 100 = 0 THEN 'pending' ELSE 'active' END, i, i, i, FALSE, '', '', '', '',"
            " CASE WHEN i % 50 = 0 THEN 'ada byron' ELSE 'grace hopper' END, '', 'x' || i, '{}', '{}', '{}',"
            " CASE WHEN i % 100 = 3 THEN 'hash' ELSE '' END, '', '{}' FROM n",
            project,
        )
        await tx.run(
            "INSERT INTO emails (project_id, id, user_id, address, folded, verified_at, verified_by, is_primary,"
            f" claims_sign_in, created_at) {numbers} SELECT $1, 'e' || i, 'u' || i, '', 'a' || i || '@corp.example',"
            " i % 2, '', TRUE, TRUE, i FROM n",
            project,
        )
        await tx.run(
            f"INSERT INTO phones (project_id, id, user_id, number, verified_at, created_at) {numbers}"
            " SELECT $1, 'p' || i, 'u' || i, '+12020' || (1000000 + i), i % 2, i FROM n WHERE i % 3 = 0",
            project,
        )
        await tx.run(
            "INSERT INTO external_accounts (project_id, id, user_id, config_id, provider, issuer, subject,"
            " allow_sign_in, allow_connected_accounts, sign_in_slot, email, email_verified, email_id, picture_url,"
            f" locale, created_at, updated_at) {numbers}"
            " SELECT $1, 'a' || i, 'u' || i, 'p', CASE WHEN i % 40 = 0 THEN 'github' ELSE 'google' END, '', 's' || i,"
            " TRUE, TRUE, 'a' || i, '', TRUE, '', '', '', i, i FROM n",
            project,
        )


def test_every_operand_is_looked_at() -> None:
    assert set(OPERANDS) == set(get_args(OperandName)) == {*OWN, *WALKED, "nothing"}


async def test_an_index_is_behind_every_operand(stocked: Database) -> None:
    for name, own in OWN.items():
        shown = await plan(stocked, await statement("AND", OPERANDS[name]))
        if stocked.engine == "sqlite":
            searched = [line for line in shown.splitlines() if line.startswith("SEARCH")]
            indexes = [each if "_" in each else f"sqlite_autoindex_{each}_1" for each in own]
            assert any(f"INDEX {index} " in line for line in searched for index in indexes), (name, shown)
            assert_no_table_is_scanned(shown, name)
        elif name not in NEARLY_ALL:
            indexes = [each if "_" in each else f"{each}_pkey" for each in own]
            assert any(f" {index} " in shown or f" {index}\n" in shown for index in indexes), (name, shown)


async def test_what_is_walked_is_walked_by_an_index(stocked: Database) -> None:
    """With nothing of its own to be found by, an operand looks at users from the newest on until the page is full."""
    for name in WALKED:
        shown = await plan(stocked, await statement("AND", OPERANDS[name]))
        assert "users_created" in shown, (name, shown)
        if stocked.engine == "sqlite":
            assert_no_table_is_scanned(shown, name)


@pytest.mark.parametrize("operator", ["AND", "OR"])
async def test_no_pair_of_operands_looks_at_another_project(stocked: Database, operator: str) -> None:
    """Not one whole table, whatever is combined: SQLite has no statistics to go by, so each plan is looked at."""
    if stocked.engine == "sqlite":
        for pair in combinations(OPERANDS.values(), 2):
            shown = await plan(stocked, await statement(operator, *pair))
            assert_no_table_is_scanned(shown, str(pair))


async def test_a_planner_that_knows_only_indexes_finds_one_for_each(stocked: Database) -> None:
    """PostgreSQL may read a small table whole; where that is not to be had, there is always an index."""
    if stocked.engine != "postgresql":
        return

    async def indexes_alone(tx: Tx) -> None:
        await tx.run("SET LOCAL enable_seqscan = off")
        for operand in OPERANDS.values():
            written = await statement("AND", operand)
            shown = "\n".join(str(row[0]) for row in await tx.all(f"EXPLAIN {written.sql}", *written.args))
            assert "Seq Scan" not in shown, (operand.name, shown)

    await stocked.write(indexes_alone)


def assert_no_table_is_scanned(shown: str, what: str) -> None:
    """Scans of what the statement itself made (the page of ids, what is counted, a constant) are none of a table."""
    scans = [line for line in shown.splitlines() if line.startswith("SCAN") and line.split()[1] not in MADE]
    assert scans == [], (what, shown)


MADE = ("page", "CONSTANT", "found", "matching")
