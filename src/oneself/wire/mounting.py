"""Mounting a face as an ASGI app: from a raw request to its route and its whole body, and from a reply to bytes.

A thin layer of our own: paths stay as they were sent, answers carry the headers that a face gave them and no others,
and nothing is built per request that a face does not read.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import unquote

from oneself.wire.http import TEXT_TYPE, Dispatch, Reply, Request, Route
from oneself.wire.routing import Router

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

# A refused body is still read to its end, so that the client sees the answer and not a reset; but not without end.
DRAIN_LIMIT_BYTES = 32 * 1024 * 1024
# Those of RFC 9110 section 9 and RFC 5789; no route can have another.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_WITHOUT_BODY = frozenset({204, 304})
_ANNOUNCE_BODY = frozenset({b"content-length", b"transfer-encoding"})

_log = logging.getLogger("oneself.wire")


def mount(routes: Iterable[Route], dispatch: Dispatch, body_limit_bytes: int) -> Asgi:
    """An ASGI app that routes on the raw path and hands every request to `dispatch`.

    `dispatch(route, request, status)` answers everything: `route` is None and `status` 404 or 405 when nothing matched,
    or 200 for an OPTIONS that no route answers. It must not raise; what it raises anyway becomes a plain 500.
    """
    router = Router((route.method, route.template, route) for route in routes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        method: str = scope["method"]
        raw: bytes | None = scope.get("raw_path")
        path = raw.decode("latin-1").partition("?")[0] if raw else scope["path"]
        route, params, status = _routed(router, method, path)
        read = await _read_body(receive, scope["headers"], body_limit_bytes)
        if read is None:
            return  # whoever asked has left
        client = scope.get("client")
        request = Request(
            method=method,
            path=path,
            raw_query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=read[0],
            peer=client[0] if client else "",
            params=params,
            oversized=read[1],
        )
        try:
            reply = await dispatch(route, request, status)
            start = _start(reply)
        except Exception:
            _log.exception("%s %s", method, route.operation if route else "nowhere")
            reply = Reply(500, b"Internal Server Error", TEXT_TYPE)
            start = _start(reply)
        await send(start)
        await send({"type": "http.response.body", "body": b"" if reply.status in _WITHOUT_BODY else reply.body})

    return app


def _routed(router: Router[Route], method: str, path: str) -> tuple[Route | None, dict[str, str], int]:
    """The route, its decoded parameters, and the status where there is none."""
    if method not in METHODS:
        return None, {}, 405
    found = router.find(path)
    if found is None:
        return None, {}, 200 if method == "OPTIONS" else 404
    methods, params = found
    route = methods.get(method)
    if route is None:
        return None, params, 200 if method == "OPTIONS" else 405
    if "%" in path:
        params = {name: unquote(value, errors="replace") for name, value in params.items()}
    return route, params, 200


async def _read_body(receive: Receive, headers: Iterable[tuple[bytes, bytes]], limit: int) -> tuple[bytes, bool] | None:
    """The whole body, or nothing and True for one above the limit; None when the client left."""
    if not any(name in _ANNOUNCE_BODY for name, _ in headers):
        return b"", False
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if not message.get("more_body", False) or size > DRAIN_LIMIT_BYTES:
            return (b"".join(chunks), False) if size <= limit else (b"", True)


def _start(reply: Reply) -> Message:
    headers = [(name.encode("latin-1"), _value(value)) for name, value in reply.headers]
    if reply.status not in _WITHOUT_BODY:
        headers.append((b"content-type", reply.content_type.encode("latin-1")))
        headers.append((b"content-length", b"%d" % len(reply.body)))
    headers.extend(reply.fixed)
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


def _value(text: str) -> bytes:
    """A header's value. Raises ValueError for one that would end its line."""
    if "\n" in text or "\r" in text:
        raise ValueError("a header's value with a line break")
    return text.encode("latin-1")


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nothing to open or to close: the runtime is somebody else's."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
