"""The rivals on Node, whose packages `package-lock.json` names."""

import json
from typing import ClassVar
from urllib.parse import urlencode

from benchmarks.http_client import Connection, request
from benchmarks.load import Once, WrongAnswer, check
from benchmarks.rivals import ready
from benchmarks.rivals.rival import SERVER_KEY, Begun, OnPostgres, cookies, keyed_links, target


class OnNode(OnPostgres):
    """A server on Node."""

    def command(self, *, counted: bool) -> list[str]:  # noqa: ARG002 - PostgreSQL counts
        """See Rival."""
        place = self.place
        return [ready.node(), str(self.file), str(place.port), place.database_url, place.provider_url, SERVER_KEY]


class BetterAuth(OnNode):
    """Better Auth, under Node's own server."""

    name: ClassVar[str] = "Better Auth"
    script = "better_auth_server.mjs"

    async def start(self, connection: Connection) -> Begun:
        """`POST sign-in/social`, which names the provider's page."""
        headers = {"content-type": "application/json", "origin": f"http://{self.host}"}
        body = json.dumps({"provider": "benchmark", "callbackURL": "/done"}).encode()
        answer = await connection.send(request("POST", "/api/auth/sign-in/social", self.host, headers, body))
        return Begun(check(answer, 200, b'"url"').header("location"), cookies(answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which sets the session's cookie and sends the browser on."""
        answer = await connection.send(request("GET", target(trip.location), self.host, {"cookie": trip.kept}))
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
        return keyed_links(self.host, owners, {"providerId": "benchmark"})

    def _session(self, credential: str) -> bytes:
        return request("GET", "/api/auth/get-session", self.host, {"cookie": credential})


class AuthJs(OnNode):
    """Auth.js. A credential is the session's cookie."""

    name: ClassVar[str] = "Auth.js"
    script = "authjs_server.mjs"

    async def start(self, connection: Connection) -> Begun:
        """`GET csrf`, without which nobody may begin, then `POST signin`, which leads to the provider's page."""
        first = await connection.send(request("GET", "/auth/csrf", self.host))
        token = json.loads(check(first, 200, b'"csrfToken"').whole)["csrfToken"]
        headers = {"content-type": "application/x-www-form-urlencoded", "cookie": cookies(first)}
        body = urlencode({"csrfToken": token, "callbackUrl": "/done"}).encode()
        answer = await connection.send(request("POST", "/auth/signin/benchmark", self.host, headers, body))
        return Begun(check(answer, 302, b"").header("location"), cookies(first, answer))

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`GET callback`, which sets the session's cookie and sends the browser on."""
        answer = await connection.send(request("GET", target(trip.location), self.host, {"cookie": trip.kept}))
        if not check(answer, 302, b"").header("location").endswith("/done"):
            raise WrongAnswer(f"the callback led to {answer.header('location')}")
        return next(each for each in cookies(answer).split("; ") if each.startswith("authjs.session-token="))

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET session` by the cookie."""
        check(await connection.send(self._session(credential)), 200, b'"email"')

    async def linking(self, connection: Connection, credentials: list[str]) -> Once | None:
        """`POST /links`, a route of the benchmark's own: the library has none, only the insert on the server."""
        owners = []
        for credential in credentials:
            answer = check(await connection.send(self._session(credential)), 200, b'"email"')
            owners.append(json.loads(answer.whole)["user"]["id"])
        return keyed_links(self.host, owners, {"provider": "benchmark", "type": "oidc"})

    def _session(self, credential: str) -> bytes:
        return request("GET", "/auth/session", self.host, {"cookie": credential})
