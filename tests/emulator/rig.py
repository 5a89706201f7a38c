"""Runs the emulator on a port of its own, and speaks plain HTTP with it: no redirects, no retries."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey

from oneself.emulator import Client, Emulator, create_emulator
from tests.emulator.plays import PLAYS, Play, within

CALLBACK = "http://127.0.0.1:1/callback"
SECRET = "the secret of the client"
APPLE_KEY = ECKey.generate_key("P-256", {"kid": "apple-kid"})


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.text, keep_blank_values=True))

    def redirected(self) -> dict[str, str]:
        """The parameters of the redirect's query, each of which must stand there once."""
        pairs = parse_qsl(urlsplit(self.headers["location"]).query, keep_blank_values=True)
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)


def ask(
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | list[tuple[str, str]] | None = None,
    data: object = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 20.0,
) -> Reply:
    """Send one request: `form` as a form, `data` as JSON. `timeout` in seconds."""
    parts = urlsplit(url)
    sent = {"User-Agent": "test", **(headers or {})}
    body: bytes | None = None
    if form is not None:
        body = urlencode(form).encode()
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif data is not None:
        body = json.dumps(data).encode()
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        target = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, target, body=body, headers=sent)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read())
    finally:
        connection.close()


@dataclass
class Clock:
    """Microseconds since the epoch, which a test can move."""

    moved: int = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000 + self.moved

    def pass_seconds(self, seconds: int) -> None:
        self.moved += seconds * 1_000_000


@dataclass(frozen=True)
class Trip:
    """A browser's way there and back: what came, and the verifier that belongs to it."""

    provider: str
    came: dict[str, str]
    verifier: str
    client: Client

    @property
    def code(self) -> str:
        return self.came["code"]


@dataclass
class Rig:
    """A running emulator: its address, its state, its clock, and the steps of a client."""

    base: str
    emulator: Emulator
    clock: Clock
    clients: dict[str, Client] = field(default_factory=dict)

    def at(self, provider: str, path: str) -> str:
        return f"{self.base}/{provider}{path}"

    def control(self, method: str, path: str, data: object = None) -> Any:
        reply = ask(method, f"{self.base}/_control{path}", data=data)
        assert reply.status == 200, reply.text
        return reply.json()

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.control("GET", "/counts")
        return found

    def register(self, provider: str, client_id: str = "", secret: str = SECRET, **options: str) -> Client:
        """Register a client of this provider's own, with options of its registration."""
        client = Client(
            client_id=client_id or f"client-{secrets.token_hex(4)}",
            client_secret=secret,
            redirect_uris=(CALLBACK,),
            provider=provider,
            options=options,
        )
        self.emulator.world.add_clients([client])
        return client

    def client(self, provider: str) -> Client:
        """The usual client of a provider."""
        return Client(client_id="the-client", client_secret=SECRET, redirect_uris=(CALLBACK,), provider="")

    def authorize(self, provider: str, client: Client | None = None, **params: str) -> Reply:
        """Open the authorization address as a browser does, with the usual parameters and these."""
        play = PLAYS[provider]
        asked = {
            play.client_id_param: (client or self.client(provider)).client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": play.scope,
            "state": "a-state-of-sixteen",
            **play.params,
            **params,
        }
        query = urlencode({name: value for name, value in asked.items() if value}).replace("+", "%20")
        return ask("GET", self.at(provider, play.authorize) + "?" + query)

    def trip(self, provider: str, persona: str = "ada", client: Client | None = None, **params: str) -> Trip:
        """Go there and back as this persona, with PKCE wherever the provider knows it."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        proof = {"code_challenge": challenge, "code_challenge_method": "S256"} if PLAYS[provider].pkce else {}
        reply = self.authorize(provider, client, login_hint=persona, **{**proof, **params})
        came = fields_of_form(reply) if reply.status == 200 else reply.redirected()
        return Trip(provider, came, verifier, client or self.client(provider))

    def token(self, provider: str, client: Client, form: Mapping[str, str], path: str = "") -> Reply:
        """Call the token endpoint as this client, by the provider's first way of authenticating."""
        play = PLAYS[provider]
        headers = {"Accept": "application/json"}
        sent = {name: value for name, value in form.items() if value}
        if play.auth == "basic" and client.client_secret:
            pair = f"{quoted(client.client_id)}:{quoted(client.client_secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            sent[play.client_id_param] = client.client_id
            secret = apple_secret(client, play) if play.auth == "jwt" else client.client_secret
            if secret:
                sent["client_secret"] = secret
        return ask("POST", self.at(provider, path or play.token), form=sent, headers=headers)

    def redeem(self, trip: Trip, client: Client | None = None, **changes: str) -> Reply:
        """Exchange a trip's code, with changes to the honest request; an empty text leaves out."""
        form = {
            "grant_type": "authorization_code",
            "code": trip.code,
            "redirect_uri": CALLBACK,
            "code_verifier": trip.verifier if PLAYS[trip.provider].pkce else "",
        }
        return self.token(trip.provider, client or trip.client, form | changes)

    def sign_in(self, provider: str, persona: str = "ada", client: Client | None = None, **params: str) -> Any:
        """Make a whole trip and give the token answer."""
        reply = self.redeem(self.trip(provider, persona, client, **params))
        assert reply.status == 200, reply.text
        return reply.json()

    def refresh(self, provider: str, refresh_token: str, client: Client | None = None, **changes: str) -> Reply:
        """Refresh, at the provider's own address for that where it has one."""
        play = PLAYS[provider]
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if play.refresh_wants_redirect:
            form["redirect_uri"] = CALLBACK
        return self.token(provider, client or self.client(provider), form | changes, play.refresh)

    def document(self, provider: str, access_token: str, path: str = "") -> Reply:
        """Read a user document with the access token, as the provider wants it read."""
        play = PLAYS[provider]
        if play.introspected and not path:
            return ask("POST", self.at(provider, play.userinfo), form={"token": access_token})
        headers = {"Authorization": f"Bearer {access_token}"}
        return ask("GET", self.at(provider, path or play.userinfo), headers=headers)

    def subject(self, provider: str, access_token: str, path: str = "") -> Any:
        """What the user document names the person by; None when it does not open."""
        if not PLAYS[provider].userinfo:
            return None
        reply = self.document(provider, access_token, path)
        if not reply.body or "json" not in reply.headers.get("content-type", ""):
            return None
        return within(reply.json(), PLAYS[provider].subject)


