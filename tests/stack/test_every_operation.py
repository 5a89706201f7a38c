"""The success of every operation, whole: its status, its body as the contract describes it, every header."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from oneself.wire.stack.operation import Operation
from oneself.wire.stack.routes import OPERATIONS
from tests.stack.golden import JSON, TEXT, check_headers
from tests.stack.owners import OwnedStack, Owner
from tests.stack.test_projects import keyed, make_keys
from tests.stack.wire import RETURN_URL, Answer, Person, Providers, Stack, fresh_email, jwt_claims, s256, send

PASSWORD = "correct horse battery"
REFRESH = re.compile("[0-9a-hjkmnp-tv-z]{45}")
VERIFIER = "v" * 43


# Held in tests/actions/test_native_wires.py, which has Apple's keys; what needs mail, in files of its own.
ELSEWHERE = ("apple", "otp", "mfa", "password/reset", "verif", "send-")


def _held_here(operation: Operation) -> bool:
    return not any(word in operation.template for word in ELSEWHERE)


@dataclass
class World:
    """What an operation may need."""

    stack: Stack
    owner: Owner
    providers: Providers

    def client(self, person: Person, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self.stack.call(method, path, body, access="client", token=person.access_token, **more)


@pytest.fixture
def world(stack: Stack, owner: Owner, providers: Providers) -> World:
    return World(stack, owner, providers)


@dataclass
class Held:
    """An answer, and what it must be: `body` None is no body; a function looks at it itself."""

    answer: Answer
    status: int
    body: Any
    content_type: str = JSON
    headers: dict[str, str] | None = None
    cookies: int = 0


Case = Callable[[World], Held]
CASES: dict[str, Case] = {}


def case(make: Case) -> Case:
    """Hold the operation of the function's name."""
    CASES[make.__name__] = make
    return make


@pytest.mark.parametrize("name", sorted(operation.operation for operation in OPERATIONS if _held_here(operation)))
def test_its_success_whole(world: World, name: str) -> None:
    held = CASES[name](world)
    assert held.answer.status == held.status, held.answer.text
    if callable(held.body):
        held.body(held.answer.json)
    elif held.body is None:
        assert held.answer.raw == b""
    else:
        assert held.answer.json == held.body
    check_headers(held.answer, held.content_type, **(held.headers or {}))
    assert len(held.answer.cookies) == held.cookies


# --- OAuth -----------------------------------------------------------------------------------------------


@case
def oauth_authorize(world: World) -> Held:
    path, _ = world.stack.authorize_path("google")
    answer = world.stack.call("GET", path, access="")
    return Held(answer, 307, None, TEXT, {"location": answer.location}, 1)


@case
def oauth_callback(world: World) -> Held:
    trip = world.stack.start()
    answer = world.stack.land(trip, world.stack.visit(trip, world.providers.newcomer()))
    assert answer.location.startswith(f"{RETURN_URL}?code=")
    assert answer.location.endswith("&state=the-apps-own-state")
    return Held(answer, 303, {}, JSON, {"location": answer.location}, 1)


@case
def oauth_callback_form(world: World) -> Held:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    path = "/api/v1/auth/oauth/callback/google"
    answer = send(world.stack.base_url, "POST", path, headers, b"state=s&code=c")
    return Held(answer, 303, None, TEXT, {"location": f"{path}?state=s&code=c", "referrer-policy": "no-referrer"})


@case
def consent_begin(world: World) -> Held:
    person, _ = world.stack.sign_in(world.providers.newcomer())
    body = {"scope": "more", "consent_return_url": RETURN_URL}
    refused = world.stack.call("POST", f"/connected-accounts/{person.user_id}/google/access-token", body)
    path = refused.json["details"]["consent_url"].split("/", 3)[3]
    answer = send(world.stack.base_url, "GET", f"/{path}")
    return Held(answer, 307, None, TEXT, {"location": answer.location}, 1)


