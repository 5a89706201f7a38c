"""Projects with their configuration, keys and data keys."""

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from oneself.model import Project, ProjectConfig, ProjectKey
from oneself.store.database import Reader, Row, Tx

_COLUMNS = """id, display_name, environment, stytch_id, stytch_public_token, stytch_callback_id, stack_id,
    owner_team_id, version, created_at, config"""

_BY = f"SELECT {_COLUMNS} FROM projects WHERE "

BY_ID = _BY + "id = $1"
BY_STYTCH_ID = _BY + "stytch_id = $1"
BY_PUBLIC_TOKEN = _BY + "stytch_public_token = $1"
BY_CALLBACK_ID = _BY + "stytch_callback_id = $1"
BY_STACK_ID = _BY + "stack_id = $1"
ALL = f"SELECT {_COLUMNS} FROM projects ORDER BY created_at, id"
OWNED_BY = f"""
SELECT {_COLUMNS} FROM projects WHERE owner_team_id IN
    (SELECT team_id FROM team_members WHERE project_id = $1 AND user_id = $2) ORDER BY created_at, id"""
CHANGED = "SELECT id, changed_at FROM projects WHERE changed_at > $1 ORDER BY changed_at"

# As many at once, the places that are left over filled with no id.
PRESENT_AT_ONCE = 500
PRESENT = f"SELECT id FROM projects WHERE id IN ({', '.join(f'${place + 1}' for place in range(PRESENT_AT_ONCE))})"

INSERT = """
INSERT INTO projects (id, display_name, environment, stytch_id, stytch_public_token, stytch_callback_id, stack_id,
    owner_team_id, version, changed_at, created_at, config)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""

UPDATE = """
UPDATE projects SET display_name = $2, environment = $3, stytch_id = $4, stytch_public_token = $5,
    stytch_callback_id = $6, stack_id = $7, owner_team_id = $8, version = version + 1, changed_at = $9, config = $10
