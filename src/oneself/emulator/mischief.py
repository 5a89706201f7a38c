"""Plays a fault: spoils, delays, breaks off or replaces one answer.

It works on bare ASGI, around the application, because half an answer or a reset connection is nothing
that a handler could say.
"""

import asyncio
import json
import socket
import struct
from typing import Any

from oneself.asgi.connection import Asgi, Message, Receive, Scope, Send
from oneself.emulator.player import Player
from oneself.emulator.trouble import Trouble

_HTML = b"<!doctype html><title>Oops</title><h1>Something went wrong</h1>"
# These begin with the answer that would have been given.
_REAL = frozenset({"hang_in_body", "reset_in_body", "drip", "truncated", "wrong_types", "delay"})
_CHUNK = b"a" * 65_536


async def play(
    trouble: Trouble, player: Player, here: bytes, app: Asgi, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer one request as the fault says; `here` is the request's own address, path and query."""
    start: Message = {}
    body = b""
    if trouble.after or trouble.kind in _REAL:
        if trouble.kind == "delay":
            await asyncio.sleep(trouble.seconds)
        start, body = await _capture(app, scope, receive)
    match trouble.kind:
        case "hang":
            await _hang(trouble.seconds, receive)
            await _reset(receive, send)
        case "reset":
            await _reset(receive, send)
        case "hang_in_body" | "reset_in_body" | "drip":
            await _in_body(trouble, start, body, receive, send)
        case "delay":
            await _send(send, start["status"], body, start["headers"])
        case "truncated":
            await _send(send, start["status"], body[: len(body) // 2], start["headers"])
        case "wrong_types":
            await _send(send, start["status"], _twisted(body), start["headers"])
        case "huge":
            await _huge(trouble.size, send)
        case _:
            await _said(trouble, player, here, send)


async def _capture(app: Asgi, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    start: Message = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return start, b"".join(parts)


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    kept = [pair for pair in headers or [] if pair[0].lower() != b"content-length"]
    kept.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": kept})
    await send({"type": "http.response.body", "body": body})


async def _said(trouble: Trouble, player: Player, here: bytes, send: Send) -> None:
    """Answer with a status and a text of the fault's own."""
    kind, body, status = b"application/json", trouble.body.encode(), trouble.status
    extra: list[tuple[bytes, bytes]] = []
    match trouble.kind:
        case "rate_limit":
            status, body = status or 429, body or b'{"error":"rate_limited"}'
        case "server_error":
            status, body, kind = status or 500, body or _HTML, b"text/html"
        case "html":
            body, kind = body or _HTML, b"text/html"
        case "garbage":
            body = body or b'{"access_token": \xff\xfe nonsense'
        case "redirect_loop":
            status, extra = status or 307, [(b"location", here)]
        case "oauth_error":
            status = status or player.error_status
            said = {"error": trouble.error, "error_description": trouble.description}
            body = json.dumps({name: text for name, text in said.items() if text}).encode()
        case _:
            pass
    wait = trouble.retry_after
    if wait is None and trouble.kind == "rate_limit":
        wait = 1
    if wait is not None:
        extra.append((b"retry-after", str(wait).encode()))
    await _send(send, status or 200, body, [(b"content-type", kind), *extra])


async def _huge(size: int, send: Send) -> None:
    head, tail = b'{"padding":"', b'"}'
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": head, "more_body": True})
    left = size - len(head) - len(tail)
    while left > 0:
        part = _CHUNK[:left]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        left -= len(part)
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": tail})


async def _in_body(trouble: Trouble, start: Message, body: bytes, receive: Receive, send: Send) -> None:
    headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": start["status"], "headers": headers})
    if trouble.kind == "drip":
        for index in range(len(body)):
            one = body[index : index + 1]
            await send({"type": "http.response.body", "body": one, "more_body": True})
            await asyncio.sleep(trouble.seconds)
        await send({"type": "http.response.body", "body": b""})
        return
    half = body[: len(body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    if trouble.kind == "hang_in_body":
        await _hang(trouble.seconds, receive)
    await _reset(receive, send)


async def _hang(seconds: float, receive: Receive) -> None:
    """Wait until the client goes away, `seconds` at most."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def _reset(receive: Receive, send: Send) -> None:
    """Reset the connection: with a TCP RST where uvicorn's transport can be reached."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        # Another server: an answer that breaks off is the nearest thing.
        raise ConnectionResetError("ordered fault")
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _hang(1.0, receive)


def _twisted(body: bytes) -> bytes:
    try:
        return json.dumps(_other_type(json.loads(body))).encode()
    except ValueError:
        return body


def _other_type(value: Any) -> Any:
    match value:
        case dict():
            return {name: _other_type(inner) for name, inner in value.items()}
        case list():
            return {str(index): _other_type(inner) for index, inner in enumerate(value)}
        case bool():
            return [value]
        case int() | float():
            return str(value)
        case str():
            return {"value": value}
        case _:
            return 0
