"""HTTP as the emulator sees it: a request read once, an answer rendered once, mounted on Falcon."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import falcon
import falcon.asgi

from oneself.emulator.answers import Answer

MAX_BODY = 1_000_000
_TYPES = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
_PAGE_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
)


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


def once(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """Give parameters by name, leaving out empty ones; None if one came twice (RFC 6749 3.1)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            return None
        if value:
            found[name] = value
    return found


class Place:
    """A Falcon resource that serves some methods of one path by one handler."""

    def __init__(self, handler: Handler, methods: Iterable[str]) -> None:
        self._handler = handler
        for method in methods:
            setattr(self, f"on_{method.lower()}", self._serve)

    async def _serve(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **path: str) -> None:
        body = await req.stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise falcon.HTTPContentTooLarge
        call = Call(
            method=req.method,
            query_string=req.query_string,
            headers=dict(req.headers_lower),
            body=body,
            path=path,
        )
        render(await self._handler(call), resp)


def render(answer: Answer, resp: falcon.asgi.Response) -> None:
    """Write an answer; nothing of it may be cached unless it says so itself."""
    resp.status = answer.status
    resp.set_header("Cache-Control", "no-store")
    resp.set_header("Pragma", "no-cache")
    if answer.kind == "html":
        resp.set_headers(list(_PAGE_HEADERS))
    if answer.kind != "empty":
        resp.content_type = _TYPES[answer.kind]
        resp.data = _encode(answer)
    resp.set_headers(list(answer.headers))


def _encode(answer: Answer) -> bytes:
    if answer.kind == "json":
        return json.dumps(answer.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if answer.kind == "form":
        return urlencode({name: str(value) for name, value in answer.body.items()}).encode()
    return str(answer.body).encode()
