"""A client of Stack's wire that shows everything: statuses, all headers, bodies; and a browser of a few lines."""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.mail.catcher import Catcher, Caught

LETTER_SECONDS = 60
RETURN_URL = "http://localhost:3000/handler/oauth-callback"
_numbers = itertools.count(1)


def fresh_email() -> str:
    """An address that no other test uses."""
    return f"person-{next(_numbers)}-{secrets.token_hex(4)}@example.com"


@dataclass
class Answer:
    """One whole answer; header names in lower case, `set-cookie` as a list of its texts."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    raw: bytes

    @property
    def text(self) -> str:
        return self.raw.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        return str(self.json["code"])

    @property
    def location(self) -> str:
        return self.headers["location"]


def send(
    base_url: str,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """One request on a connection of its own; nothing is followed, kept or decoded."""
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        raw = response.read()
        pairs = [(name.lower(), value) for name, value in response.getheaders()]
    finally:
        connection.close()
    cookies = [value for name, value in pairs if name == "set-cookie"]
    return Answer(response.status, {n: v for n, v in pairs if n != "set-cookie"}, cookies, raw)


@dataclass
class Person:
    """Somebody signed in."""

    user_id: str
    access_token: str
    refresh_token: str
    email: str = ""


@dataclass
class Browser:
    """Cookies by name, as the server set and deleted them."""

    cookies: dict[str, str] = field(default_factory=dict)

    def header(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}

    def take(self, answer: Answer) -> Answer:
        for text in answer.cookies:
            pair, _, attributes = text.partition(";")
            name, _, value = pair.partition("=")
            if "1970" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer


@dataclass
class Trip:
    """A started trip: where the provider waits, whose browser it is, and the application's own secrets."""

    location: str
    browser: Browser
    verifier: str
    state: str
    redirect_uri: str
    authorize: Answer


KINDS = {
    "Sign in to": "sign_in",
    "Verify your email": "verify",
    "Reset your password": "reset",
    "A new way to sign in": "account_linked",
    "A new address": "address_added",
    "An address is gone": "address_removed",
    "Your password at": "password_changed",
    "Second factor switched on": "second_factor_on",
    "Second factor switched off": "second_factor_off",
    "Second factor replaced": "second_factor_changed",
}


def _letter(caught: Caught) -> dict[str, str]:
    """A caught mail, as the page of a development server would tell of it."""
    text = caught.text
    link = re.search(r"^https?://\S+$", text, re.MULTILINE)
    code = re.search(r"^[0-9A-Z]{6}$", text, re.MULTILINE)
    return {
        "id": str(caught.mail["Message-ID"]),
        "kind": next(kind for beginning, kind in KINDS.items() if caught.subject.startswith(beginning)),
        "subject": caught.subject,
        "to": caught.recipients[0],
        "text": text,
        "html": caught.html,
        "link": link[0] if link else "",
        "code": code[0] if code else "",
    }