WHERE id = $1 AND version = $11 RETURNING version"""

TOUCH = "UPDATE projects SET version = version + 1, changed_at = $2 WHERE id = $1 RETURNING version"

DELETE = "DELETE FROM projects WHERE id = $1 RETURNING id"

KEYS = """
SELECT id, kind, hash, last_four, set_id, description, created_at, expires_at, revoked_at
FROM project_keys WHERE project_id = $1 ORDER BY created_at DESC, id"""

INSERT_KEY = """
INSERT INTO project_keys (project_id, id, set_id, kind, hash, last_four, description, created_at, expires_at,
    revoked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"""

REVOKE_KEYS = """
UPDATE project_keys SET revoked_at = $3 WHERE project_id = $1 AND set_id = $2 AND revoked_at = 0 RETURNING id"""

DATA_KEYS = "SELECT id, wrapped FROM data_keys WHERE project_id = $1 ORDER BY created_at DESC, id"

INSERT_DATA_KEY = "INSERT INTO data_keys (project_id, id, wrapped, created_at) VALUES ($1, $2, $3, $4)"


def _project(row: Row) -> Project:
    return Project(
        id=row[0],
        display_name=row[1],
        environment=cast(Literal["test", "live"], row[2]),
        stytch_id=row[3],
        stytch_public_token=row[4],
        stytch_callback_id=row[5],
        stack_id=row[6],
        owner_team_id=row[7],
        version=row[8],
        created_at=row[9],
        config=msgspec.json.decode(row[10], type=ProjectConfig),
    )


def _key(row: Row) -> ProjectKey:
    return ProjectKey(
        id=row[0],
        kind=row[1],
        hash=row[2],
        last_four=row[3],
        set_id=row[4],
        description=row[5],
        created_at=row[6],
        expires_at=row[7],
        revoked_at=row[8],
    )


async def find(reader: Reader, statement: str, name: str) -> Project | None:
    """One project with its keys, by one of the BY_ statements; two statements, for a cold cache
    only.
    """
    row = await reader.one(statement, name)
    if row is None:
        return None
    keys = tuple(_key(key) for key in await reader.all(KEYS, row[0]))
    return msgspec.structs.replace(_project(row), keys=keys)


async def all_projects(reader: Reader) -> list[Project]:
    """Every project, oldest first, without keys."""
    return [_project(row) for row in await reader.all(ALL)]


async def changed_since(reader: Reader, since: int) -> list[tuple[str, int]]:
    """Ids of projects changed after `since` (microseconds) and when."""
    return [(row[0], row[1]) for row in await reader.all(CHANGED, since)]


async def present(reader: Reader, ids: Sequence[str]) -> set[str]:
    """Which of at most `PRESENT_AT_ONCE` projects are still there."""
    asked = [*ids, *[""] * (PRESENT_AT_ONCE - len(ids))]
    return {row[0] for row in await reader.all(PRESENT, *asked)}


async def insert(tx: Tx, project: Project) -> None:
    """Add a project; a taken id in any dialect is a unique violation."""
    await tx.run(
        INSERT,
        project.id,
        project.display_name,
        project.environment,
        project.stytch_id,
        project.stytch_public_token,
        project.stytch_callback_id,
        project.stack_id,
        project.owner_team_id,
        project.version,
        tx.now,
        project.created_at,
        msgspec.json.encode(project.config).decode(),
    )


async def update(tx: Tx, project: Project) -> int | None:
    """Write a project that was read at `project.version`; its new version, or None if it moved
    meanwhile.
    """
    row = await tx.one(
        UPDATE,
        project.id,
        project.display_name,
        project.environment,
        project.stytch_id,
        project.stytch_public_token,
        project.stytch_callback_id,
        project.stack_id,
        project.owner_team_id,
        tx.now,
        msgspec.json.encode(project.config).decode(),
        project.version,
    )
    return None if row is None else row[0]


async def touch(tx: Tx, project_id: str) -> None:
    """Count the project's version up, so that every process reads it anew."""
    await tx.one(TOUCH, project_id, tx.now)


async def delete(tx: Tx, project_id: str) -> bool:
    """Remove a project with everything in it, its data key included; False if it was not there."""
    return await tx.one(DELETE, project_id) is not None


async def keys(reader: Reader, project_id: str) -> list[ProjectKey]:
    """All keys of a project, newest first."""
    return [_key(row) for row in await reader.all(KEYS, project_id)]


async def owned_by(reader: Reader, owners_project_id: str, user_id: str) -> list[Project]:
    """The projects of the teams that a user of another project is in, oldest first, without keys."""
    return [_project(row) for row in await reader.all(OWNED_BY, owners_project_id, user_id)]


async def insert_key(tx: Tx, project_id: str, key: ProjectKey) -> None:
    """Add a key; one with the same hash stays as it is."""
    await tx.run(
        INSERT_KEY,
        project_id,
        key.id,
        key.set_id,
        key.kind,
        key.hash,
        key.last_four,
        key.description,
        key.created_at,
        key.expires_at,
        key.revoked_at,
    )


async def revoke_keys(tx: Tx, project_id: str, set_id: str) -> bool:
    """Revoke all keys of a set now; False if none was alive."""
    return len(await tx.all(REVOKE_KEYS, project_id, set_id, tx.now)) > 0


async def data_keys(reader: Reader, project_id: str) -> list[tuple[str, bytes]]:
    """Ids and wrapped bytes of a project's data keys, newest first."""
    return [(row[0], bytes(row[1])) for row in await reader.all(DATA_KEYS, project_id)]


async def insert_data_key(tx: Tx, project_id: str, key_id: str, wrapped: bytes) -> None:
    """Add a wrapped data key."""
    await tx.run(INSERT_DATA_KEY, project_id, key_id, wrapped, tx.now)
