"""Users on their way between two servers: what one row of a file says, and what became of it."""

from typing import Any, Literal

import msgspec

from oneself.model.identities import TokenSet
from oneself.model.shape import Noun

TransferFormat = Literal["stack", "stytch", "csv"]


class EmailRecord(Noun, frozen=True, kw_only=True):
    """One address of a user in a file. `id` is empty where the file has none that we could keep."""

    address: str
    verified: bool = False
    is_primary: bool = False
    claims_sign_in: bool = True
    id: str = ""


class PhoneRecord(Noun, frozen=True, kw_only=True):
    """One telephone number of a user in a file."""

    number: str
    verified: bool = False
    id: str = ""


class AccountRecord(Noun, frozen=True, kw_only=True):
    """One linked account in a file.

    `provider` is the name of a project's credentials or of a provider, in whatever case the file has it.
    `allow_sign_in` None: the file does not say, so it may sign in unless the user has such an account there already.
    """

    provider: str
    subject: str
    allow_sign_in: bool | None = None
    allow_connected_accounts: bool = True
    email: str = ""
    picture_url: str = ""
    locale: str = ""
    id: str = ""
    tokens: tuple[TokenSet, ...] = ()


class UserRecord(Noun, frozen=True, kw_only=True):
    """One user in a file. Times are microseconds, 0 where the file has none.

    `id` is a UUID that is kept; without one `external_id` is what finds the user again. `not_taken` names what the file
    says of the user and this server has no place for.
    """

    id: str = ""
    external_id: str = ""
    status: Literal["active", "pending", "disabled"] = "active"
    is_anonymous: bool = False
    created_at: int = 0
    signed_up_at: int = 0
    last_active_at: int = 0
    display_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    picture_url: str = ""
    client_metadata: dict[str, Any] | None = None
    client_read_only_metadata: dict[str, Any] | None = None
    server_metadata: dict[str, Any] | None = None
    password_hash: str = ""
    # True also where the hash was kept back
    has_password: bool = False
    extras: dict[str, Any] = msgspec.field(default_factory=dict)
    emails: tuple[EmailRecord, ...] = ()
    phones: tuple[PhoneRecord, ...] = ()
    accounts: tuple[AccountRecord, ...] = ()
    not_taken: tuple[str, ...] = ()


class RefusedRow(Noun, frozen=True, kw_only=True):
    """Why a row was not taken and what its owner can do. Neither text holds a value out of the row.

    `line` is where the row begins in the file, counted from 1.
    """

    line: int
    reason: str
    what_to_do: str


class ImportReport(Noun, frozen=True, kw_only=True):
    """What an import did, or with `dry_run` would do. `refused_rows` holds the first of the refused ones.

    `completed` users were there and gained something. `password_hashes` counts those that came in, by their kind: who
    was there keeps the password that is there. `not_taken` counts what the file says and this server has no place for,
    by its name.
    """

    dry_run: bool
    rows: int
    created: int
    completed: int
    unchanged: int
    refused: int
    accounts: int
    token_sets: int
    password_hashes: dict[str, int]
    not_taken: dict[str, int]
    refused_rows: tuple[RefusedRow, ...]