@case
def token_exchange(world: World) -> Held:
    trip = world.stack.start()
    landed = world.stack.land(trip, world.stack.visit(trip, world.providers.newcomer()))

    def body(told: Any) -> None:
        assert REFRESH.fullmatch(told.pop("refresh_token"))
        assert jwt_claims(told.pop("access_token"))["project_id"] == world.stack.project_id
        assert told == {
            "token_type": "Bearer",
            "expires_in": 600,
            "scope": "legacy",
            "newUser": True,
            "is_new_user": True,
            "afterCallbackRedirectUrl": None,
            "after_callback_redirect_url": None,
        }

    return Held(world.stack.redeem(trip, landed), 200, body, JSON, {"pragma": "no-cache"})


@case
def cross_domain_authorize(world: World) -> Held:
    person = world.stack.person()
    body = {"redirect_uri": RETURN_URL, "state": "s", "code_challenge": s256(VERIFIER)}
    headers = {"x-stack-refresh-token": person.refresh_token}

    def told(found: Any) -> None:
        assert list(found) == ["redirect_url"]
        assert re.fullmatch(re.escape(RETURN_URL) + r"\?code=[\w-]+&state=s", found["redirect_url"])

    answer = world.client(person, "POST", "/auth/oauth/cross-domain/authorize", body, headers=headers)
    return Held(answer, 200, told)


# --- linked accounts -------------------------------------------------------------------------------------


def linked(world: World, person: Person) -> tuple[Answer, dict[str, Any]]:
    """A link made by the server, and what its row looks like to it."""
    body = {
        "user_id": person.user_id,
        "provider_config_id": "github",
        "account_id": f"of-{person.user_id}",
        "email": "ada@corp.example",
        "allow_sign_in": False,
        "allow_connected_accounts": True,
    }
    answer = world.stack.call("POST", "/oauth-providers", body)
    return answer, {**body, "id": answer.json["id"], "type": "github"}


@case
def oauth_providers_create(world: World) -> Held:
    answer, row = linked(world, world.stack.person())
    return Held(answer, 201, row)


@case
def oauth_providers_listing(world: World) -> Held:
    person = world.stack.person()
    _, row = linked(world, person)
    del row["account_id"]
    answer = world.client(person, "GET", "/oauth-providers?user_id=me")
    return Held(answer, 200, {"items": [row], "is_paginated": False})


@case
def oauth_providers_read(world: World) -> Held:
    person = world.stack.person()
    _, row = linked(world, person)
    return Held(world.stack.call("GET", f"/oauth-providers/{person.user_id}/{row['id']}"), 200, row)


@case
def oauth_providers_update(world: World) -> Held:
    person = world.stack.person()
    _, row = linked(world, person)
    answer = world.client(person, "PATCH", f"/oauth-providers/me/{row['id']}", {"allow_sign_in": True})
    del row["account_id"]
    return Held(answer, 200, row | {"allow_sign_in": True})


@case
def oauth_providers_delete(world: World) -> Held:
    person = world.stack.person()
    _, row = linked(world, person)
    return Held(world.client(person, "DELETE", f"/oauth-providers/me/{row['id']}"), 200, {"success": True})


@case
def connected_accounts_listing(world: World) -> Held:
    person = world.stack.person()
    _, row = linked(world, person)
    item = {"user_id": person.user_id, "provider": "github", "provider_account_id": row["account_id"]}
    answer = world.client(person, "GET", "/connected-accounts/me")
    return Held(answer, 200, {"items": [item], "is_paginated": False})


def a_token(told: Any) -> None:
    assert list(told) == ["access_token"]
    assert isinstance(told["access_token"], str)


@case
def connected_accounts_provider_token(world: World) -> Held:
    person, _ = world.stack.sign_in(world.providers.newcomer())
    return Held(world.client(person, "POST", "/connected-accounts/me/google/access-token", {}), 201, a_token)


@case
def connected_accounts_account_token(world: World) -> Held:
    person, _ = world.stack.sign_in(world.providers.newcomer())
    (row,) = world.stack.ok("GET", f"/connected-accounts/{person.user_id}")["items"]
    path = f"/connected-accounts/me/google/{row['provider_account_id']}/access-token"
    return Held(world.client(person, "POST", path, {"scope": "openid"}), 201, a_token)


