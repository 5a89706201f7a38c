"""The layer between ASGI and a face: bodies bounded, headers as given, statuses for what no route takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oneself.wire.http import Reply, Request, Route
from oneself.wire.mounting import mount

LIMIT = 10


async def _echo(_request: Request) -> Reply:
    return Reply(200, b"never called by the layer itself")


ROUTES = [Route("GET", "/a/{name}", "read", _echo, ""), Route("POST", "/a/{name}", "write", _echo, "")]
Seen = list[tuple[Route | None, Request, int]]


async def ask(
    answer: Callable[[], Awaitable[Reply]],
    method: str,
    path: bytes,
    chunks: tuple[bytes, ...] = (),
    left: bool = False,
    counted: list[tuple[str, str, int]] | None = None,
) -> tuple[list[dict[str, Any]], Seen]:
    """One request to the layer: the messages that it sent, and what its face was given."""
    seen: Seen = []
    counted = [] if counted is None else counted

    async def dispatch(route: Route | None, request: Request, status: int) -> Reply:
        seen.append((route, request, status))
        return await answer()

    parts = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if parts and not left:
        parts[-1]["more_body"] = False
    parts.append({"type": "http.disconnect"})
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", b"%d" % sum(map(len, chunks)))] if chunks else []
    scope = {"type": "http", "method": method, "path": "/decoded", "raw_path": path, "query_string": b"q=1"}

    def told(method: str, route: str, status: int, seconds: float) -> None:
        assert seconds >= 0
        counted.append((method, route, status))

    app = mount(ROUTES, dispatch, LIMIT, told)
    await app({**scope, "headers": headers, "client": ("192.0.2.1", 5)}, receive, send)
    return sent, seen


async def fine() -> Reply:
    return Reply(
        201, b"{}", headers=[("x-one", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], fixed=((b"y", b"2"),)
    )


async def test_answers_are_counted_by_the_routes_template() -> None:
    counted: list[tuple[str, str, int]] = []
    for method, path in (("GET", b"/a/b"), ("GET", b"/a/c"), ("GET", b"/b"), ("BREW", b"/a/b")):
        await ask(fine, method, path, counted=counted)
    assert counted == [("GET", "/a/{name}", 201)] * 2 + [("GET", "", 201), ("other", "", 201)]


async def test_a_face_gets_the_path_as_it_was_sent() -> None:
    sent, seen = await ask(fine, "POST", b"/a/b%2Fc%20d", (b"12", b"345"))
    route, request, status = seen[0]
    assert (route, status) == (ROUTES[1], 200)
    assert (request.path, request.params, request.body) == ("/a/b%2Fc%20d", {"name": "b/c d"}, b"12345")
    assert (request.raw_query, request.peer, request.oversized) == ("q=1", "192.0.2.1", False)
    assert sent[0]["status"] == 201
    assert sent[0]["headers"] == [
        (b"x-one", b"1"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", b"2"),
        (b"y", b"2"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", b"/b", 404),
        ("GET", b"/a/b/c", 404),
        ("PUT", b"/a/b", 405),
        ("HEAD", b"/a/b", 405),
        ("OPTIONS", b"/a/b", 200),
        ("OPTIONS", b"/nowhere", 200),
        ("BREW", b"/nowhere", 405),
    ],
)
async def test_what_no_route_takes(method: str, path: bytes, status: int) -> None:
    _, seen = await ask(fine, method, path)
    assert (seen[0][0], seen[0][2]) == (None, status)


@pytest.mark.parametrize("chunks", [(b"x" * 11,), (b"x" * 10, b"y"), (b"x" * 6, b"y" * 6, b"z")])
async def test_a_body_above_the_limit_is_read_and_dropped(chunks: tuple[bytes, ...]) -> None:
    sent, seen = await ask(fine, "POST", b"/a/b", chunks)
    assert (seen[0][1].oversized, seen[0][1].body) == (True, b"")
    assert sent[0]["status"] == 201  # the face's own word


async def test_a_client_that_left_is_answered_nothing() -> None:
    assert await ask(fine, "POST", b"/a/b", (b"12",), left=True) == ([], [])


async def test_no_body_where_none_may_be() -> None:
    async def empty() -> Reply:
        return Reply(204)

    sent, _ = await ask(empty, "GET", b"/a/b")
    assert (sent[0]["headers"], sent[1]["body"]) == ([], b"")


@pytest.mark.parametrize("value", ["a\r\nset-cookie: x=1", "a\nb", "snowman ☃"])
async def test_a_header_cannot_end_its_line(value: str) -> None:
    async def split() -> Reply:
        return Reply(302, headers=[("location", value)])

    sent, _ = await ask(split, "GET", b"/a/b")
    assert (sent[0]["status"], sent[1]["body"]) == (500, b"Internal Server Error")


async def test_what_a_face_raises_is_a_plain_500() -> None:
    async def broken() -> Reply:
        raise RuntimeError("a secret detail")

    sent, _ = await ask(broken, "GET", b"/a/b")
    assert sent[0]["status"] == 500
    assert b"secret" not in sent[1]["body"]
