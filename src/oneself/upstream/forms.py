"""Form and query encoding (WHATWG URL section 5.2, RFC 3986 section 2), by the standard library where a text needs any.

Most of what is sent is plain already: codes, verifiers and states are base64url.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus

# Characters of the longest text that is remembered.
_SHORT = 512
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


def form(fields: Mapping[str, str]) -> bytes:
    """Return the body of a form; a blank is `+`, a lone surrogate a question mark."""
    return "&".join([f"{_plus(name)}={_plus(value)}" for name, value in fields.items()]).encode("ascii")


def query(params: Mapping[str, str]) -> str:
    """Return a query without its question mark; a blank is `%20`, because one provider refuses `+`.

    Short texts of a query are remembered: scopes and redirect URIs come again and again. No secret may stand in it.
    """
    return "&".join([f"{_percent(name)}={_percent(value)}" for name, value in params.items()])


def _plus(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote_plus(text, errors="replace")


def _percent(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    # Anybody may begin a trip and give it long texts along: those are not kept.
    return _remembered(text) if len(text) <= _SHORT else _quoted(text)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


_remembered = lru_cache(maxsize=1024)(_quoted)
