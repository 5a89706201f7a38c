"""What a refusal is on this wire: its template, its words once spelled, the exception it becomes.

Two kinds exist. A *known* error is JSON with a code; anything else is plain text.
"""

import json
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oneself.wire.http import TEXT_TYPE, Reply, json_reply


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way of saying no: `code` is empty for plain text; `text` is a template over the facts.

    `details` lists what the body's `details` hold: a name alone takes the fact of that name (null
    where it is missing), a pair is a constant.
    """

    status: int
    text: str
    code: str = ""
    details: tuple[str | tuple[str, Any], ...] = ()


class Refused(Exception):
    """A refusal on its way to the caller, already in the words of this wire."""

    def __init__(
        self,
        status: int,
        text: str,
        code: str = "",
        details: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(code or text)
        self.status = status
        self.text = text
        self.code = code
        self.details = details
        self.headers = list(headers)


def plain(status: int, text: str) -> Refused:
    """Make a plain-text error: the SDK treats it as unexpected, people read it."""
    return Refused(status, text)


def spell(refusal: Refusal, facts: Mapping[str, Any]) -> Refused:
    """Fill a refusal's words and details with facts."""
    details = None
    if refusal.details:
        details = dict((item, facts.get(item)) if isinstance(item, str) else item for item in refusal.details)
    text = _WORDS.vformat(refusal.text, (), _Facts(facts))
    return Refused(refusal.status, text, refusal.code, details)


class _Facts(dict[str, Any]):
    """Facts in which a missing one reads as nothing: a poorer sentence is better than none."""

    def __missing__(self, name: str) -> str:
        return ""


class _Words(string.Formatter):
    """Templates with one conversion more: `!j` quotes a value as JSON does."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion == "j":
            return json.dumps(value, ensure_ascii=False)
        return super().convert_field(value, conversion)


_WORDS = _Words()


def json_text(value: Any) -> str:
    """JSON as JavaScript writes it into a URL."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def reply_of(refused: Refused) -> Reply:
    """A refusal as the wire shows it: JSON with a code when it is a known error, else plain text."""
    if not refused.code:
        return Reply(refused.status, refused.text.encode(), TEXT_TYPE, list(refused.headers))
    body: dict[str, Any] = {"code": refused.code}
    if refused.details is not None:
        body["details"] = refused.details
    body["error"] = refused.text
    extra = [("x-stack-known-error", refused.code), *refused.headers]
    return json_reply(refused.status, body, extra)
