"""Requests that can be spoiled part by part, and a client that sends any bytes at all and never waits for ever."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ANSWER_SECONDS = 20.0
_RAW_JSON = "raw-json-9f2c:"


class Nothing:
    """No body at all, which is something else than a null."""


NOTHING: Final = Nothing()


class Encoded(str):
    """A text that goes into a path or a query as it is, already percent-encoded (or broken on purpose)."""

    __slots__ = ()


class Hang(AssertionError):
    """The server did not answer in time."""


def raw_json(text: str) -> str:
    """A placeholder inside a JSON value that is sent as `text`, which no JSON encoder would write."""
    return _RAW_JSON + text


def encoded(value: Any) -> bytes:
    """JSON in which placeholders have become what they stand for."""
    text = json.dumps(value, ensure_ascii=True)
    while (start := text.find(f'"{_RAW_JSON}')) >= 0:
        end = text.index('"', start + 1)
        text = text[:start] + text[start + 1 + len(_RAW_JSON) : end] + text[end + 1 :]
    return text.encode()


@dataclass(frozen=True, repr=False)
class Sent:
    """One request in parts. `params` fill the braces of `template`; `raw` and `target` beat body and path."""

    method: str
    template: str
    params: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = NOTHING
    media: str = JSON
    raw: bytes | None = None
    target: str = ""

    def __repr__(self) -> str:
        return self.told()

    def with_param(self, name: str, value: str) -> Sent:
        return replace(self, params={**self.params, name: value})

    def with_headers(self, **headers: str | None) -> Sent:
        """Headers by name (`_` for `-`); None takes one away."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in self.headers.items() if name not in named}
        return replace(self, headers=kept | {name: value for name, value in named.items() if value is not None})

    def with_query(self, name: str, *values: str) -> Sent:
        """The query with these values of one parameter instead of its own; none takes it away."""
        kept = tuple(pair for pair in self.query if pair[0] != name)
        return replace(self, query=(*kept, *((name, value) for value in values)))

    @property
    def path(self) -> str:
        """The request target: the path with its parameters, and the query."""
        if self.target:
            return self.target
        path = self.template
        for name, value in self.params.items():
            path = path.replace(f"{{{name}}}", _written(value))
        pairs = "&".join(f"{_written(name)}={_written(value)}" for name, value in self.query)
        return f"{path}?{pairs}" if pairs else path

    def bytes_of_body(self) -> bytes | None:
        if self.raw is not None:
            return self.raw
        if isinstance(self.body, Nothing):
            return None
        if self.media == FORM:
            return urlencode(self.body).encode()
        return encoded(self.body)

    def message(self, host: str) -> bytes:
        """The whole request as it goes over the wire (RFC 9112)."""
        body = self.bytes_of_body()
        headers = {"host": host, **self.headers}
        if body is not None:
            headers.setdefault("content-type", self.media)
            headers.setdefault("content-length", str(len(body)))
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        return head + (body or b"")

    def told(self) -> str:
        """The request in a line for a report; long parts are cut."""
        body = self.bytes_of_body()
        text = "" if body is None else f" {body[:300]!r}{f' ({len(body)} bytes)' if len(body) > 300 else ''}"
        path = self.path if len(self.path) < 300 else self.path[:300] + f"... ({len(self.path)})"
        return f"{self.method} {path}{text}"


def _written(text: str) -> str:
    return text if isinstance(text, Encoded) else quote(text.encode("utf-8", "surrogatepass"), safe="")


@dataclass(frozen=True)
class Answer:
    """One whole answer; header names in lower case, several of a name joined as RFC 9110 says."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def told(self) -> str:
        return f"{self.status} {self.text[:300]}"


class Line:
    """A connection to one server, opened again whenever the server closed it."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.host = parts.netloc
        self.address = (parts.hostname or "localhost", parts.port or 80)
        self._socket: socket.socket | None = None

    def send(self, sent: Sent) -> Answer:
        """Send one request and take the answer. Raises Hang."""
        return self.exchange(sent.message(self.host), sent.method)

    def exchange(self, message: bytes, method: str = "GET") -> Answer:
        """Send bytes and take one answer; a connection that had gone stale is opened again once."""
        for fresh in (self._socket is None, True):
            if self._socket is None:
                self._socket = socket.create_connection(self.address, timeout=ANSWER_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                return self._once(self._socket, message, method)
            except TimeoutError:
                self.close()
                raise Hang(f"no answer within {ANSWER_SECONDS} s to {message[:300]!r}") from None
            except (ConnectionError, http.client.BadStatusLine):
                self.close()
                if fresh:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _once(self, connection: socket.socket, message: bytes, method: str) -> Answer:
        connection.sendall(message)
        response = http.client.HTTPResponse(connection, method=method)
        try:
            response.begin()
            body = response.read()
        finally:
            response.close()
        if response.will_close:
            self.close()
        headers: dict[str, str] = {}
        cookies = []
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                cookies.append(value)
            else:
                headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        return Answer(response.status, headers, tuple(cookies), body)
