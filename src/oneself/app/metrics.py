"""`/metrics`: what all workers of this server counted, added up by whichever is asked, for whoever has its token.

Workers leave their numbers for each other in a folder, one file each, about once a second. One that takes a dead one's
place goes on from its numbers, so that a counter never falls.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from oneself import __version__
from oneself.actions import revoking
from oneself.actions.runtime import Runtime
from oneself.app.gauges import Gauges
from oneself.asgi.connection import Receive, Scope, Send
from oneself.crypto import opaque
from oneself.faults import Fault
from oneself.later import Later
from oneself.model import Secret
from oneself.steps.numbers import Numbers

_LOG = logging.getLogger("oneself.metrics")
_PAGE = Later("oneself.app.exposition", "page")

PATH = "/metrics"
LEAVE_SECONDS = 1.0
# Whoever left nothing for longer is gone: what it counted stays, what it had under way does not.
GONE_SECONDS = 10.0
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Place:
    """One worker's place among several: the folder that they share, and which of its files is this one's."""

    folder: Path
    number: int

    @property
    def file(self) -> Path:
        """Where this one leaves its numbers."""
        return self.folder / f"{self.number}.numbers"


class _Left(msgspec.Struct):
    """What a worker left for the others, at `at` seconds since 1970."""

    at: float
    numbers: Numbers
    gauges: Gauges


class Metrics:
    """The endpoint of one worker; `place` is None where there is only one."""

    def __init__(self, rt: Runtime, token: Secret, place: Place | None) -> None:
        self._rt = rt
        self._token = token
        self._place = place
        self._failing = False
        if place is not None:
            before = _read(place.file)
            if before is not None:
                rt.numbers.add(before.numbers)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer a scrape; what has no token learns nothing but that it needs one."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        scheme, _, given = headers.get(b"authorization", "").partition(" ")
        if scope["path"] != PATH:
            await _answer(send, 404, b"Not Found", _TEXT)
        elif scheme.lower() != "bearer" or not opaque.equal(given.strip(), self._token.reveal()):
            await _answer(send, 401, b"Send the setting `metrics_token` as a bearer token.", _TEXT, refused=True)
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"Method Not Allowed", _TEXT)
        else:
            body, content_type = await self._page(headers.get(b"accept", ""))
            await _answer(send, 200, b"" if scope["method"] == "HEAD" else body, content_type)

    async def keep_leaving(self) -> None:
        """Leave the numbers for the others, again and again until cancelled."""
        while True:
            self.leave()
            await asyncio.sleep(LEAVE_SECONDS)

    def leave(self) -> None:
        """Leave the numbers for the others, if there are any; a disk that takes nothing is told once."""
        if self._place is None:
            return
        try:
            self._write(self._place)
        except OSError as wrong:
            if not self._failing:
                _LOG.warning("numbers cannot be left for the other workers: %s", wrong)
            self._failing = True
        else:
            self._failing = False

    def _write(self, place: Place) -> None:
        unfinished = place.file.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.msgpack.encode(self._own()))
        unfinished.replace(place.file)

    def _own(self) -> _Left:
        """This process's numbers now."""
        rt, load = self._rt, self._rt.db.load()
        numbers = Numbers(statements=load.statements, commits=load.commits)
        numbers.add(rt.numbers)
        calls, waiting = rt.outbound.standing
        gauges: Gauges = {
            ("oneself_workers", ""): 1,
            ("oneself_database_connections", "open"): load.connections,
            ("oneself_database_connections", "idle"): load.idle,
            ("oneself_database_connections", "most"): load.most,
            ("oneself_database_waiting", ""): load.waiting,
            ("oneself_refreshes_under_way", ""): len(rt.refreshes),
            ("oneself_provider_calls", "under_way"): calls,
            ("oneself_provider_calls", "waiting"): waiting,
            ("oneself_passwords_waiting", ""): rt.hashing.inside,
        }
        return _Left(time.time(), numbers, gauges)

    async def _page(self, accept: str) -> tuple[bytes, str]:
        own = self._own()
        numbers, gauges = own.numbers, own.gauges
        for left in self._others():
            numbers.add(left.numbers)
            if own.at - left.at < GONE_SECONDS:
                for key, value in left.gauges.items():
                    gauges[key] = gauges.get(key, 0) + value
        try:
            gauges["oneself_grants_to_hand_back", ""] = await revoking.waiting(self._rt)
        except Fault as fault:
            _LOG.info("the journal of grants cannot be counted: %s", fault)
        about = {"version": __version__, "database": self._rt.db.engine}
        written: tuple[bytes, str] = _PAGE.get()(numbers, gauges, about, accept)
        return written

    def _others(self) -> list[_Left]:
        place = self._place
        if place is None:
            return []
        files = (file for file in place.folder.glob("*.numbers") if file != place.file)
        return [left for left in map(_read, files) if left is not None]


def _read(file: Path) -> _Left | None:
    """What lies in a worker's file; nothing where there is none, or one of an older release."""
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=_Left)
    except (OSError, msgspec.DecodeError):
        return None


async def _answer(send: Send, status: int, body: bytes, content_type: str, *, refused: bool = False) -> None:
    headers = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    if refused:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
