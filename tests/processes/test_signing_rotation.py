"""Signing keys rotate under people who check and refresh sessions all the while; nobody is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
import stytch

from oneself.app.database import microseconds
from oneself.rules.lifetimes import DAY
from oneself.store.opening import open_database
from tests.conftest import ENGINES
from tests.postgres_server import Cluster
from tests.processes.fleet import STACK_ID, STYTCH_ID, STYTCH_SECRET, Fleet, fleet
from tests.processes.test_sharing import STACK_JWKS, STYTCH_JWKS, kids
from tests.server_process import cli

# What clients keep the published keys for. A new key is published for three times as long before it signs.
JWKS_SECONDS = 5
# An unknown key id is refused for so long: the clients of this test never ask again before their time is over.
NO_SECOND_LOOK = 3_600


@pytest.fixture(params=ENGINES)
def several(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: Cluster, emulator: str
) -> Iterator[tuple[Fleet, str]]:
    """Three servers on PostgreSQL, one on SQLite, which bears no more; and the database's address."""
    name = postgres.create_database()
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'oneself.sqlite3'}" if sqlite else postgres.url(name)
    lifetimes: dict[str, Any] = {"lifetimes.jwks": JWKS_SECONDS}
    with fleet(tmp_path, url, emulator, 1 if sqlite else 3, **lifetimes) as made:
        yield made, url
    postgres.drop_database(name)


class Clients:
    """Applications that check tokens by themselves, with the published keys of each server in their memory."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.refusals: list[str] = []
        self.signed: dict[str, set[str]] = {"stytch": set(), "stack": set()}
        self.checks = 0
        self.over = threading.Event()
        self.vendors = [self._vendor(server.base_url) for server in fleet.servers]
        self.published = [self._keys(f"{server.base_url}{STACK_JWKS}") for server in fleet.servers]

    def _keys(self, url: str) -> jwt.PyJWKClient:
        return jwt.PyJWKClient(url, lifespan=JWKS_SECONDS, cooldown_duration=NO_SECOND_LOOK)

    def _vendor(self, base_url: str) -> stytch.Client:
        client = stytch.Client(STYTCH_ID, STYTCH_SECRET, environment=base_url)
        client.sessions.jwks_client = self._keys(f"{base_url}{STYTCH_JWKS}")
        return client

    def loop(self, work: Callable[[int], None]) -> None:
        """Work until the rotation is over, each round at another server; what is refused is noted."""
        number = 0
        while not self.over.is_set():
            try:
                work(number)
            except Exception as refused:
                self.refusals.append(f"{work.__name__}: {refused!r}")
            number += 1
            self.checks += 1

    def stytch_rounds(self, made: Any) -> Callable[[int], None]:
        """Refresh a JWT at one server, check it with the SDK's own check and at another server."""

        def stytch_round(number: int) -> None:
            count = len(self.vendors)
            ours = self.vendors[number % count].sessions.authenticate(session_token=made["session_token"])
            theirs = self.vendors[(number + 1) % count].sessions
            if theirs.authenticate_jwt_local(ours.session_jwt) is None:
                self.refusals.append("the SDK's own check gave nothing")
            theirs.authenticate(session_jwt=ours.session_jwt)
            # a JWT from before the rotation still names its session
            theirs.authenticate(session_jwt=made["session_jwt"])
            self.signed["stytch"].add(jwt.get_unverified_header(ours.session_jwt)["kid"])

        return stytch_round

    def stack_rounds(self, refresh_token: str) -> Callable[[int], None]:
        """Refresh an access token at one server, check it with the published keys of another, and use it there."""

        def stack_round(number: int) -> None:
            count = len(self.published)
            answer = self.fleet.stack(number % count).token(grant_type="refresh_token", refresh_token=refresh_token)
            token = answer.json["access_token"]
            other = (number + 1) % count
            key = self.published[other].get_signing_key_from_jwt(token)
            jwt.decode(token, key.key, algorithms=["ES256"], audience=STACK_ID)
            self.fleet.stack(other).ok("GET", "/users/me", access="client", token=token)
            self.signed["stack"].add(jwt.get_unverified_header(token)["kid"])

        return stack_round


async def aged(url: str) -> None:
    """Let half a year pass for the keys that sign."""
    db = await open_database(url, microseconds)
    await db.change(f"UPDATE signing_keys SET signs_at = signs_at - {200 * DAY}")
    await db.close()


def test_a_rotation_refuses_nobody(several: tuple[Fleet, str]) -> None:
    made, url = several
    clients = Clients(made)
    config = ("--config", str(made.config))
    person = made.stytch().sign_in("google", made.newcomer())
    other = made.stack().sign_in(made.newcomer())[0]
    server = made.servers[-1].base_url
    before = {"stytch": kids(server, STYTCH_JWKS), "stack": kids(server, STACK_JWKS)}
    assert [len(found) for found in before.values()] == [1, 1]

    with ThreadPoolExecutor(6) as pool:
        rounds = [clients.stytch_rounds(person), clients.stack_rounds(other.refresh_token)]
        loops = [pool.submit(clients.loop, each) for each in (*rounds, *rounds)]
        try:
            # the schedule of every server, and two operators at once
            asyncio.run(aged(url))
            asked = [pool.submit(cli, "keys", "rotate-signing", "--json", *config) for _ in range(2)]
            assert [each.result().returncode for each in asked] == [0, 0]
            until(clients, lambda: all(len(signed) == 2 for signed in clients.signed.values()))
        finally:
            clients.over.set()
        for each in loops:
            each.result()

    assert clients.refusals == []
    assert clients.checks > 20
    for use, path in (("stytch", STYTCH_JWKS), ("stack", STACK_JWKS)):
        after = kids(server, path)
        # one rotation was made of all who began one, and the old key is published still
        assert (len(after), after[1:]) == (2, before[use])
        assert clients.signed[use] == set(after)


def until(clients: Clients, condition: Callable[[], bool]) -> None:
    """Wait for a condition that the clients' work brings about; a refusal ends the waiting."""
    for _ in range(600):
        if condition() or clients.refusals:
            return
        clients.over.wait(0.2)
    raise AssertionError(f"the new keys never signed: {clients.signed}")
