"""The rivals in Python, whose servers run in the environment of `requirements.lock`."""

import json
from typing import ClassVar

from benchmarks.http_client import Connection, request
from benchmarks.load import WrongAnswer, check
from benchmarks.rivals import ready
from benchmarks.rivals.rival import Begun, OnPostgres, cookies, target


class InPython(OnPostgres):
    """A server in Python."""

    def command(self, *, counted: bool) -> list[str]:  # noqa: ARG002 - PostgreSQL counts
        """See Rival."""
        place = self.place
        return [str(ready.PYTHON), str(self.file), str(place.port), place.database_url, place.provider_url]


class FastApiUsers(InPython):
    """fastapi-users, under uvicorn."""

    name: ClassVar[str] = "fastapi-users"
    script = "fastapi_users_server.py"

    async def start(self, connection: Connection) -> Begun:
        """`GET authorize`, which names the provider's page."""
        answer = await connection.send(request("GET", "/auth/provider/authorize", self.host))
        said = json.loads(check(answer, 200, b'"authorization_url"').body)
        return Begun(said["authorization_url"], cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which answers with a token of the session."""
        answer = await connection.send(request("GET", target(trip.location), self.host, {"cookie": trip.kept}))
        return str(json.loads(check(answer, 200, b'"access_token"').body)["access_token"])

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET /users/me` by the token."""
        asked = request("GET", "/users/me", self.host, {"authorization": f"Bearer {credential}"})
        check(await connection.send(asked), 200, b'"email"')


class DjangoAllauth(InPython):
    """django-allauth. A credential is the session's cookie."""

    name: ClassVar[str] = "django-allauth"
    script = "django_allauth_server.py"

    async def start(self, connection: Connection) -> Begun:
        """`GET login`, which leads to the provider's page."""
        answer = await connection.send(request("GET", "/accounts/google/login/", self.host))
        return Begun(check(answer, 302, b"").header("location"), cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which sets the session's cookie and sends the browser on."""
        answer = await connection.send(request("GET", target(trip.location), self.host, {"cookie": trip.kept}))
        if check(answer, 302, b"").header("location") != "/done":
            raise WrongAnswer(f"the callback led to {answer.header('location')}")
        return next(each for each in cookies(answer).split("; ") if each.startswith("sessionid="))

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET /me`, a view of the benchmark's own that says who is signed in, by the cookie."""
        check(await connection.send(request("GET", "/me", self.host, {"cookie": credential})), 200, b'"email"')
