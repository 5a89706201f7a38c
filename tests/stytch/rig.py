"""A real server, the vendor's Python SDK, and a browser of a few lines, for trips over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import stytch
from stytch.core.response_base import StytchError

LOGIN_URL = "http://localhost:3000/authenticate"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


@dataclass(frozen=True)
class Answer:
    """One answer: status, headers in lower case, and the body as bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


class Browser:
    """Keeps cookies as a browser does, and follows no redirect by itself."""

    def __init__(self) -> None:
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(_NoRedirect(), urllib.request.HTTPCookieProcessor(self.jar))

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
        try:
            with self._opener.open(request, timeout=20) as reply:
                return Answer(reply.status, _lower(reply.headers), reply.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _lower(refused.headers), refused.read())

    def get(self, url: str, accept: str = "*/*") -> Answer:
        return self.send("GET", url, {"Accept": accept})

    def until(self, url: str, stop: str) -> str:
        """Follow redirects until one leads to an address that begins with `stop`."""
        for _ in range(10):
            if url.startswith(stop):
                return url
            reply = self.get(url)
            assert reply.status in (302, 303), (reply.status, url, reply.body)
            url = reply.location
        raise AssertionError("too many redirects")


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass(frozen=True)
class Person:
    """Somebody at the emulated providers: the id to pick them by, and their address."""

    id: str
    email: str


def refused(call: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[int, str | None]:
    """Status and type of the refusal that an SDK call meets."""
    with pytest.raises(StytchError) as caught:
        call(*arguments, **named)
    details = caught.value.details
    assert details.request_id.startswith("request-id-")
    assert details.error_message
    return details.status_code, details.error_type


@dataclass
class Rig:
    """One running server and its project's keys."""

    base_url: str
    project_id: str
    secret: str
    public_token: str
    emulator_url: str
    client: stytch.Client = field(init=False)
    _described: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.client = self.fresh_client()

    def fresh_client(self) -> stytch.Client:
        """Another client of the vendor's SDK with the same keys."""
        return stytch.Client(self.project_id, self.secret, environment=self.base_url)

    @classmethod
    def of(cls, announced: Mapping[str, Any]) -> Rig:
        keys = announced["project"]["stytch"]
        return cls(
            base_url=announced["base_url"],
            project_id=keys["project_id"],
            secret=keys["secret"],
            public_token=keys["public_token"],
            emulator_url=announced["emulator_url"],
        )

    def persona(self, **fields: Any) -> Person:
        """A new person at the emulated providers, with a verified address unless told otherwise."""
        name = f"p{secrets.token_hex(6)}"
        made = {"id": name, "name": f"Per {name}", "email": f"{name}@people.example", **fields}
        self.control("POST", "/personas", made)
        return Person(name, made["email"])

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Change the emulated world."""
        data = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"}
        reply = Browser().send(method, f"{self.emulator_url}/_control{path}", sent, data)
        assert reply.status == 200, reply.body
        return reply.json

    def sign_in(self, provider: str, person: Person, **more: Any) -> Any:
        """One whole sign-in; the SDK's answer, with a session of an hour."""
        wanted = {"session_duration_minutes": 60, **more}
        return self.client.oauth.authenticate(self.trip(provider, person.id), **wanted)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        user: str | None = None,
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """One raw request of a backend, or of whoever `user` and `password` say."""
        pair = f"{user or self.project_id}:{self.secret if password is None else password}"
        sent = {
            "Content-Type": "application/json",
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            **(headers or {}),
        }
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        reply = Browser().send(method, self.base_url + path, sent, data)
        if reply.status >= 400:
            self.check_described(method, path.partition("?")[0], reply.json)
        return reply

    def check_described(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Every refusal that anybody sees is one that the description names for that operation."""
        if body["error_type"] in ("route_not_found", "method_not_allowed", "invalid_b2b_endpoint"):
            return
        if not self._described:
            described = Browser().get(f"{self.base_url}/openapi/stytch.json").json
            self._described.update(described["paths"])
        for template, operations in self._described.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", template), path):
                said = operations[method.lower()]["responses"].get(str(body["status_code"]), {})
                assert body["error_type"] in said.get("description", ""), (method, path, body)
                return
        raise AssertionError(f"{method} {path} is not described")

    def sdk(self, method: str, path: str, body: object = None, session: str = "") -> Answer:
        """One raw request as the browser SDK sends it."""
        return self.call(
            method,
            f"/sdk/v1{path}",
            body,
            user=self.public_token,
            password=session or self.public_token,
            headers={"X-SDK-Parent-Host": "http://localhost:3000"},
        )

    def start_url(self, provider: str, persona: str = "", **query: str) -> str:
        given = {"public_token": self.public_token, **query}
        if persona:
            given["provider_login_hint"] = persona
        return f"{self.base_url}/v1/public/oauth/{provider}/start?{urlencode(given)}"

    def trip(self, provider: str, persona: str, **query: str) -> str:
        """Travel to a provider and back; the one-time token that the application gets."""
        landed = Browser().until(self.start_url(provider, persona, **query), LOGIN_URL)
        found = dict(parse_qsl(urlsplit(landed).query))
        assert set(found) == {"stytch_token_type", "token"}
        assert found["stytch_token_type"] == "oauth"
        return found["token"]


@dataclass(frozen=True)
class Pkce:
    """An application's verifier and challenge (RFC 7636), as the browser SDK makes them."""

    verifier: str = field(default_factory=lambda: secrets.token_hex(64))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
