"""Users as CSV: one row for each linked account, rows of one user with the same key, columns with our own names."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from oneself.crypto.ids import is_uuid
from oneself.faults import RowRefused
from oneself.formats.fields import CORRECT, check_depth, moment, stamp, status, wrong
from oneself.model import AccountRecord, EmailRecord, PhoneRecord, TokenSet, UserRecord
from oneself.rules.texts import holds_odd

USER_COLUMNS = (
    "user",
    "external_id",
    "status",
    "is_anonymous",
    "created_at",
    "signed_up_at",
    "last_active_at",
    "display_name",
    "first_name",
    "middle_name",
    "last_name",
    "picture_url",
    "client_metadata",
    "client_read_only_metadata",
    "server_metadata",
    "extras",
    "password_hash",
)
EMAIL_COLUMNS = ("email", "email_id", "email_verified", "email_primary", "email_sign_in")
PHONE_COLUMNS = ("phone", "phone_id", "phone_verified")
ACCOUNT_COLUMNS = (
    "provider",
    "subject",
    "account_id",
    "account_email",
    "account_picture_url",
    "account_locale",
    "allow_sign_in",
    "allow_connected_accounts",
)
TOKEN_COLUMNS = (
    "access_token",
    "refresh_token",
    "id_token",
    "scopes",
    "expires_at",
    "token_type",
    "callback_uri",
)
COLUMNS = (*USER_COLUMNS, *EMAIL_COLUMNS, *PHONE_COLUMNS, *ACCOUNT_COLUMNS, *TOKEN_COLUMNS)

# In front of the UUID that is kept.
_STYTCH_ID = re.compile(r"\Auser-(?:test|live)-(?=[0-9a-f-]{36}\Z)")

# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"). In what is written such a cell gets
# a quote in front, and so does one that begins with a quote, so that reading takes exactly one away again.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Cells that people read, and that nobody means to begin so.
_SHOWN = ("display_name", "first_name", "middle_name", "last_name", "email", "account_email", "external_id", "user")


def header(cells: Sequence[str]) -> tuple[str, ...]:
    """The columns that the first row names. Raises RowRefused where a file with them cannot be read at all."""
    names = tuple(cell.strip() for cell in cells)
    if "user" not in names:
        raise RowRefused("the first row names no column `user`", "Name the columns in the first row.")
    unknown = [place for place, name in enumerate(names, 1) if name not in COLUMNS]
    if unknown:
        raise RowRefused(
            f"the first row names unknown columns, at the places {', '.join(map(str, unknown))}",
            "Leave them out, or call them as the documentation does.",
        )
    if len(set(names)) != len(names):
        raise RowRefused("the first row names a column twice", "Leave one of them out.")
    return names


def read(columns: Sequence[str], cells: Sequence[str]) -> UserRecord:
    """What one row says: of its user, and of at most one address, number and account. Raises RowRefused."""
    if len(cells) != len(columns):
        raise RowRefused(f"it has {len(cells)} cells, and the first row has {len(columns)}", CORRECT)
    row = {name: _cell(name, cell) for name, cell in zip(columns, cells, strict=True)}
    key, external_id = _STYTCH_ID.sub("", row["user"]), row.get("external_id", "")
    if not key:
        raise RowRefused("the cell `user` is empty", "Rows of one user share a key there.")
    if not is_uuid(key) and external_id not in ("", key):
        raise RowRefused("`user` and `external_id` are two different names", "Only a UUID may stand beside a name.")
    return UserRecord(
        id=key if is_uuid(key) else "",
        external_id=external_id if is_uuid(key) else key,
        status=status(row),
        is_anonymous=_flag(row, "is_anonymous"),
        created_at=moment(row, "created_at"),
        signed_up_at=moment(row, "signed_up_at"),
        last_active_at=moment(row, "last_active_at"),
        display_name=row.get("display_name", ""),
        first_name=row.get("first_name", ""),
        middle_name=row.get("middle_name", ""),
        last_name=row.get("last_name", ""),
        picture_url=row.get("picture_url", ""),
        client_metadata=_object(row, "client_metadata"),
        client_read_only_metadata=_object(row, "client_read_only_metadata"),
        server_metadata=_object(row, "server_metadata"),
        password_hash=row.get("password_hash", ""),
        extras=_object(row, "extras") or {},
        emails=_emails(row),
        phones=_phones(row),
        accounts=_accounts(row),
    )


def _cell(name: str, cell: str) -> str:
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise RowRefused("it is not UTF-8", "Save the file as UTF-8.") from None
    if holds_odd(cell):
        raise RowRefused(f"{name} holds characters that no text may hold", CORRECT)
    if cell.startswith("'"):
        return cell[1:]
    if name in _SHOWN and cell.startswith(_FORMULA):
        raise RowRefused(f"{name} begins like a spreadsheet's formula", "If it is meant, write a ' in front of it.")
    return cell


def _flag(row: dict[str, str], name: str, default: bool = False) -> bool:
    match row.get(name, ""):
        case "":
            return default
        case "true":
            return True
        case "false":
            return False
        case _:
            raise wrong(name, "true or false")


def _object(row: dict[str, str], name: str) -> dict[str, Any] | None:
    cell = row.get(name, "")
    if not cell:
        return None
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        raise wrong(name, "a JSON object") from None
    if not isinstance(value, dict):
        raise wrong(name, "a JSON object")
    check_depth(name, value)
    return value


def _emails(row: dict[str, str]) -> tuple[EmailRecord, ...]:
    if not row.get("email"):
        return ()
    return (
        EmailRecord(
            address=row["email"],
            id=row.get("email_id", ""),
            verified=_flag(row, "email_verified"),
            is_primary=_flag(row, "email_primary", default=True),
            claims_sign_in=_flag(row, "email_sign_in", default=True),
        ),
    )


def _phones(row: dict[str, str]) -> tuple[PhoneRecord, ...]:
    if not row.get("phone"):
        return ()
    verified = _flag(row, "phone_verified")
    return (PhoneRecord(number=row["phone"], id=row.get("phone_id", ""), verified=verified),)


def _accounts(row: dict[str, str]) -> tuple[AccountRecord, ...]:
    if not row.get("provider"):
        if any(row.get(name) for name in ("subject", *TOKEN_COLUMNS)):
            raise RowRefused("it has an account or tokens, and the cell `provider` is empty", CORRECT)
        return ()
    allow_sign_in = _flag(row, "allow_sign_in", default=True)
    return (
        AccountRecord(
            provider=row["provider"],
            subject=row.get("subject", ""),
            id=row.get("account_id", ""),
            email=row.get("account_email", ""),
            picture_url=row.get("account_picture_url", ""),
            locale=row.get("account_locale", ""),
            allow_sign_in=allow_sign_in,
            allow_connected_accounts=_flag(row, "allow_connected_accounts", default=True),
            tokens=_tokens(row),
        ),
    )


def _tokens(row: dict[str, str]) -> tuple[TokenSet, ...]:
    if not any(row.get(name) for name in TOKEN_COLUMNS):
        return ()
    return (
        TokenSet(
            access_token=row.get("access_token", ""),
            refresh_token=row.get("refresh_token", ""),
            id_token=row.get("id_token", ""),
            scopes=tuple(row.get("scopes", "").split()),
            expires_at=moment(row, "expires_at"),
            token_type=row.get("token_type") or "Bearer",
            callback_uri=row.get("callback_uri", ""),
        ),
    )


def write(user: UserRecord) -> Iterator[list[str]]:
    """The rows of a user: as many as it has accounts with their token sets, addresses or numbers, at least one.

    What belongs to the user itself stands in the first one.
    """
    accounts = [(one, tokens) for one in user.accounts for tokens in one.tokens or (None,)]
    own: dict[str, str] = _user_cells(user)
    for place in range(max(1, len(accounts), len(user.emails), len(user.phones))):
        row = dict(own) if place == 0 else {"user": own["user"]}
        if place < len(user.emails):
            row |= _email_cells(user.emails[place])
        if place < len(user.phones):
            phone = user.phones[place]
            row |= {"phone": phone.number, "phone_id": phone.id, "phone_verified": _word(phone.verified)}
        if place < len(accounts):
            row |= _account_cells(*accounts[place])
        yield [_shielded(row.get(name, "")) for name in COLUMNS]


def _user_cells(user: UserRecord) -> dict[str, str]:
    texts = ("external_id", "status", "display_name", "first_name", "middle_name", "last_name", "picture_url")
    times = ("created_at", "signed_up_at", "last_active_at")
    maps = ("client_metadata", "client_read_only_metadata", "server_metadata", "extras")
    cells = {"user": user.id, "is_anonymous": _word(user.is_anonymous), "password_hash": user.password_hash}
    cells |= {name: getattr(user, name) for name in texts}
    cells |= {name: stamp(getattr(user, name)) for name in times}
    for name in maps:
        value = getattr(user, name)
        if value or (value is not None and name != "extras"):
            cells[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return cells


def _email_cells(one: EmailRecord) -> dict[str, str]:
    return {
        "email": one.address,
        "email_id": one.id,
        "email_verified": _word(one.verified),
        "email_primary": _word(one.is_primary),
        "email_sign_in": _word(one.claims_sign_in),
    }


def _account_cells(one: AccountRecord, tokens: TokenSet | None) -> dict[str, str]:
    cells = {
        "provider": one.provider,
        "subject": one.subject,
        "account_id": one.id,
        "account_email": one.email,
        "account_picture_url": one.picture_url,
        "account_locale": one.locale,
        "allow_sign_in": _word(one.allow_sign_in is not False),
        "allow_connected_accounts": _word(one.allow_connected_accounts),
    }
    if tokens is not None:
        cells |= {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "id_token": tokens.id_token,
            "scopes": " ".join(tokens.scopes),
            "expires_at": stamp(tokens.expires_at),
            "token_type": tokens.token_type,
            "callback_uri": tokens.callback_uri,
        }
    return cells


def _word(value: bool) -> str:
    return "true" if value else "false"


def _shielded(cell: str) -> str:
    return f"'{cell}" if cell.startswith((*_FORMULA, "'")) else cell
