"""Mounting a face as an ASGI app: from a raw request to its route and its whole body, and from a reply to bytes.

A thin layer of our own: paths stay as they were sent, answers carry the headers that a face gave them and no others,
and nothing is built per request that a face does not read.
"""

import logging
from collections.abc import Callable, Iterable
from time import perf_counter
from urllib.parse import unquote

from oneself.asgi.connection import Asgi, Message, Receive, Scope, Send, lifespan, raw_path, read_body
from oneself.asgi.routing import Router
from oneself.wire.http import TEXT_TYPE, Dispatch, Reply, Request, Route

# Those of RFC 9110 section 9 and RFC 5789; no route can have another.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_WITHOUT_BODY = frozenset({204, 304})

_log = logging.getLogger("oneself.wire")


Counted = Callable[[str, str, int, float], None]
"""Told of every answer: its method, its route's template (empty for none), its status, and the seconds it took."""


def mount(routes: Iterable[Route], dispatch: Dispatch, body_limit_bytes: int, counted: Counted) -> Asgi:
    """An ASGI app that routes on the raw path and hands every request to `dispatch`; `counted` is told of each answer.

    `dispatch(route, request, status)` answers everything: `route` is None and `status` 404 or 405 when nothing matched,
    or 200 for an OPTIONS that no route answers. It must not raise; what it raises anyway becomes a plain 500.
    """
    router = Router((route.method, route.template, route) for route in routes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        began = perf_counter()
        method: str = scope["method"]
        path = raw_path(scope)
        route, params, status = _routed(router, method, path)
        read = await read_body(receive, scope["headers"], body_limit_bytes)
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
        template = route.template if route else ""
        counted(method if method in METHODS else "other", template, reply.status, perf_counter() - began)

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
