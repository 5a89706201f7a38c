"""Teams and who is in them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from oneself.model import Team
from oneself.store.database import Reader, Row, Tx
from oneself.store.statements import listed

_COLUMNS = """t.id, t.display_name, t.picture_url, t.client_metadata, t.client_read_only_metadata, t.server_metadata,
    t.created_at"""

INSERT = """
INSERT INTO teams (project_id, id, display_name, picture_url, client_metadata, client_read_only_metadata,
    server_metadata, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""

UPDATE = """
UPDATE teams SET display_name = $3, picture_url = $4, client_metadata = $5, client_read_only_metadata = $6,
    server_metadata = $7
WHERE project_id = $1 AND id = $2 RETURNING id"""

DELETE = "DELETE FROM teams WHERE project_id = $1 AND id = $2 RETURNING id"

ONE = f"SELECT {_COLUMNS} FROM teams t WHERE t.project_id = $1 AND t.id = $2"

SOME = f"SELECT {_COLUMNS} FROM teams t WHERE t.project_id = $1 AND t.id IN ({{0}})"

ALL = f"SELECT {_COLUMNS} FROM teams t WHERE t.project_id = $1 ORDER BY t.created_at, t.id"

# The user comes first, so that one statement tells "unknown user" from "in no team".
OF_USER = f"""
SELECT u.id AS member, {_COLUMNS} FROM users u
LEFT JOIN team_members m ON m.project_id = u.project_id AND m.user_id = u.id
LEFT JOIN teams t ON t.project_id = m.project_id AND t.id = m.team_id
WHERE u.project_id = $1 AND u.id = $2 ORDER BY t.created_at, t.id"""

ADD_MEMBERS = "INSERT INTO team_members (project_id, team_id, user_id, joined_at) VALUES ($1, $2, $3, $4)"

ADD_MEMBER = f"{ADD_MEMBERS} ON CONFLICT DO NOTHING RETURNING user_id"

REMOVE_MEMBER = """
DELETE FROM team_members WHERE project_id = $1 AND team_id = $2 AND user_id = $3 RETURNING user_id"""

IS_MEMBER = "SELECT user_id FROM team_members WHERE project_id = $1 AND team_id = $2 AND user_id = $3"

MEMBERS = "SELECT user_id FROM team_members WHERE project_id = $1 AND team_id = $2 ORDER BY joined_at, user_id"


def _team(row: Row) -> Team:
    return Team(
        id=row[0],
        display_name=row[1],
        picture_url=row[2],
        client_metadata=msgspec.json.decode(row[3]),
        client_read_only_metadata=msgspec.json.decode(row[4]),
        server_metadata=msgspec.json.decode(row[5]),
        created_at=row[6],
    )


def _described(team: Team) -> tuple[str, ...]:
    return (
        team.display_name,
        team.picture_url,
        _text(team.client_metadata),
        _text(team.client_read_only_metadata),
        _text(team.server_metadata),
    )


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def insert(tx: Tx, project_id: str, team: Team) -> None:
    """Add a team without members."""
    await tx.run(INSERT, project_id, team.id, *_described(team), team.created_at)


async def insert_all(tx: Tx, project_id: str, made: Sequence[tuple[Team, str]]) -> None:
    """Add teams, each with its one member."""
    await tx.many(INSERT, [(project_id, team.id, *_described(team), team.created_at) for team, _ in made])
    await tx.many(ADD_MEMBERS, [(project_id, team.id, user_id, team.created_at) for team, user_id in made])


async def update(tx: Tx, project_id: str, team: Team) -> bool:
    """Write what describes a team; False where it is not there."""
    return await tx.one(UPDATE, project_id, team.id, *_described(team)) is not None


async def delete(tx: Tx, project_id: str, team_id: str) -> bool:
    """Remove a team; its memberships go with it. False where it is not there."""
    return await tx.one(DELETE, project_id, team_id) is not None


async def find(reader: Reader, project_id: str, team_id: str) -> Team | None:
    """One team."""
    row = await reader.one(ONE, project_id, team_id)
    return None if row is None else _team(row)


async def by_ids(reader: Reader, project_id: str, team_ids: Sequence[str]) -> dict[str, Team]:
    """Several teams by their ids, in one statement; those that are not there are left out."""
    if not team_ids:
        return {}
    places, filled = listed(team_ids, 2)
    rows = await reader.all(SOME.format(places), project_id, *filled)
    return {row[0]: _team(row) for row in rows}


async def all_of_project(reader: Reader, project_id: str) -> list[Team]:
    """Every team of a project, oldest first."""
    return [_team(row) for row in await reader.all(ALL, project_id)]


async def of_user(reader: Reader, project_id: str, user_id: str) -> list[Team] | None:
    """The teams that a user is in, oldest first; None where there is no such user."""
    rows = await reader.all(OF_USER, project_id, user_id)
    return [_team(row[1:]) for row in rows if row[1] is not None] if rows else None


async def add_member(tx: Tx, project_id: str, team_id: str, user_id: str) -> bool:
    """Put a user into a team; False if it was there already."""
    return await tx.one(ADD_MEMBER, project_id, team_id, user_id, tx.now) is not None


async def remove_member(tx: Tx, project_id: str, team_id: str, user_id: str) -> bool:
    """Take a user out of a team; False if it was not in."""
    return await tx.one(REMOVE_MEMBER, project_id, team_id, user_id) is not None


async def is_member(reader: Reader, project_id: str, team_id: str, user_id: str) -> bool:
    """Whether a user is in a team."""
    return await reader.one(IS_MEMBER, project_id, team_id, user_id) is not None


async def members(reader: Reader, project_id: str, team_id: str) -> list[str]:
    """The ids of a team's users, in the order in which they joined."""
    return [row[0] for row in await reader.all(MEMBERS, project_id, team_id)]
