"""Sessions: signed-in state at our side, found by a token's hash or by id."""

from collections.abc import Sequence

import msgspec

from oneself.model import Factor, Session, UserView
from oneself.store.database import Database, Reader, Row, Tx
from oneself.store.views import assemble, branch, union_for

INSERT = """
INSERT INTO sessions (project_id, id, user_id, kind, token_hash, started_at, last_accessed_at, expires_at, factors,
    custom_claims, ip_address, user_agent, is_impersonation)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"""

UPDATE = """
UPDATE sessions SET last_accessed_at = $3, expires_at = $4, factors = $5, custom_claims = $6
WHERE project_id = $1 AND id = $2 AND expires_at > $7 RETURNING id"""

# What a check changes: never the factors, which an unlink may have trimmed since the session was read.
PROLONG = """
UPDATE sessions SET last_accessed_at = $3, expires_at = $4, custom_claims = $5
WHERE project_id = $1 AND id = $2 AND expires_at > $6 RETURNING factors"""

TOUCH = """
UPDATE sessions SET last_accessed_at = $3 WHERE project_id = $1 AND id = $2 AND last_accessed_at < $3"""

_BRANCH = branch(
    "session",
    "s.user_id",
    "s.id, s.kind, s.factors, s.custom_claims, s.ip_address, s.user_agent",
    "s.started_at, s.last_accessed_at, s.expires_at",
    "s.is_impersonation",
)


def _checked(condition: str) -> str:
    live = f"FROM sessions s WHERE s.project_id = $1 AND {condition} AND s.kind = $3 AND s.expires_at > $4"
    return f"{_BRANCH} {live} UNION ALL {union_for(f'SELECT s.user_id {live}')}"


CHECK_TOKEN = _checked("s.token_hash = $2")
CHECK_ID = _checked("s.id = $2")

_COLUMNS = """s.id, s.user_id, s.kind, s.started_at, s.last_accessed_at, s.expires_at, s.factors, s.custom_claims,
    s.ip_address, s.user_agent, s.is_impersonation"""

OF_USER = f"""
SELECT u.id AS owner, {_COLUMNS} FROM users u
LEFT JOIN sessions s ON s.project_id = u.project_id AND s.user_id = u.id AND s.expires_at > $3
WHERE u.project_id = $1 AND u.id = $2 ORDER BY s.started_at DESC, s.id"""

BY_ID = f"SELECT '' AS owner, {_COLUMNS} FROM sessions s WHERE s.project_id = $1 AND s.id = $2 AND s.expires_at > $3"

BY_TOKEN = f"""
SELECT '' AS owner, {_COLUMNS} FROM sessions s
WHERE s.project_id = $1 AND s.token_hash = $2 AND s.expires_at > $3"""

DELETE_TOKEN = """
DELETE FROM sessions WHERE project_id = $1 AND token_hash = $2 AND kind = $3 AND expires_at > $4 RETURNING user_id"""

DELETE_ID = "DELETE FROM sessions WHERE project_id = $1 AND id = $2 AND expires_at > $3 RETURNING user_id"

DELETE_OTHERS = "DELETE FROM sessions WHERE project_id = $1 AND user_id = $2 AND id <> $3"

SWEEP = """
DELETE FROM sessions WHERE (project_id, id) IN
    (SELECT project_id, id FROM sessions WHERE expires_at < $1 LIMIT $2) RETURNING id"""

_FACTORS = msgspec.json.Decoder(tuple[Factor, ...])


def _session(row: Row) -> Session:
    return Session(
        id=row[1],
        user_id=row[2],
        kind=row[3],
        started_at=row[4],
        last_accessed_at=row[5],
        expires_at=row[6],
        factors=_FACTORS.decode(row[7]),
        custom_claims=msgspec.json.decode(row[8]),
        ip_address=row[9],
        user_agent=row[10],
        is_impersonation=bool(row[11]),
    )


