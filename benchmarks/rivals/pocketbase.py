"""PocketBase: one Go program with SQLite inside, set up by `pocketbase_migrations/`."""

import contextlib
import itertools
import json
import re
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from benchmarks.http_client import Connection, request
from benchmarks.load import Once, Spent, check
from benchmarks.rivals import ready
from benchmarks.rivals.rival import Begun, Place

RETURN_URL = "http://localhost:3000/authenticate"
OWNERS = 10_000
# A user has one account of each provider here, and a provider must be one that the program knows.
PROVIDERS = ("google", "github", "gitlab", "apple", "facebook", "discord", "spotify", "twitch", "bitbucket", "oidc2")
USERS = "_pb_users_auth_"
_STATEMENT = re.compile(r"^\[\d+\.\d+ms\] (.*)$", re.MULTILINE)
_OWNER = (
    "INSERT INTO users (id, email, name, password, tokenKey, verified, created, updated)"
    " VALUES (?, ?, 'Owner', '', ?, true, '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z')"
)


@dataclass(frozen=True, slots=True)
class Printed:
    """The statements that the program prints in its mode for developers; it does not print BEGIN and COMMIT."""

    file: Path
    exact: bool = False

    def mark(self) -> int:
        """Where the output ends now."""
        return self.file.stat().st_size

    def since(self, mark: int) -> list[str]:
        """What was printed after a mark."""
        return _STATEMENT.findall(self.file.read_bytes()[mark:].decode("utf-8", "replace"))

    def is_own(self, plain: str) -> bool:  # noqa: ARG002 - nothing was seen that it does by itself
        """Whether the server does this by itself."""
        return False


class PocketBase:
    """PocketBase as it comes. A credential is the user's id, a blank, and the token."""

    name: ClassVar[str] = "PocketBase"
    database: ClassVar[str] = "SQLite"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._host = place.host

    def command(self, *, counted: bool) -> list[str]:
        """See Rival."""
        folder = self._place.folder
        folders = ["--dir", f"{folder}/data", "--hooksDir", f"{folder}/hooks", "--publicDir", f"{folder}/public"]
        settings = ["--migrationsDir", str(ready.FOLDER / "pocketbase_migrations"), "--automigrate=false"]
        serve = ["serve", "--http", f"127.0.0.1:{self._place.port}", *(["--dev"] if counted else [])]
        return [str(ready.ENVIRONMENT / "bin" / "pocketbase"), *serve, *folders, *settings]

    async def start(self, connection: Connection) -> Begun:
        """`GET auth-methods`, which names the provider's page and the verifier that the client keeps."""
        answer = await connection.send(request("GET", "/api/collections/users/auth-methods", self._host))
        said = json.loads(check(answer, 200, b'"codeVerifier"').whole)["oauth2"]["providers"][0]
        return Begun(said["authURL"] + quote(RETURN_URL, safe=""), said["codeVerifier"])

    async def land(self, connection: Connection, trip: Begun) -> str:
        """`POST auth-with-oauth2` with the code that the browser brought to the application."""
        (code,) = parse_qs(urlsplit(trip.location).query)["code"]
        body = {"provider": "oidc", "code": code, "codeVerifier": trip.kept, "redirectURL": RETURN_URL}
        answer = await connection.send(self._post("/api/collections/users/auth-with-oauth2", body))
        said = json.loads(check(answer, 200, b'"token"').whole)
        return f"{said['record']['id']} {said['token']}"

    async def check(self, connection: Connection, credential: str) -> None:
        """`GET` the user's own record, which only the user may read."""
        user_id, _, token = credential.partition(" ")
        asked = request("GET", f"/api/collections/users/records/{user_id}", self._host, {"authorization": token})
        check(await connection.send(asked), 200, b'"email":"')

    async def linking(self, connection: Connection, credentials: list[str]) -> Once | None:  # noqa: ARG002
        """`POST` a record of `_externalAuths` as a superuser; the owners are users who were written into the file."""
        body = {"identity": "superuser@example.com", "password": "a password of the benchmark"}
        answer = await connection.send(self._post("/api/collections/_superusers/auth-with-password", body))
        token = json.loads(check(answer, 200, b'"token"').whole)["token"]
        pairs = itertools.product(PROVIDERS, self._owners())

        async def once(connection: Connection) -> None:
            provider, owner = next(pairs, ("", ""))
            if not owner:
                raise Spent
            said = {"collectionRef": USERS, "recordRef": owner, "provider": provider, "providerId": f"made-{owner}"}
            asked = self._post("/api/collections/_externalAuths/records", said, {"authorization": token})
            check(await connection.send(asked), 200, b'"providerId":"made-')

        return once

    def _owners(self) -> list[str]:
        owners = [secrets.token_hex(8)[:15] for _ in range(OWNERS)]
        rows = [(owner, f"{owner}@example.com", secrets.token_hex(25)) for owner in owners]
        with contextlib.closing(sqlite3.connect(self._place.folder / "data" / "data.db")) as connection, connection:
            connection.executemany(_OWNER, rows)
        return owners

    def _post(self, path: str, body: object, more: dict[str, str] | None = None) -> bytes:
        headers = {"content-type": "application/json", **(more or {})}
        return request("POST", path, self._host, headers, json.dumps(body).encode())
