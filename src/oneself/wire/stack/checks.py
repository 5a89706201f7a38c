"""Pure tests of single texts, each answering the words of its complaint or nothing."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

Check = Callable[[str], str]

_UUID = re.compile(
    r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|00000000-0000-0000-0000-000000000000)",
    re.IGNORECASE,
)
# The address syntax that browsers use for e-mail fields (WHATWG HTML, "valid e-mail address").
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_SIGN_IN_EMAIL = r"^[^.]+(\.[^.]+)*@.*\.[^.][^.]+$"
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", re.DOTALL)
_SPECIAL = frozenset({"http", "https", "ws", "wss", "ftp"})
# WHATWG URL, "forbidden domain code point".
_FORBIDDEN_IN_HOST = re.compile('[\0-\x20\x7f"#%/:<>?@\\[\\\\\\]^`{|}]')
_MAX_PORT = 65_535


def uuid(text: str) -> str:
    """A UUID of version 1 to 8, or all zeros."""
    return "" if _UUID.fullmatch(text) else "must be a valid UUID"


def email(text: str) -> str:
    """An e-mail address; the empty text passes, as it does with the original."""
    return "" if not text or _EMAIL.fullmatch(text) else "must be a valid email"


def sign_in_email(text: str) -> str:
    """An address whose domain has a dot and a last label of two characters or more."""
    return matching(_SIGN_IN_EMAIL)(text)


def non_empty(text: str) -> str:
    """Anything but the empty text."""
    return "" if text else "must not be empty"


def no_spaces(text: str) -> str:
    """No space anywhere."""
    return "contains spaces" if " " in text else ""


def url(text: str) -> str:
    """An absolute URL of any scheme (WHATWG URL)."""
    return "" if parses_as_url(text) else "is not a valid URL"


def http_url(text: str) -> str:
    """A URL of http or https."""
    return "" if text.startswith(("http://", "https://")) else "must start with http:// or https://"


def base64_text(text: str) -> str:
    """Standard base64 with its padding."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "is not valid base64"
    return ""


def matching(pattern: str) -> Check:
    """A check that the text matches a regular expression somewhere (anchor it yourself)."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        return "" if compiled.search(text) else f'must match the following: "/{pattern}/"'

    return check


TEXT: dict[str, Check] = {
    "uuid": uuid,
    "email": email,
    "sign_in_email": sign_in_email,
    "non_empty": non_empty,
    "no_spaces": no_spaces,
    "url": url,
    "base64": base64_text,
    "http_url": http_url,
}


def parses_as_url(text: str) -> bool:
    """Whether the URL parser of the WHATWG standard would take `text` without a base."""
    trimmed = re.sub("[\t\n\r]", "", text.strip("".join(map(chr, range(33)))))
    match = _SCHEME.fullmatch(trimmed)
    if not match:
        return False
    scheme, rest = match[1].lower(), match[2]
    if scheme in _SPECIAL:
        authority = re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0]
        return _authority(authority, special=True)
    if rest.startswith("//"):
        authority = re.split("[/?#]", rest[2:], maxsplit=1)[0]
        return _authority(authority, special=False)
    return True


def _authority(authority: str, special: bool) -> bool:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        literal, bracket, tail = host[1:].partition("]")
        return bool(bracket) and re.fullmatch("[0-9a-fA-F:.]{2,}", literal) is not None and _port(tail)
    name, _, port = host.partition(":")
    if not _port(host[len(name) :] if port else ""):
        return False
    if not special:
        return not _FORBIDDEN_IN_HOST.search(name.replace("%", ""))
    decoded = unquote(name)
    return bool(decoded) and not _FORBIDDEN_IN_HOST.search(decoded)


def _port(tail: str) -> bool:
    if not tail or tail == ":":
        return True
    digits = tail[1:]
    return tail[0] == ":" and digits.isascii() and digits.isdigit() and int(digits) <= _MAX_PORT


def holds_null_character(value: Any) -> bool:
    """Whether any text inside a JSON value holds U+0000, which no PostgreSQL text can hold."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or holds_null_character(part) for key, part in value.items())
    if isinstance(value, list):
        return any(holds_null_character(part) for part in value)
    return False