def _from_branch(row: Row) -> Session:
    return Session(
        user_id=row[1],
        id=row[2],
        kind=row[3],
        factors=_FACTORS.decode(row[4]),
        custom_claims=msgspec.json.decode(row[5]),
        ip_address=row[6],
        user_agent=row[7],
        started_at=row[16],
        last_accessed_at=row[17],
        expires_at=row[18],
        is_impersonation=bool(row[22]),
    )


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def insert(tx: Tx, project_id: str, session: Session, token_hash: bytes) -> None:
    """Open a session under its token's hash."""
    await tx.run(
        INSERT,
        project_id,
        session.id,
        session.user_id,
        session.kind,
        token_hash,
        session.started_at,
        session.last_accessed_at,
        session.expires_at,
        _text(session.factors),
        _text(session.custom_claims),
        session.ip_address,
        session.user_agent,
        session.is_impersonation,
    )


async def update(tx: Tx, project_id: str, session: Session) -> bool:
    """Write expiry, factors, claims and last access of a live session; False if it
    ended meanwhile.
    """
    row = await tx.one(
        UPDATE,
        project_id,
        session.id,
        session.last_accessed_at,
        session.expires_at,
        _text(session.factors),
        _text(session.custom_claims),
        tx.now,
    )
    return row is not None


async def prolong(tx: Tx, project_id: str, session: Session) -> Session | None:
    """Write expiry, claims and last access of a live session; the session with the factors that it has now, or None
    if it ended meanwhile.
    """
    claims = _text(session.custom_claims)
    row = await tx.one(PROLONG, project_id, session.id, session.last_accessed_at, session.expires_at, claims, tx.now)
    return None if row is None else msgspec.structs.replace(session, factors=_FACTORS.decode(row[0]))


async def touch(tx: Tx, project_id: str, session_id: str, at: int) -> None:
    """Note when a session was last seen, if later than what is noted."""
    await tx.run(TOUCH, project_id, session_id, at)


async def check_token(
    db: Database, project_id: str, token_hash: bytes, kind: str, now: int
) -> tuple[Session, UserView] | None:
    """A live session by its token's hash, with its user's whole view; one statement."""
    return _checked_rows(await db.all(CHECK_TOKEN, project_id, token_hash, kind, now))


async def check_id(
    db: Reader, project_id: str, session_id: str, kind: str, now: int
) -> tuple[Session, UserView] | None:
    """A live session by its id, with its user's whole view; one statement."""
    return _checked_rows(await db.all(CHECK_ID, project_id, session_id, kind, now))


def _checked_rows(rows: Sequence[Row]) -> tuple[Session, UserView] | None:
    session = next((_from_branch(row) for row in rows if row[0] == "session"), None)
    if session is None:
        return None
    view = assemble(rows).get(session.user_id)
    return None if view is None else (session, view)


async def of_user(reader: Reader, project_id: str, user_id: str, now: int) -> list[Session] | None:
    """A user's live sessions, newest first; None where there is no such user."""
    rows = await reader.all(OF_USER, project_id, user_id, now)
    if not rows:
        return None
    return [_session(row) for row in rows if row[1] is not None]


async def by_id(reader: Reader, project_id: str, session_id: str, now: int) -> Session | None:
    """A live session by its id."""
    row = await reader.one(BY_ID, project_id, session_id, now)
    return None if row is None else _session(row)


async def by_token(reader: Reader, project_id: str, token_hash: bytes, now: int) -> Session | None:
    """A live session by its token's hash."""
    row = await reader.one(BY_TOKEN, project_id, token_hash, now)
    return None if row is None else _session(row)


async def delete_token(db: Database, project_id: str, token_hash: bytes, kind: str, now: int) -> bool:
    """End a session by its token's hash; False where it was not alive."""
    return await db.change(DELETE_TOKEN, project_id, token_hash, kind, now) is not None


async def delete_id(db: Database, project_id: str, session_id: str, now: int) -> bool:
    """End a session by its id; False where it was not alive."""
    return await db.change(DELETE_ID, project_id, session_id, now) is not None


async def delete_others(tx: Tx, project_id: str, user_id: str, keep_id: str = "") -> int:
    """End all sessions of a user but one; how many it were."""
    return await tx.run(DELETE_OTHERS, project_id, user_id, keep_id)


async def sweep(tx: Tx, before: int, batch: int) -> int:
    """Delete at most `batch` sessions that expired before `before`; how many it were."""
    return len(await tx.all(SWEEP, before, batch))


async def delete_in(tx: Tx, project_id: str, session_id: str) -> bool:
    """End a session by its id, within a transaction; False where it was not alive."""
    return await tx.one(DELETE_ID, project_id, session_id, tx.now) is not None
