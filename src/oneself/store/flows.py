"""Flows: one row per browser trip, moved forward by one conditional statement per leg."""

from typing import cast

import msgspec

from oneself.model import Asker, Dialect, Flow, Trip
from oneself.store.database import Database, Reader, Row, Tx

_COLUMNS = """id, project_id, dialect, kind, stage, config_id, key_id, user_id, asker_session_id, asker_epoch,
    asker_by_backend, cookie_hash, trip, parked, result, created_at, expires_at"""

_INSERT = """
INSERT INTO flows (project_id, id, dialect, kind, stage, config_id, key_id, ticket_hash, state_hash, cookie_hash,
    grant_hash, trip, parked, result, created_at, expires_at, user_id, asker_session_id, asker_epoch,
    asker_by_backend)"""

INSERT = (
    _INSERT
    + """
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '', '', 0, FALSE) RETURNING id"""
)

# A flow that somebody asked for is opened from that somebody's live row, in the one statement that
# checks it.
INSERT_FOR_USER = (
    _INSERT
    + """
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, CAST($15 AS BIGINT), CAST($16 AS BIGINT), u.id,
    '', u.security_epoch, TRUE
FROM users u WHERE u.project_id = $1 AND u.id = $17 AND u.status <> 'disabled' RETURNING id"""
)

_FROM_SESSION = """
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, CAST($15 AS BIGINT), CAST($16 AS BIGINT), u.id,
    s.id, u.security_epoch, FALSE
FROM sessions s JOIN users u ON u.project_id = s.project_id AND u.id = s.user_id
WHERE s.project_id = $1 AND s.expires_at > $15 AND u.status <> 'disabled' AND NOT s.is_impersonation"""

INSERT_FOR_TOKEN = _INSERT + _FROM_SESSION + " AND s.token_hash = $17 RETURNING id"

INSERT_FOR_SESSION = _INSERT + _FROM_SESSION + " AND s.id = $17 RETURNING id"

START_RESERVED = """
UPDATE flows SET stage = 'started', key_id = $4, state_hash = $5, cookie_hash = $6, trip = $7, expires_at = $8
WHERE project_id = $1 AND id = $2 AND ticket_hash = $3 AND stage = 'reserved' AND expires_at > $9
    AND dialect = $10 AND config_id = $11
RETURNING user_id"""

# Everything that a callback must bring is asked in the WHERE, so that a wrong one spends nothing.
CLAIM = f"""
UPDATE flows SET stage = 'claimed'
WHERE project_id = $1 AND id = $2 AND state_hash = $3 AND stage = 'started' AND dialect = $4
    AND ($5 = '' OR config_id = $5) AND expires_at > $6 AND cookie_hash = $7
RETURNING {_COLUMNS}"""

EXPLAIN = f"SELECT {_COLUMNS} FROM flows WHERE project_id = $1 AND id = $2 AND state_hash = $3"

PARK = """
UPDATE flows SET stage = 'parked', grant_hash = $3, parked = $4, result = $5, expires_at = $6
WHERE project_id = $1 AND id = $2 AND stage = 'claimed' RETURNING id"""

TAKE = f"""
DELETE FROM flows
WHERE project_id = $1 AND id = $2 AND grant_hash = $3 AND stage = 'parked' AND dialect = $4 AND expires_at > $5
RETURNING {_COLUMNS}"""

# A ticket that an app redeems itself, with what the provider gave it on the device.
TAKE_RESERVED = f"""
DELETE FROM flows
WHERE project_id = $1 AND id = $2 AND ticket_hash = $3 AND stage = 'reserved' AND dialect = $4 AND config_id = $5
    AND expires_at > $6
RETURNING {_COLUMNS}"""

# A trip for a session of ours (a handoff) parks no tokens of a provider's.
UNREDEEMED = f"""
SELECT {_COLUMNS} FROM flows
WHERE expires_at <= $1 AND stage = 'parked' AND kind = 'identity' AND length(parked) > 0
ORDER BY expires_at LIMIT $2"""

EMPTY = """
UPDATE flows SET parked = $4
WHERE project_id = $1 AND id = $2 AND expires_at <= $3 AND stage = 'parked' AND length(parked) > 0 RETURNING id"""

SWEEP = """
DELETE FROM flows WHERE (project_id, id) IN (SELECT project_id, id FROM flows WHERE expires_at < $1 LIMIT $2)
RETURNING id"""

NONE = b""


def _flow(row: Row) -> Flow:
    asker = None
    if row[7]:
        asker = Asker(user_id=row[7], session_id=row[8], security_epoch=row[9], by_backend=bool(row[10]))
    return Flow(
        id=row[0],
        project_id=row[1],
        dialect=cast(Dialect, row[2]),
        kind=row[3],
        stage=row[4],
        config_id=row[5],
        key_id=row[6],
        asker=asker,
        cookie_bound=bool(row[11]),
        trip=msgspec.json.decode(row[12], type=Trip),
        parked=row[13],
        result=row[14],
        created_at=row[15],
        expires_at=row[16],
    )


