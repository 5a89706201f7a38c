"""The vault's rows: sealed token sets, the lease with its fence, and the journal of refreshes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from oneself.model import SealedTokens
from oneself.store.database import Reader, Row, Tx, Value
from oneself.store.statements import listed

_COLUMNS = """t.account_id, t.scopes, t.sealed, t.has_refresh_token, t.obtained_at, t.expires_at, t.dead_at, t.fence,
    t.lease_owner, t.lease_until, t.retry_at"""

# Every write counts the fence up, so that a refresh that was under way finds that its answer came
# too late.
PUT = """
INSERT INTO token_sets (project_id, account_id, scopes, sealed, has_refresh_token, obtained_at, expires_at, dead_at,
    fence, lease_owner, lease_until, retry_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1, '', 0, 0)
ON CONFLICT (project_id, account_id, scopes) DO UPDATE SET sealed = excluded.sealed,
    has_refresh_token = excluded.has_refresh_token, obtained_at = excluded.obtained_at,
    expires_at = excluded.expires_at, dead_at = 0, fence = token_sets.fence + 1, lease_owner = '', lease_until = 0,
    retry_at = 0"""

# The user comes with accounts and token sets, so that one statement tells all of "unknown user",
# "not connected" and "no such scopes" apart.
FOR_USER = f"""
SELECT u.id, a.id, a.subject, {_COLUMNS} FROM users u
LEFT JOIN external_accounts a ON a.project_id = u.project_id AND a.user_id = u.id AND a.config_id = $3
    AND a.allow_connected_accounts AND ($4 = '' OR a.subject = $4)
LEFT JOIN token_sets t ON t.project_id = a.project_id AND t.account_id = a.id
WHERE u.project_id = $1 AND u.id = $2 ORDER BY a.created_at, a.id, t.obtained_at DESC"""

ONE = f"""
SELECT '', t.account_id, '', {_COLUMNS} FROM token_sets t
WHERE t.project_id = $1 AND t.account_id = $2 AND t.scopes = $3"""

OF_USER = f"""
SELECT '', '', '', {_COLUMNS} FROM token_sets t
JOIN external_accounts a ON a.project_id = t.project_id AND a.id = t.account_id
WHERE a.project_id = $1 AND a.user_id = $2 ORDER BY t.account_id, t.scopes"""

OF_USERS = f"""
SELECT '', '', '', {_COLUMNS} FROM token_sets t
JOIN external_accounts a ON a.project_id = t.project_id AND a.id = t.account_id
WHERE a.project_id = $1 AND a.user_id IN ({{0}})"""

# Everything of the users of one page, which lie between its first and its last one.
OF_SPAN = f"""
SELECT '', '', '', {_COLUMNS} FROM token_sets t
JOIN external_accounts a ON a.project_id = t.project_id AND a.id = t.account_id
JOIN users u ON u.project_id = a.project_id AND u.id = a.user_id
WHERE u.project_id = $1 AND (u.created_at, u.id) >= ($2, $3) AND (u.created_at, u.id) <= ($4, $5)
ORDER BY t.account_id, t.scopes"""

# What lives, can be renewed, is past half of its life, and nobody is at; page by page.
ENDING = f"""
SELECT '', t.account_id, '', {_COLUMNS}, t.project_id, a.user_id, a.config_id
FROM token_sets t JOIN external_accounts a ON a.project_id = t.project_id AND a.id = t.account_id
WHERE t.has_refresh_token AND t.dead_at = 0 AND t.expires_at > $1 AND t.expires_at <= $2
    AND $1 - t.obtained_at >= t.expires_at - $1 AND t.lease_until < $1 AND t.retry_at <= $1
    AND a.allow_connected_accounts AND (t.expires_at, t.project_id, t.account_id, t.scopes) > ($3, $4, $5, $6)
