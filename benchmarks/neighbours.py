"""Sign-ins at one provider while another takes every request and never answers: what its people notice of that."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.http_client import Connection, connect, request
from benchmarks.load import Sample, WrongAnswer
from benchmarks.site import RETURN_URL, SILENT_PROVIDER, Site

NAME = "whole sign-in while another provider hangs"
STUCK = 64
"""Browsers that wait for the silent provider all the time; 32 of them are at it, the others in line."""
ALLOWED_TIMES = 1.10
"""What is promised: the 99th percentile beside a hanging provider, as a part of the one without."""
_COOKIE = re.compile(r"^([^=;]+=[^;]+)")


@dataclass(slots=True)
class Neighbours:
    """The samples of each round: with nobody stuck, and beside those who are; how many were refused meanwhile."""

    quiet: list[Sample] = field(default_factory=list)
    beside: list[Sample] = field(default_factory=list)
    refused: int = 0

    @property
    def times(self) -> float:
        """The median of the rounds' ratios of the 99th percentiles."""
        pairs = zip(self.beside, self.quiet, strict=True)
        return median(one.quantile(0.99) / other.quantile(0.99) for one, other in pairs)

    def p99(self, samples: list[Sample]) -> float:
        """The median of the rounds' 99th percentiles, in seconds."""
        return median(sample.quantile(0.99) for sample in samples)


async def compared(site: Site, rounds: int, sample: Callable[[], Awaitable[Sample]]) -> Neighbours:
    """Take samples in turn, with and without people who are stuck. Raises WrongAnswer where nobody was.

    Which comes first changes with each round, so that neither is always the one on a server that is still warming up.
    """
    found = Neighbours()
    await sample()
    for number in range(rounds):
        if number % 2 == 0:
            found.quiet.append(await sample())
        async with _stuck(site, found) as held:
            found.beside.append(await sample())
            if not held.waiting:
                raise WrongAnswer("the silent provider was not asked")
        if number % 2 == 1:
            found.quiet.append(await sample())
    return found


@dataclass(slots=True)
class _Silence:
    """A server that reads and never answers, and who waits for it now."""

    waiting: set[asyncio.StreamWriter] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.waiting.add(writer)
        self.asked.set()
        try:
            while await reader.read(65_536):
                pass
        finally:
            self.waiting.discard(writer)
            writer.close()


@contextlib.asynccontextmanager
async def _stuck(site: Site, found: Neighbours) -> AsyncIterator[_Silence]:
    silence = _Silence()
    server = await asyncio.start_server(silence, "127.0.0.1", site.silent_port)
    people = [asyncio.create_task(_come_again(site, found)) for _ in range(STUCK)]
    try:
        async with asyncio.timeout(30):
            await silence.asked.wait()
        yield silence
    finally:
        for one in people:
            one.cancel()
        await asyncio.gather(*people, return_exceptions=True)
        server.close()
        for writer in list(silence.waiting):
            writer.close()  # so that nobody waits on into the next sample


async def _come_again(site: Site, found: Neighbours) -> None:
    """One browser after the other that comes back from the silent provider, and is told that it does not answer."""
    while True:
        connection = await connect(site.address)
        try:
            await _one(site, connection)
            found.refused += 1
        finally:
            connection.close()


async def _one(site: Site, connection: Connection) -> None:
    query = urlencode({"public_token": site.keys.public_token, "login_redirect_url": RETURN_URL})
    begun = await connection.send(request("GET", f"/v1/public/oauth/{SILENT_PROVIDER}/start?{query}", site.host))
    cookie = _COOKIE.match(begun.header("set-cookie"))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.header("location")).query).items()}
    if begun.status != 302 or cookie is None:
        raise WrongAnswer(f"the trip to the silent provider did not start: {begun.status}")
    back = f"{urlsplit(asked['redirect_uri']).path}?{urlencode({'state': asked['state'], 'code': 'a-code'})}"
    answer = await connection.send(request("GET", back, site.host, {"cookie": cookie[1]}))
    if answer.status != 503:
        raise WrongAnswer(f"a provider that says nothing was taken for {answer.status}")