@case
def connected_accounts_own_token(world: World) -> Held:
    person, _ = world.stack.sign_in(world.providers.newcomer())
    path = "/auth/oauth/connected-accounts/google/access-token"
    return Held(world.client(person, "POST", path, {}), 201, a_token)


# --- passwords and sessions ------------------------------------------------------------------------------


def a_sign_in(told: Any) -> None:
    assert sorted(told) == ["access_token", "refresh_token", "user_id"]
    assert REFRESH.fullmatch(told["refresh_token"])
    assert jwt_claims(told["access_token"])["sub"] == told["user_id"]


def signed_up(world: World) -> tuple[Answer, Person]:
    email = fresh_email()
    body = {"email": email, "password": PASSWORD}
    answer = world.stack.call("POST", "/auth/password/sign-up", body, access="client")
    told = answer.json
    return answer, Person(told["user_id"], told["access_token"], told["refresh_token"], email)


@case
def passwords_sign_up(world: World) -> Held:
    return Held(signed_up(world)[0], 200, a_sign_in)


@case
def passwords_sign_in(world: World) -> Held:
    _, person = signed_up(world)
    body = {"email": person.email, "password": PASSWORD}
    return Held(world.stack.call("POST", "/auth/password/sign-in", body, access="client"), 200, a_sign_in)


@case
def passwords_update(world: World) -> Held:
    _, person = signed_up(world)
    body = {"old_password": PASSWORD, "new_password": PASSWORD + "!"}
    return Held(world.client(person, "POST", "/auth/password/update", body), 200, {"success": True})


@case
def passwords_set(world: World) -> Held:
    person = world.stack.person()
    return Held(world.client(person, "POST", "/auth/password/set", {"password": PASSWORD}), 200, {"success": True})


@case
def passwords_anonymous(world: World) -> Held:
    return Held(world.stack.call("POST", "/auth/anonymous/sign-up", access="client"), 200, a_sign_in)


@case
def sessions_create(world: World) -> Held:
    person = world.stack.person()

    def told(found: Any) -> None:
        assert sorted(found) == ["access_token", "refresh_token"]
        assert REFRESH.fullmatch(found["refresh_token"])

    return Held(world.stack.call("POST", "/auth/sessions", {"user_id": person.user_id}), 200, told)


@case
def sessions_listing(world: World) -> Held:
    person = world.stack.person()

    def told(found: Any) -> None:
        (row,) = found["items"]
        created, used = row.pop("created_at"), row.pop("last_used_at")
        assert abs(created / 1000 - time.time()) < 60
        assert used >= created
        row_of = {"id": jwt_claims(person.access_token)["refresh_token_id"], "user_id": person.user_id}
        row_of |= {"is_impersonation": False, "is_current_session": True}
        assert found == {"items": [row_of], "is_paginated": False}

    return Held(world.client(person, "GET", "/auth/sessions?user_id=me"), 200, told)


@case
def sessions_delete_current(world: World) -> Held:
    return Held(world.client(world.stack.person(), "DELETE", "/auth/sessions/current", {}), 200, {"success": True})


@case
def sessions_refresh_current(world: World) -> Held:
    person = world.stack.person()
    headers = {"x-stack-refresh-token": person.refresh_token}
    answer = world.stack.call("POST", "/auth/sessions/current/refresh", access="client", headers=headers)

    def told(found: Any) -> None:
        assert list(found) == ["access_token"]
        old, new = jwt_claims(person.access_token), jwt_claims(found["access_token"])
        assert {name: value for name, value in new.items() if name not in ("iat", "exp")} == {
            name: value for name, value in old.items() if name not in ("iat", "exp")
        }

    return Held(answer, 200, told)