@dataclass
class Stack:
    """One project of one server, spoken to as its application would."""

    base_url: str
    project_id: str
    client_key: str
    server_key: str
    admin_key: str
    prefix: str = "x-stack-"
    version: str = "v1"
    catcher: Catcher | None = None
    read: set[str] = field(default_factory=set)

    def headers(self, access: str, token: str = "") -> dict[str, str]:
        key = {
            "client": ("publishable-client-key", self.client_key),
            "server": ("secret-server-key", self.server_key),
            "admin": ("super-secret-admin-key", self.admin_key),
        }
        given = {"access-type": access, "project-id": self.project_id, "allow-anonymous-user": "true"}
        if access in key:
            name, value = key[access]
            given[name] = value
        if token:
            given["access-token"] = token
        return {self.prefix + name: value for name, value in given.items() if value}

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        access: str = "server",
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One API call with a JSON body; `access` empty sends no access type and no key."""
        sent = self.headers(access, token) if access else {}
        raw = None
        if body is not None:
            sent["content-type"] = "application/json"
            raw = json.dumps(body).encode()
        return send(self.base_url, method, f"/api/{self.version}{path}", sent | dict(headers or {}), raw)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a call that succeeds."""
        answer = self.call(method, path, body, **more)
        assert 200 <= answer.status < 300, (answer.status, answer.text)
        return answer.json

    # --- people -----------------------------------------------------------------------------------

    def person(self, **fields: Any) -> Person:
        """A new user with a session, made by the server."""
        email = fields.setdefault("primary_email", fresh_email())
        user = self.ok("POST", "/users", fields)
        tokens = self.ok("POST", "/auth/sessions", {"user_id": user["id"]})
        return Person(user["id"], tokens["access_token"], tokens["refresh_token"], email)

    # --- mail -------------------------------------------------------------------------------------

    def letters(self, to: str) -> list[dict[str, str]]:
        """What this server wrote to somebody, newest first: out of its catcher, or off a development server's page."""
        if self.catcher is not None:
            return [_letter(one) for one in reversed(self.catcher.caught) if to in one.recipients]
        answer = send(self.base_url, "GET", f"/mail.json?{urlencode({'to': to})}")
        assert answer.status == 200, answer.text
        found: list[dict[str, str]] = answer.json["letters"]
        return found

    def letter(self, to: str, kind: str = "") -> dict[str, str]:
        """The newest letter to somebody that was not read before; waits until one is there."""
        deadline = time.monotonic() + LETTER_SECONDS
        while True:
            fresh = [one for one in self.letters(to) if one["id"] not in self.read and kind in ("", one["kind"])]
            if fresh:
                self.read.update(one["id"] for one in fresh)
                return fresh[0]
            assert time.monotonic() < deadline, f"no letter ({kind}) came to {to}"
            time.sleep(0.05)

    # --- trips ------------------------------------------------------------------------------------

    def authorize_path(self, provider: str, **changes: str | None) -> tuple[str, str]:
        """The path of an authorize call, and the verifier of its challenge; None leaves a parameter out."""
        verifier = secrets.token_urlsafe(32)
        query: dict[str, str | None] = {
            "client_id": self.project_id,
            "client_secret": self.client_key,
            "redirect_uri": RETURN_URL,
            "scope": "legacy",
            "state": "the-apps-own-state",
            "grant_type": "authorization_code",
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
            "response_type": "code",
        }
        query |= changes
        pairs = {name: value for name, value in query.items() if value is not None}
        return f"/auth/oauth/authorize/{provider}?{urlencode(pairs)}", verifier

    def start(self, provider: str = "google", /, **changes: str | None) -> Trip:
        """Begin a trip; it must be let begin."""
        browser = Browser()
        path, verifier = self.authorize_path(provider, **changes)
        answer = browser.take(self.call("GET", path, access=""))
        assert answer.status in (200, 307), (answer.status, answer.text)
        location = answer.json["location"] if answer.status == 200 else answer.location
        state = changes.get("state") or "the-apps-own-state"
        return Trip(location, browser, verifier, state, changes.get("redirect_uri") or RETURN_URL, answer)

    def visit(self, trip: Trip, persona: str) -> str:
        """Go to the provider, be that persona, and give the path of our callback that the provider sends to."""
        parts = urlsplit(trip.location)
        query = urlencode([*parse_qsl(parts.query), ("login_hint", persona)])
        answer = send(f"{parts.scheme}://{parts.netloc}", "GET", f"{parts.path}?{query}")
        assert answer.status in (302, 303, 307), (answer.status, answer.text)
        back = urlsplit(answer.location)
        return f"{back.path}?{back.query}"

    def land(self, trip: Trip, path: str) -> Answer:
        """Bring the provider's answer to our callback."""
        return trip.browser.take(send(self.base_url, "GET", path, trip.browser.header()))

    def token(self, **body: Any) -> Answer:
        """The token endpoint, as the SDK calls it."""
        form = {"client_id": self.project_id, "client_secret": self.client_key, **body}
        raw = urlencode({name: value for name, value in form.items() if value is not None}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return send(self.base_url, "POST", f"/api/{self.version}/auth/oauth/token", headers, raw)

    def redeem(self, trip: Trip, landed: Answer, **changes: Any) -> Answer:
        """Redeem the code that a landing carries."""
        code = query_of(landed.location)["code"]
        body = {"grant_type": "authorization_code", "code": code, "redirect_uri": trip.redirect_uri}
        return self.token(**({**body, "code_verifier": trip.verifier} | changes))

    def sign_in(self, persona: str, provider: str = "google", /, **changes: str | None) -> tuple[Person, Any]:
        """A whole trip, to its end: who signed in, and the token endpoint's JSON."""
        trip = self.start(provider, **changes)
        landed = self.land(trip, self.visit(trip, persona))
        assert landed.status == 303, (landed.status, landed.text, landed.headers)
        answer = self.redeem(trip, landed)
        assert answer.status == 200, answer.text
        tokens = answer.json
        user_id = jwt_claims(tokens["access_token"])["sub"]
        return Person(user_id, tokens["access_token"], tokens["refresh_token"]), tokens


def s256(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def query_of(url: str) -> dict[str, str]:
    """The last value of each query parameter."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def jwt_part(token: str, index: int) -> dict[str, Any]:
    part = token.split(".")[index]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def jwt_claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    return jwt_part(token, 1)


@dataclass
class Providers:
    """The emulated providers' control: new people, ordered faults."""

    url: str

    def order(self, path: str, body: Any, method: str = "POST") -> Any:
        """One control request; it must be done."""
        parts = urlsplit(self.url)
        raw = json.dumps(body).encode()
        answer = send(
            f"{parts.scheme}://{parts.netloc}",
            method,
            f"{parts.path}/_control{path}",
            {"content-type": "application/json"},
            raw,
        )
        assert answer.status == 200, answer.text
        return answer.json

    def newcomer(self, **fields: Any) -> str:
        """Somebody whom nobody met before; gives the persona's name."""
        name = f"p{secrets.token_hex(6)}"
        persona = {"id": name, "name": "New Comer", "email": f"{name}@corp.example", "work_domain": "corp.example"}
        self.order("/personas", persona | fields)
        return name
