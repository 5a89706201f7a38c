"""Stytch's dialect: an honest request of each operation, and the envelope of its refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from tests.fuzz.described import Dialect, Operation
from tests.fuzz.people import CHALLENGE, PASSWORD, VERIFIER, Arrival, People, Person, SignedIn, fresh, fresh_email
from tests.fuzz.sending import FORM, Answer, Sent
from tests.fuzz.sides import Parts, Words, nobodys, put, required_of

_ENVELOPE = {"status_code", "request_id", "error_type", "error_message", "error_url"}
# Before an operation is found, no operation can name the refusal.
_ROUTING = {"route_not_found", "method_not_allowed", "invalid_b2b_endpoint"}
_FORM_REFUSALS = _ROUTING | {
    "bad_request",
    "invalid_argument",
    "request_too_large",
    "invalid_authorization_header",
    "unauthorized_credentials",
    "invalid_project_id_authentication",
    "invalid_secret_authentication",
    "bad_domain_for_stytch_sdk",
    "invalid_id",
    "invalid_user_id",
    "invalid_email_id",
    "invalid_session_id",
    "invalid_session_token",
    "invalid_oauth_user_registration_id",
    "unable_to_parse_session_jwt",
}


# Where a person's browser may be, a refusal is a page for it.
_SHOWN = {"oauth_start", "oauth_callback", "oauth_callback_form"}
_NAME_ON_PAGE = re.compile(r"<small>([a-z_]+) &middot; request-id-test-")


class Stage:
    """What one honest request is about; made when a part of the request asks for it."""

    def __init__(self, people: People) -> None:
        self.people = people

    @cached_property
    def person(self) -> Person:
        return self.people.person()

    @cached_property
    def signed_in(self) -> SignedIn:
        return self.people.signed_in()

    @cached_property
    def own(self) -> Person:
        """The person who is signed in."""
        return Person(self.signed_in.user_id.removeprefix("user-test-"), "")

    @cached_property
    def user(self) -> Mapping[str, Any]:
        """The user as the wire shows them."""
        shown: Mapping[str, Any] = self.people.backend("GET", f"/v1/users/{self.person.user_id}")
        return shown

    def registration(self, person: Person) -> str:
        return f"oauth-user-test-{self.people.account(person)}"

    def email_of(self, person: Person) -> str:
        """An address of somebody who has another way in."""
        self.people.account(person, "spotify")
        emails = self.people.backend("GET", f"/v1/users/{person.user_id}")["emails"]
        return str(emails[0]["email_id"])

    @cached_property
    def phone_id(self) -> str:
        body = {"email": fresh_email(), "phone_number": _phone()}
        return str(self.people.backend("POST", "/v1/users", body)["phone_id"])

    @cached_property
    def signed_in_phone_id(self) -> tuple[SignedIn, str]:
        """Somebody signed in who has a number too: whoever made the user attached an account, and that opened this."""
        made = self.people.backend("POST", "/v1/users", {"email": fresh_email(), "phone_number": _phone()})
        body = {"provider": "google", "user_id": made["user_id"]}
        ticket = self.people.backend("POST", "/v1/oauth/attach", body)["oauth_attach_token"]
        return self.people.signed_in(oauth_attach_token=ticket), str(made["phone_id"])

    @cached_property
    def password(self) -> Mapping[str, Any]:
        body = {"email": fresh_email(), "password": PASSWORD}
        made: Mapping[str, Any] = self.people.backend("POST", "/v1/passwords", body)
        return made

    @cached_property
    def came(self) -> Arrival:
        return self.people.arrival()


def _phone() -> str:
    return "+1202555" + str(int.from_bytes(fresh("phone").encode()[-8:]) % 10_000_000).zfill(7)


WORDS: Words = {
    "user_id": lambda stage: stage.person.user_id,
    "oauth_user_registration_id": lambda stage: stage.registration(stage.person),
    "email_id": lambda stage: stage.email_of(stage.person),
    "phone_id": lambda stage: stage.phone_id,
    "password_id": lambda stage: stage.password["user"]["password"]["password_id"],
    "webauthn_registration_id": lambda _: nobodys("webauthn-registration"),
    "biometric_registration_id": lambda _: nobodys("biometric-registration"),
    "totp_id": lambda _: nobodys("totp"),
    "crypto_wallet_id": lambda _: nobodys("crypto-wallet"),
    "connected_app_id": lambda _: nobodys("connected-app"),
    "callback_id": lambda stage: stage.people.keys.callback_id,
    "project_id": lambda stage: stage.people.keys.stytch_id,
    "public_token": lambda stage: stage.people.keys.public_token,
    "provider": lambda _: "google",
    "email": lambda _: fresh_email(),
    "password": lambda _: PASSWORD,
    "session_token": lambda stage: stage.signed_in.token,
    "session_jwt": lambda stage: stage.signed_in.jwt,
    "session_id": lambda stage: stage.signed_in.session_id,
}

Recipe = Callable[[Stage], Parts]

RECIPES: dict[str, Recipe] = {
    "oauth_attach": lambda stage: Parts(body={"provider": "google", "user_id": stage.person.user_id}),
    "oauth_authenticate": lambda stage: Parts(body={"token": stage.people.grant()}),
    "oauth_start": lambda stage: Parts(
        params={"provider": "google"}, query=(("public_token", stage.people.keys.public_token),)
    ),
    "oauth_callback": lambda stage: Parts(
        params={"callback_id": stage.people.keys.callback_id},
        query=stage.came.query,
        headers={"cookie": stage.came.cookies},
    ),
    "oauth_callback_form": lambda stage: Parts(
        params={"callback_id": stage.people.keys.callback_id}, body=dict(stage.came.query), media=FORM
    ),
    "users_create": lambda _: Parts(body={"email": fresh_email()}),
    "users_search": lambda _: Parts(body={"limit": 2}),
    "users_update": lambda stage: Parts(
        params={"user_id": stage.person.user_id}, body={"name": {"first_name": fresh("name")}}
    ),
    "users_exchange_primary_factor": lambda stage: Parts(
        params={"user_id": stage.person.user_id}, body={"email_address": fresh_email()}
    ),
    "sessions_get": lambda stage: Parts(query=(("user_id", stage.person.user_id),)),
    "sessions_authenticate": lambda stage: Parts(body={"session_token": stage.signed_in.token}),
    "sessions_revoke": lambda stage: Parts(body={"session_id": stage.signed_in.session_id}),
    "sessions_migrate": lambda stage: Parts(body={"session_token": stage.people.google_id_token()}),
    "passwords_authenticate": lambda stage: Parts(
        body={"email": stage.password["user"]["emails"][0]["email"], "password": PASSWORD}
    ),
    "sdk_oauth_authenticate": lambda stage: Parts(
        headers=stage.people.sdk(),
        body={
            "token": stage.people.grant(code_challenge=CHALLENGE),
            "session_duration_minutes": 60,
            "code_verifier": VERIFIER,
        },
    ),
    "sdk_oauth_google_id_token_authenticate": lambda stage: Parts(
        headers=stage.people.sdk(),
        body={"id_token": stage.people.google_id_token(), "session_duration_minutes": 60},
    ),
    "sdk_bootstrap": lambda stage: Parts(
        headers=stage.people.sdk(), params={"public_token": stage.people.keys.public_token}
    ),
    "sdk_users_update_me": lambda _: Parts(body={"name": {"first_name": fresh("name")}}),
    "sdk_users_delete_oauth_registration": lambda stage: Parts(
        params={"oauth_user_registration_id": stage.registration(stage.own)}
    ),
    "sdk_users_delete_phone_number": lambda stage: Parts(
        headers=stage.people.sdk(stage.signed_in_phone_id[0].token),
        params={"phone_id": stage.signed_in_phone_id[1]},
    ),
    "sdk_users_delete_email": lambda stage: Parts(params={"email_id": stage.email_of(stage.own)}),
}


def _name_on_page(answer: Answer) -> str:
    found = _NAME_ON_PAGE.search(answer.text)
    assert found, answer.told()
    assert "default-src 'none'" in answer.headers["content-security-policy"], answer.headers
    assert answer.headers["cache-control"] == "no-store", answer.headers
    return found[1]


def _signed_out(people: People) -> str:
    """A session that has been revoked."""
    was = people.signed_in()
    people.backend("POST", "/v1/sessions/revoke", {"session_token": was.token})
    return was.token


def _gone(people: People) -> str:
    """A session of a user who has been deleted."""
    was = people.signed_in()
    people.backend("DELETE", f"/v1/users/{was.user_id}")
    return was.token


class StytchSide:
    """Stytch's consumer API."""

    dialect: Dialect = "stytch"

    def honest(self, people: People, operation: Operation) -> Sent:
        """A fresh request that must succeed."""
        stage = Stage(people)
        recipe = RECIPES.get(operation.id)
        parts = recipe(stage) if recipe else Parts()
        if recipe is None:
            parts.params, parts.body = required_of(operation, stage, WORDS)
        elif not parts.params:
            parts.params, _ = required_of(operation, stage, WORDS)
        if "backend" in operation.keys:
            parts.headers = people.basic(people.keys.stytch_id, people.keys.secret)
        elif "browser" in operation.keys and not parts.headers:
            parts.headers = people.sdk(stage.signed_in.token)
        return put(operation, parts)

    def callers(self, people: People, operation: Operation) -> list[Mapping[str, str]]:
        """In the browser: somebody who signed out, somebody who was deleted, nobody."""
        if "browser" not in operation.keys:
            return []
        return [
            people.sdk(people.kept("signed out", lambda: _signed_out(people))),
            people.sdk(people.kept("gone", lambda: _gone(people))),
            people.sdk(),
        ]

    def refusal(self, operation: Operation | None, answer: Answer) -> str:
        """The `error_type`, after the whole envelope has been looked at."""
        assert 400 <= answer.status < 500, answer.told()
        if operation is not None and operation.id in _SHOWN and answer.headers["content-type"].startswith("text/html"):
            return _name_on_page(answer)
        assert answer.headers.get("content-type", "").startswith("application/json"), answer.told()
        body = answer.json
        assert set(body) == _ENVELOPE, body
        assert body["status_code"] == answer.status, body
        assert all(isinstance(body[name], str) and body[name] for name in _ENVELOPE - {"status_code"}), body
        assert body["request_id"].startswith("request-id-test-"), body
        assert answer.headers.get("cache-control") == "no-store", answer.headers
        name = str(body["error_type"])
        if operation is not None and name not in _ROUTING:
            described = operation.responses.get(str(answer.status), {}).get("description", "")
            assert name in described.replace(",", " ").split(), f"{name} is not described: {answer.told()}"
        return name

    def is_domain(self, name: str) -> bool:
        """Whether a refusal is about what the request asks for."""
        return name not in _FORM_REFUSALS

    def success_body(self, operation: Operation, answer: Answer) -> Any:
        """The whole body."""
        return answer.json

    def lenient(self, operation: Operation, schema: Mapping[str, Any], value: Any) -> bool:
        """Nothing is taken that is not as described."""
        return False
