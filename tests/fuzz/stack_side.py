"""Stack's dialect: an honest request of each operation, and the two forms of its refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from tests.fuzz.described import Dialect, Operation
from tests.fuzz.people import CHALLENGE, PASSWORD, Arrival, Owned, People, Person, Tokens, fresh, fresh_email
from tests.fuzz.sending import FORM, Answer, Sent
from tests.fuzz.sides import Parts, Words, put, required_of
from tests.fuzz.standing import INTERNAL, RETURN_URL

# Where projects are changed and deleted: none of ours, but one made for it.
_OWNERS = "/internal/"
KNOWN_ERROR = "x-stack-known-error"
_CODE = re.compile(r"[A-Z][A-Z_]+")
_FORM_REFUSALS = {
    "SCHEMA_ERROR",
    "BODY_PARSING_ERROR",
    "PROJECT_KEY_WITHOUT_ACCESS_TYPE",
    "INVALID_ACCESS_TYPE",
    "ACCESS_TYPE_WITHOUT_PROJECT_ID",
    "ACCESS_TYPE_REQUIRED",
    "INSUFFICIENT_ACCESS_TYPE",
    "INVALID_PUBLISHABLE_CLIENT_KEY",
    "INVALID_SECRET_SERVER_KEY",
    "INVALID_SUPER_SECRET_ADMIN_KEY",
    "SERVER_AUTHENTICATION_REQUIRED",
    "ADMIN_AUTHENTICATION_REQUIRED",
    "CURRENT_PROJECT_NOT_FOUND",
    "UNPARSABLE_ACCESS_TOKEN",
    "INVALID_PROJECT_FOR_ACCESS_TOKEN",
    "ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN",
    "Not Found",
    "Method Not Allowed",
    "Request body too large",
}


class Stage:
    """What one honest request is about; made when a part of the request asks for it."""

    def __init__(self, people: People) -> None:
        self.people = people

    @cached_property
    def tokens(self) -> Tokens:
        return self.people.tokens()

    @property
    def person(self) -> Person:
        return self.tokens.person

    @cached_property
    def account(self) -> str:
        return self.people.account(self.person)

    @cached_property
    def team(self) -> str:
        return self.people.team(self.person)

    @cached_property
    def other_session(self) -> str:
        return self.people.tokens(self.person).session_id

    @cached_property
    def travelled(self) -> Tokens:
        """Somebody whose provider tokens are in the vault; only read, so the same one for all."""
        return self.people.kept("travelled", self.people.travelled)

    @cached_property
    def subject(self) -> str:
        path = f"/connected-accounts/{self.travelled.person.id}"
        return str(self.people.server("GET", path)["items"][0]["provider_account_id"])

    @cached_property
    def consent_link(self) -> str:
        """What a refused read of that person's token offers."""
        path = f"/api/v1/connected-accounts/{self.travelled.person.id}/google/access-token"
        body = {"scope": "more", "consent_return_url": RETURN_URL}
        refused = self.people.line.send(Sent("POST", path, headers=self.people.access("server"), body=body))
        return str(refused.json["details"]["consent_url"].rpartition("/")[2])

    @cached_property
    def channel(self) -> str:
        """A second address of the person's."""
        body = {"user_id": self.person.id, "value": fresh_email(), "type": "email", "used_for_auth": False}
        return str(self.people.server("POST", "/contact-channels", body)["id"])

    @cached_property
    def owned(self) -> Owned:
        """A project that may be changed and deleted."""
        return self.people.owned_project()

    @cached_property
    def key_set(self) -> str:
        """A set of that project's keys."""
        body = {
            "description": "",
            "expires_at_millis": 4_000_000_000_000,
            "has_publishable_client_key": True,
            "has_secret_server_key": False,
            "has_super_secret_admin_key": False,
        }
        headers = self.owned.headers("admin")
        made = self.people.ok(Sent("POST", "/api/v1/internal/api-keys", headers=headers, body=body))
        return str(made.json["id"])

    @cached_property
    def came(self) -> Arrival:
        return self.people.stack_arrival()

    @cached_property
    def sign_in_code(self) -> str:
        """A code out of a mail."""
        return self.people.sign_in_code()

    @cached_property
    def unproved(self) -> Tokens:
        """Somebody who never proved the address."""
        return self.people.tokens(self.people.person(primary_email_verified=False))

    @cached_property
    def with_password(self) -> Tokens:
        """Somebody with a password, whom a request may change."""
        return self.people.tokens(self.people.person(password=PASSWORD))


