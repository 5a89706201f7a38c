"""Reads a request's body by its content type, into plain values that a shape can then be held against."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from oneself.wire.http import Request
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.refusals import Refused, plain

# Deeper than anybody means, and far from where recursion ends.
MOST_LEVELS = 64


def check_size(request: Request) -> None:
    """Refuse a body over the limit, which was read to its end but not kept."""
    if request.oversized:
        raise plain(413, "Request body too large")


def parse(request: Request) -> Any:
    """Return what the body says: parsed JSON, a form's pairs (the last of a name wins), a text, bytes,
    or UNSET where there is none. Raises the wire's own refusals.
    """
    kind = request.header("content-type").partition(";")[0].strip().lower()
    if request.method == "GET" or not kind:
        return msgspec.UNSET
    if kind == "application/json":
        return _json(request.body)
    if kind == "application/x-www-form-urlencoded":
        return form(request)
    if kind == "text/plain":
        return _text(request.body)
    if kind == "application/octet-stream":
        return request.body
    raise _unreadable(f"Unknown content type in request body: {kind}")


def form(request: Request) -> dict[str, str]:
    """The pairs of a form body; the last of a name wins."""
    try:
        return dict(parse_qsl(_text(request.body), keep_blank_values=True, errors="replace"))
    except ValueError:
        raise _unreadable("Invalid form in request body") from None


def json_value(text: bytes | str) -> Any:
    """Parse JSON that is not nested beyond reason. Raises ValueError."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("not JSON") from None
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [part for value in level if isinstance(value, dict | list) for part in _parts(value)]
        if not level:
            return value
    raise ValueError("nested too deep")


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _json(body: bytes) -> Any:
    try:
        return json_value(body)
    except ValueError:
        raise _unreadable("Invalid JSON in request body") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _unreadable("Request body cannot be parsed as UTF-8") from None


def _unreadable(message: str) -> Refused:
    return known("BODY_PARSING_ERROR", message=message)
