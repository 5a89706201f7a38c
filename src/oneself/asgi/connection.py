"""What an ASGI app does with one connection before and beside its own work (asgi.readthedocs.io, HTTP 2.x)."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

# A refused body is still read to its end, so that the client sees the answer and not a reset; but not without end.
DRAIN_LIMIT_BYTES = 32 * 1024 * 1024
_ANNOUNCE_BODY = frozenset({b"content-length", b"transfer-encoding"})


def raw_path(scope: Scope) -> str:
    """The path as it was sent: percent-encoded, without the query."""
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"], safe="/:@!$&'()*+,;=")


async def read_body(receive: Receive, headers: Iterable[tuple[bytes, bytes]], limit: int) -> tuple[bytes, bool] | None:
    """The whole body, or nothing and True for one above `limit` bytes; None when the client left."""
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


async def lifespan(receive: Receive, send: Send) -> None:
    """Answer a server's start and stop where there is nothing to open or to close."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
