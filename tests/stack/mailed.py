"""What the tests of mailed codes share: where links lead, and the code in one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.stack.wire import Answer, Stack

CALLBACK = "http://localhost:3000/handler/mailed"
NOT_FOUND = (404, "VERIFICATION_CODE_NOT_FOUND", "The verification code does not exist for this project.")
EXPIRED = (400, "VERIFICATION_CODE_EXPIRED", "The verification code has expired.")
USED = (409, "VERIFICATION_CODE_ALREADY_USED", "The verification link has already been used.")
UNKNOWN_CODE = "0" * 45


def post(stack: Stack, path: str, body: Any, token: str = "", access: str = "client") -> Answer:
    """One request of a client."""
    return stack.call("POST", path, body, access=access, token=token)


def code_in(link: str) -> str:
    """The code that a letter's link carries."""
    return parse_qs(urlsplit(link).query)["code"][0]


def code_to(stack: Stack, email: str, kind: str = "") -> str:
    """The code of the newest letter to somebody; each is read once."""
    return code_in(stack.letter(email, kind)["link"])