ORDER BY t.expires_at, t.project_id, t.account_id, t.scopes LIMIT $7"""

LEASE = """
UPDATE token_sets SET lease_owner = $4, lease_until = $5, fence = fence + 1
WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND fence = $6 AND lease_until < $7 AND dead_at = 0
RETURNING fence"""

JOURNAL = """
INSERT INTO refresh_journal (project_id, account_id, scopes, fence, state, at) VALUES ($1, $2, $3, $4, 'sent', $5)"""

OPEN = """
SELECT state, at FROM refresh_journal WHERE project_id = $1 AND account_id = $2 AND scopes = $3
ORDER BY fence DESC"""

# A refresh that comes too late closes its own rows and never those of a later one.
CLOSE = "DELETE FROM refresh_journal WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND fence <= $4"

NOTE = """
UPDATE refresh_journal SET state = $5
WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND fence = $4
    AND NOT EXISTS (SELECT 1 FROM refresh_journal n
        WHERE n.project_id = $1 AND n.account_id = $2 AND n.scopes = $3 AND n.state = $5)
RETURNING fence"""

FORGET = "DELETE FROM refresh_journal WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND fence = $4"

STORE = """
UPDATE token_sets SET sealed = $5, has_refresh_token = $6, obtained_at = $7, expires_at = $8, dead_at = $9,
    fence = fence + 1, lease_owner = '', lease_until = 0, retry_at = $10
WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND fence = $4
RETURNING fence"""

# An answer that nobody waits for any more still saves a grant that was given up meanwhile, if the
# vault still holds the tokens that were traded for it.
REVIVE = """
UPDATE token_sets SET sealed = $4, has_refresh_token = $5, obtained_at = $6, expires_at = $7, dead_at = 0,
    fence = fence + 1, lease_owner = '', lease_until = 0, retry_at = 0
WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND sealed = $8 AND dead_at <> 0
RETURNING fence"""

RELEASE = """
UPDATE token_sets SET lease_owner = '', lease_until = 0, retry_at = $5, dead_at = $6
WHERE project_id = $1 AND account_id = $2 AND scopes = $3 AND fence = $4
RETURNING fence"""


def _sealed(row: Row) -> SealedTokens:
    return SealedTokens(
        account_id=row[3],
        scopes=row[4],
        sealed=row[5],
        has_refresh_token=bool(row[6]),
        obtained_at=row[7],
        expires_at=row[8],
        dead_at=row[9],
        fence=row[10],
        lease_owner=row[11],
        lease_until=row[12],
        retry_at=row[13],
    )


class NewTokens(NamedTuple):
    """The tokens of a new grant."""

    account_id: str
    scopes: str
    sealed: bytes
    has_refresh_token: bool
    expires_at: int


async def put(tx: Tx, project_id: str, new: NewTokens) -> None:
    """Store the tokens of a new grant beside those with other scopes, in place of those with the
    same.
    """
    await tx.run(PUT, *_new_row(project_id, new, tx.now))


async def put_all(tx: Tx, project_id: str, sets: Iterable[NewTokens]) -> None:
    """Store the tokens of new grants; as `put` for each."""
    await tx.many(PUT, [_new_row(project_id, new, tx.now) for new in sets])


def _new_row(project_id: str, new: NewTokens, now: int) -> tuple[Value, ...]:
    return (project_id, new.account_id, new.scopes, new.sealed, new.has_refresh_token, now, new.expires_at)


async def for_user(
    reader: Reader, project_id: str, user_id: str, config_id: str, subject: str
) -> tuple[list[str], list[SealedTokens]] | None:
    """Connected accounts of a user at a provider (all, or one subject) and their token sets; None:
    no such user.
    """
    rows = await reader.all(FOR_USER, project_id, user_id, config_id, subject)
    if not rows:
        return None
    accounts = list(dict.fromkeys(row[1] for row in rows if row[1] is not None))
    return accounts, [_sealed(row) for row in rows if row[3] is not None]


class Ending(NamedTuple):
    """A token set that ends soon, and whose it is."""

    project_id: str
    user_id: str
    config_id: str
    kept: SealedTokens


async def ending(reader: Reader, now: int, within: int, after: Ending | None, limit: int) -> list[Ending]:
    """At most `limit` living token sets that end in `within` microseconds from `now`, in the order of their ends, those
    behind `after` only.
    """
    kept = after.kept if after else None
    behind = (kept.expires_at, after.project_id, kept.account_id, kept.scopes) if after and kept else (0, "", "", "")
    rows = await reader.all(ENDING, now, now + within, *behind, limit)
    return [Ending(row[14], row[15], row[16], _sealed(row)) for row in rows]


async def one(reader: Reader, project_id: str, account_id: str, scopes: str) -> SealedTokens | None:
    """One token set as it stands now."""
    row = await reader.one(ONE, project_id, account_id, scopes)
    return None if row is None else _sealed(row)


async def of_user(reader: Reader, project_id: str, user_id: str) -> list[SealedTokens]:
    """Every token set of a user."""
    return [_sealed(row) for row in await reader.all(OF_USER, project_id, user_id)]


async def of_users(reader: Reader, project_id: str, user_ids: Sequence[str]) -> list[SealedTokens]:
    """Every token set of some users."""
    places, filled = listed(user_ids, 2)
    return [_sealed(row) for row in await reader.all(OF_USERS.format(places), project_id, *filled)]


async def of_span(reader: Reader, project_id: str, first: tuple[int, str], last: tuple[int, str]) -> list[SealedTokens]:
    """Every token set of the users who were created from `first` to `last`: creation time and id, both inside."""
    return [_sealed(row) for row in await reader.all(OF_SPAN, project_id, *first, *last)]


async def lease(tx: Tx, project_id: str, tokens: SealedTokens, owner: str, until: int) -> int | None:
    """Take the right to refresh and write the journal; the fence to answer with, or None if another
    was first.
    """
    row = await tx.one(LEASE, project_id, tokens.account_id, tokens.scopes, owner, until, tokens.fence, tx.now)
    if row is None:
        return None
    fence: int = row[0]
    await tx.run(JOURNAL, project_id, tokens.account_id, tokens.scopes, fence, tx.now)
    return fence


async def journal(tx: Tx, project_id: str, account_id: str, scopes: str) -> list[tuple[str, int]]:
    """States and times (microseconds) of what the journal holds of a grant, newest first: `sent` is a
    call whose outcome nobody wrote down; any other is a failure that was told once and not mended yet.
    """
    return [(row[0], row[1]) for row in await tx.all(OPEN, project_id, account_id, scopes)]


async def store(tx: Tx, project_id: str, answered: SealedTokens, fence: int) -> bool:
    """Write a refresh's answer where the fence still stands, and close the journal up to it; False if
    it came too late.
    """
    row = await tx.one(
        STORE,
        project_id,
        answered.account_id,
        answered.scopes,
        fence,
        answered.sealed,
        answered.has_refresh_token,
        answered.obtained_at,
        answered.expires_at,
        answered.dead_at,
        answered.retry_at,
    )
    await tx.run(CLOSE, project_id, answered.account_id, answered.scopes, fence)
    return row is not None


async def revive(tx: Tx, project_id: str, answered: SealedTokens, traded: bytes) -> bool:
    """Write an answer that came too late over a grant that was given up meanwhile, if the vault still
    holds the sealed tokens that were `traded` for it.
    """
    row = await tx.one(
        REVIVE,
        project_id,
        answered.account_id,
        answered.scopes,
        answered.sealed,
        answered.has_refresh_token,
        answered.obtained_at,
        answered.expires_at,
        traded,
    )
    return row is not None


async def release(
    tx: Tx, project_id: str, account_id: str, scopes: str, fence: int, retry_at: int, dead_at: int
) -> bool:
    """Give the lease back without new tokens: to be tried again at `retry_at`, or dead for good; False
    if the fence moved.
    """
    return await tx.one(RELEASE, project_id, account_id, scopes, fence, retry_at, dead_at) is not None


async def close(tx: Tx, project_id: str, account_id: str, scopes: str, fence: int) -> None:
    """Close the journal up to a fence: nothing about the grant is open any more."""
    await tx.run(CLOSE, project_id, account_id, scopes, fence)


async def note(tx: Tx, project_id: str, account_id: str, scopes: str, fence: int, state: str) -> bool:
    """Write a call's outcome into its journal row, to stay until the grant works again; False, and the
    row goes, if the journal says the same already.
    """
    if await tx.one(NOTE, project_id, account_id, scopes, fence, state) is not None:
        return True
    await tx.run(FORGET, project_id, account_id, scopes, fence)
    return False
