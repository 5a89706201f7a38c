"""Single values out of a row of a file, each with its type checked and none taken for another."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from oneself.faults import RowRefused
from oneself.model import TokenSet
from oneself.rules.texts import holds_odd

Json = Mapping[str, Any]

CORRECT = "Correct the row and import the file again."
DEEPEST = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999_999  # the end of the year 9999
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


def wrong(name: str, wanted: str) -> RowRefused:
    """The refusal of a field that is not what it must be."""
    return RowRefused(f"{name} is not {wanted}", CORRECT)


def text(row: Json, name: str) -> str:
    """A text; absent and null are an empty one."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(name, "a text")
    return value


def flag(row: Json, name: str, default: bool = False) -> bool:
    """True or false and nothing else; absent and null are `default`."""
    value = row.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise wrong(name, "true or false")
    return value


def choice(row: Json, name: str) -> bool | None:
    """True, false, or None where the file does not say."""
    return None if row.get(name) is None else flag(row, name)


def objects(row: Json, name: str) -> list[Json]:
    """A list of objects; absent and null are an empty one."""
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise wrong(name, "a list of objects")
    return value


def texts(row: Json, name: str) -> tuple[str, ...]:
    """A list of texts, or one text with spaces between them; absent and null are none."""
    value = row.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(value.split())
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise wrong(name, "a list of texts")
    return tuple(value)


def mapping(row: Json, name: str) -> dict[str, Any] | None:
    """An object, `DEEPEST` levels deep at most; absent and null are None."""
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise wrong(name, "an object")
    check_depth(name, value)
    return value


def check_depth(name: str, value: object) -> None:
    """Refuse what is nested too deep, and a text that no database holds, wherever it is inside."""
    level: list[object] = [value]
    for _ in range(DEEPEST):
        if any(isinstance(one, str) and holds_odd(one) for one in level):
            raise RowRefused(f"{name} holds characters that no text may hold", CORRECT)
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise RowRefused(f"{name} is nested deeper than {DEEPEST} levels", CORRECT)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def status(row: Json) -> Literal["active", "pending", "disabled"]:
    """A user's status; absent, null and an empty text are `active`."""
    match text(row, "status") or "active":
        case "active":
            return "active"
        case "pending":
            return "pending"
        case "disabled":
            return "disabled"
        case _:
            raise wrong("status", "one of active, pending and disabled")


def millis(row: Json, name: str) -> int:
    """Milliseconds since 1970 as microseconds; absent and null are 0."""
    value = row.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LAST // 1_000:
        raise wrong(name, "a time in milliseconds since 1970")
    return value * 1_000


def moment(row: Json, name: str) -> int:
    """A time in RFC 3339 as microseconds since 1970; absent, null and an empty text are 0."""
    value = text(row, name)
    if not value:
        return 0
    try:
        return _micros(value)
    except (ValueError, OverflowError):
        raise wrong(name, "a time in RFC 3339, as 2025-11-12T10:35:49Z") from None


def _micros(value: str) -> int:
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise ValueError("not RFC 3339")
    fraction = match[1] or ""
    whole = value[:19].upper().replace(" ", "T") + f".{fraction[1:7]:0<6}" + match[2].upper()
    found = (datetime.fromisoformat(whole) - _EPOCH) // timedelta(microseconds=1)
    if not 0 <= found <= _LAST:
        raise ValueError("out of range")
    return found


def stamp(micros: int) -> str:
    """Microseconds since 1970 in RFC 3339, in UTC, with a fraction only where there is one; 0 is an empty text."""
    if not micros:
        return ""
    moment_then = _EPOCH + timedelta(microseconds=micros)
    return moment_then.isoformat().replace("+00:00", "Z")


def tokens(row: Json) -> TokenSet:
    """One token set with the members that both vendors use: tokens, scopes, `expires_at` in RFC 3339."""
    return TokenSet(
        access_token=text(row, "access_token"),
        refresh_token=text(row, "refresh_token"),
        id_token=text(row, "id_token"),
        scopes=texts(row, "scopes"),
        expires_at=moment(row, "expires_at"),
        token_type=text(row, "token_type") or "Bearer",
        callback_uri=text(row, "callback_uri"),
    )


def tokens_written(one: TokenSet) -> dict[str, Any]:
    """What `tokens` reads, of one token set."""
    written: dict[str, Any] = {
        "access_token": one.access_token,
        "refresh_token": one.refresh_token,
        "id_token": one.id_token,
        "scopes": list(one.scopes),
        "expires_at": stamp(one.expires_at) or None,
    }
    if one.token_type != "Bearer":
        written["token_type"] = one.token_type
    if one.callback_uri:
        written["callback_uri"] = one.callback_uri
    return written


def parsed(data: bytes) -> Json:
    """One JSON object. Raises RowRefused for anything else, however it is broken."""
    try:
        value = msgspec.json.decode(data)
    except UnicodeDecodeError:
        raise RowRefused("it is not UTF-8", "Save the file as UTF-8.") from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise RowRefused("it is no valid JSON", CORRECT) from None
    if not isinstance(value, dict):
        raise RowRefused("it is JSON, but no object", "Each row is one user as a JSON object.")
    return value
