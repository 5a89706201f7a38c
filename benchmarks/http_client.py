"""A cheap HTTP/1.1 client over kept-alive connections, so that the load costs its core as little as may be.

It reads what the measured servers send and nothing else: no redirects, no cookies by itself; chunks stay as they come,
unless somebody asks for the whole.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


class Answer(NamedTuple):
    """One answer; `head` is its status line and headers as they came."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """The first header of that name, or an empty text."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        """Every header of that name, in order."""
        wanted = name.lower().encode() + b":"
        lines = self.head.split(b"\r\n")[1:]
        return [line[len(wanted) :].strip().decode() for line in lines if line.lower().startswith(wanted)]

    @property
    def whole(self) -> bytes:
        """The body without the marks of its chunks, where it came in chunks."""
        if _CHUNKED.search(self.head) is None:
            return self.body
        parts, rest = [], self.body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.partition(b";")[0], 16)
            parts.append(rest[:length])
            rest = rest[length + 2 :]
        return b"".join(parts)


class Broken(Exception):
    """The connection ended, or said what this client does not read."""


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._buffer = b""
        self._head = b""
        self._missing = 0
        self._chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the way out."""
        # uvloop's transports are none of asyncio's by birth
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(f"the server hung up: {error}"))

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        self._buffer += data
        if not self._head:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self._head = self._buffer[: end + 2]
            length = _LENGTH.search(self._head)
            self._missing = int(length[1]) if length else 0
            self._chunked = length is None and _CHUNKED.search(self._head) is not None
            self._buffer = self._buffer[end + 4 :]
        if len(self._buffer) < self._missing or (self._chunked and not self._buffer.endswith(_LAST_CHUNK)):
            return
        answer = Answer(int(self._head[9:12]), self._head, self._buffer)
        self._head = self._buffer = b""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    async def send(self, request: bytes) -> Answer:
        """Send one whole request and wait for its answer. Raises Broken."""
        if self._transport is None or self._transport.is_closing():
            raise Broken("the connection is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def connect(address: tuple[str, int]) -> Connection:
    """Open a connection to a host and port."""
    _, protocol = await asyncio.get_running_loop().create_connection(Connection, *address)
    return protocol


def request(
    method: str,
    target: str,
    host: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> bytes:
    """The bytes of a request; `target` is path and query as they are sent."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in dict(headers).items()]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"content-length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
