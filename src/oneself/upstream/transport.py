"""The connections of the one outbound HTTP client: bounded in time, size and number, public addresses only, no
redirects. It loads at the first call, because its HTTP library takes a tenth of a second to load.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import ClientRequest, ClientTimeout, DummyCookieJar, TCPConnector, hdrs
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from oneself.faults import Fault, FaultCode
from oneself.upstream import forms
from oneself.upstream.addresses import AddressRefusedError, PublicResolver, public_socket
from oneself.upstream.gates import Gates
from oneself.upstream.limits import Limits, Method
from oneself.upstream.reply import Reply, retry_after
from oneself.upstream.resolver import ThreadResolver

# Servers of one's own (Node's by default) close an idle connection after five seconds; a POST on a
# connection that is just being closed fails and may not be sent again, so we close first.
KEEP_ALIVE = 4.0
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
# The deadline of `Limits` stands around everything; aiohttp's own would only stand beside it.
NO_TIMEOUT = ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None)


@dataclass(slots=True)
class _Trip:
    """What happened to one request: `sent` once any byte of it may have left."""

    sent: bool = False


_TRIP: ContextVar[_Trip] = ContextVar("trip")


class _Connector(TCPConnector):
    """Notes on each request's trip that it has a connection, so that its first byte may leave at any time.

    The client's own tracing could tell a little more and costs an eighth of every call.
    """

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 - the name is the library's
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        _TRIP.get().sent = True
        return connection


class Transport:
    """Makes the calls of an `Outbound`, whose arguments these are. Its connections belong to the running loop."""

    def __init__(
        self,
        allow_hosts: frozenset[str],
        clock: Callable[[], int],
        limits: Limits,
        tls: ssl.SSLContext | None,
        user_agent: str,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._allowed = frozenset(host.lower().rstrip(".") for host in allow_hosts)
        self._tls = tls
        self._agent = user_agent
        self._gates = Gates(limits.at_once, limits.waiting)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._resolver: ThreadResolver | None = None

    async def send(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Send one request and read its whole answer, as `Outbound.send` says it."""
        target = self._target(url)
        trip = _Trip()
        _TRIP.set(trip)
        try:
            async with asyncio.timeout(self._limits.deadline), self._gates.through(target.authority):
                return await self._call(method, target, headers, form, json)
        except AddressRefusedError:
            raise _refused(target) from None
        except aiohttp.ClientConnectorError as wrong:
            if isinstance(wrong.os_error, AddressRefusedError):
                raise _refused(target) from None
            raise _unavailable(target, wrong, trip) from None
        except aiohttp.InvalidURL:
            raise _refused(target) from None
        except aiohttp.ClientResponseError as wrong:
            detail = f"{target.host}: {type(wrong).__name__}"
            raise Fault(FaultCode.PROVIDER_REPLY_INVALID, detail, sent=True) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as wrong:
            raise _unavailable(target, wrong, trip) from None

    @property
    def standing(self) -> tuple[int, int]:
        """How many calls are under way, and how many wait for a place at their host's gate."""
        return self._gates.standing

    async def close(self) -> None:
        """Close all connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    def _target(self, url: str) -> URL:
        try:
            target = URL(url)
            host, port = target.host or "", target.port
        except ValueError:
            raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "no address to call") from None
        if not _HOST.fullmatch(target.raw_host or "") or target.user or target.password:
            raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "no address to call")
        if target.scheme != "https" and not (target.scheme == "http" and self._open(host, port)):
            raise Fault(FaultCode.PROVIDER_MISCONFIGURED, f"{host} is not called without TLS")
        return target

    def _open(self, host: str, port: int | None) -> bool:
        name = host.lower().rstrip(".")
        return name in self._allowed or f"{name}:{port}" in self._allowed

    def _session(self, target: URL) -> aiohttp.ClientSession:
        allowed = self._open(target.host or "", target.port)
        session = self._sessions.get(allowed)
        if session is None or session.closed:
            session = self._sessions[allowed] = self._connect(allowed)
        return session

    def _connect(self, allowed: bool) -> aiohttp.ClientSession:
        if self._resolver is None:
            self._resolver = ThreadResolver()
        resolver: AbstractResolver = self._resolver
        connector = _Connector(
            # The gates bound each host; a bound over all would let one host starve the others.
            limit=0,
            resolver=resolver if allowed else PublicResolver(resolver),
            socket_factory=None if allowed else public_socket,
            ssl=self._tls if self._tls is not None else True,
            keepalive_timeout=KEEP_ALIVE,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=NO_TIMEOUT,
            trust_env=False,
            headers={hdrs.USER_AGENT: self._agent, hdrs.ACCEPT_ENCODING: "identity"},
        )

    async def _call(
        self,
        method: Method,
        target: URL,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
        json: Mapping[str, Any] | None,
    ) -> Reply:
        told = dict(headers or {})
        data: bytes | None = None
        if form is not None:
            told[hdrs.CONTENT_TYPE] = "application/x-www-form-urlencoded"
            data = forms.form(form)
        async with self._session(target).request(
            method,
            target,
            headers=told,
            data=data,
            json=json,
            allow_redirects=False,
        ) as answer:
            body, content = bytearray(), answer.content
            while not content.at_eof():
                body += await content.readany()
                if len(body) > self._limits.size:
                    detail = f"{target.host} sent more than {self._limits.size} bytes"
                    raise Fault(FaultCode.PROVIDER_REPLY_INVALID, detail, sent=True)
            return Reply(
                answer.status,
                answer.content_type,
                bytes(body),
                retry_after(answer.headers.get(hdrs.RETRY_AFTER, ""), self._clock()),
            )


def _refused(target: URL) -> Fault:
    detail = f"{target.host} is no public address"
    return Fault(FaultCode.PROVIDER_MISCONFIGURED, detail, sent=False)


def _unavailable(target: URL, wrong: Exception, trip: _Trip) -> Fault:
    detail = f"{target.host}: {type(wrong).__name__}"
    return Fault(FaultCode.PROVIDER_UNAVAILABLE, detail, sent=trip.sent)
