"""Projects in their details: what is refused leaves nothing, what is said is kept, whose tokens are whose."""

from __future__ import annotations

import json
from typing import Any

from tests.stack.golden import check_known, check_plain, check_schema_error
from tests.stack.owners import OwnedStack, Owner
from tests.stack.test_projects import UNKNOWN, config_of
from tests.stack.wire import Stack


def test_a_project_that_cannot_be_is_not_made(owner: Owner) -> None:
    nonesuch = {"oauth_providers": [{"id": "nonesuch", "type": "shared"}]}
    body = {"display_name": "Half", "owner_team_id": owner.team_id, "config": nonesuch}
    internal, token = owner.internal, owner.person.access_token
    check_plain(
        internal.call("POST", "/internal/projects", body, access="client", token=token),
        400,
        "The configuration is not valid: nonesuch is not a provider that this server knows",
    )
    assert internal.ok("GET", "/internal/projects", access="client", token=token)["items"] == []


def test_a_change_that_cannot_be_renames_nothing(owner: Owner) -> None:
    project = owner.project()
    before = project.ok("GET", "/internal/projects/current", access="admin")
    nonesuch = {"oauth_providers": [{"id": "nonesuch", "type": "shared"}]}
    body = {"display_name": "Half", "description": "Half", "config": nonesuch}
    assert project.call("PATCH", "/internal/projects/current", body, access="admin").status == 400
    assert project.ok("GET", "/internal/projects/current", access="admin") == before


def test_everything_that_a_provider_may_be_told(owner: Owner) -> None:
    own: dict[str, Any] = {"type": "standard", "client_id": "cid", "client_secret": "s"}
    wanted: list[dict[str, Any]] = [
        {"id": "apple", **own, "apple_bundle_ids": ["com.example.app"]},
        {"id": "facebook", **own, "facebook_config_id": "1234"},
        {"id": "microsoft", **own, "microsoft_tenant_id": "common"},
    ]
    project = owner.project(oauth_providers=wanted[::-1])
    shown = project.ok("GET", "/internal/projects/current", access="admin")["config"]["oauth_providers"]
    assert shown == [{"provider_config_id": entry["id"], **entry} for entry in wanted]
    assert config_of(project)["auth"]["oauth"]["providers"]["facebook"]["facebookConfigId"] == "1234"
    project.configure(auth__oauth__providers__facebook__facebookConfigId=None)
    (facebook,) = [
        entry
        for entry in project.ok("GET", "/internal/projects/current", access="admin")["config"]["oauth_providers"]
        if entry["id"] == "facebook"
    ]
    assert "facebook_config_id" not in facebook


def test_a_mail_server_of_ones_own(owner: Owner) -> None:
    mail = {
        "type": "standard",
        "host": "smtp.example.com",
        "port": 587,
        "username": "u",
        "password": "canary-mail-77",
        "sender_name": "Shop",
        "sender_email": "shop@example.com",
    }
    project, made = owner.create(config={"email_config": mail})
    assert made["config"]["email_config"] == mail
    assert project.ok("GET", "/internal/projects/current", access="admin")["config"]["email_config"] == mail
    shared = {"config": {"email_config": {"type": "shared"}}}
    after = project.ok("PATCH", "/internal/projects/current", shared, access="admin")
    assert after["config"]["email_config"] == {"type": "shared"}
    wrong = {"config": {"email_config": {"type": "standard", "port": 70_000, "more": 1}}}
    check_schema_error(
        project.call("PATCH", "/internal/projects/current", wrong, access="admin"),
        "PATCH /api/v1/internal/projects/current",
        "body.config.email_config.port must be less than or equal to 65535",
        "body.config.email_config contains unknown properties: more",
    )