@case
def sessions_delete(world: World) -> Held:
    person = world.stack.person()
    other = world.stack.ok("POST", "/auth/sessions", {"user_id": person.user_id})
    session_id = jwt_claims(other["access_token"])["refresh_token_id"]
    return Held(world.client(person, "DELETE", f"/auth/sessions/{session_id}?user_id=me"), 200, {"success": True})


# --- users -----------------------------------------------------------------------------------------------


def user_of(shown: Any, access: str, **changes: Any) -> dict[str, Any]:
    """A user who has told nothing but an address; what no test can know is taken from `shown`."""
    client = {
        "id": shown["id"],
        "primary_email": shown["primary_email"],
        "primary_email_verified": False,
        "display_name": None,
        "client_metadata": None,
        "client_read_only_metadata": None,
        "profile_image_url": None,
        "signed_up_at_millis": shown["signed_up_at_millis"],
        "has_password": False,
        "auth_with_email": False,
        "oauth_providers": [],
        "selected_team_id": None,
        "selected_team": None,
        "requires_totp_mfa": False,
        "otp_auth_enabled": False,
        "passkey_auth_enabled": False,
        "is_anonymous": False,
        "is_restricted": False,
        "restricted_reason": None,
        "restricted_by_admin": False,
        "restricted_by_admin_reason": None,
    }
    server = {
        "primary_email_auth_enabled": False,
        "server_metadata": None,
        "last_active_at_millis": shown.get("last_active_at_millis"),
        "restricted_by_admin_private_details": None,
        "country_code": None,
        "risk_scores": {"sign_up": {"bot": 0, "free_trial_abuse": 0}},
    }
    return client | (server if access == "server" else {}) | changes


@case
def users_create(world: World) -> Held:
    email = fresh_email()
    answer = world.stack.call("POST", "/users", {"primary_email": email})
    assert answer.json["primary_email"] == email
    assert abs(answer.json["signed_up_at_millis"] / 1000 - time.time()) < 60
    return Held(answer, 201, user_of(answer.json, "server"))


@case
def users_listing(world: World) -> Held:
    person = world.stack.person()
    answer = world.stack.call("GET", f"/users?query={person.user_id}")
    (shown,) = answer.json["items"]
    body = {"items": [user_of(shown, "server")], "is_paginated": True, "pagination": {"next_cursor": None}}
    return Held(answer, 200, body)


@case
def users_read(world: World) -> Held:
    person = world.stack.person()
    answer = world.stack.call("GET", f"/users/{person.user_id}")
    return Held(answer, 200, user_of(answer.json, "server", id=person.user_id, primary_email=person.email))


@case
def users_read_me(world: World) -> Held:
    person = world.stack.person()
    answer = world.client(person, "GET", "/users/me")
    return Held(answer, 200, user_of(answer.json, "client", id=person.user_id, primary_email=person.email))


@case
def users_update(world: World) -> Held:
    person = world.stack.person()
    answer = world.stack.call("PATCH", f"/users/{person.user_id}", {"server_metadata": {"a": [1]}})
    return Held(answer, 200, user_of(answer.json, "server", server_metadata={"a": [1]}, id=person.user_id))


@case
def users_update_me(world: World) -> Held:
    person = world.stack.person()
    answer = world.client(person, "PATCH", "/users/me", {"display_name": "Ada"})
    return Held(answer, 200, user_of(answer.json, "client", display_name="Ada", id=person.user_id))


@case
def users_delete(world: World) -> Held:
    return Held(world.stack.call("DELETE", f"/users/{world.stack.person().user_id}"), 200, {"success": True})


@case
def users_delete_me(world: World) -> Held:
    project = world.owner.project(client_user_deletion_enabled=True)
    person = project.person()
    answer = project.call("DELETE", "/users/me", access="client", token=person.access_token)
    assert project.call("GET", f"/users/{person.user_id}").code == "USER_NOT_FOUND"
    return Held(answer, 200, {"success": True})


# --- contact channels ------------------------------------------------------------------------------------


