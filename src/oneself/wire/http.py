"""What all faces share of HTTP: a slim request and reply, and routes as data; `mounting` makes an app of them."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from oneself.faults import Fault, FaultCode

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(slots=True)
class Request:
    """One request as the faces see it. `path` is raw (percent-encoded, no query); `params` are decoded segments.

    `peer` is the client's address as text; `body` is complete and within the limit, unless `oversized` is true.
    """

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    peer: str
    params: dict[str, str]
    oversized: bool = False
    _query: list[tuple[str, str]] | None = field(default=None, repr=False)

    def header(self, name: str) -> str:
        """The header's value, or an empty text; `name` in lower case."""
        return self.headers.get(name, "")

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        """All query parameters in order, decoded; a plus sign is a space."""
        if self._query is None:
            self._query = parse_qsl(self.raw_query, keep_blank_values=True, errors="replace", max_num_fields=None)
        return self._query

    @property
    def query(self) -> dict[str, str]:
        """Query parameters by name; the last value wins."""
        return dict(self.query_pairs)

    def cookie(self, name: str) -> str:
        """The value of one cookie, or an empty text (RFC 6265 section 5.4; the first of several wins)."""
        for pair in self.header("cookie").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value
        return ""


@dataclass(slots=True)
class Reply:
    """One answer: a status, bytes, their type, and further headers in order (`set-cookie` may repeat).

    `fixed` are headers that are the same in every answer, encoded once and for all.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
    fixed: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of a dialect: what the router matches, what the description says, and the handler's name for it.

    `template` is what `routing` matches (`/v1/users/{user_id}`). `body`, `query` and `response` are msgspec structs for
    the OpenAPI description (and for decoding, where the dialect does so); `access` is the dialect's own word for who
    may call.
    """

    method: str
    template: str
    operation: str
    handler: Handler
    summary: str
    body: Any = None
    query: Any = None
    response: Any = None
    status: int = 200
    access: str = ""
    faults: tuple[FaultCode, ...] = ()


Dispatch = Callable[[Route | None, Request, int], Awaitable[Reply]]


def json_reply(status: int, value: object, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """Render a value (struct, dict, list) as JSON once."""
    return Reply(status, msgspec.json.encode(value), JSON_TYPE, list(headers))


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """User and password of a Basic `Authorization` header (RFC 7617 section 2), or None if there is none.

    Raises Fault(KEY_INVALID) when the header is there and cannot be read.
    """
    header = request.header("authorization")
    if not header:
        return None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise Fault(FaultCode.KEY_INVALID, "the Authorization header is not Basic")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError, UnicodeDecodeError):
        raise Fault(FaultCode.KEY_INVALID, "the Basic credentials are not base64 of UTF-8") from None
    if not colon:
        raise Fault(FaultCode.KEY_INVALID, "the Basic credentials hold no colon")
    return user, password
