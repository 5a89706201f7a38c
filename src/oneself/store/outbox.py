"""The outbox: letters written with the change that caused them, and sent after its commit."""

import msgspec

from oneself.store.database import Reader, Row, Tx

# No moment comes after this one: a row that waits for it is sent by nobody.
NEVER = 2**62

INSERT = """
INSERT INTO outbox (project_id, id, user_id, kind, sealed, attempts, next_at, sent_at, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, 0, $6, 0, $7, $8)"""

IS_DUE = "SELECT 1 FROM outbox WHERE next_at <= $1 LIMIT 1"

# Whoever takes a row has it until `next_at`; the number of its attempt is the fence for what is written of it.
TAKE = """
UPDATE outbox SET attempts = attempts + 1, next_at = $2
WHERE next_at <= $1 AND (project_id, id) IN (
    SELECT project_id, id FROM outbox WHERE next_at <= $1 ORDER BY next_at LIMIT $3)
RETURNING project_id, id, user_id, kind, sealed, attempts, next_at, sent_at, created_at, expires_at"""

END = "DELETE FROM outbox WHERE project_id = $1 AND id = $2 AND attempts = $3 RETURNING id"

FILE = f"""
UPDATE outbox SET next_at = {NEVER}, sent_at = $4 WHERE project_id = $1 AND id = $2 AND attempts = $3 RETURNING id"""

POSTPONE = "UPDATE outbox SET next_at = $4 WHERE project_id = $1 AND id = $2 AND attempts = $3"

NEWEST = """
SELECT project_id, id, user_id, kind, sealed, attempts, next_at, sent_at, created_at, expires_at FROM outbox
ORDER BY created_at DESC, id DESC LIMIT $1"""

# Rows that somebody is still to send are ended by the one who tries last, never by the sweep.
SWEEP = f"""
DELETE FROM outbox WHERE (project_id, id) IN (
    SELECT project_id, id FROM outbox WHERE expires_at < $1 AND next_at = {NEVER} LIMIT $2)
RETURNING id"""


class Waiting(msgspec.Struct, frozen=True):
    """One letter of the outbox, sealed; it is given up at `expires_at` (microseconds, as all times)."""

    project_id: str
    id: str
    user_id: str
    kind: str
    sealed: bytes
    attempts: int
    next_at: int
    sent_at: int
    created_at: int
    expires_at: int

    def __repr__(self) -> str:
        return f"Waiting(id={self.id!r}, kind={self.kind!r}, attempts={self.attempts})"


def _waiting(row: Row) -> Waiting:
    return Waiting(*row)


async def insert(tx: Tx, waiting: Waiting) -> None:
    """Put a letter into the outbox; one statement."""
    await tx.run(
        INSERT,
        waiting.project_id,
        waiting.id,
        waiting.user_id,
        waiting.kind,
        waiting.sealed,
        waiting.next_at,
        waiting.created_at,
        waiting.expires_at,
    )


async def is_due(reader: Reader, now: int) -> bool:
    """Whether any letter waits to be sent."""
    return await reader.one(IS_DUE, now) is not None


async def take(tx: Tx, until: int, batch: int) -> list[Waiting]:
    """Take at most `batch` letters that are due, to work at until `until` (microseconds)."""
    return [_waiting(row) for row in await tx.all(TAKE, tx.now, until, batch)]


async def end(tx: Tx, waiting: Waiting) -> bool:
    """Strike a letter off; False where somebody else has taken it since."""
    return await tx.one(END, waiting.project_id, waiting.id, waiting.attempts) is not None


async def file(tx: Tx, waiting: Waiting) -> bool:
    """Keep a letter that was sent, to be looked at; False where somebody else has taken it since."""
    return await tx.one(FILE, waiting.project_id, waiting.id, waiting.attempts, tx.now) is not None


async def postpone(tx: Tx, waiting: Waiting, next_at: int) -> None:
    """Put a letter off until `next_at` (microseconds), unless somebody else has taken it since."""
    await tx.run(POSTPONE, waiting.project_id, waiting.id, waiting.attempts, next_at)


async def newest(reader: Reader, most: int) -> list[Waiting]:
    """The newest letters of all projects, whether they wait or were sent."""
    return [_waiting(row) for row in await reader.all(NEWEST, most)]


async def sweep(tx: Tx, before: int, batch: int) -> int:
    """Delete at most `batch` letters that were only kept to be looked at, until `before`; how many it were."""
    return len(await tx.all(SWEEP, before, batch))
