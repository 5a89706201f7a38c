"""Projects through `internal`: made, configured, keyed, deleted; and teams, which own them."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from tests.stack.golden import check_json, check_known, check_plain, check_schema_error
from tests.stack.owners import OwnedStack, Owner
from tests.stack.wire import Providers, Stack, fresh_email, jwt_claims, jwt_part, query_of, send

UNKNOWN = "11111111-1111-4111-8111-111111111111"


# --- projects --------------------------------------------------------------------------------------------


def test_a_new_project_whole(owner: Owner) -> None:
    project, made = owner.create(display_name="Shop", config={"domains": [], "oauth_providers": []})
    created_at = made.pop("created_at_millis")
    assert abs(created_at / 1000 - time.time()) < 60
    assert made == {
        "id": project.project_id,
        "display_name": "Shop",
        "description": None,
        "logo_url": None,
        "logo_full_url": None,
        "logo_dark_mode_url": None,
        "logo_full_dark_mode_url": None,
        "is_production_mode": False,
        "owner_team_id": owner.team_id,
        "onboarding_status": "completed",
        "config": {
            "allow_localhost": True,
            "sign_up_enabled": True,
            "credential_enabled": True,
            "magic_link_enabled": False,
            "passkey_enabled": False,
            "client_team_creation_enabled": False,
            "client_user_deletion_enabled": False,
            "allow_user_api_keys": False,
            "allow_team_api_keys": False,
            "oauth_providers": [],
            "enabled_oauth_providers": [],
            "domains": [],
            "email_config": {"type": "shared"},
            "email_theme": made["config"]["email_theme"],
            "create_team_on_sign_up": False,
            "team_creator_default_permissions": [{"id": "team_admin"}],
            "team_member_default_permissions": [{"id": "team_member"}],
            "user_default_permissions": [],
            "oauth_account_merge_strategy": "link_method",
        },
    }
    listed = owner.internal.ok("GET", "/internal/projects", access="client", token=owner.person.access_token)
    assert [row["id"] for row in listed["items"]] == [project.project_id]


def test_what_clients_see_of_it(owner: Owner) -> None:
    project = owner.project(
        sign_up_enabled=False,
        oauth_providers=[{"id": "google", "type": "shared"}, {"id": "github", "type": "shared"}],
        domains=[
            {"domain": "https://b.example", "handler_path": "/h"},
            {"domain": "https://a.example", "handler_path": "/"},
        ],
    )
    check_json(
        project.call("GET", "/projects/current", access="client"),
        200,
        {
            "id": project.project_id,
            "display_name": "Made",
            "config": {
                "sign_up_enabled": False,
                "credential_enabled": True,
                "magic_link_enabled": False,
                "passkey_enabled": False,
                "client_team_creation_enabled": False,
                "client_user_deletion_enabled": False,
                "allow_user_api_keys": False,
                "allow_team_api_keys": False,
                "enabled_oauth_providers": [{"id": "github"}, {"id": "google"}],
                "domains": [
                    {"domain": "https://a.example", "handler_path": "/"},
                    {"domain": "https://b.example", "handler_path": "/h"},
                ],
            },
        },
    )


def test_who_may_make_projects(owner: Owner, internal: Stack) -> None:
    body = {"display_name": "x", "owner_team_id": owner.team_id}
    check_known(
        internal.call("POST", "/internal/projects", body, access="client"),
        401,
        "USER_AUTHENTICATION_REQUIRED",
        "User authentication required for this endpoint.",
    )
    project = owner.project()
    person = project.person()
    check_known(
        project.call("POST", "/internal/projects", body, access="client", token=person.access_token),
        401,
        "EXPECTED_INTERNAL_PROJECT",
        "The project ID is expected to be internal.",
    )
    stranger = internal.person()
    check_known(
        internal.call("POST", "/internal/projects", body, access="client", token=stranger.access_token),
        404,
        "TEAM_MEMBERSHIP_NOT_FOUND",
        f"User {stranger.user_id} is not found in team {owner.team_id}.",
        {"team_id": owner.team_id, "user_id": stranger.user_id},
    )
    check_schema_error(
        internal.call("POST", "/internal/projects", {"owner_team_id": "x"}, access="client"),
        "POST /api/v1/internal/projects",
        "body.display_name must be defined",
        "body.owner_team_id must be a valid UUID",
    )


def test_admin_access_tokens(owner: Owner, internal: Stack) -> None:
    project = owner.project()
    for access in ("client", "server", "admin"):
        assert project.call("GET", "/projects/current", access=access).status == 200
    stranger = replace(owner, person=internal.person())
    not_mine = replace(project, owner=stranger).call("GET", "/projects/current", access="admin")
    check_known(
        not_mine,
        401,
        "ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN",
        "Admin access token does not have the required permissions to access this project.",
    )
    bad = {"x-stack-admin-access-token": "x.y.z"}
    check_known(
        project.call("GET", "/projects/current", access="admin", headers=bad),
        401,
        "UNPARSABLE_ADMIN_ACCESS_TOKEN",
        "Admin access token is not parsable.",
    )
    foreign = {"x-stack-admin-access-token": project.person().access_token}
    check_known(
        project.call("GET", "/projects/current", access="admin", headers=foreign),
        401,
        "INVALID_PROJECT_FOR_ADMIN_ACCESS_TOKEN",
        "Admin access tokens must be created on the internal project.",
    )


def test_changing_and_deleting(owner: Owner) -> None:
    project = owner.project(oauth_providers=[{"id": "google", "type": "shared"}])
    provider = {"id": "github", "type": "standard", "client_id": "cid", "client_secret": "very secret"}
    changed = project.ok(
        "PATCH",
        "/internal/projects/current",
        {
            "display_name": "New",
            "description": "D",
            "is_production_mode": True,
            "config": {"oauth_providers": [provider]},
        },
        access="admin",
    )
    assert (changed["display_name"], changed["description"], changed["is_production_mode"]) == ("New", "D", True)
    assert changed["config"]["oauth_providers"] == [provider | {"provider_config_id": "github"}]
    assert changed["config"]["credential_enabled"] is True
    again = project.ok("GET", "/internal/projects/current", access="admin")
    assert again == changed
    none = project.ok("PATCH", "/internal/projects/current", {"config": {"oauth_providers": []}}, access="admin")
    assert none["config"]["oauth_providers"] == []
    check_json(project.call("DELETE", "/internal/projects/current", access="admin"), 200, {"success": True})
    assert project.call("GET", "/projects/current", access="client").code == "CURRENT_PROJECT_NOT_FOUND"


# --- configuration ---------------------------------------------------------------------------------------


def config_of(project: OwnedStack) -> Any:
    return json.loads(project.ok("GET", "/internal/config", access="admin")["config_string"])


def test_levels_of_configuration(owner: Owner) -> None:
    project = owner.project()
    before = config_of(project)
    assert before["auth"]["password"] == {"allowSignIn": True}
    assert before["domains"]["allowLocalhost"] is True
    assert before["project"] == {"requirePublishableClientKey": False}
    for level, value in (("project", "raise_error"), ("branch", "allow_duplicates")):
        text = json.dumps({"auth.oauth.accountMergeStrategy": value})
        project.ok("PATCH", f"/internal/config/override/{level}", {"config_override_string": text}, access="admin")
        assert config_of(project)["auth"]["oauth"]["accountMergeStrategy"] == value
    project.configure(auth__oauth__accountMergeStrategy="link_method")
    text = json.dumps({"auth.oauth.accountMergeStrategy": "raise_error"})
    project.ok("PATCH", "/internal/config/override/branch", {"config_override_string": text})
    assert config_of(project)["auth"]["oauth"]["accountMergeStrategy"] == "link_method"


def test_keys_drop_their_children(owner: Owner) -> None:
    project = owner.project()
    project.configure(domains__trustedDomains__one={"baseUrl": "https://one.example", "handlerPath": "/h"})
    project.configure(domains__trustedDomains__two__baseUrl="https://two.example")
    domains = config_of(project)["domains"]["trustedDomains"]
    assert domains == {
        "one": {"baseUrl": "https://one.example", "handlerPath": "/h"},
        "two": {"baseUrl": "https://two.example", "handlerPath": "/handler"},
    }
    project.configure(domains__trustedDomains={"three": {"baseUrl": "https://three.example"}})
    assert list(config_of(project)["domains"]["trustedDomains"]) == ["three"]
    project.configure(domains__trustedDomains__three=None)
    assert config_of(project)["domains"]["trustedDomains"] == {}
    project.configure(onboarding={"requireEmailVerification": True})
    assert config_of(project)["onboarding"] == {"requireEmailVerification": True}


def test_a_client_secret_is_shown_to_admins_and_stored_sealed(owner: Owner) -> None:
    project = owner.project()
    project.configure(
        auth__oauth__providers__github={
            "type": "github",
            "isShared": False,
            "clientId": "cid",
            "clientSecret": "canary-5e1f",
            "allowSignIn": True,
        }
    )
    entry = config_of(project)["auth"]["oauth"]["providers"]["github"]
    assert (entry["clientSecret"], entry["allowConnectedAccounts"]) == ("canary-5e1f", False)
    project.configure(auth__oauth__providers__github__allowConnectedAccounts=True)
    assert config_of(project)["auth"]["oauth"]["providers"]["github"]["clientSecret"] == "canary-5e1f"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"auth.allowSignUp": "yes"}',
        '{"auth": 3}',
        '{"auth.oauth.providers.x": {"type": "nonesuch"}}',
        '{"auth.oauth.providers.x": {}}',
        '{"auth.oauth.providers": []}',
        '{"domains.trustedDomains.x": {}}',
        '{"auth.oauth.accountMergeStrategy": "guess"}',
    ],
)
def test_what_is_no_configuration_changes_nothing(owner: Owner, text: str) -> None:
    project = owner.project()
    before = config_of(project)
    answer = project.call(
        "PATCH", "/internal/config/override/environment", {"config_override_string": text}, access="admin"
    )
    assert answer.status == 400, answer.text
    assert config_of(project) == before


def test_who_may_configure(owner: Owner) -> None:
    project = owner.project()
    body = {"config_override_string": "{}"}
    assert project.call("PATCH", "/internal/config/override/branch", body).status == 200
    assert project.call("PATCH", "/internal/config/override/environment", body).status == 403
    assert (
        project.call("PATCH", "/internal/config/override/branch", body, access="client").code
        == "INSUFFICIENT_ACCESS_TYPE"
    )
    assert project.call("PATCH", "/internal/config/override/galaxy", body, access="admin").code == "SCHEMA_ERROR"


def test_changes_at_once_are_all_kept(owner: Owner) -> None:
    """7.24: the override is one atomic step."""
    project = owner.project()

    def add(number: int) -> None:
        project.configure(**{f"domains__trustedDomains__d{number}": {"baseUrl": f"https://d{number}.example"}})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    assert len(config_of(project)["domains"]["trustedDomains"]) == 8


# --- keys ------------------------------------------------------------------------------------------------


def make_keys(project: OwnedStack, **changes: Any) -> Any:
    body = {
        "description": "Test",
        "expires_at_millis": int((time.time() + 3600) * 1000),
        "has_publishable_client_key": True,
        "has_secret_server_key": True,
        "has_super_secret_admin_key": True,
    }
    return project.ok("POST", "/internal/api-keys", body | changes, access="admin")


def keyed(project: OwnedStack, keys: Any) -> Stack:
    names = ("publishable_client_key", "secret_server_key", "super_secret_admin_key")
    return Stack(project.base_url, project.project_id, *(keys.get(name, "") for name in names))


def test_keys_work_until_they_are_revoked(owner: Owner) -> None:
    project = owner.project()
    keys = make_keys(project)
    stack = keyed(project, keys)
    assert [keys[name][:4] for name in ("publishable_client_key", "secret_server_key", "super_secret_admin_key")] == [
        "pck_",
        "ssk_",
        "sak_",
    ]
    for access in ("client", "server", "admin"):
        assert stack.call("GET", "/projects/current", access=access).status == 200
    (listed,) = project.ok("GET", "/internal/api-keys", access="admin")["items"]
    assert listed["id"] == keys["id"]
    assert listed["secret_server_key"] == {"last_four": keys["secret_server_key"][-4:]}
    assert "manually_revoked_at_millis" not in listed
    revoked = project.ok("PATCH", f"/internal/api-keys/{keys['id']}", {"revoked": True}, access="admin")
    assert abs(revoked["manually_revoked_at_millis"] / 1000 - time.time()) < 60
    for access, code in (
        ("client", "INVALID_PUBLISHABLE_CLIENT_KEY"),
        ("server", "INVALID_SECRET_SERVER_KEY"),
        ("admin", "INVALID_SUPER_SECRET_ADMIN_KEY"),
    ):
        assert stack.call("GET", "/projects/current", access=access).code == code


def test_keys_expire_and_are_made_as_asked(owner: Owner) -> None:
    project = owner.project()
    only = make_keys(project, has_secret_server_key=False, has_super_secret_admin_key=False, expires_at_millis=1)
    assert sorted(only) == ["created_at_millis", "description", "expires_at_millis", "id", "publishable_client_key"]
    assert (
        keyed(project, only).call("GET", "/projects/current", access="client").code == "INVALID_PUBLISHABLE_CLIENT_KEY"
    )
    missing = project.call("GET", f"/internal/api-keys/{UNKNOWN}", access="admin")
    check_known(missing, 404, "API_KEY_NOT_FOUND", "API key not found.")


def test_a_required_publishable_key(owner: Owner) -> None:
    project = owner.project()
    keys = make_keys(project)
    text = json.dumps({"project.requirePublishableClientKey": True})
    project.ok("PATCH", "/internal/config/override/project", {"config_override_string": text}, access="admin")
    words = (
        401,
        "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT",
        (
            "Publishable client keys are required for this project. Create one in Project Keys, or disable this "
            "requirement there to allow keyless client access."
        ),
        {"project_id": project.project_id},
    )
    keyless = Stack(project.base_url, project.project_id, "__stack_public_client__", "", "")
    check_known(keyless.call("GET", "/projects/current", access="client"), *words)
    check_known(keyless.token(grant_type="refresh_token", refresh_token="x"), *words)
    check_known(keyless.token(grant_type="refresh_token", refresh_token="x", client_secret=None), *words)
    project.configure(auth__oauth__providers__google={"type": "google", "allowSignIn": True})
    path, _ = keyless.authorize_path("google")
    check_known(keyless.call("GET", path, access=""), *words)
    assert keyed(project, keys).call("GET", "/projects/current", access="client").status == 200


# --- what settings do to sign-in -------------------------------------------------------------------------


def shared(owner: Owner, **config: Any) -> OwnedStack:
    return owner.project(oauth_providers=[{"id": "google", "type": "shared"}], **config)


def start(project: OwnedStack, persona: str, **changes: str | None) -> Any:
    project = replace(project, client_key="__stack_public_client__")
    trip = project.start("google", **changes)
    return project, trip, project.land(trip, project.visit(trip, persona))


def test_shared_providers(owner: Owner, providers: Providers) -> None:
    project = shared(owner)
    path, _ = replace(project, client_key="__stack_public_client__").authorize_path("google", provider_scope="more")
    check_known(
        send(project.base_url, "GET", f"/api/v1{path}"),
        400,
        "OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS",
        "Extra scopes are not available with shared OAuth keys. Please add your own OAuth keys on the Stack dashboard "
        "to use extra scopes.",
    )
    keyless, trip, landed = start(project, providers.newcomer())
    assert "nonce" not in query_of(trip.location)
    tokens = keyless.redeem(trip, landed).json
    user_id = jwt_claims(tokens["access_token"])["sub"]
    given = project.ok("POST", f"/connected-accounts/{user_id}/google/access-token", {})
    assert list(given) == ["access_token"]


def test_sign_up_off(owner: Owner, providers: Providers) -> None:
    project = shared(owner, sign_up_enabled=False)
    _, _, landed = start(project, providers.newcomer())
    told = query_of(landed.location)
    assert landed.status == 307
    assert (told["errorCode"], told["details"]) == ("SIGN_UP_NOT_ENABLED", "{}")
    persona = providers.newcomer()
    email = f"{persona}@corp.example"
    person = project.person(primary_email=email, primary_email_verified=True, primary_email_auth_enabled=True)
    keyless, trip, landed = start(project, persona)
    assert jwt_claims(keyless.redeem(trip, landed).json["access_token"])["sub"] == person.user_id
    body = {"email": fresh_email(), "password": "long enough"}
    assert project.call("POST", "/auth/password/sign-up", body, access="client").code == "SIGN_UP_NOT_ENABLED"


@pytest.mark.parametrize("strategy", ["raise_error", "allow_duplicates"])
def test_merge_strategies(owner: Owner, providers: Providers, strategy: str) -> None:
    project = shared(owner, oauth_account_merge_strategy=strategy)
    persona = providers.newcomer()
    email = f"{persona}@corp.example"
    person = project.person(primary_email=email, primary_email_verified=True, primary_email_auth_enabled=True)
    keyless, trip, landed = start(project, persona)
    if strategy == "raise_error":
        told = query_of(landed.location)
        assert told["errorCode"] == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
        assert told["message"] == f'This email "({email})" is already used for authentication by another account.'
        return
    tokens = keyless.redeem(trip, landed).json
    other = project.ok("GET", f"/users/{jwt_claims(tokens['access_token'])['sub']}")
    assert tokens["is_new_user"] is True
    assert other["id"] != person.user_id
    assert (other["primary_email"], other["primary_email_verified"]) == (email, True)
    assert other["primary_email_auth_enabled"] is False


def test_provider_flags_are_enforced(owner: Owner, providers: Providers) -> None:
    """7.20: a provider that may not sign in is not there for sign-in, and gives no tokens when it may not connect."""
    project = owner.project()
    project.configure(
        auth__oauth__providers__google={"type": "google", "isShared": True, "allowConnectedAccounts": True}
    )
    keyless = replace(project, client_key="__stack_public_client__")
    path, _ = keyless.authorize_path("google")
    assert send(project.base_url, "GET", f"/api/v1{path}").code == "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"
    person = project.person()
    trip = keyless.start("google", type="link", token=person.access_token)
    landed = keyless.land(trip, keyless.visit(trip, providers.newcomer()))
    assert keyless.redeem(trip, landed).status == 200
    (row,) = project.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"]
    assert (row["allow_sign_in"], row["allow_connected_accounts"]) == (False, True)
    project.configure(auth__oauth__providers__google__allowConnectedAccounts=False)
    answer = project.call("POST", f"/connected-accounts/{person.user_id}/google/access-token", {})
    assert answer.code == "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"


def test_rows_survive_their_provider(owner: Owner) -> None:
    project = shared(owner)
    person = project.person()
    body = {
        "user_id": person.user_id,
        "provider_config_id": "google",
        "account_id": "a",
        "allow_sign_in": True,
        "allow_connected_accounts": True,
    }
    row = project.ok("POST", "/oauth-providers", body)
    project.ok("PATCH", "/internal/projects/current", {"config": {"oauth_providers": []}}, access="admin")
    assert project.ok("GET", f"/oauth-providers/{person.user_id}/{row['id']}")["type"] == "google"
    check_plain(
        project.call("POST", "/oauth-providers", body), 404, "OAuth provider google not found or not configured"
    )


@pytest.mark.parametrize(
    ("pattern", "url", "trusted"),
    [
        ("https://trusted.example", "https://trusted.example/any/path", True),
        ("https://trusted.example", "https://trusted.example:443/", True),
        ("https://trusted.example", "https://trusted.example.evil.example/", False),
        ("https://trusted.example", "http://trusted.example/", False),
        ("https://trusted.example", "https://trusted.example:8443/", False),
        ("https://*.trusted.example", "https://a.trusted.example/", True),
        ("https://*.trusted.example", "https://a.b.trusted.example/", False),
        ("https://**.trusted.example", "https://a.b.trusted.example/", True),
        ("http://api-*:8107", "http://api-one:8107/", True),
        ("http://api-*:8107", "http://api-one:8108/", False),
    ],
)
def test_trusted_domains(owner: Owner, pattern: str, url: str, trusted: bool) -> None:
    project = shared(owner)
    project.configure(domains__allowLocalhost=False, domains__trustedDomains={"x": {"baseUrl": pattern}})
    keyless = replace(project, client_key="__stack_public_client__")
    path, _ = keyless.authorize_path("google", after_callback_redirect_url=url)
    assert (send(project.base_url, "GET", f"/api/v1{path}").status == 307) is trusted


# --- people whose address must be proved -----------------------------------------------------------------


def test_restricted_users(owner: Owner) -> None:
    project = owner.project()
    project.configure(onboarding__requireEmailVerification=True)
    person = project.person()
    claims = jwt_claims(person.access_token)
    assert claims["aud"] == f"{project.project_id}:restricted"
    assert claims["iss"] == f"{project.base_url}/api/v1/projects-restricted-users/{project.project_id}"
    assert claims["restricted_reason"] == {"type": "email_not_verified"}
    refused = project.call(
        "GET",
        "/users/me",
        access="client",
        token=person.access_token,
        headers={"x-stack-allow-anonymous-user": "false"},
    )
    check_known(
        refused,
        403,
        "RESTRICTED_USER_NOT_ALLOWED",
        "The user in the access token is in restricted state. Reason: email_not_verified. Please pass the "
        "X-Stack-Allow-Restricted-User header if this is intended.",
        {"restricted_reason": {"type": "email_not_verified"}},
    )
    let = {"x-stack-allow-anonymous-user": "false", "x-stack-allow-restricted-user": "true"}
    me = project.call("GET", "/users/me", access="client", token=person.access_token, headers=let).json
    assert (me["is_restricted"], me["restricted_reason"]) == (True, {"type": "email_not_verified"})
    assert project.ok("GET", "/users")["items"] == []
    assert [user["id"] for user in project.ok("GET", "/users?include_restricted=true")["items"]] == [person.user_id]
    project.ok("PATCH", f"/users/{person.user_id}", {"primary_email_verified": True})
    assert project.ok("GET", f"/users/{person.user_id}")["is_restricted"] is False


def test_restricted_by_an_administrator(owner: Owner) -> None:
    project = owner.project()
    person = project.person(primary_email_verified=True)
    path = f"/users/{person.user_id}"
    body = {"restricted_by_admin": True, "restricted_by_admin_reason": "r", "restricted_by_admin_private_details": "p"}
    user = project.ok("PATCH", path, body)
    assert (user["is_restricted"], user["restricted_reason"]) == (True, {"type": "restricted_by_administrator"})
    assert (user["restricted_by_admin_reason"], user["restricted_by_admin_private_details"]) == ("r", "p")
    assert project.ok("GET", "/users")["items"] == []
    me = project.ok("GET", "/users/me", access="client", token=person.access_token)
    assert "restricted_by_admin_private_details" not in me
    freed = project.ok("PATCH", path, {"restricted_by_admin": False})
    assert (freed["is_restricted"], freed["restricted_by_admin_reason"]) == (False, None)
    check_schema_error(
        project.call("PATCH", path, {"restricted_by_admin_reason": "alone"}),
        f"PATCH /api/v1{path}",
        "restricted_by_admin_reason must be null when restricted_by_admin is not true",
    )


# --- public keys -----------------------------------------------------------------------------------------


def test_public_keys_per_audience(owner: Owner) -> None:
    project = owner.project()
    path = f"/api/v1/projects/{project.project_id}/.well-known/jwks.json"
    project.person()
    kids = {}
    for query in ("", "?include_restricted=true", "?include_anonymous=true"):
        answer = send(project.base_url, "GET", path + query)
        assert answer.headers["cache-control"] == "public, max-age=3600"
        kids[query] = {key["kid"] for key in answer.json["keys"]}
        assert all((key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256") for key in answer.json["keys"])
        assert all("d" not in key for key in answer.json["keys"])
    assert kids[""] < kids["?include_restricted=true"]
    assert kids[""] < kids["?include_anonymous=true"]
    assert send(project.base_url, "GET", f"/api/v1/projects/{UNKNOWN}/.well-known/jwks.json").status == 404


def test_each_audience_has_keys_of_its_own(owner: Owner) -> None:
    """Whoever verifies with the keys of ordinary users takes no restricted and no anonymous token."""
    project = owner.project()
    ordinary = project.person(primary_email_verified=True).access_token
    anonymous = project.ok("POST", "/auth/anonymous/sign-up", access="client")["access_token"]
    project.configure(onboarding__requireEmailVerification=True)
    restricted = project.person().access_token
    path = f"/api/v1/projects/{project.project_id}/.well-known/jwks.json"
    for query, taken in (
        ("", {ordinary}),
        ("?include_restricted=true", {ordinary, restricted}),
        ("?include_anonymous=true", {ordinary, anonymous}),
        ("?include_restricted=true&include_anonymous=true", {ordinary, restricted, anonymous}),
    ):
        keys = KeySet.import_key_set(send(project.base_url, "GET", path + query).json)
        for token in (ordinary, restricted, anonymous):
            assert jwt_part(token, 0)["alg"] == "ES256"
            if token in taken:
                assert jwt.decode(token, keys, algorithms=["ES256"]).claims == jwt_claims(token)
            else:
                with pytest.raises(InvalidKeyIdError):
                    jwt.decode(token, keys, algorithms=["ES256"])


# --- teams -----------------------------------------------------------------------------------------------


def test_a_personal_team(internal: Stack) -> None:
    email = fresh_email()
    user = internal.ok("POST", "/users", {"primary_email": email})
    assert user["selected_team"]["display_name"] == f"{email}'s Team"
    assert user["selected_team_id"] == user["selected_team"]["id"]
    named = internal.ok("POST", "/users", {"display_name": "Ada"})
    assert named["selected_team"]["display_name"] == "Ada's Team"
    nobody = internal.ok("POST", "/auth/anonymous/sign-up", access="client")
    before = internal.ok("GET", f"/users/{nobody['user_id']}")["selected_team"]
    assert before["display_name"] == "Personal Team"
    body = {"email": email.replace("person", "later"), "password": "long enough"}
    internal.ok("POST", "/auth/password/sign-up", body, access="client", token=nobody["access_token"])
    after = internal.ok("GET", f"/users/{nobody['user_id']}")["selected_team"]
    assert (after["id"], after["display_name"]) == (before["id"], f"{body['email']}'s Team")


def test_teams(internal: Stack, owner: Owner) -> None:
    token = owner.person.access_token
    team = internal.ok("POST", "/teams", {"display_name": "T", "creator_user_id": "me"}, access="client", token=token)
    assert sorted(team) == ["client_metadata", "client_read_only_metadata", "display_name", "id", "profile_image_url"]
    listed = internal.ok("GET", "/teams?user_id=me", access="client", token=token)["items"]
    assert [row["id"] for row in listed] == [owner.team_id, team["id"]]
    path = f"/teams/{team['id']}"
    seen = internal.ok("PATCH", path, {"display_name": "U", "server_metadata": {"a": 1}})
    assert (seen["display_name"], seen["server_metadata"]) == ("U", {"a": 1})
    stranger = internal.person()
    assert internal.call("GET", path, access="client", token=stranger.access_token).code == "TEAM_NOT_FOUND"
    membership = f"/team-memberships/{team['id']}/{stranger.user_id}"
    assert internal.call("POST", membership).status == 201
    assert internal.call("POST", membership).code == "TEAM_MEMBERSHIP_ALREADY_EXISTS"
    assert internal.call("GET", path, access="client", token=stranger.access_token).status == 200
    chosen = internal.ok(
        "PATCH", "/users/me", {"selected_team_id": team["id"]}, access="client", token=stranger.access_token
    )
    assert chosen["selected_team"]["display_name"] == "U"
    internal.ok("DELETE", path)
    gone = internal.ok("GET", "/users/me", access="client", token=stranger.access_token)
    assert (gone["selected_team_id"], gone["selected_team"]) == (None, None)
    refused = internal.call(
        "PATCH", "/users/me", {"selected_team_id": team["id"]}, access="client", token=stranger.access_token
    )
    assert refused.code == "TEAM_MEMBERSHIP_NOT_FOUND"