class Secrets(msgspec.Struct, frozen=True):
    """The hashes of a flow's secrets, as far as it has them; empty bytes stand for "none yet"."""

    ticket: bytes = NONE
    state: bytes = NONE
    cookie: bytes = NONE
    grant: bytes = NONE


def _values(flow: Flow, secrets: Secrets) -> tuple[str | int | bytes, ...]:
    return (
        flow.project_id,
        flow.id,
        flow.dialect,
        flow.kind,
        flow.stage,
        flow.config_id,
        flow.key_id,
        secrets.ticket,
        secrets.state,
        secrets.cookie,
        secrets.grant,
        msgspec.json.encode(flow.trip).decode(),
        flow.parked,
        flow.result,
        flow.created_at,
        flow.expires_at,
    )


async def open_unasked(db: Database, flow: Flow, secrets: Secrets) -> None:
    """Open a flow for whoever comes back; one statement, one commit."""
    await db.change(INSERT, *_values(flow, secrets))


async def open_for_user(db: Database, flow: Flow, secrets: Secrets, user_id: str) -> bool:
    """Open a flow for a user whom the backend named; False where there is no usable user of that
    id.
    """
    return await db.change(INSERT_FOR_USER, *_values(flow, secrets), user_id) is not None


async def open_for_token(db: Database, flow: Flow, secrets: Secrets, token_hash: bytes) -> bool:
    """Open a flow for the user of a session, named by its token's hash; False where it is not
    alive.
    """
    return await db.change(INSERT_FOR_TOKEN, *_values(flow, secrets), token_hash) is not None


async def open_for_session(db: Database, flow: Flow, secrets: Secrets, session_id: str) -> bool:
    """Open a flow for the user of a session, named by its id; False where it is not alive."""
    return await db.change(INSERT_FOR_SESSION, *_values(flow, secrets), session_id) is not None


async def start_reserved(db: Database, flow: Flow, secrets: Secrets, now: int) -> bool:
    """Move a reserved flow to `started` by its ticket; False if the ticket is spent, expired or for
    something else.
    """
    row = await db.change(
        START_RESERVED,
        flow.project_id,
        flow.id,
        secrets.ticket,
        flow.key_id,
        secrets.state,
        secrets.cookie,
        msgspec.json.encode(flow.trip).decode(),
        flow.expires_at,
        now,
        flow.dialect,
        flow.config_id,
    )
    return row is not None


async def claim(
    db: Database,
    project_id: str,
    flow_id: str,
    state_hash: bytes,
    dialect: str,
    config_id: str,
    cookie_hash: bytes,
    now: int,
) -> Flow | None:
    """Move a started flow to `claimed`, once; None when anything that the callback must bring is
    not there.
    """
    row = await db.change(CLAIM, project_id, flow_id, state_hash, dialect, config_id, now, cookie_hash)
    return None if row is None else _flow(row)


async def explain(reader: Reader, project_id: str, flow_id: str, state_hash: bytes) -> tuple[Flow, bytes] | None:
    """The flow of a state and its cookie's hash, whatever its stage, to say why a claim failed."""
    row = await reader.one(EXPLAIN, project_id, flow_id, state_hash)
    return None if row is None else (_flow(row), bytes(row[11]))


async def park(
    db: Database, project_id: str, flow_id: str, grant_hash: bytes, parked: bytes, result: str, expires_at: int
) -> bool:
    """Move a claimed flow to `parked` with what the provider proved; False if it is
    gone meanwhile.
    """
    return await db.change(PARK, project_id, flow_id, grant_hash, parked, result, expires_at) is not None


async def take(tx: Tx, project_id: str, flow_id: str, grant_hash: bytes, dialect: str) -> Flow | None:
    """Take a parked flow out, once; None where the grant is unknown, spent or expired."""
    row = await tx.one(TAKE, project_id, flow_id, grant_hash, dialect, tx.now)
    return None if row is None else _flow(row)


async def take_reserved(
    tx: Tx, project_id: str, flow_id: str, ticket_hash: bytes, dialect: str, config_id: str
) -> Flow | None:
    """Take a reserved flow out by its ticket, once; None where that is spent, expired or for something else."""
    row = await tx.one(TAKE_RESERVED, project_id, flow_id, ticket_hash, dialect, config_id, tx.now)
    return None if row is None else _flow(row)


async def unredeemed(reader: Reader, now: int, limit: int) -> list[Flow]:
    """At most `limit` trips that still hold what a provider proved, although their grant has expired."""
    return [_flow(row) for row in await reader.all(UNREDEEMED, now, limit)]


async def empty(tx: Tx, project_id: str, flow_id: str) -> bool:
    """Drop what an expired trip holds, once; False where somebody else has."""
    return await tx.one(EMPTY, project_id, flow_id, tx.now, NONE) is not None


async def sweep(tx: Tx, before: int, batch: int) -> int:
    """Delete at most `batch` flows that expired before `before`; how many it were."""
    return len(await tx.all(SWEEP, before, batch))