def channel(world: World, person: Person) -> dict[str, Any]:
    """The channel that a new person has."""
    (row,) = world.stack.ok("GET", f"/contact-channels?user_id={person.user_id}")["items"]
    return {
        "user_id": person.user_id,
        "id": row["id"],
        "value": person.email,
        "type": "email",
        "used_for_auth": False,
        "is_verified": False,
        "is_primary": True,
    }


@case
def contact_channels_create(world: World) -> Held:
    person, value = world.stack.person(), fresh_email()
    body = {"user_id": "me", "value": value, "type": "email", "used_for_auth": True}
    answer = world.client(person, "POST", "/contact-channels", body)
    row = {"user_id": person.user_id, "id": answer.json["id"], "is_verified": False, "is_primary": False}
    return Held(answer, 201, body | row)


@case
def contact_channels_listing(world: World) -> Held:
    person = world.stack.person()
    answer = world.client(person, "GET", "/contact-channels?user_id=me")
    return Held(answer, 200, {"items": [channel(world, person)], "is_paginated": False})


@case
def contact_channels_read(world: World) -> Held:
    person = world.stack.person()
    row = channel(world, person)
    return Held(world.client(person, "GET", f"/contact-channels/me/{row['id']}"), 200, row)


@case
def contact_channels_update(world: World) -> Held:
    person = world.stack.person()
    row = channel(world, person)
    answer = world.stack.call("PATCH", f"/contact-channels/{person.user_id}/{row['id']}", {"is_verified": True})
    return Held(answer, 200, row | {"is_verified": True})


@case
def contact_channels_delete(world: World) -> Held:
    person = world.stack.person()
    row = channel(world, person)
    return Held(world.client(person, "DELETE", f"/contact-channels/me/{row['id']}"), 200, {"success": True})


# --- teams -----------------------------------------------------------------------------------------------


def team_of(shown: Any, access: str, name: str = "T") -> dict[str, Any]:
    client = {
        "id": shown["id"],
        "display_name": name,
        "profile_image_url": None,
        "client_metadata": None,
        "client_read_only_metadata": None,
    }
    return client | ({"created_at_millis": shown["created_at_millis"], "server_metadata": None} if access else {})


def team(world: World, person: Person) -> Any:
    return world.stack.ok("POST", "/teams", {"display_name": "T", "creator_user_id": person.user_id})


@case
def teams_create(world: World) -> Held:
    answer = world.stack.call("POST", "/teams", {"display_name": "T"})
    assert abs(answer.json["created_at_millis"] / 1000 - time.time()) < 60
    return Held(answer, 201, team_of(answer.json, "server"))


@case
def teams_listing(world: World) -> Held:
    person = world.stack.person()
    made = team(world, person)
    answer = world.client(person, "GET", "/teams?user_id=me")
    return Held(answer, 200, {"items": [team_of(made, "")], "is_paginated": False})


@case
def teams_read(world: World) -> Held:
    made = team(world, world.stack.person())
    return Held(world.stack.call("GET", f"/teams/{made['id']}"), 200, team_of(made, "server"))


@case
def teams_update(world: World) -> Held:
    person = world.stack.person()
    made = team(world, person)
    answer = world.client(person, "PATCH", f"/teams/{made['id']}", {"display_name": "U"})
    return Held(answer, 200, team_of(made, "", "U"))


@case
def teams_delete(world: World) -> Held:
    made = team(world, world.stack.person())
    return Held(world.stack.call("DELETE", f"/teams/{made['id']}"), 200, {"success": True})


@case
def teams_join(world: World) -> Held:
    made, person = team(world, world.stack.person()), world.stack.person()
    answer = world.stack.call("POST", f"/team-memberships/{made['id']}/{person.user_id}")
    return Held(answer, 201, {"team_id": made["id"], "user_id": person.user_id})


@case
def teams_leave(world: World) -> Held:
    person = world.stack.person()
    made = team(world, person)
    return Held(world.client(person, "DELETE", f"/team-memberships/{made['id']}/me"), 200, {"success": True})


# --- projects --------------------------------------------------------------------------------------------

