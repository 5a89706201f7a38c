"""Steps of the schema over rows that are there, and beside code that does not know them yet."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from oneself.store import signing_keys
from oneself.store.database import Database, Tx
from oneself.store.migrate import migrate, schema_status
from oneself.store.opening import open_database
from oneself.store.schema_files import migrations
from tests.store.conftest import clock

# What code before the fourth step wrote and read.
OLD_INSERT = """
INSERT INTO signing_keys (project_id, use_name, kid, stage, public_jwk, sealed_private, created_at, retires_at)
VALUES ($1, $2, $3, 'current', '{}', $4, $5, 0) ON CONFLICT DO NOTHING"""
OLD_READ = """
SELECT kid, stage FROM signing_keys WHERE project_id = $1 AND use_name = $2 AND (retires_at = 0 OR retires_at > $3)
ORDER BY created_at DESC, kid"""

PROJECT = """
INSERT INTO projects (id, display_name, environment, stytch_id, stytch_public_token, stytch_callback_id, stack_id,
    owner_team_id, version, changed_at, created_at, config)
VALUES ('p', '', 'test', 's', 't', 'c', 'x', '', 1, 0, 0, '{}')"""
USER = """
INSERT INTO users (project_id, id, version, security_epoch, status, created_at, signed_up_at, last_active_at,
    is_anonymous, display_name, first_name, middle_name, last_name, folded_name, picture_url, external_id,
    client_metadata, client_read_only_metadata, server_metadata, password_hash, password_id, extras)
VALUES ('p', 'u', 1, 1, 'active', 0, 0, 0, FALSE, '', '', '', '', '', '', '', '{}', '{}', '{}', '', '', '{}')"""
EMAIL = """
INSERT INTO emails (project_id, id, user_id, address, folded, verified_at, verified_by, is_primary, claims_sign_in,
    created_at) VALUES ('p', $1, 'u', $2, $2, 0, '', FALSE, TRUE, 0)"""


@pytest.fixture
async def third(engine_url: str) -> AsyncIterator[Database]:
    """A database as the third step left it, with rows in it."""
    db = await open_database(engine_url, clock, clock_limit=None)
    await migrate(db, steps=migrations(db.engine)[:3])

    async def fill(tx: Tx) -> None:
        await tx.run(PROJECT)
        await tx.run(USER)
        await tx.run(EMAIL, "e1", "ada@corp.example")
        await tx.run(OLD_INSERT, "p", "stytch", "old", b"sealed", 7)

    await db.write(fill)
    yield db
    await db.close()


async def test_rows_of_before_are_as_if_they_had_been_written_now(third: Database) -> None:
    await migrate(third)
    [key] = await signing_keys.of_use(third, "p", "stytch", 0)
    assert (key.kid, key.generation, key.created_at, key.signs_at, key.retires_at) == ("old", 0, 7, 7, 0)
    assert await signing_keys.newest_since(third, 7, 10) == [("p", "stytch")]
    assert [tuple(row) for row in await third.all("SELECT folded, domain FROM emails")] == [
        ("ada@corp.example", "corp.example")
    ]


async def test_code_of_before_goes_on_beside_the_new_one(third: Database) -> None:
    """As in a rolling restart: older processes write and read what they know."""
    await migrate(third)
    assert (await schema_status(third, migrations(third.engine)[:3])).refusal == ""

    async def of_before(tx: Tx) -> None:
        await tx.run(EMAIL, "e2", "grace@navy.example")
        await tx.run(OLD_INSERT, "p", "stytch", "second", b"sealed", 8)
        await tx.run(OLD_INSERT, "p", "stack", "first", b"sealed", 9)

    await third.write(of_before)
    assert [tuple(row) for row in await third.all(OLD_READ, "p", "stytch", 10)] == [("old", "current")]
    [other] = await signing_keys.of_use(third, "p", "stack", 0)
    assert (other.kid, other.generation, other.signs_at) == ("first", 0, 0)
    follower = signing_keys.StoredKey(
        kid="next", generation=1, public_jwk={}, sealed_private=b"s", created_at=9, signs_at=20
    )

    async def rotated(tx: Tx) -> bool:
        await signing_keys.retire_older(tx, "p", "stytch", 1, 100)
        return await signing_keys.insert(tx, "p", "stytch", follower)

    assert await third.write(rotated) is True
    # the older code goes on signing with its own and publishes both
    assert [tuple(row) for row in await third.all(OLD_READ, "p", "stytch", 30)] == [
        ("next", "next"),
        ("old", "current"),
    ]
    domains = await third.all("SELECT domain FROM emails ORDER BY folded")
    assert [row[0] for row in domains] == ["corp.example", "navy.example"]
