"""Tokens of sign-ins that nobody redeemed, by the account that they are of."""

import msgspec

from oneself.store.database import Reader, Tx

# Of two such sign-ins the later one counts: many providers end the earlier grant with it.
PUT = """
INSERT INTO token_candidates (project_id, account_id, scopes, sealed, expires_at, kept_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (project_id, account_id, scopes) DO UPDATE SET sealed = excluded.sealed,
    expires_at = excluded.expires_at, kept_at = excluded.kept_at"""

OF_ACCOUNT = """
SELECT scopes, sealed, expires_at, kept_at FROM token_candidates
WHERE project_id = $1 AND account_id = $2 ORDER BY kept_at DESC, scopes"""

TAKE = """
DELETE FROM token_candidates WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND kept_at = $4
RETURNING scopes"""

SWEEP = """
DELETE FROM token_candidates WHERE (project_id, account_id, scopes) IN
    (SELECT project_id, account_id, scopes FROM token_candidates WHERE kept_at < $1 LIMIT $2)
RETURNING scopes"""


class Candidate(msgspec.Struct, frozen=True):
    """One of an account's; times in microseconds, `expires_at` the access token's end."""

    scopes: str
    sealed: bytes
    expires_at: int
    kept_at: int

    def __repr__(self) -> str:
        return f"Candidate(scopes={self.scopes!r})"


async def put(tx: Tx, project_id: str, account_id: str, scopes: str, sealed: bytes, expires_at: int) -> None:
    """Keep a candidate in place of an older one with the same scopes."""
    await tx.run(PUT, project_id, account_id, scopes, sealed, expires_at, tx.now)


async def of_account(reader: Reader, project_id: str, account_id: str) -> list[Candidate]:
    """An account's candidates, the latest first."""
    return [Candidate(row[0], bytes(row[1]), *row[2:]) for row in await reader.all(OF_ACCOUNT, project_id, account_id)]


async def take(tx: Tx, project_id: str, account_id: str, candidate: Candidate) -> bool:
    """Take a candidate out, once."""
    return await tx.one(TAKE, project_id, account_id, candidate.scopes, candidate.kept_at) is not None


async def sweep(tx: Tx, before: int, batch: int) -> int:
    """Delete at most `batch` candidates that were kept before `before`; how many it were."""
    return len(await tx.all(SWEEP, before, batch))
