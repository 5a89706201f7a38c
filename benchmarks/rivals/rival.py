"""What the benchmark asks of another server: to be started, to sign somebody in, to check a session, to make a link."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from benchmarks.counting import Log
from benchmarks.http_client import Answer, Connection, request
from benchmarks.load import Once, WrongAnswer, check


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rival listens, where its provider does, its database's address on PostgreSQL, and a folder of its own."""

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
        """How the server is started; where it is `counted`, `log` must be able to tell its statements."""
        ...

    def log(self, postgres: Log) -> Log:
        """Where its statements are read: in PostgreSQL's log, or in one of its own."""
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


def cookies(answer: Answer) -> str:
    """What a browser would send back of the cookies that an answer sets."""
    pairs = (line.partition(";")[0] for line in answer.headers("set-cookie"))
    return "; ".join(pair for pair in pairs if not pair.endswith("="))