WORDS: Words = {
    "user_id": lambda stage: stage.person.id,
    "provider_id": lambda _: "google",
    "provider_config_id": lambda _: "github",
    "account_id": lambda _: fresh("subject"),
    "team_id": lambda stage: stage.team,
    "contact_channel_id": lambda stage: stage.channel,
    "key_id": lambda stage: stage.key_set,
    "level": lambda _: "branch",
    "config_override_string": lambda _: '{"teams.allowClientTeamCreation":true}',
    "config_string": lambda _: '{"teams.allowClientTeamCreation":true}',
    "keys": lambda _: ["teams.allowClientTeamCreation"],
    "owner_team_id": lambda stage: stage.owned.team_id,
    "expires_at_millis": lambda _: 4_000_000_000_000,
    "session_id": lambda stage: stage.other_session,
    "project_id": lambda stage: stage.people.keys.stack_id,
    "email": lambda _: fresh_email(),
    "password": lambda _: PASSWORD,
    "redirect_uri": lambda _: RETURN_URL,
    "callback_url": lambda _: RETURN_URL,
    "code": lambda stage: stage.sign_in_code,
    "code_challenge": lambda _: CHALLENGE,
    "display_name": lambda _: fresh("name"),
}

Recipe = Callable[[Stage], Parts]


def _own_row(stage: Stage) -> Mapping[str, str]:
    return {"user_id": stage.person.id, "provider_id": stage.account}


def _as(stage: Stage, tokens: Tokens) -> dict[str, str]:
    return stage.people.access("client", tokens.access)