CLIENT_CONFIG = {
    "sign_up_enabled": True,
    "credential_enabled": True,
    "magic_link_enabled": False,
    "passkey_enabled": False,
    "client_team_creation_enabled": False,
    "client_user_deletion_enabled": False,
    "allow_user_api_keys": False,
    "allow_team_api_keys": False,
    "enabled_oauth_providers": [],
    "domains": [],
}


def project_of(shown: Any, owner: Owner, **changes: Any) -> dict[str, Any]:
    """A project that was made without saying anything of it."""
    about = {
        "id": shown["id"],
        "display_name": "Made",
        "description": None,
        "logo_url": None,
        "logo_full_url": None,
        "logo_dark_mode_url": None,
        "logo_full_dark_mode_url": None,
        "created_at_millis": shown["created_at_millis"],
        "is_production_mode": False,
        "owner_team_id": owner.team_id,
        "onboarding_status": "completed",
        "config": {
            **CLIENT_CONFIG,
            "allow_localhost": True,
            "oauth_providers": [],
            "email_config": {"type": "shared"},
            "email_theme": shown["config"]["email_theme"],
            "create_team_on_sign_up": False,
            "team_creator_default_permissions": [{"id": "team_admin"}],
            "team_member_default_permissions": [{"id": "team_member"}],
            "user_default_permissions": [],
            "oauth_account_merge_strategy": "link_method",
        },
    }
    return about | changes


@case
def projects_current(world: World) -> Held:
    project, made = world.owner.create()
    body = {"id": made["id"], "display_name": "Made", "config": CLIENT_CONFIG}
    return Held(project.call("GET", "/projects/current", access="client"), 200, body)


@case
def projects_jwks(world: World) -> Held:
    world.stack.person()
    path = f"/api/v1/projects/{world.stack.project_id}/.well-known/jwks.json"
    answer = send(world.stack.base_url, "GET", path)

    def told(found: Any) -> None:
        assert list(found) == ["keys"]
        for key in found["keys"]:
            assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x", "y"]
            assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")

    answer.headers["cache-control"], cached = "no-store, max-age=0", answer.headers["cache-control"]
    assert cached == "public, max-age=3600"
    return Held(answer, 200, told)


@case
def internal_projects_create(world: World) -> Held:
    owner = world.owner
    body = {"display_name": "Made", "owner_team_id": owner.team_id}
    token = owner.person.access_token
    answer = owner.internal.call("POST", "/internal/projects", body, access="client", token=token)
    assert abs(answer.json["created_at_millis"] / 1000 - time.time()) < 60
    return Held(answer, 201, project_of(answer.json, owner))


@case
def internal_projects_owned(world: World) -> Held:
    owner = world.owner
    _, made = owner.create()
    answer = owner.internal.call("GET", "/internal/projects", access="client", token=owner.person.access_token)
    return Held(answer, 200, {"items": [project_of(made, owner)], "is_paginated": False})


@case
def internal_projects_read_current(world: World) -> Held:
    project, made = world.owner.create()
    return Held(project.call("GET", "/internal/projects/current", access="admin"), 200, project_of(made, world.owner))


@case
def internal_projects_update_current(world: World) -> Held:
    project, made = world.owner.create()
    body = {"display_name": "New", "logo_url": "https://l.example/l.png"}
    answer = project.call("PATCH", "/internal/projects/current", body, access="admin")
    return Held(answer, 200, project_of(made, world.owner, **body))


@case
def internal_projects_delete_current(world: World) -> Held:
    answer = world.owner.project().call("DELETE", "/internal/projects/current", access="admin")
    return Held(answer, 200, {"success": True})


