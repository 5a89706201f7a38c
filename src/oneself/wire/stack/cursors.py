"""Where a page of users ended, as an opaque text for the caller to bring back."""

import base64
import binascii
import re

from oneself.wire.stack.refusals import plain

_CURSOR = re.compile(r"([0-9]{1,18}):([0-9a-f-]{36})")


def write(after: tuple[int, str]) -> str:
    """The cursor of a page that ended with this sign-up time (microseconds) and user id."""
    return base64.urlsafe_b64encode(f"{after[0]}:{after[1]}".encode()).decode().rstrip("=")


def read(cursor: str) -> tuple[int, str]:
    """Sign-up time and user id of a cursor. Raises a plain 400 for a text that is none."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise plain(400, "The cursor is not one that this API gave out")
    return int(match[1]), match[2]