RECIPES: dict[str, Recipe] = {
    "oauth_authorize": lambda stage: Parts(params={"provider_id": "google"}, query=stage.people.authorize_query()),
    "oauth_callback": lambda stage: Parts(
        params={"provider_id": "google"}, query=stage.came.query, headers={"cookie": stage.came.cookies}
    ),
    "oauth_callback_form": lambda stage: Parts(
        params={"provider_id": "google"},
        body=dict(stage.came.query),
        media=FORM,
        headers={"cookie": stage.came.cookies},
    ),
    "consent_begin": lambda stage: Parts(params={"link": stage.consent_link}),
    "token_exchange": lambda stage: Parts(body=stage.people.token_body(stage.people.code())),
    "cross_domain_authorize": lambda stage: Parts(
        headers=stage.people.access("client", stage.tokens.access, stage.tokens.refresh),
        body={"redirect_uri": RETURN_URL, "state": "s", "code_challenge": CHALLENGE},
    ),
    "oauth_providers_listing": lambda stage: Parts(query=(("user_id", stage.person.id),)),
    "oauth_providers_read": lambda stage: Parts(params=_own_row(stage)),
    "oauth_providers_update": lambda stage: Parts(params=_own_row(stage), body={"allow_connected_accounts": False}),
    "oauth_providers_delete": lambda stage: Parts(params=_own_row(stage)),
    "connected_accounts_provider_token": lambda stage: Parts(
        headers=_as(stage, stage.travelled),
        params={"user_id": stage.travelled.person.id, "provider_id": "google"},
        body={},
    ),
    "connected_accounts_account_token": lambda stage: Parts(
        headers=_as(stage, stage.travelled),
        params={
            "user_id": stage.travelled.person.id,
            "provider_id": "google",
            "provider_account_id": stage.subject,
        },
        body={},
    ),
    "connected_accounts_own_token": lambda stage: Parts(
        headers=_as(stage, stage.travelled), params={"provider_id": "google"}, body={}
    ),
    "passwords_sign_in": lambda stage: Parts(
        headers=stage.people.access("client"),
        body={"email": stage.people.kept("with_password", _with_password(stage)).email, "password": PASSWORD},
    ),
    "passwords_sign_up": lambda stage: Parts(
        headers=stage.people.access("client"), body={"email": fresh_email(), "password": PASSWORD}
    ),
    "otp_send": lambda stage: Parts(
        headers=stage.people.access("client"), body={"email": fresh_email(), "callback_url": RETURN_URL}
    ),
    "otp_sign_in": lambda stage: Parts(headers=stage.people.access("client"), body={"code": stage.sign_in_code}),
    "otp_check": lambda stage: Parts(headers=stage.people.access("client"), body={"code": stage.sign_in_code}),
    "mfa_sign_in": lambda stage: Parts(headers=stage.people.access("client"), body=stage.people.second_factor()),
    "passwords_send_reset": lambda stage: Parts(
        headers=stage.people.access("client"), body={"email": fresh_email(), "callback_url": RETURN_URL}
    ),
    "passwords_reset": lambda stage: Parts(
        headers=stage.people.access("client"),
        body={"code": stage.people.reset_code(), "password": f"another {PASSWORD}"},
    ),
    "passwords_check_reset": lambda stage: Parts(
        headers=stage.people.access("client"), body={"code": stage.people.reset_code()}
    ),
    "contact_channels_verify": lambda stage: Parts(
        headers=stage.people.access("client"), body={"code": stage.people.verification_code()}
    ),
    "contact_channels_check_code": lambda stage: Parts(
        headers=stage.people.access("client"), body={"code": stage.people.verification_code()}
    ),
    "contact_channels_send_code": lambda stage: Parts(
        params={"user_id": stage.person.id, "contact_channel_id": stage.channel}, body={"callback_url": RETURN_URL}
    ),
    "contact_channels_send_code_to_primary": lambda stage: Parts(
        headers=_as(stage, stage.unproved), body={"email": stage.unproved.person.email, "callback_url": RETURN_URL}
    ),
    "passwords_update": lambda stage: Parts(
        headers=_as(stage, stage.with_password),
        body={"old_password": PASSWORD, "new_password": f"another {PASSWORD}"},
    ),
    "native_apple": lambda stage: Parts(
        headers=stage.people.access("client"), body={"id_token": stage.people.apple_id_token()}
    ),
    "passwords_anonymous": lambda stage: Parts(headers=stage.people.access("client")),
    "contact_channels_create": lambda stage: Parts(
        body={"user_id": stage.person.id, "value": fresh_email(), "type": "email", "used_for_auth": True}
    ),
    "contact_channels_listing": lambda stage: Parts(query=(("user_id", stage.person.id),)),
    "contact_channels_update": lambda stage: Parts(
        params={"user_id": stage.person.id, "contact_channel_id": stage.channel}, body={"value": fresh_email()}
    ),
    "users_create": lambda _: Parts(body={"display_name": fresh("name")}),
    "users_listing": lambda _: Parts(query=(("limit", "2"),)),
    "users_update_me": lambda _: Parts(body={"display_name": fresh("name")}),
    "users_update": lambda stage: Parts(params={"user_id": stage.person.id}, body={"display_name": fresh("name")}),
    "teams_create": lambda _: Parts(body={"display_name": fresh("team")}),
    "teams_listing": lambda stage: Parts(query=(("user_id", stage.person.id),)),
    "teams_update": lambda stage: Parts(params={"team_id": stage.team}, body={"display_name": fresh("team")}),
    "teams_join": lambda stage: Parts(params={"team_id": stage.people.team(), "user_id": stage.person.id}),
    "sessions_create": lambda stage: Parts(body={"user_id": stage.person.id}),
    "sessions_listing": lambda stage: Parts(query=(("user_id", stage.person.id),)),
    "sessions_delete": lambda stage: Parts(
        params={"session_id": stage.other_session}, query=(("user_id", stage.person.id),)
    ),
    "internal_projects_update_current": lambda _: Parts(body={"display_name": fresh("project")}),
    "sessions_refresh_current": lambda stage: Parts(
        headers=stage.people.access("client", refresh=stage.tokens.refresh)
    ),
}


def _owner_headers(stage: Stage, operation: Operation) -> dict[str, str]:
    """Projects are made and listed by a user of `internal`; anything else is about a project of that user's."""
    if "client" in operation.keys:
        return People(stage.people.line, INTERNAL, stage.people.emulator_url).access("client", stage.owned.owner.access)
    return stage.owned.headers("server" if "server" in operation.keys else "admin")


