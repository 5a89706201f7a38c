"""What all faces share of HTTP: a slim request and reply, bounded bodies, routes as data, mounted on Falcon."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import falcon
import falcon.asgi
import msgspec

from oneself.faults import Fault, FaultCode

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"

# A refused body is still read to its end, so that the client sees the answer and not a reset; but not without end.
DRAIN_LIMIT_BYTES = 32 * 1024 * 1024


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
    """One answer: a status, bytes, their type, and further headers in order (`set-cookie` may repeat)."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)


Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of a dialect: what the router matches, what the description says, and the handler's name for it.

    `template` is Falcon's (`/v1/users/{user_id}`). `body`, `query` and `response` are msgspec structs for the OpenAPI
    description (and for decoding, where the dialect does so); `access` is the dialect's own word for who may call.
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


def mount(routes: Iterable[Route], dispatch: Dispatch, body_limit_bytes: int) -> falcon.asgi.App[Any, Any]:
    """An ASGI app that routes on the raw path and hands every request to `dispatch`.

    `dispatch(route, request, status)` answers everything: `route` is None and `status` 404 or 405 when nothing matched.
    It must not raise; what it raises anyway becomes Falcon's plain 500.
    """
    app = falcon.asgi.App(middleware=[_AsSent(dispatch, body_limit_bytes)])
    app.req_options.strip_url_path_trailing_slash = False
    by_template: dict[str, dict[str, Route]] = {}
    for route in routes:
        by_template.setdefault(route.template, {})[route.method] = route
    for template, methods in by_template.items():
        app.add_route(template, _resource(methods, dispatch, body_limit_bytes))
    app.add_sink(_sink(dispatch, body_limit_bytes, 404), "/")
    return app


class _AsSent:
    """Routes on the path as it was sent, so that an encoded slash stays inside its segment; and answers the methods
    that no route can have, which Falcon would answer in its own words.
    """

    def __init__(self, dispatch: Dispatch, limit: int) -> None:
        self._dispatch = dispatch
        self._limit = limit

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        raw = req.scope.get("raw_path")
        if raw is not None:
            req.path = raw.decode("latin-1").partition("?")[0]
        if req.method not in falcon.HTTP_METHODS:
            await _answer(None, self._dispatch, self._limit, 405, req, resp, {})
            resp.complete = True


def _resource(methods: dict[str, Route], dispatch: Dispatch, limit: int) -> object:
    members: dict[str, Any] = {}
    for name in falcon.HTTP_METHODS:
        if name in methods:
            members[f"on_{name.lower()}"] = _responder(methods[name], dispatch, limit, 200)
        else:
            members[f"on_{name.lower()}"] = _responder(None, dispatch, limit, 200 if name == "OPTIONS" else 405)
    return type("Resource", (), members)()


def _responder(route: Route | None, dispatch: Dispatch, limit: int, status: int) -> Handler:
    async def respond(_self: object, req: falcon.asgi.Request, resp: falcon.asgi.Response, **params: str) -> None:
        await _answer(route, dispatch, limit, status, req, resp, params)

    return respond


def _sink(dispatch: Dispatch, limit: int, status: int) -> Callable[..., Coroutine[Any, Any, None]]:
    async def sink(req: falcon.asgi.Request, resp: falcon.asgi.Response, **_params: str) -> None:
        await _answer(None, dispatch, limit, 200 if req.method == "OPTIONS" else status, req, resp, {})

    return sink


async def _answer(
    route: Route | None,
    dispatch: Dispatch,
    limit: int,
    status: int,
    req: falcon.asgi.Request,
    resp: falcon.asgi.Response,
    params: dict[str, str],
) -> None:
    body, oversized = await _read_body(req, limit)
    client = req.scope.get("client")
    request = Request(
        method=req.method,
        path=req.path,
        raw_query=req.query_string,
        headers={key.decode("latin-1"): value.decode("latin-1") for key, value in req.scope["headers"]},
        body=body,
        peer=client[0] if client else "",
        params={key: unquote(value, errors="replace") for key, value in params.items()},
        oversized=oversized,
    )
    reply = await dispatch(route, request, status)
    resp.status = _STATUS_LINES.get(reply.status, str(reply.status))
    resp.data = reply.body
    resp.content_type = reply.content_type
    for name, value in reply.headers:
        resp.append_header(name, value)


async def _read_body(req: falcon.asgi.Request, limit: int) -> tuple[bytes, bool]:
    if req.content_length == 0 or (req.method in ("GET", "HEAD", "OPTIONS") and not req.content_length):
        return b"", False
    chunks: list[bytes] = []
    size = 0
    async for chunk in req.stream:
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > DRAIN_LIMIT_BYTES:
            break
    return (b"", True) if size > limit else (b"".join(chunks), False)


_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
