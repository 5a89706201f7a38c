"""One-time codes: each is spent by one conditional statement, and stays a while to say what became of it."""

from typing import NamedTuple

from oneself.model import CodeKind, OneTimeCode
from oneself.store.database import Reader, Row, Tx

_COLUMNS = "kind, user_id, email_id, address, folded, security_epoch, sealed, attempts"

INSERT = """
INSERT INTO one_time_codes (project_id, hash, kind, user_id, email_id, address, folded, security_epoch, sealed,
    attempts, used_at, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11)"""

SPEND = f"""
UPDATE one_time_codes SET used_at = $5
WHERE project_id = $1 AND hash = $2 AND kind = $3 AND used_at = 0 AND expires_at > $5 AND attempts <= $4
RETURNING {_COLUMNS}"""

# A guess at what the code asks for besides itself is counted before it is looked at.
TRY = f"""
UPDATE one_time_codes SET attempts = attempts + 1
WHERE project_id = $1 AND hash = $2 AND kind = $3 AND used_at = 0 AND expires_at > $5 AND attempts < $4
RETURNING {_COLUMNS}"""

# A wrong guess is told from a right one by the statement that counts it, so that many at once are counted as well.
COUNT_WRONG = """
UPDATE one_time_codes SET attempts = attempts + 1
WHERE project_id = $1 AND hash = $2 AND kind = $3 AND used_at = 0 AND expires_at > $5 AND attempts < $4
    AND sealed <> $6
RETURNING attempts"""

STANDING = f"""
SELECT used_at, expires_at, {_COLUMNS} FROM one_time_codes WHERE project_id = $1 AND hash = $2 AND kind = $3"""

COUNT = """
SELECT COUNT(*) FROM one_time_codes WHERE project_id = $1 AND kind = $2 AND folded = $3 AND created_at > $4
    AND used_at = 0"""

FORGET = "DELETE FROM one_time_codes WHERE project_id = $1 AND user_id = $2 AND kind = $3"

SWEEP = """
DELETE FROM one_time_codes WHERE (project_id, hash) IN (
    SELECT project_id, hash FROM one_time_codes WHERE expires_at < $1 LIMIT $2)
RETURNING kind"""


class Standing(NamedTuple):
    """A code and where it stands: when it was used (0: not yet) and when it ends, in microseconds."""

    code: OneTimeCode
    used_at: int
    expires_at: int


def _code(row: Row) -> OneTimeCode:
    return OneTimeCode(
        kind=row[0],
        user_id=row[1],
        email_id=row[2],
        address=row[3],
        folded=row[4],
        security_epoch=row[5],
        sealed=bytes(row[6]),
        attempts=row[7],
    )


async def insert(tx: Tx, project_id: str, code_hash: bytes, code: OneTimeCode, lifetime: int) -> None:
    """Keep a fresh code's hash, for `lifetime` microseconds from now."""
    await tx.run(
        INSERT,
        project_id,
        code_hash,
        code.kind,
        code.user_id,
        code.email_id,
        code.address,
        code.folded,
        code.security_epoch,
        code.sealed,
        tx.now,
        tx.now + lifetime,
    )


async def spend(tx: Tx, project_id: str, kind: CodeKind, code_hash: bytes, most_tries: int) -> OneTimeCode | None:
    """Spend a code, once; None where it is unknown, spent, expired, or was tried too often."""
    row = await tx.one(SPEND, project_id, code_hash, kind, most_tries, tx.now)
    return None if row is None else _code(row)


async def count_try(tx: Tx, project_id: str, kind: CodeKind, code_hash: bytes, most_tries: int) -> OneTimeCode | None:
    """Count one try at a living code; None where there is none, or `most_tries` were made."""
    row = await tx.one(TRY, project_id, code_hash, kind, most_tries, tx.now)
    return None if row is None else _code(row)


async def count_wrong(tx: Tx, project_id: str, kind: CodeKind, code_hash: bytes, proof: bytes, most_tries: int) -> bool:
    """Count a guess at what a living code asks for, if `proof` is not what it keeps; whether one was counted."""
    return await tx.one(COUNT_WRONG, project_id, code_hash, kind, most_tries, tx.now, proof) is not None


async def standing(reader: Reader, project_id: str, kind: CodeKind, code_hash: bytes) -> Standing | None:
    """A code and where it stands, for looking at without spending it, or to say why it was not spent."""
    row = await reader.one(STANDING, project_id, code_hash, kind)
    return None if row is None else Standing(_code(row[2:]), row[0], row[1])


async def count_since(reader: Reader, project_id: str, kind: CodeKind, folded: str, since: int) -> int:
    """How many codes of a kind were made for one address since then (microseconds), and never used."""
    row = await reader.one(COUNT, project_id, kind, folded, since)
    assert row is not None
    count: int = row[0]
    return count


async def forget(tx: Tx, project_id: str, user_id: str, kind: CodeKind) -> None:
    """Drop all codes of a kind that a user has; one statement."""
    await tx.run(FORGET, project_id, user_id, kind)


async def sweep(tx: Tx, before: int, batch: int) -> int:
    """Delete at most `batch` codes that ended before `before`; how many it were."""
    return len(await tx.all(SWEEP, before, batch))
