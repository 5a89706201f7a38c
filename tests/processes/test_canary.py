"""Marked secrets of whole trips are looked for where they must not be: files, WAL, backup, logs, metrics, refusals."""

from __future__ import annotations

import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ENGINES
from tests.mail.catcher import Catcher, catching
from tests.postgres_server import Cluster
from tests.processes.fleet import KEYS, STYTCH_SECRET, Fleet, fleet, token_of, visited
from tests.stack.wire import Answer, Browser, query_of, send

METRICS = "0f9a3c1e5b7d2846a1c3e5f708192a3b4c5d6e7f"


@dataclass
class Marked:
    """Secrets by what they are, and the bodies of refusals that were given while they were about."""

    secrets: dict[str, str] = field(default_factory=dict)
    refusals: list[Answer] = field(default_factory=list)

    def mark(self, **named: str) -> None:
        """Remember secrets; the same name may come again with another value."""
        for name, value in named.items():
            assert len(value) > 11, (name, value)
            self.secrets[f"{name} {len(self.secrets)}"] = value

    def refuse(self, answer: Answer) -> None:
        """Keep the body of a call that was refused."""
        assert answer.status >= 400, answer.text
        self.refusals.append(answer)

    def found_in(self, where: bytes) -> list[str]:
        """Which secrets stand somewhere, as text or as the bytes that the text spells."""
        return [name for name, value in self.secrets.items() if any(form in where for form in _forms(value))]


def _forms(value: str) -> Iterator[bytes]:
    yield value.encode()
    yield value.encode().hex().encode()


