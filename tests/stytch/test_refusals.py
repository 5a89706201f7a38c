"""The door: keys, bodies, paths, verbs; every refusal in the envelope, beside its honest twin."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
import stytch
from stytch.core.response_base import StytchError

from oneself.wire.stytch.faults import FAULTS
from oneself.wire.stytch.refusals import WIRE
from oneself.wire.stytch.routes import ROUTES
from tests.stytch.rig import LOGIN_URL, Browser, Rig, refused

ENVELOPE = {"status_code", "request_id", "error_type", "error_message", "error_url"}
# A project that is nowhere.
NOBODY = "7d4cbe55-38b9-4b0d-9a0b-6d1f1c1f0a11"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_refusal_is_in_the_envelope(dev: Rig) -> None:
    reply = dev.call("GET", "/v1/users/nope")
    body = reply.json
    assert set(body) == ENVELOPE
    assert (reply.status, body["status_code"], body["error_type"]) == (404, 404, "user_not_found")
    assert body["error_message"] == "User could not be found."
    assert body["request_id"].startswith("request-id-test-")
    assert body["error_url"].startswith(dev.base_url)
    assert body["error_url"].endswith("#user_not_found")
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.headers["cache-control"] == "no-store"


def test_every_error_url_leads_to_its_words(dev: Rig) -> None:
    body = dev.call("GET", "/v1/users/nope").json
    page = Browser().get(body["error_url"].partition("#")[0])
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for row in (*FAULTS.values(), *WIRE.values()):
        assert f'id="{row.error_type}"' in page.body.decode()


def test_the_live_environment_names_itself(minds: dict[str, Rig]) -> None:
    live = minds["live"]
    made = live.sign_in("google", live.persona())
    assert made.user_id.startswith("user-live-")
    assert made.request_id.startswith("request-id-live-")
    assert live.client.sessions.authenticate_jwt_local(made.session_jwt) is not None


@pytest.mark.parametrize(
    ("header", "status", "error_type"),
    [
        (None, 401, "invalid_authorization_header"),
        ("", 401, "invalid_authorization_header"),
        ("Bearer x", 401, "invalid_authorization_header"),
        ("Basic !!!", 401, "invalid_authorization_header"),
        ("Basic " + base64.b64encode(b"no colon").decode(), 401, "invalid_authorization_header"),
        ("Basic " + base64.b64encode(b"\xff:x").decode(), 401, "invalid_authorization_header"),
        (basic("nonsense", "secret-test-x"), 400, "invalid_project_id_authentication"),
        (basic("project-test-1", "secret-test-x"), 400, "invalid_project_id_authentication"),
        (basic(f"project-test-{NOBODY}", "secret-test-x"), 401, "unauthorized_credentials"),
        ("wrong secret", 401, "unauthorized_credentials"),
        ("malformed secret", 400, "invalid_secret_authentication"),
        ("empty secret", 400, "invalid_secret_authentication"),
    ],
)
def test_wrong_keys_are_refused(dev: Rig, header: str | None, status: int, error_type: str) -> None:
    own = {
        "wrong secret": basic(dev.project_id, "secret-test-" + "A" * 36),
        "malformed secret": basic(dev.project_id, "x"),
        "empty secret": basic(dev.project_id, ""),
    }
    sent = {} if header is None else {"Authorization": own.get(header, header)}
    reply = Browser().send("GET", f"{dev.base_url}/v1/users/nope", sent)
    assert (reply.status, reply.json["error_type"]) == (status, error_type)
    assert set(reply.json) == ENVELOPE


def test_wrong_keys_are_refused_through_the_sdk(dev: Rig, minds: dict[str, Rig]) -> None:
    wrong = stytch.Client(dev.project_id, "secret-test-x", environment=dev.base_url)
    assert refused(wrong.users.get, "nope") == (401, "unauthorized_credentials")
    malformed = stytch.Client("project", dev.secret, environment=dev.base_url)
    assert refused(malformed.users.get, "nope") == (400, "invalid_project_id_authentication")
    one, two = minds["plain"], minds["other"]
    mixed = stytch.Client(one.project_id, two.secret, environment=one.base_url)
    assert refused(mixed.users.get, "nope") == (401, "unauthorized_credentials")


BACKEND = [route for route in ROUTES if route.access == "backend"]


@pytest.mark.parametrize("route", BACKEND, ids=lambda route: str(route.operation))
def test_every_route_of_the_backend_asks_for_its_keys(dev: Rig, route: Any) -> None:
    path = route.template.replace("{", "").replace("}", "")
    for sent in ({}, {"Authorization": basic(dev.public_token, dev.public_token)}):
        reply = Browser().send(route.method, dev.base_url + path, sent, b"{}")
        assert reply.status in (400, 401)
        assert reply.json["error_type"] in (
            "invalid_authorization_header",
            "invalid_project_id_authentication",
        )


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.access == "backend" and route.body is not None],
    ids=lambda route: str(route.operation),
)
@pytest.mark.parametrize(
    ("raw", "status", "error_type"),
    [
        (b"{", 400, "bad_request"),
        (b"\xff", 400, "bad_request"),
        (b"[]", 400, "invalid_argument"),
        (b'"x"', 400, "invalid_argument"),
        (b"[" * 50_000, 400, "bad_request"),
        (b'{"x":"' + b"y" * 10_000_000 + b'"}', 413, "request_too_large"),
    ],
    ids=["broken", "not utf-8", "array", "text", "deep", "10 MB"],
)
def test_bodies_that_are_no_objects_are_refused(dev: Rig, route: Any, raw: bytes, status: int, error_type: str) -> None:
    path = route.template.replace("{user_id}", "nope")
    reply = dev.call(route.method, path, raw=raw)
    assert (reply.status, reply.json["error_type"]) == (status, error_type)
    assert set(reply.json) == ENVELOPE


def test_unknown_paths_and_verbs_have_their_types(dev: Rig) -> None:
    for path in ("/v1/nothing", "/v1/users/", "/v1/", "/v1/b2b", "/sdk/v1/nothing"):
        reply = dev.call("GET", path)
        assert reply.status in (400, 404), path
        if path != "/v1/users/":
            assert reply.json["error_type"] == "route_not_found", path
    for method, path in (("PATCH", "/v1/users"), ("GET", "/v1/oauth/attach"), ("PUT", "/v1/users")):
        reply = dev.call(method, path)
        assert (reply.status, reply.json["error_type"]) == (405, "method_not_allowed")
    assert dev.call("POST", "/v1/users/search", {}).status == 200


def test_a_path_is_not_read_twice(dev: Rig) -> None:
    made = dev.client.users.create(email=dev.persona().email)
    for path in (
        f"/v1/users/./{made.user_id}",
        f"/v1//users/{made.user_id}",
        f"/v1/users/%2e%2e/users/{made.user_id}",
        f"/v1/users/{made.user_id}%2fexternal_id",
        f"/v1/users/{made.user_id}/",
    ):
        assert dev.call("GET", path).status in (400, 404), path
    assert dev.call("GET", f"/v1/users/{made.user_id}").status == 200


# --- attach --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "error_type"),
    [
        ({"provider": "google"}, 400, "no_user_selection_arguments"),
        (
            {"provider": "google", "user_id": "a", "session_token": "b"},
            400,
            "too_many_user_selection_arguments",
        ),
        ({"user_id": "a"}, 400, "invalid_argument"),
        ({"provider": "nonsense", "user_id": "OWN"}, 400, "invalid_oauth_provider"),
        ({"provider": "Google", "user_id": "OWN"}, 400, "invalid_oauth_provider"),
        ({"provider": "google", "user_id": "user-test-2"}, 400, "invalid_user_id"),
        ({"provider": "google", "user_id": "nope"}, 404, "user_not_found"),
        ({"provider": "google", "session_token": "A" * 44}, 404, "session_not_found"),
        ({"provider": "google", "session_token": "st"}, 400, "invalid_session_token"),
        ({"provider": "google", "session_jwt": "x"}, 400, "unable_to_parse_session_jwt"),
    ],
)
def test_an_attach_that_cannot_be_is_refused(dev: Rig, body: dict[str, str], status: int, error_type: str) -> None:
    if body.get("user_id") == "OWN":
        body = {**body, "user_id": dev.client.users.create(email=dev.persona().email).user_id}
    reply = dev.call("POST", "/v1/oauth/attach", body)
    assert (reply.status, reply.json["error_type"]) == (status, error_type)
    if "provider" in body:
        more = {name: value for name, value in body.items() if name != "provider"}
        assert refused(dev.client.oauth.attach, body["provider"], **more) == (status, error_type)


def test_a_provider_without_a_config_says_oauth_config(minds: dict[str, Rig]) -> None:
    bare = minds["no_providers"]
    user = bare.client.users.create(email=bare.persona().email)
    with pytest.raises(StytchError, match="OAuth config") as caught:
        bare.client.oauth.attach("google", user_id=user.user_id)
    assert caught.value.details.error_type == "oauth_config_not_found"
    reply = Browser().get(bare.start_url("google", login_redirect_url=LOGIN_URL))
    assert (reply.status, reply.json["error_type"]) == (400, "oauth_config_not_found")


# --- start and callback --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status", "error_type"),
    [
        ("", 400, "public_token_required"),
        ("public_token=", 400, "public_token_required"),
        (f"public_token=public-token-test-{NOBODY}", 404, "public_token_not_found"),
        ("public_token=OWN&public_token=OWN", 400, "bad_request"),
        ("public_token=OWN&login_redirect_url=nonsense", 400, "invalid_login_redirect_url"),
        ("public_token=OWN&signup_redirect_url=//x", 400, "invalid_signup_redirect_url"),
        (
            "public_token=OWN&login_redirect_url=https://evil.example/",
            400,
            "no_match_for_provided_oauth_url",
        ),
        (
            f"public_token=OWN&signup_redirect_url={LOGIN_URL}/more",
            400,
            "no_match_for_provided_oauth_url",
        ),
        (
            f"public_token=OWN&login_redirect_url={LOGIN_URL}%3Fa=b",
            400,
            "no_match_for_provided_oauth_url",
        ),
    ],
)
def test_a_start_that_cannot_be_is_refused_and_sends_nobody_anywhere(
    dev: Rig, query: str, status: int, error_type: str
) -> None:
    url = f"{dev.base_url}/v1/public/oauth/google/start?{query.replace('OWN', dev.public_token)}"
    reply = Browser().get(url)
    assert (reply.status, reply.json["error_type"]) == (status, error_type)
    assert reply.location == ""
    page = Browser().get(url, accept="text/html")
    assert (page.status, page.location) == (status, "")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert error_type in page.body.decode()
    assert Browser().get(dev.start_url("google", login_redirect_url=LOGIN_URL)).status == 302


@pytest.mark.parametrize(
    ("mind", "query", "error_type"),
    [
        ("no_urls", {}, "no_login_redirect_urls_set"),
        ("no_defaults", {}, "no_default_login_redirect_url_set"),
        (
            "no_defaults",
            {"login_redirect_url": LOGIN_URL},
            "no_default_signup_redirect_url_set",
        ),
    ],
)
def test_a_project_without_urls_says_which_are_missing(
    minds: dict[str, Rig], mind: str, query: dict[str, str], error_type: str
) -> None:
    rig = minds[mind]
    reply = Browser().get(rig.start_url("google", "", **query))
    assert (reply.status, reply.json["error_type"]) == (400, error_type)


@pytest.mark.parametrize("provider", ["nonsense", "Google", "google%2F..", "%00"])
def test_a_start_at_no_provider_is_refused(dev: Rig, provider: str) -> None:
    reply = Browser().get(dev.start_url(provider))
    assert (reply.status, reply.json["error_type"]) == (400, "invalid_oauth_provider")


@pytest.mark.parametrize(
    "query",
    ["", "state=", "state=x", "state=" + "A" * 64, "state=%00", "code=x", "error=access_denied"],
)
def test_a_callback_that_nobody_began_is_refused(dev: Rig, query: str) -> None:
    base = Browser()
    location = base.get(dev.start_url("google")).location
    callback = location.partition("redirect_uri=")[2].partition("&")[0]
    address = callback.replace("%3A", ":").replace("%2F", "/")
    reply = Browser().get(f"{address}?{query}")
    assert (reply.status, reply.json["error_type"]) == (400, "oauth_invalid_state")
    elsewhere = Browser().get(f"{dev.base_url}/v1/oauth/callback/oauth-callback-test-{uuid4()}")
    assert (elsewhere.status, elsewhere.json["error_type"]) == (404, "route_not_found")


def test_a_state_of_one_project_ends_nothing_in_another(minds: dict[str, Rig]) -> None:
    one, two = minds["plain"], minds["other"]
    browser = Browser()
    url = browser.until(one.start_url("google", one.persona().id), f"{one.base_url}/v1/oauth/callback/")
    theirs = Browser().get(two.start_url("google")).location
    other_id = theirs.partition("callback%2F")[2].partition("&")[0]
    own_id = url.partition("/callback/")[2].partition("?")[0]
    reply = browser.get(url.replace(own_id, other_id))
    assert (reply.status, reply.json["error_type"]) == (400, "oauth_invalid_state")
    assert browser.get(url).status == 302


@pytest.mark.parametrize(
    ("trouble", "status", "error_type"),
    [
        ({"kind": "oauth_error", "error": "invalid_grant"}, 400, "oauth_auth_code_error"),
        (
            {"kind": "oauth_error", "error": "invalid_client", "status": 401},
            400,
            "oauth_token_exchange_invalid_client",
        ),
        ({"kind": "server_error"}, 503, "server_unavailable"),
        ({"kind": "garbage"}, 400, "unable_to_authorize_oauth_provider"),
    ],
)
def test_a_providers_trouble_has_its_type(dev: Rig, trouble: dict[str, Any], status: int, error_type: str) -> None:
    browser, person = Browser(), dev.persona()
    url = browser.until(dev.start_url("github", person.id), f"{dev.base_url}/v1/oauth/callback/")
    dev.control("POST", "/faults", {"provider": "github", "endpoint": "token", **trouble})
    try:
        reply = browser.get(url)
    finally:
        dev.control("DELETE", "/faults")
    assert (reply.status, reply.json["error_type"]) == (status, error_type)
    assert ("retry-after" in reply.headers) == (status == 503)
    used = browser.get(url)
    assert used.json["error_type"] == "oauth_state_used"
    assert dev.sign_in("github", person).status_code == 200


@pytest.mark.parametrize(
    ("mind", "error_type", "status"),
    [("closed", "sign_up_closed", 403), ("refusing", "duplicate_email", 400)],
)
def test_a_policy_refuses_in_the_callback(minds: dict[str, Rig], mind: str, error_type: str, status: int) -> None:
    rig, person = minds[mind], minds[mind].persona()
    if mind == "refusing":
        rig.sign_in("google", person)
    browser = Browser()
    url = browser.until(rig.start_url("github", person.id), f"{rig.base_url}/v1/oauth/callback/")
    reply = browser.get(url)
    assert (reply.status, reply.json["error_type"]) == (status, error_type)


def test_a_strict_policy_wants_both_sides_verified(minds: dict[str, Rig]) -> None:
    rig = minds["strict"]
    person = rig.persona()
    rig.client.users.create(email=person.email)
    for unproven in (person, rig.persona(email=person.email, email_verified=False)):
        browser = Browser()
        url = browser.until(rig.start_url("google", unproven.id), f"{rig.base_url}/v1/oauth/callback/")
        reply = browser.get(url)
        assert (reply.status, reply.json["error_type"]) == (400, "oauth_unverified_email")
    assert rig.sign_in("google", rig.persona()).status_code == 200


# --- redeem --------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x", "A" * 44, "x" * 50_000, "ä" * 44])
def test_a_token_that_is_none_is_not_found(dev: Rig, token: str) -> None:
    assert refused(dev.client.oauth.authenticate, token) == (400, "oauth_token_not_found")


@pytest.mark.parametrize(
    ("more", "error_type"),
    [
        ({"session_duration_minutes": 4}, "invalid_session_duration_minutes"),
        ({"session_duration_minutes": 0}, "invalid_session_duration_minutes"),
        ({"session_custom_claims": {"a": "x" * 5000}}, "custom_claims_too_large"),
        ({"session_custom_claims": {"https://stytch.com/x": 1}}, "stytch_claims_in_custom_claims"),
        ({"session_token": "st"}, "invalid_session_token"),
        ({"session_jwt": "x"}, "unable_to_parse_session_jwt"),
        ({"session_duration_minutes": "60"}, "invalid_argument"),
    ],
)
def test_a_mistake_beside_the_token_does_not_spend_it(dev: Rig, more: dict[str, Any], error_type: str) -> None:
    token = dev.trip("google", dev.persona().id)
    wanted = {"token": token, "session_duration_minutes": 60, **more}
    reply = dev.call("POST", "/v1/oauth/authenticate", wanted)
    assert (reply.status, reply.json["error_type"]) == (400, error_type)
    assert dev.client.oauth.authenticate(token, session_duration_minutes=5).session_token
