"""External accounts: the statements that read, add, change and remove them; the laws are the
table's unique indexes.
"""

from collections.abc import Iterable

from oneself.model import ExternalAccount
from oneself.store.database import Reader, Row, Tx, Value

_COLUMNS = """a.id, a.user_id, a.config_id, a.provider, a.issuer, a.subject, a.allow_sign_in,
    a.allow_connected_accounts, a.email, a.email_verified, a.email_id, a.picture_url, a.locale, a.created_at"""

INSERT_ALL = """
INSERT INTO external_accounts (project_id, id, user_id, config_id, provider, issuer, subject, sign_in_slot,
    allow_sign_in, allow_connected_accounts, email, email_verified, email_id, picture_url, locale, created_at,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)"""

INSERT = f"{INSERT_ALL} ON CONFLICT DO NOTHING RETURNING id"

UPDATE = """
UPDATE external_accounts SET subject = $3, allow_sign_in = $4, allow_connected_accounts = $5, email = $6,
    email_verified = $7, email_id = $8, picture_url = $9, locale = $10, sign_in_slot = $11, updated_at = $12
WHERE project_id = $1 AND id = $2"""

DELETE = "DELETE FROM external_accounts WHERE project_id = $1 AND id = $2 RETURNING user_id"

# The user comes with its accounts, so that one statement tells "unknown user" from "no accounts".
OF_USER = f"""
SELECT u.id AS owner, {_COLUMNS} FROM users u
LEFT JOIN external_accounts a ON a.project_id = u.project_id AND a.user_id = u.id
WHERE u.project_id = $1 AND u.id = $2 ORDER BY a.created_at, a.id"""

ALL = f"""
SELECT '' AS owner, {_COLUMNS} FROM external_accounts a WHERE a.project_id = $1 ORDER BY a.created_at, a.id"""

OWNER = "SELECT user_id FROM external_accounts WHERE project_id = $1 AND id = $2"

# What stands in the way of a new or changed account: this user's rows at the provider, and whoever
# signs in with it.
SIGN_IN_OWNER = """
SELECT id, user_id FROM external_accounts
WHERE project_id = $1 AND config_id = $2 AND issuer = $3 AND subject = $4 AND allow_sign_in"""

IN_THE_WAY = f"""
SELECT '' AS owner, {_COLUMNS} FROM external_accounts a
WHERE a.project_id = $1 AND a.config_id = $2 AND a.id <> $6
    AND (a.user_id = $3 OR (a.issuer = $4 AND a.subject = $5 AND a.allow_sign_in))
ORDER BY a.created_at, a.id"""


def _account(row: Row) -> ExternalAccount:
    return ExternalAccount(
        id=row[1],
        user_id=row[2],
        config_id=row[3],
        provider=row[4],
        issuer=row[5],
        subject=row[6],
        allow_sign_in=bool(row[7]),
        allow_connected_accounts=bool(row[8]),
        email=row[9],
        email_verified=bool(row[10]),
        email_id=row[11],
        picture_url=row[12],
        locale=row[13],
        created_at=row[14],
    )


async def insert(tx: Tx, project_id: str, account: ExternalAccount, slot: str) -> bool:
    """Add an account unless a law stands against it; True if it was added.

    `slot` is empty where the policy allows one sign-in account per provider and user, else the
    account's own id.
    """
    return await tx.one(INSERT, *_inserted(project_id, account, slot)) is not None


async def insert_all(tx: Tx, project_id: str, accounts: Iterable[tuple[ExternalAccount, str]]) -> None:
    """Add accounts, each with its slot; a broken law is a unique violation."""
    await tx.many(INSERT_ALL, [_inserted(project_id, account, slot) for account, slot in accounts])


def _inserted(project_id: str, account: ExternalAccount, slot: str) -> tuple[Value, ...]:
    return (
        project_id,
        account.id,
        account.user_id,
        account.config_id,
        account.provider,
        account.issuer,
        account.subject,
        slot,
        account.allow_sign_in,
        account.allow_connected_accounts,
        account.email,
        account.email_verified,
        account.email_id,
        account.picture_url,
        account.locale,
        account.created_at,
    )


async def update(tx: Tx, project_id: str, account: ExternalAccount, slot: str) -> None:
    """Write the changeable part of an account; a broken law is a unique violation."""
    await tx.run(
        UPDATE,
        project_id,
        account.id,
        account.subject,
        account.allow_sign_in,
        account.allow_connected_accounts,
        account.email,
        account.email_verified,
        account.email_id,
        account.picture_url,
        account.locale,
        slot,
        tx.now,
    )


async def delete(tx: Tx, project_id: str, account_id: str) -> bool:
    """Remove an account with its tokens; False if it was not there."""
    return await tx.one(DELETE, project_id, account_id) is not None


async def of_user(reader: Reader, project_id: str, user_id: str) -> list[ExternalAccount] | None:
    """A user's accounts, oldest first; None where there is no such user."""
    rows = await reader.all(OF_USER, project_id, user_id)
    if not rows:
        return None
    return [_account(row) for row in rows if row[1] is not None]


async def all_of_project(reader: Reader, project_id: str) -> list[ExternalAccount]:
    """Every account of the project, oldest first."""
    return [_account(row) for row in await reader.all(ALL, project_id)]


async def owner(reader: Reader, project_id: str, account_id: str) -> str | None:
    """The user who holds this account."""
    row = await reader.one(OWNER, project_id, account_id)
    return None if row is None else row[0]


async def sign_in_owner(
    reader: Reader, project_id: str, config_id: str, issuer: str, subject: str
) -> tuple[str, str] | None:
    """The one account of that subject that may sign in, and its user; None where nobody signs in with it."""
    row = await reader.one(SIGN_IN_OWNER, project_id, config_id, issuer, subject)
    return None if row is None else (row[0], row[1])


async def in_the_way(reader: Reader, project_id: str, wanted: ExternalAccount) -> list[ExternalAccount]:
    """The rows that may stand against `wanted` (itself left out): the user's at this provider, and
    the sign-in owner.
    """
    rows = await reader.all(
        IN_THE_WAY, project_id, wanted.config_id, wanted.user_id, wanted.issuer, wanted.subject, wanted.id
    )
    return [_account(row) for row in rows]
