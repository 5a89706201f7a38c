"""The rivals that keep their rows in PostgreSQL, and the list of all."""

import itertools
import json
import secrets
from typing import ClassVar

from benchmarks.counting import Log
from benchmarks.http_client import Connection, request
from benchmarks.load import Once, WrongAnswer, check
from benchmarks.rivals import ready
from benchmarks.rivals.pocketbase import PocketBase
from benchmarks.rivals.rival import Begun, Place, Rival, cookies, target

SERVER_KEY = "a key of the benchmark's application"


class FastApiUsers:
    """fastapi-users, under uvicorn."""

    name: ClassVar[str] = "fastapi-users"
    database: ClassVar[str] = "PostgreSQL"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._host = place.host

    def command(self, *, counted: bool) -> list[str]:  # noqa: ARG002 - PostgreSQL counts
        """See Rival."""
        place, script = self._place, ready.FOLDER / "fastapi_users_server.py"
        return [str(ready.PYTHON), str(script), str(place.port), place.database_url, place.provider_url]

    def log(self, postgres: Log) -> Log:
        """See Rival."""
        return postgres

    async def start(self, connection: Connection) -> Begun:
        """`GET authorize`, which names the provider's page."""
        answer = await connection.send(request("GET", "/auth/provider/authorize", self._host))
        said = json.loads(check(answer, 200, b'"authorization_url"').body)
        return Begun(said["authorization_url"], cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which answers with a token of the session."""
        answer = await connection.send(request("GET", target(trip.location), self._host, {"cookie": trip.kept}))
        return str(json.loads(check(answer, 200, b'"access_token"').body)["access_token"])

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET /users/me` by the token."""
        asked = request("GET", "/users/me", self._host, {"authorization": f"Bearer {credential}"})
        check(await connection.send(asked), 200, b'"email"')

    async def linking(self, connection: Connection, credentials: list[str]) -> Once | None:  # noqa: ARG002
        """None: its links are made by browsers only."""
        return None


class BetterAuth:
    """Better Auth, under Node's own server."""

    name: ClassVar[str] = "Better Auth"
    database: ClassVar[str] = "PostgreSQL"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._host = place.host

    def command(self, *, counted: bool) -> list[str]:  # noqa: ARG002 - PostgreSQL counts
        """See Rival."""
        place, script = self._place, ready.FOLDER / "better_auth_server.mjs"
        return [ready.node(), str(script), str(place.port), place.database_url, place.provider_url, SERVER_KEY]

    def log(self, postgres: Log) -> Log:
        """See Rival."""
        return postgres

    async def start(self, connection: Connection) -> Begun:
        """`POST sign-in/social`, which names the provider's page."""
        headers = {"content-type": "application/json", "origin": f"http://{self._host}"}
        body = json.dumps({"provider": "benchmark", "callbackURL": "/done"}).encode()
        answer = await connection.send(request("POST", "/api/auth/sign-in/social", self._host, headers, body))
        return Begun(check(answer, 200, b'"url"').header("location"), cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which sets the session's cookie and sends the browser on."""
        answer = await connection.send(request("GET", target(trip.location), self._host, {"cookie": trip.kept}))
        if check(answer, 302, b"").header("location") != "/done":
            raise WrongAnswer(f"the callback led to {answer.header('location')}")
        return cookies(answer)

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET get-session` by the cookie."""
        check(await connection.send(self._session(credential)), 200, b'"email"')

    async def linking(self, connection: Connection, credentials: list[str]) -> Once | None:
        """`POST /links`, a route of the benchmark's own: the library has none, only the insert on the server."""
        owners = []
        for credential in credentials:
            answer = check(await connection.send(self._session(credential)), 200, b'"userId"')
            owners.append(json.loads(answer.whole)["session"]["userId"])
        owner, numbers, run = itertools.cycle(owners), itertools.count(), secrets.token_hex(4)
        headers = {"content-type": "application/json", "x-server-key": SERVER_KEY}

        async def once(connection: Connection) -> None:
            said = {"userId": next(owner), "providerId": "benchmark", "accountId": f"made-{run}-{next(numbers)}"}
            asked = request("POST", "/links", self._host, headers, json.dumps(said).encode())
            check(await connection.send(asked), 201, b'"accountId":"made-')

        return once

    def _session(self, credential: str) -> bytes:
        return request("GET", "/api/auth/get-session", self._host, {"cookie": credential})


RIVALS: tuple[type[Rival], ...] = (PocketBase, FastApiUsers, BetterAuth)