@case
def config_overrides_configuration(world: World) -> Held:
    project = world.owner.project()

    def told(found: Any) -> None:
        assert list(found) == ["config_string"]
        assert json.loads(found["config_string"]) == {
            "project": {"requirePublishableClientKey": False},
            "domains": {"allowLocalhost": True, "trustedDomains": {}},
            "auth": {
                "allowSignUp": True,
                "password": {"allowSignIn": True},
                "otp": {"allowSignIn": False},
                "passkey": {"allowSignIn": False},
                "oauth": {"accountMergeStrategy": "link_method", "providers": {}},
            },
            "onboarding": {"requireEmailVerification": False},
            "teams": {"createPersonalTeamOnSignUp": False, "allowClientTeamCreation": False},
            "users": {"allowClientUserDeletion": False},
        }

    return Held(project.call("GET", "/internal/config", access="admin"), 200, told)


@case
def config_overrides_override(world: World) -> Held:
    body = {"config_override_string": '{"auth.allowSignUp": false}'}
    answer = world.owner.project().call("PATCH", "/internal/config/override/environment", body, access="admin")
    return Held(answer, 200, {"success": True})


@case
def config_overrides_read(world: World) -> Held:
    project = world.owner.project()
    project.configure(auth__allowSignUp=False)

    def told(found: Any) -> None:
        assert list(found) == ["config_string"]
        assert json.loads(found["config_string"]) == {
            "auth.password.allowSignIn": True,
            "domains.allowLocalhost": True,
            "auth.allowSignUp": False,
        }

    return Held(project.call("GET", "/internal/config/override/environment", access="admin"), 200, told)


@case
def config_overrides_replace(world: World) -> Held:
    body = {"config_string": '{"auth.allowSignUp": false}'}
    answer = world.owner.project().call("PUT", "/internal/config/override/environment", body, access="admin")
    return Held(answer, 200, {"success": True})


@case
def config_overrides_reset(world: World) -> Held:
    path = "/internal/config/override/environment/reset-keys"
    answer = world.owner.project().call("POST", path, {"keys": ["domains"]}, access="admin")
    return Held(answer, 200, {"success": True})


# --- keys ------------------------------------------------------------------------------------------------


@case
def api_keys_create(world: World) -> Held:
    project = world.owner.project()
    body = {
        "description": "D",
        "expires_at_millis": 4_000_000_000_000,
        "has_publishable_client_key": True,
        "has_secret_server_key": True,
        "has_super_secret_admin_key": True,
    }
    answer = project.call("POST", "/internal/api-keys", body, access="admin")

    def told(found: Any) -> None:
        for name, prefix in (("publishable_client", "pck"), ("secret_server", "ssk"), ("super_secret_admin", "sak")):
            assert re.fullmatch(rf"{prefix}_[0-9a-hjkmnp-tv-z]{{45}}", found.pop(f"{name}_key"))
        assert abs(found.pop("created_at_millis") / 1000 - time.time()) < 60
        assert found == {"id": found["id"], "description": "D", "expires_at_millis": 4_000_000_000_000}

    assert keyed(project, answer.json).call("GET", "/projects/current").status == 200
    return Held(answer, 200, told)


def set_of(made: Any) -> dict[str, Any]:
    """A set of keys as it is shown after it was made."""
    return {name: {"last_four": value[-4:]} if name.endswith("_key") else value for name, value in made.items()}


def keys_of(world: World) -> tuple[OwnedStack, Any]:
    project = world.owner.project()
    return project, make_keys(project)


@case
def api_keys_listing(world: World) -> Held:
    project, first = keys_of(world)
    second = make_keys(project, has_secret_server_key=False)
    answer = project.call("GET", "/internal/api-keys", access="admin")
    return Held(answer, 200, {"items": [set_of(second), set_of(first)], "is_paginated": False})


@case
def api_keys_read(world: World) -> Held:
    project, made = keys_of(world)
    return Held(project.call("GET", f"/internal/api-keys/{made['id']}", access="admin"), 200, set_of(made))


@case
def api_keys_update(world: World) -> Held:
    project, made = keys_of(world)
    answer = project.call("PATCH", f"/internal/api-keys/{made['id']}", {"revoked": True}, access="admin")

    def told(found: Any) -> None:
        assert abs(found.pop("manually_revoked_at_millis") / 1000 - time.time()) < 60
        assert found == set_of(made)

    return Held(answer, 200, told)
