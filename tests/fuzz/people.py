"""Makes what honest requests need: people, accounts, sessions, tickets, trips to providers, in one project."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from oneself.crypto import totp
from tests.fuzz.letters import Mailbox
from tests.fuzz.sending import FORM, NOTHING, Answer, Line, Sent
from tests.fuzz.standing import APP, DEVICE_APP, INTERNAL, LOGIN_URL, RETURN_URL, Keys

T = TypeVar("T")

VERIFIER = "fuzz-" + "v" * 60
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
PASSWORD = "correct horse battery staple"
_RUN = secrets.token_hex(3)
_numbers = itertools.count(1)


def fresh(kind: str) -> str:
    """A name that nobody has yet."""
    return f"{kind}-{_RUN}-{next(_numbers)}"


def fresh_email() -> str:
    return f"{fresh('person')}@fuzz.example"


@dataclass(frozen=True)
class Person:
    """Somebody by the ids of both dialects, and one of each thing that belongs to them."""

    id: str
    email: str

    @property
    def user_id(self) -> str:
        return f"user-test-{self.id}"


@dataclass(frozen=True)
class SignedIn:
    """A session of Stytch's dialect, opened by a trip: its tokens, its user, the account that came along."""

    token: str
    jwt: str
    session_id: str
    user_id: str
    registration_id: str


@dataclass(frozen=True)
class Tokens:
    """A session of Stack's dialect."""

    person: Person
    access: str
    refresh: str
    session_id: str


@dataclass(frozen=True)
class Owned:
    """A project that a team of the project `internal` owns, and somebody of that team."""

    project_id: str
    team_id: str
    owner: Tokens

    def headers(self, access: str) -> dict[str, str]:
        """Access by who one is instead of by a key."""
        given = {"access-type": access, "project-id": self.project_id, "admin-access-token": self.owner.access}
        return {f"x-stack-{name}": value for name, value in given.items()}


@dataclass(frozen=True)
class Arrival:
    """A provider's answer on its way to our callback: where to, with which parameters and cookies."""

    path: str
    query: tuple[tuple[str, str], ...]
    cookies: str