def quoted(text: str) -> str:
    """Encode one half of Basic credentials (RFC 6749 2.3.1)."""
    return urlencode({"": text})[1:]


def apple_secret(client: Client, play: Play, **changes: object) -> str:
    """Sign a client secret as a client of Apple's does; a changed one is signed the same way."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "TEAM123456",
        "sub": client.client_id,
        "aud": "https://appleid.apple.com",
        "iat": now,
        "exp": now + 300,
    }
    header = {"alg": "ES256", "kid": "apple-kid"}
    return jwt.encode(header, {**claims, **changes}, APPLE_KEY) if client.client_secret else ""


def fields_of_form(reply: Reply) -> dict[str, str]:
    """Read the hidden fields of a form_post page, unescaped."""
    found: dict[str, str] = {}
    for part in reply.text.split('<input type="hidden" name="')[1:]:
        name, _, rest = part.partition('" value="')
        found[name] = html_unescaped(rest.partition('">')[0])
    return found


def html_unescaped(text: str) -> str:
    for entity, plain in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, plain)
    return text


@contextmanager
def running(*, vendor_issuers: bool = True, accept_any_client: bool = False, path: str = "") -> Iterator[Rig]:
    """Serve an emulator from a thread until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
        clock = Clock()
        usual = Client(client_id="the-client", client_secret=SECRET, redirect_uris=(CALLBACK,))
        emulator = create_emulator(
            base,
            clock=clock,
            clients=() if accept_any_client else (usual,),
            accept_any_client=accept_any_client,
            vendor_issuers=vendor_issuers,
        )
        config = uvicorn.Config(emulator, log_level="critical", lifespan="off", server_header=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the emulator did not start"
            time.sleep(0.01)
        try:
            yield Rig(base, emulator, clock)
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(timeout=10)
