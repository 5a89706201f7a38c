"""The journal of grants that are to be handed back: written with the unlink, worked off after its commit."""

import msgspec

from oneself.store.database import Reader, Tx

_NOTE = """
INSERT INTO revocations (project_id, account_id, scopes, user_id, config_id, issuer, subject, sealed, attempts,
    next_at, created_at, expires_at)
SELECT t.project_id, t.account_id, t.scopes, a.user_id, a.config_id, a.issuer, a.subject, t.sealed, 0,
    CAST($3 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)
FROM token_sets t JOIN external_accounts a ON a.project_id = t.project_id AND a.id = t.account_id
WHERE t.project_id = $1 AND t.dead_at = 0"""

NOTE_ACCOUNT = _NOTE + " AND t.account_id = $2 ON CONFLICT DO NOTHING"

NOTE_USER = _NOTE + " AND a.user_id = $2 ON CONFLICT DO NOTHING"

NOTE = """
INSERT INTO revocations (project_id, account_id, scopes, user_id, config_id, issuer, subject, sealed, attempts,
    next_at, created_at, expires_at)
VALUES ($1, $2, $3, '', $4, $5, $6, $7, 0, $8, $8, $9) ON CONFLICT DO NOTHING"""

IS_DUE = "SELECT 1 FROM revocations WHERE next_at <= $1 LIMIT 1"

# Whoever takes a row has it until `next_at`; the number of its attempt is the fence for what is written of it.
TAKE = """
UPDATE revocations SET attempts = attempts + 1, next_at = $2
WHERE next_at <= $1 AND (project_id, account_id, scopes) IN (
    SELECT project_id, account_id, scopes FROM revocations WHERE next_at <= $1 ORDER BY next_at LIMIT $3)
RETURNING project_id, account_id, scopes, user_id, config_id, issuer, subject, sealed, attempts, expires_at"""

SHARED = """
SELECT 1 FROM external_accounts WHERE project_id = $1 AND config_id = $2 AND issuer = $3 AND subject = $4 LIMIT 1"""

COUNT = "SELECT count(*) FROM revocations"

END = """
DELETE FROM revocations WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND attempts = $4 RETURNING user_id"""

POSTPONE = """
UPDATE revocations SET next_at = $5 WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND attempts = $4"""


RESEAL = """
UPDATE revocations SET sealed = $5 WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND attempts = $4
RETURNING user_id"""


class Due(msgspec.Struct, frozen=True):
    """One grant to hand back, taken for its `attempts`-th try; it is given up at `expires_at` (microseconds)."""

    project_id: str
    account_id: str
    scopes: str
    user_id: str
    config_id: str
    issuer: str
    subject: str
    sealed: bytes
    attempts: int
    expires_at: int

    def __repr__(self) -> str:
        return f"Due(account_id={self.account_id!r}, attempts={self.attempts})"


async def count(reader: Reader) -> int:
    """How many grants wait to be handed back, in all projects."""
    row = await reader.one(COUNT)
    return 0 if row is None else int(row[0])


async def note_account(tx: Tx, project_id: str, account_id: str, keep_for: int) -> None:
    """Note the living grants of an account that is about to go, for `keep_for` microseconds; one statement."""
    await tx.run(NOTE_ACCOUNT, project_id, account_id, tx.now, tx.now + keep_for)


async def note_user(tx: Tx, project_id: str, user_id: str, keep_for: int) -> None:
    """Note the living grants of a user who is about to go, for `keep_for` microseconds; one statement."""
    await tx.run(NOTE_USER, project_id, user_id, tx.now, tx.now + keep_for)


async def note(
    tx: Tx,
    project_id: str,
    name: str,
    scopes: str,
    where: tuple[str, str, str],
    sealed: bytes,
    keep_for: int,
) -> None:
    """Note a grant that no account holds, under a `name` of its own; `where` is config, issuer and subject."""
    await tx.run(NOTE, project_id, name, scopes, *where, sealed, tx.now, tx.now + keep_for)


async def is_due(reader: Reader, now: int) -> bool:
    """Whether any grant waits to be handed back."""
    return await reader.one(IS_DUE, now) is not None


async def take(tx: Tx, until: int, batch: int) -> list[Due]:
    """Take at most `batch` grants that are due, to work at until `until` (microseconds)."""
    return [Due(*row) for row in await tx.all(TAKE, tx.now, until, batch)]


async def is_shared(reader: Reader, due: Due) -> bool:
    """Whether a living account, anybody's, rests on the same grant."""
    return await reader.one(SHARED, due.project_id, due.config_id, due.issuer, due.subject) is not None


async def end(tx: Tx, due: Due) -> bool:
    """Strike a grant off; False where somebody else has taken it since."""
    return await tx.one(END, due.project_id, due.account_id, due.scopes, due.attempts) is not None


async def reseal(tx: Tx, due: Due, sealed: bytes) -> bool:
    """Keep fresher tokens of the same grant for later tries; False where somebody else has taken it since."""
    return await tx.one(RESEAL, due.project_id, due.account_id, due.scopes, due.attempts, sealed) is not None


async def postpone(tx: Tx, due: Due, next_at: int) -> None:
    """Put a grant off until `next_at` (microseconds), unless somebody else has taken it since."""
    await tx.run(POSTPONE, due.project_id, due.account_id, due.scopes, due.attempts, next_at)