class People:
    """The people of one project, made over the API as an application would."""

    def __init__(self, line: Line, keys: Keys, emulator_url: str, mailbox: Mailbox | None = None) -> None:
        self.line = line
        self.keys = keys
        self._mailbox = mailbox
        self.emulator_url = emulator_url
        self.emulator = Line(emulator_url)
        self._kept: dict[str, Any] = {}

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Something that requests only read, made once."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    def forget(self) -> None:
        """Nothing that was kept is there any more."""
        self._kept.clear()

    # --- mail -------------------------------------------------------------------------------------

    def sign_in_code(self) -> str:
        """A code out of a mail to somebody new."""
        return self._mailed("/auth/otp/send-sign-in-code", fresh_email())

    def reset_code(self) -> str:
        """A code out of a mail to somebody who forgot the password."""
        person = self.person(password=PASSWORD, primary_email_verified=True)
        return self._mailed("/auth/password/send-reset-code", person.email)

    def second_factor(self) -> dict[str, str]:
        """What finishes a sign-in with a password that waits for its second factor."""
        secret = secrets.token_bytes(20)
        person = self.person(password=PASSWORD, totp_secret_base64=base64.b64encode(secret).decode())
        body = {"email": person.email, "password": PASSWORD}
        path = "/api/v1/auth/password/sign-in"
        answer = self.line.send(Sent("POST", path, headers=self.access("client"), body=body))
        password = totp.at_step(secret, totp.step_of(time.time_ns() // 1000))
        return {"type": "totp", "totp": password, "code": answer.json["details"]["attempt_code"]}

    def verification_code(self) -> str:
        """A code out of a mail to an address that nobody proved yet."""
        assert self._mailbox is not None
        email = fresh_email()
        body = {"email": email, "password": PASSWORD, "verification_callback_url": RETURN_URL}
        self.ok(Sent("POST", "/api/v1/auth/password/sign-up", headers=self.access("client"), body=body))
        return self._mailbox.code(email)

    def _mailed(self, path: str, email: str) -> str:
        assert self._mailbox is not None
        body = {"email": email, "callback_url": RETURN_URL}
        self.ok(Sent("POST", f"/api/v1{path}", headers=self.access("client"), body=body))
        return self._mailbox.code(email)

    # --- calls ------------------------------------------------------------------------------------

    def ok(self, sent: Sent) -> Answer:
        answer = self.line.send(sent)
        assert 200 <= answer.status < 400, (sent.told(), answer.told())
        return answer

    def backend(self, method: str, path: str, body: Any = NOTHING) -> Any:
        """A call of Stytch's backend API that succeeds."""
        return self.ok(Sent(method, path, headers=self.basic(self.keys.stytch_id, self.keys.secret), body=body)).json

    def server(self, method: str, path: str, body: Any = NOTHING) -> Any:
        """A call of Stack's API with server access that succeeds."""
        return self.ok(Sent(method, f"/api/v1{path}", headers=self.access("server"), body=body)).json

    def basic(self, user: str, password: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    def sdk(self, session_token: str = "") -> dict[str, str]:
        """The headers of Stytch's browser SDK."""
        token = self.keys.public_token
        return self.basic(token, session_token or token) | {"origin": APP}

    def access(self, kind: str, token: str = "", refresh: str = "") -> dict[str, str]:
        """The headers of Stack's SDK with one type of access."""
        key = {
            "client": ("publishable-client-key", self.keys.client_key),
            "server": ("secret-server-key", self.keys.server_key),
            "admin": ("super-secret-admin-key", self.keys.admin_key),
        }[kind]
        given = {"access-type": kind, "project-id": self.keys.stack_id, key[0]: key[1]}
        given |= {"allow-anonymous-user": "true"}
        if token:
            given["access-token"] = token
        if refresh:
            given["refresh-token"] = refresh
        return {f"x-stack-{name}": value for name, value in given.items()}

    # --- people -----------------------------------------------------------------------------------

    def person(self, **fields: Any) -> Person:
        """A new user with an address that is proved and signs in."""
        email = fresh_email()
        given = {"primary_email": email, "primary_email_verified": True, "primary_email_auth_enabled": True}
        made = self.server("POST", "/users", given | fields)
        return Person(made["id"], email)

    def account(self, person: Person, provider: str = "github", **fields: Any) -> str:
        """An account of somebody at a provider, linked by the backend; gives its id."""
        body = {
            "user_id": person.id,
            "provider_config_id": provider,
            "account_id": fresh("subject"),
            "allow_sign_in": True,
            "allow_connected_accounts": True,
        }
        return str(self.server("POST", "/oauth-providers", body | fields)["id"])

    def persona(self) -> str:
        """Somebody new at the emulated providers; gives the name to pick them by."""
        name = fresh("persona")
        body = {"id": name, "name": "Per Sona", "email": f"{name}@people.example"}
        answer = self.emulator.send(Sent("POST", "/_control/personas", body=body))
        assert answer.status == 200, answer.told()
        return name

    def tokens(self, person: Person | None = None) -> Tokens:
        """A session of Stack's dialect."""
        whose = person or self.person()
        made = self.server("POST", "/auth/sessions", {"user_id": whose.id})
        return Tokens(whose, made["access_token"], made["refresh_token"], claims_of(made)["refresh_token_id"])

    def team(self, member: Person | None = None) -> str:
        """A team; gives its id."""
        body = {"display_name": fresh("team")} | ({"creator_user_id": member.id} if member else {})
        return str(self.server("POST", "/teams", body)["id"])

    def owned_project(self) -> Owned:
        """A project of its own, made by somebody of the project `internal`, to be changed and deleted."""
        owners = People(self.line, INTERNAL, self.emulator_url)
        owner = owners.tokens()
        team = owners.team(owner.person)
        headers = owners.access("client", owner.access)
        body = {"display_name": fresh("project"), "owner_team_id": team}
        made = self.ok(Sent("POST", "/api/v1/internal/projects", headers=headers, body=body)).json
        return Owned(made["id"], team, owner)

    # --- devices ----------------------------------------------------------------------------------

    def google_id_token(self) -> str:
        """What the emulated Google gives the project's app on a device."""
        query = {
            "client_id": DEVICE_APP,
            "redirect_uri": APP,
            "response_type": "code",
            "scope": "openid email profile",
            "login_hint": self.persona(),
        }
        asked = self.emulator.send(Sent("GET", "/google/o/oauth2/v2/auth", query=tuple(query.items())))
        code = dict(parse_qsl(urlsplit(asked.location).query))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": APP, "client_id": DEVICE_APP}
        body = form | {"client_secret": "x"}
        return str(self.emulator.send(Sent("POST", "/google/token", body=body, media=FORM)).json["id_token"])

    def apple_id_token(self) -> str:
        """What the emulated Apple gives the project's app, whose client secret is a JWT of its own."""
        query = {
            "client_id": DEVICE_APP,
            "redirect_uri": f"{self.emulator_url.replace('http:', 'https:')}/app",
            "response_type": "code",
            "response_mode": "form_post",
            "scope": "email",
            "login_hint": self.persona(),
        }
        asked = self.emulator.send(Sent("GET", "/apple/auth/authorize", query=tuple(query.items())))
        found = re.search(r'name="code" value="([^"]+)"', asked.text)
        assert found, asked.told()
        now = int(time.time())
        claims = {"iss": "T", "iat": now, "exp": now + 300, "aud": "https://appleid.apple.com", "sub": DEVICE_APP}
        secret = jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": "K"})
        form = {"grant_type": "authorization_code", "code": html.unescape(found[1]), "client_id": DEVICE_APP}
        body = form | {"client_secret": secret, "redirect_uri": query["redirect_uri"]}
        answer = self.emulator.send(Sent("POST", "/apple/auth/token", body=body, media=FORM))
        assert answer.status == 200, answer.told()
        return str(answer.json["id_token"])

    # --- Stytch's trips ---------------------------------------------------------------------------

    def arrival(self, provider: str = "google", **query: str) -> Arrival:
        """A trip up to the provider's answer."""
        given = {"public_token": self.keys.public_token, "provider_login_hint": self.persona()} | query
        started = self.ok(Sent("GET", f"/v1/public/oauth/{provider}/start", query=tuple(given.items())))
        return self._answered(started)

    def grant(self, provider: str = "google", **query: str) -> str:
        """A one-time token, not yet redeemed."""
        came = self.arrival(provider, **query)
        landed = self.ok(Sent("GET", came.path, query=came.query, headers={"cookie": came.cookies}))
        assert landed.location.startswith(LOGIN_URL), landed.told()
        return dict(parse_qsl(urlsplit(landed.location).query))["token"]

    def signed_in(self, provider: str = "google", **query: str) -> SignedIn:
        """A whole sign-in through a provider."""
        body = {"token": self.grant(provider, **query), "session_duration_minutes": 60}
        made = self.backend("POST", "/v1/oauth/authenticate", body)
        return SignedIn(
            made["session_token"],
            made["session_jwt"],
            made["session"]["session_id"],
            made["user_id"],
            made["oauth_user_registration_id"],
        )

    # --- Stack's trips ----------------------------------------------------------------------------

    def authorize_query(self, **changes: str) -> tuple[tuple[str, str], ...]:
        """What an authorize call asks for."""
        query = {
            "client_id": self.keys.stack_id,
            "client_secret": self.keys.client_key,
            "redirect_uri": RETURN_URL,
            "scope": "legacy",
            "state": "the-app's-own-state",
            "grant_type": "authorization_code",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "response_type": "code",
        }
        return tuple((query | changes).items())

    def stack_arrival(self, provider: str = "google", persona: str = "", **changes: str) -> Arrival:
        """A trip of Stack's dialect up to the provider's answer."""
        path = f"/api/v1/auth/oauth/authorize/{provider}"
        started = self.ok(Sent("GET", path, query=self.authorize_query(**changes)))
        return self._answered(started, persona or self.persona())

    def code(self, provider: str = "google", **changes: str) -> str:
        """An authorization code, not yet redeemed."""
        came = self.stack_arrival(provider, **changes)
        landed = self.ok(Sent("GET", came.path, query=came.query, headers={"cookie": came.cookies}))
        return dict(parse_qsl(urlsplit(landed.location).query))["code"]

    def token_body(self, code: str) -> dict[str, str]:
        """What redeems a code."""
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": RETURN_URL,
            "code_verifier": VERIFIER,
            "client_id": self.keys.stack_id,
            "client_secret": self.keys.client_key,
        }

    def travelled(self, provider: str = "google") -> Tokens:
        """Somebody who signed in through a provider, whose tokens are now in the vault."""
        path = "/api/v1/auth/oauth/token"
        made = self.ok(Sent("POST", path, body=self.token_body(self.code(provider)), media=FORM)).json
        claims = claims_of(made)
        person = Person(claims["sub"], "")
        return Tokens(person, made["access_token"], made["refresh_token"], claims["refresh_token_id"])

    def _answered(self, started: Answer, persona: str = "") -> Arrival:
        parts = urlsplit(started.location)
        asked = parts.query if not persona else f"{parts.query}&{urlencode({'login_hint': persona})}"
        answer = self.emulator.send(Sent("GET", "", target=f"{parts.path}?{asked}"))
        assert answer.status in (302, 303), answer.told()
        back = urlsplit(answer.location)
        cookies = "; ".join(cookie.partition(";")[0] for cookie in started.cookies)
        return Arrival(back.path, tuple(parse_qsl(back.query)), cookies)


def claims_of(made: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of an access token, unverified."""
    part = made["access_token"].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
