"""What the benchmark asks of another server: to be started, to sign somebody in, to check a session, to make a link."""

import itertools
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from benchmarks.http_client import Answer, Connection, request
from benchmarks.load import Once, WrongAnswer, check

SERVER_KEY = "a key of the benchmark's application"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rival listens, where its provider does, its address on PostgreSQL (empty for SQLite), and its folder."""

    port: int
    provider_url: str
    database_url: str
    folder: Path

    @property
    def host(self) -> str:
        """What stands in the host header."""
        return f"localhost:{self.port}"

    @property
    def output(self) -> Path:
        """The file that holds what the server prints."""
        return self.folder / "output"


@dataclass(frozen=True, slots=True)
class Begun:
    """A trip that has begun: the provider's page, and what the browser keeps meanwhile (cookies, or a verifier)."""

    location: str
    kept: str = ""


class Rival(Protocol):
    """One server. A `credential` is what its client keeps of a session."""

    name: ClassVar[str]
    database: ClassVar[str]

    def __init__(self, place: Place) -> None: ...

    def command(self, *, counted: bool) -> list[str]:
        """How the server is started; `counted`, one with its database inside is to print its statements."""
        ...

    async def start(self, connection: Connection) -> Begun:
        """Begin to sign in with the provider."""
        ...

    async def land(self, connection: Connection, trip: Begun) -> str:
        """Come back with the provider's code; gives the credential of the new session."""
        ...

    async def check(self, connection: Connection, credential: str) -> None:
        """Check a session. Raises WrongAnswer."""
        ...

    async def linking(self, connection: Connection, credentials: list[str]) -> Once | None:
        """The request that makes a link, after what must be there for it is; None where it has no such request."""
        ...


class OnPostgres:
    """What the rivals share whose rows are in PostgreSQL, which counts their statements."""

    database: ClassVar[str] = "PostgreSQL"
    script: ClassVar[str]

    def __init__(self, place: Place) -> None:
        self.place = place
        self.host = place.host
        self.file = Path(__file__).with_name(self.script)

    async def linking(self, _connection: Connection, _credentials: list[str]) -> Once | None:
        """None, where links are made by browsers only."""
        return None


async def sign_in(rival: Rival, connection: Connection, at_provider: Connection, persona: str) -> str:
    """A whole trip of one person, the provider's page included; gives the credential of the session."""
    trip = await rival.start(connection)
    answer = await at_provider.send(
        request("GET", f"{target(trip.location)}&login_hint={persona}", urlsplit(trip.location).netloc)
    )
    back = check(answer, 302, b"").header("location")
    if "code=" not in back:
        raise WrongAnswer(f"the provider sent no code: {back}")
    return await rival.land(connection, replace(trip, location=back))


def target(url: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def cookies(*answers: Answer) -> str:
    """What a browser would send back of the cookies that these answers set, one after the other."""
    kept: dict[str, str] = {}
    for line in (line for answer in answers for line in answer.headers("set-cookie")):
        name, _, value = line.partition(";")[0].partition("=")
        kept[name] = value
    return "; ".join(f"{name}={value}" for name, value in kept.items() if value)


def keyed_links(host: str, owners: Sequence[str], said: Mapping[str, str]) -> Once:
    """`POST /links` of `links.mjs`: one account more for each owner in turn; `said` is what every account says."""
    owner, numbers, run = itertools.cycle(owners), itertools.count(), secrets.token_hex(4)
    headers = {"content-type": "application/json", "x-server-key": SERVER_KEY}

    async def once(connection: Connection) -> None:
        name = f"made-{run}-{next(numbers)}"
        account = {"userId": next(owner), "accountId": name, "providerAccountId": name, **said}
        asked = request("POST", "/links", host, headers, json.dumps(account).encode())
        check(await connection.send(asked), 201, name.encode())

    return once
