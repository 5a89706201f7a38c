"""`examples/stack-suite.toml`: it loads as it stands, says what the suite needs, and carries a piece of the suite.

All tests that take `internal` run on it too, at other addresses and with the emulator's mock for the suite's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from oneself.config import Config, load, unsafe_for_serving
from tests.stack.golden import JSON, check_headers, check_json, check_known
from tests.stack.owners import EXAMPLE, RING
from tests.stack.wire import RETURN_URL, Providers, Stack, fresh_email, jwt_claims, query_of

RING_ONLY = {"ONESELF_MASTER_KEYS": RING}


@pytest.fixture
def config() -> Config:
    return load(EXAMPLE, RING_ONLY)


def test_it_can_be_served_as_it_stands_and_on_no_other_machine(config: Config, tmp_path: Path) -> None:
    assert list(unsafe_for_serving(config)) == []
    (missing,) = unsafe_for_serving(load(EXAMPLE, {}))
    assert missing.startswith("No master key.")
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text(EXAMPLE.read_text().replace("http://localhost:8102", "https://id.example.com"))
    refused = list(unsafe_for_serving(load(elsewhere, RING_ONLY)))
    assert len([line for line in refused if "the whole world knows" in line]) == 3


def test_it_says_what_the_suite_needs(config: Config) -> None:
    assert (config.base_url, config.host, config.port) == ("http://localhost:8102", "localhost", 8102)
    assert (config.lifetimes.access_token, config.allow_shared_tokens, config.probe_tokens) == (60, True, True)
    limits = config.limits
    assert (limits.starts_per_address, limits.starts_per_project, limits.mails_per_address) == (0, 0, 0)
    assert (limits.passwords_per_account, limits.passwords_per_address) == (0, 0)
    assert (config.smtp.host, config.smtp.security) == ("localhost", "none")
    (project,) = config.projects
    assert project.stack is not None
    assert (project.stack.project_id, project.first_party) == ("internal", True)
    names = {"github", "google", "microsoft", "spotify"}
    assert set(config.shared_providers) == set(project.providers) == names
    for name, shared in config.shared_providers.items():
        assert shared.client_id == name
        assert shared.scopes == ("openid", "offline_access")
        assert {urlsplit(url).netloc for url in shared.endpoints.values()} == {"localhost:8114"}


def test_a_piece_of_the_suite(internal: Stack, providers: Providers) -> None:
    """Somebody signs up at `internal`, makes a project, opens Spotify in it, and signs in there by another way."""
    email = fresh_email()
    signed_up = internal.ok(
        "POST", "/auth/password/sign-up", {"email": email, "password": "correct horse"}, access="client"
    )
    me = internal.ok("GET", "/users/me", access="client", token=signed_up["access_token"])
    assert me["selected_team"]["display_name"] == f"{email}'s Team"
    body = {"display_name": "New Project", "owner_team_id": me["selected_team_id"]}
    made = internal.call("POST", "/internal/projects", body, access="client", token=signed_up["access_token"])
    assert made.status == 201
    check_headers(made, JSON)

    headers = {"x-stack-admin-access-token": signed_up["access_token"]}
    project = Stack(internal.base_url, made.json["id"], "__stack_public_client__", "", "")
    spotify = {"type": "spotify", "isShared": True, "allowSignIn": True, "allowConnectedAccounts": True}
    changed = json.dumps({"auth.oauth.providers.spotify": spotify})
    override = replace_version(project).call(
        "PATCH",
        "/internal/config/override/environment",
        {"config_override_string": changed},
        access="admin",
        headers=headers,
    )
    check_json(override, 200, {"success": True})

    login = fresh_email()
    trip = project.start("spotify", code_challenge="some-code-challenge", code_challenge_method="plain")
    asked = query_of(trip.location)
    assert list(asked) == [
        "client_id",
        "scope",
        "response_type",
        "redirect_uri",
        "code_challenge_method",
        "code_challenge",
        "state",
        "access_type",
        "prompt",
    ]
    assert (asked["client_id"], asked["scope"]) == ("spotify", "openid offline_access")
    landed = project.land(trip, project.visit(trip, login))
    assert (landed.status, landed.json) == (303, {})
    tokens = project.redeem(trip, landed, code_verifier="some-code-challenge").json
    assert (tokens["is_new_user"], tokens["expires_in"]) == (True, 60)
    client = {"access": "client", "token": tokens["access_token"]}
    user = project.ok("GET", "/users/me", **client)
    assert (user["primary_email"], user["primary_email_verified"]) == (login, True)
    assert user["oauth_providers"] == [{"id": "spotify", "account_id": login, "email": login}]

    given = project.ok("POST", "/connected-accounts/me/spotify/access-token", {"scope": "openid"}, **client)
    # the provider ends the token by itself, which the next read finds out
    path = "/connected-accounts/me/spotify/access-token"
    assert providers.order("/revoke-access-token", {"token": given["access_token"]}) == {"revoked": 1}
    fresh = project.ok("POST", path, {"scope": "openid"}, **client)
    assert fresh["access_token"] != given["access_token"]
    # and when nothing lives there any more, the account has to be connected again
    for kind in ("access", "refresh"):
        providers.order(f"/revoke-{kind}-token", {"provider": "mock", "persona": login})
    check_known(
        project.call("POST", path, {"scope": "openid"}, **client),
        400,
        "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE",
        "The OAuth connection does not have the required scope.",
    )
    assert jwt_claims(tokens["access_token"])["iss"] == f"{internal.base_url}/api/v1/projects/{project.project_id}"


def test_the_suites_own_return_addresses_are_trusted(internal: Stack) -> None:
    """`internal` lets localhost in, whatever the port; what is not there is refused in the callback."""
    for url in (RETURN_URL, "http://stack-test.localhost/some-callback-url", "http://127.0.0.1:8101/"):
        path, _ = internal.authorize_path("github", after_callback_redirect_url=url)
        assert internal.call("GET", path, access="").status == 307, url


def replace_version(project: Stack) -> Stack:
    """The suite writes configuration under `latest`."""
    return Stack(project.base_url, project.project_id, "", "", "", version="latest")
