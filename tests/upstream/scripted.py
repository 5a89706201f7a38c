"""A provider made of scripts: a real HTTP server that answers each path as told, faults included."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    form: dict[str, str]
    body: bytes


def says(body: Any, status: int = 200, **headers: str) -> Answer:
    """Answer with JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            text=json.dumps(body),
            status=status,
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answer


def text(body: str | bytes, content_type: str, status: int = 200) -> Answer:
    """Answer with any bytes of any type."""

    async def answer(_: web.Request) -> web.StreamResponse:
        raw = body.encode() if isinstance(body, str) else body
        return web.Response(body=raw, status=status, content_type=content_type)

    return answer


def squeezed(body: bytes) -> Answer:
    """Answer with JSON under gzip, asked for or not."""
    packed = gzip.compress(body)

    async def answer(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=packed, headers=headers)

    return answer


async def until(holds: Callable[[], bool]) -> None:
    """Let others work until something holds that they bring about."""
    async with asyncio.timeout(60):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


def redirects(where: str) -> Answer:
    """Answer with a redirect."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": where})

    return answer


async def hangs(_: web.Request) -> web.StreamResponse:
    """Take the request and never answer."""
    await asyncio.sleep(3600)
    raise AssertionError


async def hangs_in_body(request: web.Request) -> web.StreamResponse:
    """Begin an answer and never end it."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"access_token": "')
    await asyncio.sleep(3600)
    raise AssertionError


async def resets(request: web.Request) -> web.StreamResponse:
    """Cut the connection instead of answering."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Promise a hundred bytes, send ten, and cut the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"access_t')
    assert request.transport is not None
    request.transport.abort()
    return response


async def floods(request: web.Request) -> web.StreamResponse:
    """Send JSON until nobody reads any more: five megabytes at most."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"access_token": "')
    for _ in range(80):
        await response.write(b"a" * 65_536)
    await response.write(b'"}')
    return response


async def talks_nonsense(request: web.Request) -> web.StreamResponse:
    """Answer with bytes that are no HTTP."""
    assert request.transport is not None
    request.transport.write(b"220 mail.example ESMTP ready\r\n\r\n")
    request.transport.close()
    return web.Response()


@dataclass
class Scripted:
    """The server: `answers` by path; a list is used up one by one, its last for ever."""

    answers: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def calls(self, path: str) -> list[Seen]:
        return [request for request in self.seen if request.path == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        posted = await request.post() if body else {}
        form = {name: value for name, value in posted.items() if isinstance(value, str)}
        self.seen.append(Seen(request.method, request.path, dict(request.query), request.headers, form, body))
        found = self.answers.get(request.path)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return await found(request) if found else web.Response(status=404, text="no such path")


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """Run a scripted provider on a free port of 127.0.0.1."""
    server = Scripted()
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sockets = site._server.sockets  # type: ignore[union-attr]
    server.port = sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        await runner.cleanup()
