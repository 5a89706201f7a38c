"""The rivals: how each is started, how a browser signs in there, and how an application checks a session."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from benchmarks.http_client import Answer, Connection, request
from benchmarks.load import WrongAnswer, check
from benchmarks.rivals import ready


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rival listens, and where its provider does."""

    port: int
    provider_url: str

    @property
    def host(self) -> str:
        """What stands in the host header."""
        return f"localhost:{self.port}"


@dataclass(frozen=True, slots=True)
class Begun:
    """A trip that has begun: the provider's page, and the browser's cookies."""

    location: str
    cookies: str = ""


class Rival(Protocol):
    """What is asked of each; `credential` is what its client keeps of a session."""

    name: ClassVar[str]

    def __init__(self, place: Place) -> None: ...

    @staticmethod
    def command(place: Place, database_url: str) -> list[str]:
        """How the server is started."""
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


class FastApiUsers:
    """fastapi-users, under uvicorn."""

    name: ClassVar[str] = "fastapi-users"

    def __init__(self, place: Place) -> None:
        self._host = place.host

    @staticmethod
    def command(place: Place, database_url: str) -> list[str]:
        """See Rival."""
        script = ready.FOLDER / "fastapi_users_server.py"
        return [str(ready.PYTHON), str(script), str(place.port), database_url, place.provider_url]

    async def start(self, connection: Connection) -> Begun:
        """`GET authorize`, which names the provider's page."""
        answer = await connection.send(request("GET", "/auth/provider/authorize", self._host))
        said = json.loads(check(answer, 200, b'"authorization_url"').body)
        return Begun(said["authorization_url"], _cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which answers with a token of the session."""
        answer = await connection.send(request("GET", _target(trip.location), self._host, {"cookie": trip.cookies}))
        return str(json.loads(check(answer, 200, b'"access_token"').body)["access_token"])

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET /users/me` by the token."""
        asked = request("GET", "/users/me", self._host, {"authorization": f"Bearer {credential}"})
        check(await connection.send(asked), 200, b'"email"')


class BetterAuth:
    """Better Auth, under Node's own server."""

    name: ClassVar[str] = "Better Auth"

    def __init__(self, place: Place) -> None:
        self._host = place.host

    @staticmethod
    def command(place: Place, database_url: str) -> list[str]:
        """See Rival."""
        script = ready.FOLDER / "better_auth_server.mjs"
        return [ready.node(), str(script), str(place.port), database_url, place.provider_url]

    async def start(self, connection: Connection) -> Begun:
        """`POST sign-in/social`, which names the provider's page."""
        headers = {"content-type": "application/json", "origin": f"http://{self._host}"}
        body = json.dumps({"provider": "benchmark", "callbackURL": "/done"}).encode()
        answer = await connection.send(request("POST", "/api/auth/sign-in/social", self._host, headers, body))
        return Begun(check(answer, 200, b'"url"').header("location"), _cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which sets the session's cookie and sends the browser on."""
        answer = await connection.send(request("GET", _target(trip.location), self._host, {"cookie": trip.cookies}))
        if check(answer, 302, b"").header("location") != "/done":
            raise WrongAnswer(f"the callback led to {answer.header('location')}")
        return _cookies(answer)

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET get-session` by the cookie."""
        asked = request("GET", "/api/auth/get-session", self._host, {"cookie": credential})
        check(await connection.send(asked), 200, b'"email"')


RIVALS: tuple[type[Rival], ...] = (FastApiUsers, BetterAuth)


async def sign_in(rival: Rival, connection: Connection, at_provider: Connection, persona: str) -> str:
    """A whole trip of one person, the provider's page included; gives the credential of the session."""
    trip = await rival.start(connection)
    answer = await at_provider.send(
        request("GET", f"{_target(trip.location)}&login_hint={persona}", urlsplit(trip.location).netloc)
    )
    back = check(answer, 302, b"").header("location")
    if "code=" not in back:
        raise WrongAnswer(f"the provider sent no code: {back}")
    return await rival.land(connection, replace(trip, location=back))


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _cookies(answer: Answer) -> str:
    """What a browser would send back of the cookies that an answer sets."""
    pairs = (line.partition(";")[0] for line in answer.headers("set-cookie"))
    return "; ".join(pair for pair in pairs if not pair.endswith("="))