def test_tokens_of_shared_clients_are_for_the_operators_own_projects(internal: Stack, outsider: Stack) -> None:
    """`internal` is the operator's own (`first_party`), and so are the projects made through it; the other is not."""
    for project in (internal, outsider):
        person = project.person()
        answer = project.call("POST", f"/connected-accounts/{person.user_id}/google/access-token", {})
        if project is internal:
            assert answer.code == "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER"
        else:
            check_known(
                answer,
                400,
                "OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS",
                "Access tokens are not available with shared OAuth keys. Please add your own OAuth keys on the Stack "
                "dashboard to use access tokens.",
            )


def test_the_members_of_a_team(internal: Stack, owner: Owner) -> None:
    team = internal.ok("POST", "/teams", {"display_name": "T"})
    people = [internal.person() for _ in range(3)]
    for person in people[:2]:
        internal.ok("POST", f"/team-memberships/{team['id']}/{person.user_id}")
    listed = internal.ok("GET", f"/users?team_id={team['id']}")
    assert [user["id"] for user in listed["items"]] == [person.user_id for person in people[:2]]
    first = internal.ok("GET", f"/users?team_id={team['id']}&limit=1")
    assert [user["id"] for user in first["items"]] == [people[0].user_id]
    cursor = first["pagination"]["next_cursor"]
    second = internal.ok("GET", f"/users?team_id={team['id']}&limit=1&cursor={cursor}")
    assert [user["id"] for user in second["items"]] == [people[1].user_id]
    assert internal.ok("GET", f"/users?team_id={UNKNOWN}")["items"] == []


# --- levels of the configuration -------------------------------------------------------------------------

LEVEL = "/internal/config/override/environment"


def level_of(project: OwnedStack, level: str = "environment") -> Any:
    found = project.ok("GET", f"/internal/config/override/{level}", access="admin")
    return json.loads(found["config_string"])


def test_a_level_is_read_replaced_and_reset(owner: Owner) -> None:
    project = owner.project()
    github = {"type": "github", "isShared": False, "clientId": "cid", "clientSecret": "canary-9c", "allowSignIn": True}
    whole = {"auth.oauth.providers": {"github": github}, "auth.oauth.providers.corp": {"type": "google"}}
    project.ok("PUT", LEVEL, {"config_string": json.dumps(whole)}, access="admin")
    assert level_of(project) == whole
    assert level_of(project, "branch") == {}
    # what was not said again is as the defaults have it
    assert config_of(project)["domains"]["allowLocalhost"] is False
    # a level goes back as it came, secret and all
    project.ok("PUT", LEVEL, {"config_string": json.dumps(level_of(project)), "source": {"type": "x"}}, access="admin")
    assert config_of(project)["auth"]["oauth"]["providers"]["github"]["clientSecret"] == "canary-9c"
    inside = {"keys": ["auth.oauth.providers.github.clientSecret", "auth.oauth.providers.corp", "not.there"]}
    project.ok("POST", f"{LEVEL}/reset-keys", inside, access="admin")
    del github["clientSecret"]
    assert level_of(project) == {"auth.oauth.providers": {"github": github}}
    project.ok("POST", f"{LEVEL}/reset-keys", {"keys": ["auth"]}, access="admin")
    assert level_of(project) == {}


def test_who_may_set_a_level_and_to_what(owner: Owner) -> None:
    project = owner.project()
    before = level_of(project)
    for method, path, body in (
        ("PUT", LEVEL, {"config_string": "{}"}),
        ("POST", f"{LEVEL}/reset-keys", {"keys": []}),
        ("PATCH", LEVEL, {"config_override_string": "{}"}),
    ):
        check_plain(project.call(method, path, body), 403, "Only the branch level can be changed with server access")
        assert project.call(method, path, body, access="client").code == "INSUFFICIENT_ACCESS_TYPE"
        assert project.call(method, path.replace("environment", "branch"), body).status == 200
    for text, words in (
        ("{", "config_string is not valid JSON"),
        ("[]", "config_string must be an object"),
        ('{"auth.allowSignUp": 1}', "The configuration is not valid: auth.allowSignUp must be true or false"),
    ):
        check_plain(project.call("PUT", LEVEL, {"config_string": text}, access="admin"), 400, words)
    assert level_of(project) == before
