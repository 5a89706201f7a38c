"""Times of this dialect: RFC 3339 in UTC, whole seconds, and back to microseconds."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})\Z")


def stamp(micros: int) -> str:
    """Return microseconds since 1970 as `2025-11-12T10:35:49Z`, cut to whole seconds."""
    return _stamp(micros // 1_000_000)


@lru_cache(maxsize=4096)
def _stamp(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> int | None:
    """Return an RFC 3339 time as microseconds since 1970, or None for anything that is not one.

    Digits beyond the microsecond are cut.
    """
    if _RFC3339.match(text) is None:
        return None
    head, _, rest = text.upper().partition(".")
    if rest:
        digits = re.match(r"\d+", rest)
        assert digits is not None  # the pattern above asks for digits after the dot
        text = f"{head}.{digits[0][:6]:0<6}{rest[digits.end() :]}"
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    try:
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        return None