@pytest.mark.parametrize("engine", ENGINES)
def test_no_secret_lies_anywhere_in_clear(
    engine: str, tmp_path: Path, postgres: Cluster, emulator: str, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue("migrated_sqlite_url" if engine == "sqlite" else "migrated_postgres_url")
    settings: dict[str, Any] = {"log_level": "debug", "access_log": "path", "metrics_token": METRICS}
    with catching() as catcher, fleet(tmp_path, url, emulator, 1, mail_port=catcher.port, **settings) as made:
        marked = Marked()
        marked.mark(stytch_secret=STYTCH_SECRET, **KEYS)
        marked.mark(client_secret="github-secret", master_key=made.master_keys.partition(":")[2])
        stytch_trip(made, marked)
        stack_trip(made, marked)
        mailed_codes(made, marked, catcher)
        marked.mark(metrics_token=METRICS)
        shown = send(made.stytch().base_url, "GET", "/metrics", {"authorization": f"Bearer {METRICS}"})
        assert b"oneself_refreshes_total" in shown.raw
        assert marked.found_in(shown.raw) == []
        # what is asked for under no route of ours stands in no label, whatever it is
        assert b"people.example" not in shown.raw
        assert len(marked.secrets) > 20
        places = list(files_of(engine, tmp_path, postgres, url))
        for place in places:
            content = place.read_bytes()
            assert marked.found_in(content) == [], place
            assert b64decode(made.master_keys.partition(":")[2]) not in content, place
        # what is no secret is found, so the looking works
        assert any(b"people.example" in place.read_bytes() for place in places)
        assert marked.found_in(made.logs().encode()) == []
        for answer in marked.refusals:
            assert marked.found_in(answer.raw + repr(answer.headers).encode()) == [], answer.text


def mailed_codes(made: Fleet, marked: Marked, catcher: Catcher) -> None:
    """A sign-in by mail, a letter that still waits, and a second factor."""
    stack, email, waiting = made.stack(), "mail@people.example", "later@people.example"
    body = {"email": email, "callback_url": "http://localhost:3000/"}
    marked.mark(nonce=stack.ok("POST", "/auth/otp/send-sign-in-code", body, access="client")["nonce"])
    code = catcher.last(email).code
    marked.mark(mailed_code=code)
    marked.refuse(stack.call("POST", "/auth/otp/sign-in", {"code": code[:-1] + "u"}, access="client"))
    ended = stack.ok("POST", "/auth/otp/sign-in", {"code": code}, access="client")
    marked.refuse(stack.call("POST", "/auth/otp/sign-in", {"code": code}, access="client"))
    marked.mark(access=ended["access_token"], refresh=ended["refresh_token"])
    secret = b64encode(b"second factor secret").decode()
    marked.mark(totp_secret=secret, totp_bytes="second factor secret")
    stack.ok("PATCH", f"/users/{ended['user_id']}", {"totp_secret_base64": secret})
    catcher.answers[waiting] = ["450 later"] * 9
    nonce = stack.ok("POST", "/auth/otp/send-sign-in-code", body | {"email": waiting}, access="client")["nonce"]
    marked.mark(waiting_nonce=nonce)


def stytch_trip(made: Fleet, marked: Marked) -> None:
    """A sign-in, an attach, and what is refused on the way."""
    stytch, browser = made.stytch(), Browser()
    started = stytch.start(browser, "github", made.newcomer())
    path = visited(started.location)
    marked.mark(provider_code=query_of(path)["code"], state=query_of(path)["state"])
    marked.mark(cookie=next(value for name, value in browser.cookies.items() if "oneself-trip-" in name))
    marked.refuse(stytch.callback(Browser(), path))
    landed = stytch.callback(browser, path)
    marked.mark(grant=token_of(landed))
    marked.refuse(stytch.authenticate(token_of(landed), code_verifier="v" * 60))
    again = Browser()
    started = stytch.start(again, "github", made.newcomer())
    grant = token_of(stytch.callback(again, visited(started.location)))
    ended = stytch.authenticate(grant).json
    marked.refuse(stytch.authenticate(grant))
    marked.mark(grant=grant, session_token=ended["session_token"], session_jwt=ended["session_jwt"])
    values = ended["provider_values"]
    marked.mark(access_token=values["access_token"], refresh_token=values["refresh_token"])
    asked = {"provider": "google", "session_token": ended["session_token"]}
    ticket = stytch.ok("POST", "/oauth/attach", asked)["oauth_attach_token"]
    marked.mark(ticket=ticket)
    marked.refuse(stytch.start(Browser(), "spotify", "ada", oauth_attach_token=ticket))
    marked.refuse(stytch.call("POST", "/sessions/authenticate", {"session_token": ended["session_token"] + "x"}))
    marked.refuse(stytch.call("POST", "/sessions/authenticate", {"session_jwt": ended["session_jwt"][:-9]}))


def stack_trip(made: Fleet, marked: Marked) -> None:
    """A sign-in, a refresh of a provider's token that fails and one that works, and what is refused on the way."""
    stack = made.stack()
    trip = stack.start("github")
    path = stack.visit(trip, made.newcomer())
    marked.mark(provider_code=query_of(path)["code"], state=query_of(path)["state"])
    landed = stack.land(trip, path)
    marked.mark(code=query_of(landed.location)["code"], verifier=trip.verifier)
    marked.refuse(stack.redeem(trip, landed, code_verifier="w" * 50))
    tokens = stack.redeem(trip, landed).json
    marked.refuse(stack.redeem(trip, landed))
    marked.mark(access=tokens["access_token"], refresh=tokens["refresh_token"])
    given = stack.ok(
        "POST",
        "/connected-accounts/me/github/access-token",
        {},
        access="client",
        token=tokens["access_token"],
    )
    marked.mark(provider_token=given["access_token"])
    # in redirect mode the user's own token travels in the address
    assert stack.start("github", type="link", token=tokens["access_token"]).authorize.status == 307
    marked.refuse(stack.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"] + "x"))
    marked.refuse(stack.call("GET", "/users/me", access="client", token=tokens["access_token"][:-7]))
    broken = {"content-type": "application/json"} | stack.headers("server")
    body = f'{{"user_id": "{tokens["refresh_token"]}'.encode()
    marked.refuse(send(stack.base_url, "POST", "/api/v1/auth/sessions", broken, body))


def files_of(engine: str, folder: Path, postgres: Cluster, url: str) -> Iterator[Path]:
    """The database's files as they lie on the disk, its WAL, and a copy that was made while it serves."""
    if engine == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        copy = folder / "backup.sqlite3"
        with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        yield from (place for place in file.parent.glob(f"{file.name}*") if place.is_file())
        yield copy
        return
    name = url.rpartition("/")[2]
    postgres.sql("CHECKPOINT")
    oid = postgres.sql(f"SELECT oid FROM pg_database WHERE datname = '{name}'")
    data = postgres.folder / "data"
    yield from (place for place in (data / "base" / oid).iterdir() if place.is_file())
    newest = sorted((data / "pg_wal").glob("0*"), key=lambda place: place.stat().st_mtime)
    yield from newest[-4:]
