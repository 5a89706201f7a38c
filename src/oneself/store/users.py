"""Users, their addresses and numbers: the statements that write them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from oneself.model import EmailAddress, PhoneNumber, User
from oneself.store.database import Reader, Tx, Value

INSERT = """
INSERT INTO users (project_id, id, version, security_epoch, status, created_at, signed_up_at, last_active_at,
    is_anonymous, display_name, first_name, middle_name, last_name, folded_name, picture_url, external_id,
    client_metadata, client_read_only_metadata, server_metadata, password_hash, password_id, extras)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"""

# Every change of a user starts here: the row's lock, and proof that nothing moved since the facts
# were read.
TAKE = """
UPDATE users SET version = version + 1, last_active_at = CASE WHEN $4 > last_active_at THEN $4 ELSE last_active_at END
WHERE project_id = $1 AND id = $2 AND version = $3 RETURNING version"""

# The same where no facts were read before: the lock first, reads after it.
LOCK = "UPDATE users SET version = version + 1 WHERE project_id = $1 AND id = $2 RETURNING version, security_epoch"

UPDATE = """
UPDATE users SET security_epoch = $3, status = $4, signed_up_at = $5, last_active_at = $6, is_anonymous = $7,
    display_name = $8, first_name = $9, middle_name = $10, last_name = $11, folded_name = $12, picture_url = $13,
    external_id = $14, client_metadata = $15, client_read_only_metadata = $16, server_metadata = $17,
    password_hash = $18, password_id = $19, extras = $20