def _with_password(stage: Stage) -> Callable[[], Person]:
    return lambda: stage.people.person(password=PASSWORD)


def _signed_out(people: People) -> Tokens:
    """Tokens of a session that has ended."""
    was = people.tokens()
    headers = people.access("client", was.access)
    people.ok(Sent("DELETE", "/api/v1/auth/sessions/current", headers=headers))
    return was


def _gone(people: People) -> Tokens:
    """Tokens of a user who has been deleted."""
    was = people.tokens()
    people.server("DELETE", f"/users/{was.person.id}")
    return was


class StackSide:
    """Stack Auth's API."""

    dialect: Dialect = "stack"

    def honest(self, people: People, operation: Operation) -> Sent:
        """A fresh request that must succeed; as a client for its own user wherever clients may."""
        stage = Stage(people)
        recipe = RECIPES.get(operation.id)
        parts = recipe(stage) if recipe else Parts()
        if recipe is None:
            parts.params, parts.body = required_of(operation, stage, WORDS)
        if operation.keys and not parts.headers:
            parts.headers = self._headers(stage, operation)
        return put(operation, parts)

    def _headers(self, stage: Stage, operation: Operation) -> dict[str, str]:
        if _OWNERS in operation.template:
            return _owner_headers(stage, operation)
        if "client" in operation.keys:
            return _as(stage, stage.tokens)
        return stage.people.access("server" if "server" in operation.keys else "admin")

    def callers(self, people: People, operation: Operation) -> list[Mapping[str, str]]:
        """Clients who signed out, were deleted or never signed in; servers and administrators; those of `internal`."""
        if not operation.keys:
            return []
        found: list[Mapping[str, str]] = []
        if "client" in operation.keys:
            out = people.kept("signed out of stack", lambda: _signed_out(people))
            gone = people.kept("gone from stack", lambda: _gone(people))
            found = [people.access("client", one.access, one.refresh) for one in (out, gone)]
            found += [people.access("client"), people.access("client", refresh="x" * 45)]
        internal = People(people.line, INTERNAL, people.emulator_url)
        if operation.template.endswith("/internal/projects/current") and operation.method == "DELETE":
            found.append(internal.access("admin"))
        if _OWNERS not in operation.template:
            found += [people.access("server"), people.access("admin")]
        return found

    def refusal(self, operation: Operation | None, answer: Answer) -> str:
        """The code of a known error, or the words of a plain one."""
        assert 400 <= answer.status < 500, answer.told()
        assert answer.headers.get("x-stack-request-id"), answer.headers
        assert answer.headers.get("access-control-allow-origin") == "*", answer.headers
        assert answer.headers.get("cache-control") == "no-store, max-age=0", answer.headers
        named = answer.headers.get(KNOWN_ERROR)
        if named is None:
            assert answer.headers.get("content-type") == "text/plain; charset=utf-8", (answer.headers, answer.told())
            assert answer.text.strip(), answer
            return answer.text
        assert answer.headers.get("content-type") == "application/json; charset=utf-8", answer.headers
        body = answer.json
        assert {"code", "error"} <= set(body) <= {"code", "error", "details"}, body
        assert body["code"] == named, body
        assert _CODE.fullmatch(named), named
        assert body["error"], body
        if operation is not None:
            assert not operation.wrong_answers_of("4XX", body), body
        return named

    def is_domain(self, name: str) -> bool:
        """Whether a refusal is about what the request asks for."""
        return name not in _FORM_REFUSALS and not name.startswith("This API has no ")

    def success_body(self, operation: Operation, answer: Answer) -> Any:
        """The whole body."""
        return answer.json

    def lenient(self, operation: Operation, schema: Mapping[str, Any], value: Any) -> bool:
        """Texts, numbers and truths are turned into one another, as the original's validator does it."""
        found = operation.resolved(schema)
        if found.get("type") == "boolean":
            return isinstance(value, str | int | float) and str(value).lower() in ("true", "1", "false", "0")
        if found.get("type") in ("integer", "number"):
            return isinstance(value, str)
        return isinstance(value, bool | int | float)
