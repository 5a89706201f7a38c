"""The emulator's routes as one ASGI application: a request in, the handler's answer out as bytes."""

import json
from collections.abc import Iterable
from urllib.parse import unquote, urlencode

from oneself.asgi.connection import Asgi, Receive, Scope, Send, lifespan, raw_path, read_body
from oneself.asgi.routing import Router
from oneself.emulator.answers import Answer
from oneself.emulator.calls import Call, Handler, Route

MAX_BODY = 1_000_000
_TYPES = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
# Nothing of the emulator may be cached unless it says so itself.
_HEADERS = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_PAGE_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
)


def segments(scope: Scope) -> list[str]:
    """The parts of the path that was asked for, each decoded: `%40me` is `@me`, and `%2F` parts nothing."""
    return [unquote(part, errors="replace") for part in raw_path(scope).split("/")]


def application(routes: Iterable[Route]) -> Asgi:
    """Serve these routes; any other path is 404, any other method 405."""
    router = Router((method, path, handler) for path, methods, handler in routes for method in methods)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        read = await read_body(receive, scope["headers"], MAX_BODY)
        if read is None:
            return  # whoever asked has left
        if read[1]:
            await _send(send, Answer(status=413, kind="text", body="The body is too large."))
            return
        await _send(send, await _answered(router, scope, read[0]))

    return app


async def _answered(router: Router[Handler], scope: Scope, body: bytes) -> Answer:
    found = router.walk(segments(scope))
    if found is None:
        return Answer(status=404, kind="text", body="Nothing is served at this address.")
    methods, params = found
    handler = methods.get(scope["method"])
    if handler is None:
        allowed = (("Allow", ", ".join(sorted(methods))),)
        if scope["method"] == "OPTIONS":
            return Answer(status=204, kind="empty", headers=allowed)
        return Answer(status=405, kind="text", body="Not by this method.", headers=allowed)
    call = Call(
        method=scope["method"],
        query_string=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        path=params,
    )
    return await handler(call)


async def _send(send: Send, answer: Answer) -> None:
    body = b"" if answer.kind == "empty" else _encoded(answer)
    headers = [*_HEADERS, *(_PAGE_HEADERS if answer.kind == "html" else ())]
    if answer.kind != "empty":
        headers.append(("Content-Type", _TYPES[answer.kind]))
    if answer.status != 204:
        headers.append(("Content-Length", str(len(body))))
    own = {name.lower() for name, _ in answer.headers}
    headers = [pair for pair in headers if pair[0].lower() not in own] + list(answer.headers)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _encoded(answer: Answer) -> bytes:
    if answer.kind == "json":
        return json.dumps(answer.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if answer.kind == "form":
        return urlencode({name: str(value) for name, value in answer.body.items()}).encode()
    return str(answer.body).encode()