WHERE project_id = $1 AND id = $2"""

# The same password under another hash. Whoever changed the password meanwhile left another hash there: nothing happens.
REHASH = """
UPDATE users SET password_hash = $4, version = version + 1
WHERE project_id = $1 AND id = $2 AND password_hash = $3 RETURNING version"""

DELETE = "DELETE FROM users WHERE project_id = $1 AND id = $2 RETURNING version"

BURY = """
INSERT INTO user_tombstones (project_id, id, deleted_at, merged_into) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING"""

COUNT = "SELECT count(*) FROM users WHERE project_id = $1"

TOMBSTONE = "SELECT deleted_at FROM user_tombstones WHERE project_id = $1 AND id = $2"

ID_BY_EXTERNAL_ID = "SELECT id FROM users WHERE project_id = $1 AND external_id = $2 AND external_id <> ''"

INSERT_EMAIL = """
INSERT INTO emails (project_id, id, user_id, address, folded, verified_at, verified_by, is_primary, claims_sign_in,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""

# Ids that somebody else chose, out of a file, must name nothing that is here already.
IDS_IN_USE = """
SELECT 'email' AS kind FROM emails WHERE project_id = $1 AND id = $2
UNION ALL SELECT 'phone' FROM phones WHERE project_id = $1 AND id = $2
UNION ALL SELECT 'account' FROM external_accounts WHERE project_id = $1 AND id = $2"""

VERIFY_PHONE = "UPDATE phones SET verified_at = $3 WHERE project_id = $1 AND id = $2 RETURNING id"

UPDATE_EMAIL = """
UPDATE emails SET verified_at = $3, verified_by = $4, is_primary = $5, claims_sign_in = $6
WHERE project_id = $1 AND id = $2"""

# An address that an account proves is added where nobody's sign-in stands on it; else nothing
# happens.
INSERT_FREE_EMAIL = f"{INSERT_EMAIL} ON CONFLICT DO NOTHING RETURNING id"

DELETE_EMAIL = "DELETE FROM emails WHERE project_id = $1 AND id = $2 RETURNING user_id"

EMAIL_OWNER = "SELECT user_id FROM emails WHERE project_id = $1 AND id = $2"

SIGN_IN_OWNER = """
SELECT user_id, verified_at, id FROM emails WHERE project_id = $1 AND folded = $2 AND claims_sign_in"""

INSERT_PHONE = """
INSERT INTO phones (project_id, id, user_id, number, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)"""

PHONE_OWNER = "SELECT user_id FROM phones WHERE project_id = $1 AND id = $2"

PHONE_BY_NUMBER = "SELECT user_id FROM phones WHERE project_id = $1 AND number = $2"

DELETE_PHONE = "DELETE FROM phones WHERE project_id = $1 AND id = $2 RETURNING user_id"


def _text(value: dict[str, Any] | None) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


def folded_name(user: User) -> str:
    """The column that name searches compare: all names in one folded line, words apart by one
    space.
    """
    words = f"{user.first_name} {user.middle_name} {user.last_name} {user.display_name}"
    return " ".join(words.casefold().split())


async def insert(tx: Tx, project_id: str, user: User) -> None:
    """Add a user; a taken external id is a unique violation."""
    await tx.run(INSERT, *_row(project_id, user))


async def insert_all(tx: Tx, project_id: str, users: Iterable[User]) -> None:
    """Add users; a taken id or external id is a unique violation."""
    await tx.many(INSERT, [_row(project_id, user) for user in users])


def _row(project_id: str, user: User) -> tuple[Value, ...]:
    return (
        project_id,
        user.id,
        user.version,
        user.security_epoch,
        user.status,
        user.created_at,
        user.signed_up_at,
        user.last_active_at,
        *_described(user),
    )


def _described(user: User) -> tuple[Value, ...]:
    return (
        user.is_anonymous,
        user.display_name,
        user.first_name,
        user.middle_name,
        user.last_name,
        folded_name(user),
        user.picture_url,
        user.external_id,
        _text(user.client_metadata),
        _text(user.client_read_only_metadata),
        _text(user.server_metadata),
        user.password_hash,
        user.password_id,
        _text(user.extras),
    )


async def take(tx: Tx, project_id: str, user_id: str, seen_version: int, active_at: int = 0) -> bool:
    """Lock the user's row and count its version up; False when it moved since `seen_version` was read, or is gone.

    `active_at` notes in the same statement when the user was last seen; 0 leaves that as it is.
    """
    return await tx.one(TAKE, project_id, user_id, seen_version, active_at) is not None


async def lock(tx: Tx, project_id: str, user_id: str) -> int | None:
    """Lock the user's row and count its version up; the new version, or None where there is no such
    user.
    """
    row = await tx.one(LOCK, project_id, user_id)
    return None if row is None else row[0]


async def update(tx: Tx, project_id: str, user: User) -> None:
    """Write everything of a taken user but its version and creation time."""
    await tx.run(
        UPDATE,
        project_id,
        user.id,
        user.security_epoch,
        user.status,
        user.signed_up_at,
        user.last_active_at,
        *_described(user),
    )


async def rehash(tx: Tx, project_id: str, user_id: str, seen_hash: str, new_hash: str) -> int | None:
    """Keep another hash of the same password and count the user's version up; the new version, or None where the hash
    is not `seen_hash` any more.
    """
    row = await tx.one(REHASH, project_id, user_id, seen_hash, new_hash)
    return None if row is None else row[0]


async def delete(tx: Tx, project_id: str, user_id: str) -> int | None:
    """Remove a user with all that belongs to them and leave a tombstone; the last version, or None
    if there is none.
    """
    row = await tx.one(DELETE, project_id, user_id)
    if row is None:
        return None
    await tx.run(BURY, project_id, user_id, tx.now, "")
    version: int = row[0]
    return version


async def count(reader: Reader, project_id: str) -> int:
    """How many users the project has."""
    row = await reader.one(COUNT, project_id)
    return 0 if row is None else int(row[0])


async def was_deleted(reader: Reader, project_id: str, user_id: str) -> bool:
    """Whether a user of this id was here and was deleted; its id means nobody else, ever."""
    return await reader.one(TOMBSTONE, project_id, user_id) is not None


async def part_id_in_use(reader: Reader, project_id: str, part_id: str) -> bool:
    """Whether an address, a number or an account of the project bears this id."""
    return await reader.one(IDS_IN_USE, project_id, part_id) is not None


async def id_by_external_id(reader: Reader, project_id: str, external_id: str) -> str | None:
    """The user whom the project itself calls `external_id`."""
    row = await reader.one(ID_BY_EXTERNAL_ID, project_id, external_id)
    return None if row is None else row[0]


async def insert_email(tx: Tx, project_id: str, email: EmailAddress) -> None:
    """Add an address; where it claims sign-in and another claims it already, a unique violation."""
    await tx.run(INSERT_EMAIL, *_email_row(project_id, email))


async def insert_emails(tx: Tx, project_id: str, emails: Iterable[EmailAddress]) -> None:
    """Add addresses; as `insert_email` for each."""
    await tx.many(INSERT_EMAIL, [_email_row(project_id, email) for email in emails])


async def insert_free_email(tx: Tx, project_id: str, email: EmailAddress) -> bool:
    """Add an address unless it claims sign-in and somebody's sign-in stands on it already; True if it was added."""
    return await tx.one(INSERT_FREE_EMAIL, *_email_row(project_id, email)) is not None


def _email_row(project_id: str, email: EmailAddress) -> tuple[Value, ...]:
    return (
        project_id,
        email.id,
        email.user_id,
        email.address,
        email.folded,
        email.verified_at,
        email.verified_by,
        email.is_primary,
        email.claims_sign_in,
        email.created_at,
    )


async def update_email(tx: Tx, project_id: str, email: EmailAddress) -> None:
    """Write the changeable part of an address: its proof, whether it is primary, whether it claims
    sign-in.
    """
    await tx.run(
        UPDATE_EMAIL,
        project_id,
        email.id,
        email.verified_at,
        email.verified_by,
        email.is_primary,
        email.claims_sign_in,
    )


async def delete_email(tx: Tx, project_id: str, email_id: str) -> bool:
    """Remove an address; False if it was not there."""
    return await tx.one(DELETE_EMAIL, project_id, email_id) is not None


async def email_owner(reader: Reader, project_id: str, email_id: str) -> str | None:
    """Whose address this id is."""
    row = await reader.one(EMAIL_OWNER, project_id, email_id)
    return None if row is None else row[0]


async def sign_in_owner(reader: Reader, project_id: str, folded: str) -> tuple[str, int, str] | None:
    """Who signs in with this folded address: user id, when it was verified (0: never), the
    address's id.
    """
    row = await reader.one(SIGN_IN_OWNER, project_id, folded)
    return None if row is None else (row[0], row[1], row[2])


async def insert_phone(tx: Tx, project_id: str, phone: PhoneNumber) -> None:
    """Add a number; one that somebody has is a unique violation."""
    await tx.run(INSERT_PHONE, *_phone_row(project_id, phone, tx.now))


async def insert_phones(tx: Tx, project_id: str, phones: Iterable[PhoneNumber]) -> None:
    """Add numbers; as `insert_phone` for each."""
    await tx.many(INSERT_PHONE, [_phone_row(project_id, phone, tx.now) for phone in phones])


def _phone_row(project_id: str, phone: PhoneNumber, now: int) -> tuple[Value, ...]:
    return (project_id, phone.id, phone.user_id, phone.number, phone.verified_at, now)


async def verify_phone(tx: Tx, project_id: str, phone_id: str) -> bool:
    """Note that a number is proved; False if it is not there."""
    return await tx.one(VERIFY_PHONE, project_id, phone_id, tx.now) is not None


async def phone_owner(reader: Reader, project_id: str, phone_id: str) -> str | None:
    """Whose number this id is."""
    row = await reader.one(PHONE_OWNER, project_id, phone_id)
    return None if row is None else row[0]


async def phone_by_number(reader: Reader, project_id: str, number: str) -> str | None:
    """Whose number this is."""
    row = await reader.one(PHONE_BY_NUMBER, project_id, number)
    return None if row is None else row[0]


async def delete_phone(tx: Tx, project_id: str, phone_id: str) -> bool:
    """Remove a number; False if it was not there."""
    return await tx.one(DELETE_PHONE, project_id, phone_id) is not None
