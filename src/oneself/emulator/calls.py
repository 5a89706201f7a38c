"""A request as the emulator's handlers see it, read once."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from oneself.emulator.answers import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: `query` and `form` are pairs in order, `path` the decoded template fields."""

    method: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""
    path: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query parameters in order; a plus sign is a space."""
        return parse_qsl(self.query_string, keep_blank_values=True, errors="replace")

    @property
    def form(self) -> list[tuple[str, str]]:
        """The form's fields in order; none unless the body says that it is a form."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return []
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")

    def json(self) -> Any:
        """The body as JSON where it says that it is; None if it is not, or is broken."""
        if "json" not in self.headers.get("content-type", "").lower():
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return None


Handler = Callable[[Call], Awaitable[Answer]]
# a path template, the methods that it serves, and by what
Route = tuple[str, tuple[str, ...], Handler]


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """Give parameters by name, leaving out empty ones; None if one came twice (RFC 6749 3.1)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            return None
        if value:
            found[name] = value
    return found
