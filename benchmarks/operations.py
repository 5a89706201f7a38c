"""The operations that are measured, each as one caller's request with a look at its answer."""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from benchmarks.http_client import Connection, request
from benchmarks.load import Once, Spent, check
from benchmarks.people import PROVIDER, Person
from benchmarks.site import Site
from benchmarks.trips import StackTrips, StytchTrips, Trip, basic

WHOLE = "whole sign-in, known account"
Needs = Literal["", "jwts", "access_tokens", "connected", "authorized", "landed", "landed_new"]


@dataclass(slots=True)
class Stock:
    """What operations take in turn, or use up: `regulars` come again and again, each of the others comes once.

    The trips move from list to list as they go on.
    """

    regulars: list[Person]
    others: Iterator[Person]
    newcomers: Iterator[str]
    jwts: list[tuple[str, str]] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    authorized: deque[Trip] = field(default_factory=deque)
    landed: deque[Trip] = field(default_factory=deque)
    landed_new: deque[Trip] = field(default_factory=deque)
    turn: Iterator[int] = field(default_factory=itertools.count)

    def person(self) -> Person:
        """The next of the regulars; those in the second half are left to whoever makes links."""
        return self.regulars[next(self.turn) % (len(self.regulars) // 2)]

    def owner(self) -> Person:
        """The next of those who are given links."""
        half = len(self.regulars) // 2
        return self.regulars[half + next(self.turn) % half]


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the report. `reference` names the statements that its database is asked for alone."""

    name: str
    dialect: str
    once: Once
    reference: str = ""
    write: bool = False
    peer: str = ""
    # what the stock must hold for it
    needs: Needs = ""


def operations(site: Site, stock: Stock) -> list[Operation]:
    """Every operation, in an order in which the earlier ones make what the later ones use."""
    stytch, stack = StytchTrips(site), StackTrips(site)
    sessions = StytchSessions(site, stock)
    accounts = StackAccounts(site, stock)
    return [
        Operation("session check, token", "Stytch", sessions.by_token, "session_by_token", peer="session check"),
        Operation("session check, JWT", "Stytch", sessions.by_jwt, "session_by_id", peer="session check", needs="jwts"),
        Operation("session check, first in a minute", "Stytch", sessions.first, "session_by_token"),
        Operation("refresh a session", "Stack", accounts.refresh, "session_by_token"),
        Operation("read oneself, JWT", "Stack", accounts.me, "read_user", peer="session check", needs="access_tokens"),
        Operation("list links", "Stack", accounts.list_links, "list_accounts"),
        Operation(
            "read a provider token, fresh", "Stack", accounts.provider_token, "provider_token", needs="connected"
        ),
        Operation("create a link", "Stack", accounts.create, "create_account", write=True, peer="create a link"),
        Operation("attach", "Stytch", sessions.attach, "attach", write=True),
        Operation("start", "Stytch", _start(stytch, stock), "start", write=True),
        Operation("callback", "Stytch", _callback(stytch, stock), "callback", write=True, needs="authorized"),
        Operation(
            "redeem, known account", "Stytch", _redeem(stytch, stock), "redeem_known", write=True, needs="landed"
        ),
        Operation(
            "redeem, new user", "Stytch", _redeem_new(stytch, stock), "redeem_new", write=True, needs="landed_new"
        ),
        Operation(WHOLE, "Stytch", _whole(stytch, stock), write=True, peer="whole sign-in"),
        Operation(WHOLE, "Stack", _whole(stack, stock), write=True, peer="whole sign-in"),
    ]


class StytchSessions:
    """The backend's requests about sessions in Stytch's dialect."""

    def __init__(self, site: Site, stock: Stock) -> None:
        self._stock = stock
        self._headers = {"authorization": basic(site), "content-type": "application/json"}
        self._host = site.host

    def _post(self, target: str, body: object) -> bytes:
        return request("POST", target, self._host, self._headers, msgspec.json.encode(body))

    async def by_token(self, connection: Connection) -> None:
        """`sessions/authenticate` by token, of somebody whose session was checked a moment ago."""
        await self._check(connection, self._stock.person())

    async def first(self, connection: Connection) -> None:
        """The same of somebody who was not seen for a minute, so that a JWT is signed anew. Raises Spent."""
        await self._check(connection, _next(self._stock.others))

    async def _check(self, connection: Connection, person: Person) -> None:
        asked = self._post("/v1/sessions/authenticate", {"session_token": person.stytch_token})
        check(await connection.send(asked), 200, person.user_id.encode())

    async def keep_jwt(self, connection: Connection) -> None:
        """A check by token whose JWT is kept for the checks by JWT."""
        person = self._stock.person()
        asked = self._post("/v1/sessions/authenticate", {"session_token": person.stytch_token})
        answer = check(await connection.send(asked), 200, person.user_id.encode())
        self._stock.jwts.append((person.user_id, msgspec.json.decode(answer.body)["session_jwt"]))

    async def by_jwt(self, connection: Connection) -> None:
        """`sessions/authenticate` by JWT."""
        user_id, jwt = self._stock.jwts[next(self._stock.turn) % len(self._stock.jwts)]
        asked = self._post("/v1/sessions/authenticate", {"session_jwt": jwt})
        check(await connection.send(asked), 200, user_id.encode())

    async def attach(self, connection: Connection) -> None:
        """`oauth/attach` for a user whom the backend names."""
        user_id = f"user-test-{self._stock.person().user_id}"
        asked = self._post("/v1/oauth/attach", {"provider": PROVIDER, "user_id": user_id})
        check(await connection.send(asked), 200, b'"oauth_attach_token":"')


class StackAccounts:
    """Requests about users and their links in Stack Auth's dialect."""

    def __init__(self, site: Site, stock: Stock) -> None:
        self._stock = stock
        self._host = site.host
        self._keys = site.keys
        self._numbers = itertools.count()

    def _ask(self, method: str, path: str, access: str, more: dict[str, str], body: bytes = b"") -> bytes:
        key = {
            "client": ("x-stack-publishable-client-key", self._keys.client_key),
            "server": ("x-stack-secret-server-key", self._keys.server_key),
        }[access]
        headers = dict((("x-stack-access-type", access), ("x-stack-project-id", self._keys.stack_id), key)) | more
        if body:
            headers["content-type"] = "application/json"
        return request(method, f"/api/v1{path}", self._host, headers, body)

    async def refresh(self, connection: Connection) -> None:
        """A fresh access token for a refresh token."""
        await self._refreshed(connection)

    async def keep_access_token(self, connection: Connection) -> None:
        """A refresh whose access token is kept for the reads."""
        self._stock.access_tokens.append(await self._refreshed(connection))

    async def _refreshed(self, connection: Connection) -> str:
        more = {"x-stack-refresh-token": self._stock.person().stack_token}
        asked = self._ask("POST", "/auth/sessions/current/refresh", "client", more)
        answer = check(await connection.send(asked), 200, b'"access_token":"')
        return answer.body.split(b'"', 4)[3].decode()

    async def me(self, connection: Connection) -> None:
        """`GET /users/me` as a client with an access token."""
        tokens = self._stock.access_tokens
        more = {"x-stack-access-token": tokens[next(self._stock.turn) % len(tokens)]}
        check(await connection.send(self._ask("GET", "/users/me", "client", more)), 200, b'"primary_email":"')

    async def list_links(self, connection: Connection) -> None:
        """`GET /oauth-providers` of one user, as the application's server."""
        asked = self._ask("GET", f"/oauth-providers?user_id={self._stock.person().user_id}", "server", {})
        check(await connection.send(asked), 200, b'"provider_config_id":"')

    async def provider_token(self, connection: Connection) -> None:
        """A provider's access token of a user, as the application's server; the vault's is fresh."""
        user_id = self._stock.connected[next(self._stock.turn) % len(self._stock.connected)]
        path = f"/connected-accounts/{user_id}/{PROVIDER}/access-token"
        check(await connection.send(self._ask("POST", path, "server", {}, b"{}")), 201, b'"access_token":"')

    async def create(self, connection: Connection) -> None:
        """`POST /oauth-providers`: a connected account that nobody has yet."""
        body = {
            "user_id": self._stock.owner().user_id,
            "provider_config_id": PROVIDER,
            "account_id": f"made-{next(self._numbers)}",
            "email": "somebody@example.com",
            "allow_sign_in": False,
            "allow_connected_accounts": True,
        }
        asked = self._ask("POST", "/oauth-providers", "server", {}, msgspec.json.encode(body))
        check(await connection.send(asked), 201, b'"account_id":"made-')


def _start(trips: StytchTrips, stock: Stock) -> Once:
    async def once(connection: Connection) -> None:
        await trips.start(connection, stock.person().persona.id)

    return once


def _callback(trips: StytchTrips, stock: Stock) -> Once:
    async def once(connection: Connection) -> None:
        trip = _taken(stock.authorized)
        stock.landed.append(await trips.land(connection, trip))

    return once


def _redeem(trips: StytchTrips, stock: Stock) -> Once:
    async def once(connection: Connection) -> None:
        await trips.redeem(connection, _taken(stock.landed))

    return once


def _redeem_new(trips: StytchTrips, stock: Stock) -> Once:
    async def once(connection: Connection) -> None:
        await trips.redeem(connection, _taken(stock.landed_new))

    return once


def _whole(trips: StytchTrips | StackTrips, stock: Stock) -> Once:
    """One browser and one backend after the other; the stop at the provider's page is part of the time."""
    idle: list[Connection] = []

    async def once(connection: Connection) -> None:
        at_provider = idle.pop() if idle else await trips.to_provider()
        trip = await trips.start(connection, stock.person().persona.id)
        trip = await trips.authorize(at_provider, trip)
        idle.append(at_provider)
        await trips.redeem(connection, await trips.land(connection, trip))

    return once


def _taken(stock: deque[Trip]) -> Trip:
    if not stock:
        raise Spent
    return stock.popleft()


def _next(names: Iterator[Person]) -> Person:
    person = next(names, None)
    if person is None:
        raise Spent
    return person
