"""The browser SDK's calls as it sends them: wrapping, `__user`, sessions, CORS for known origins."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.stytch.rig import Answer, Browser, Pkce, Rig

ORIGIN = "http://localhost:3000"


def signed_in(rig: Rig, provider: str = "google", **person: Any) -> Any:
    pkce, somebody = Pkce(), rig.persona(**person)
    token = rig.trip(provider, somebody.id, code_challenge=pkce.challenge)
    reply = rig.sdk(
        "POST",
        "/oauth/authenticate",
        {"token": token, "code_verifier": pkce.verifier, "session_duration_minutes": 60},
    )
    assert reply.status == 200, reply.body
    return reply.json["data"]


def error_of(reply: Answer) -> tuple[int, str]:
    assert "data" not in reply.json
    assert not {"body", "params", "query"} & set(reply.json)
    return reply.status, reply.json["error_type"]


def test_bootstrap_says_how_to_behave(dev: Rig) -> None:
    reply = dev.sdk("GET", f"/projects/bootstrap/{dev.public_token}")
    data = reply.json["data"]
    assert set(reply.json) == {"data"}
    assert data.pop("request_id").startswith("request-id-test-")
    assert data == {
        "status_code": 200,
        "project_name": "Development",
        "disable_sdk_watermark": True,
        "cname_domain": None,
        "email_domains": [],
        "captcha_settings": {"enabled": False},
        "pkce_required_for_email_magic_links": True,
        "pkce_required_for_password_resets": True,
        "pkce_required_for_oauth": True,
        "pkce_required_for_sso": True,
        "slug_pattern": None,
        "create_organization_enabled": False,
        "password_config": None,
        "dfp_protected_auth_enabled": False,
        "rbac_policy": None,
        "siwe_required_for_crypto_wallets": False,
        "vertical": "CONSUMER",
        "opaque_errors": False,
    }


def test_bootstrap_is_for_ones_own_project(minds: dict[str, Rig]) -> None:
    one, two = minds["no_pkce"], minds["other"]
    data = one.sdk("GET", f"/projects/bootstrap/{one.public_token}").json["data"]
    assert data["pkce_required_for_oauth"] is False
    for token in (two.public_token, "public-token-test-x"):
        reply = one.sdk("GET", f"/projects/bootstrap/{token}")
        assert error_of(reply) == (404, "public_token_not_found")


def test_a_person_signs_in_links_unlinks_and_signs_out(dev: Rig) -> None:
    made = signed_in(dev)
    session = made["session_token"]
    assert made["session"]["session_id"] == made["user_session"]["session_id"]
    assert made["session"]["attributes"]["user_agent"].startswith("Python-urllib")
    checked = dev.sdk("POST", "/sessions/authenticate", {"session_duration_minutes": 90}, session)
    assert set(checked.json["data"]) == {
        *("status_code", "request_id", "session", "session_token", "session_jwt", "user")
    }
    assert checked.json["data"]["session_token"] == session

    pkce = Pkce()
    attach = dev.sdk("POST", "/oauth/attach", {"provider": "github"}, session).json["data"]
    token = dev.trip(
        "github",
        dev.persona().id,
        oauth_attach_token=attach["oauth_attach_token"],
        code_challenge=pkce.challenge,
    )
    wanted = {"token": token, "code_verifier": pkce.verifier, "session_duration_minutes": 60}
    linked = dev.sdk("POST", "/oauth/authenticate", wanted, session).json["data"]
    assert linked["user_id"] == made["user_id"]
    assert linked["session_token"] == session
    assert len(linked["session"]["authentication_factors"]) == 2

    me = dev.sdk("GET", "/users/me", None, session).json["data"]
    assert me["user_id"] == made["user_id"]
    assert [each["provider_type"] for each in me["providers"]] == ["Google", "Github"]

    changed = dev.sdk(
        "PUT",
        "/users/me",
        {"untrusted_metadata": {"a": 1}, "name": {"first_name": "J"}, "external_id": "mine"},
        session,
    ).json["data"]
    assert changed["__user"] == changed["user"]
    assert changed["user"]["untrusted_metadata"] == {"a": 1}
    assert changed["user"]["name"]["first_name"] == "J"
    assert changed["user"]["external_id"] is None

    registration = linked["oauth_user_registration_id"]
    left = dev.sdk("DELETE", f"/users/oauth/{registration}", None, session).json["data"]
    assert left["__user"] == left["user"]
    assert [each["provider_type"] for each in left["user"]["providers"]] == ["Google"]

    assert dev.sdk("POST", "/sessions/revoke", None, session).status == 200
    assert error_of(dev.sdk("GET", "/users/me", None, session)) == (404, "session_not_found")


def test_a_person_takes_an_own_address_off_and_nobody_elses(dev: Rig) -> None:
    mine, theirs = signed_in(dev), signed_in(dev)
    session = mine["session_token"]
    own, foreign = (each["user"]["emails"][0]["email_id"] for each in (mine, theirs))
    assert error_of(dev.sdk("DELETE", f"/users/emails/{foreign}", None, session)) == (
        404,
        "email_not_found",
    )
    left = dev.sdk("DELETE", f"/users/emails/{own}", None, session).json["data"]
    assert left["__user"]["emails"] == []
    registration = theirs["oauth_user_registration_id"]
    assert error_of(dev.sdk("DELETE", f"/users/oauth/{registration}", None, session)) == (
        404,
        "oauth_user_registration_not_found",
    )
    assert len(dev.client.users.get(theirs["user_id"]).providers) == 1
    assert dev.sdk("GET", "/users/connected_apps", None, session).json["data"]["connected_apps"] == []
    assert error_of(dev.sdk("POST", "/users/connected_apps/x/revoke", {}, session)) == (
        404,
        "connected_app_not_found",
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sessions/authenticate", {}),
        ("POST", "/sessions/revoke", None),
        ("POST", "/oauth/attach", {"provider": "google"}),
        ("GET", "/users/me", None),
        ("PUT", "/users/me", {}),
        ("DELETE", "/users/oauth/x", None),
        ("DELETE", "/users/emails/x", None),
        ("DELETE", "/users/phone_numbers/x", None),
        ("DELETE", "/users/totps/x", None),
        ("DELETE", "/users/crypto_wallets/x", None),
        ("DELETE", "/users/webauthn_registrations/x", None),
        ("DELETE", "/users/biometric_registrations/x", None),
        ("GET", "/users/connected_apps", None),
    ],
)
def test_without_a_session_nothing_of_a_person_is_touched(dev: Rig, method: str, path: str, body: object) -> None:
    assert error_of(dev.sdk(method, path, body)) == (401, "user_unauthenticated")
    reply = dev.sdk(method, path, body, "A" * 44)
    assert reply.status in (400, 404)
    assert dev.sdk(method, path, body, "st").json["error_type"] in (
        "invalid_session_token",
        "invalid_oauth_user_registration_id",
        "invalid_email_id",
        "invalid_id",
    )


def test_a_backends_secret_opens_no_browser_call_and_the_other_way_round(dev: Rig) -> None:
    reply = dev.call("GET", f"/sdk/v1/projects/bootstrap/{dev.public_token}")
    assert error_of(reply) == (401, "unauthorized_credentials")
    assert "www-authenticate" not in reply.headers
    session = signed_in(dev)["session_token"]
    other = dev.call("GET", "/v1/users/nope", user=dev.public_token, password=session)
    assert (other.status, other.json["error_type"]) == (400, "invalid_project_id_authentication")


def test_a_project_that_wants_pkce_of_browsers_gets_it(minds: dict[str, Rig]) -> None:
    for mind, outcome in (("plain", 400), ("no_pkce", 200)):
        rig = minds[mind]
        token = rig.trip("google", rig.persona().id)
        wanted = {"token": token, "session_duration_minutes": 60}
        reply = rig.sdk("POST", "/oauth/authenticate", wanted)
        assert reply.status == outcome
        if outcome == 400:
            assert error_of(reply) == (400, "pkce_expected_code_verifier")


def test_trusted_metadata_is_the_backends(dev: Rig) -> None:
    session = signed_in(dev)["session_token"]
    reply = dev.sdk("PUT", "/users/me", {"trusted_metadata": {"admin": True}}, session)
    assert error_of(reply) == (401, "cannot_update_trusted_metadata")


def test_events_are_taken_and_dropped(dev: Rig) -> None:
    for body in (b"[]", b'[{"telemetry":{},"event":{}}]', b"not json"):
        sent = {"Content-Type": "application/json", "Origin": ORIGIN}
        reply = Browser().send("POST", f"{dev.base_url}/sdk/v1/events", sent, body)
        assert reply.status == 200


# --- CORS ----------------------------------------------------------------------------------------

FOREIGN = [
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000.evil.example",
    "http://evil.example/http://localhost:3000",
    "http://localhost:3000@evil.example",
    "http://xlocalhost:3000",
    "null",
    "http://localhost",
    "*",
]


def preflight(rig: Rig, origin: str) -> Answer:
    sent = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-sdk-client",
    }
    return Browser().send("OPTIONS", f"{rig.base_url}/sdk/v1/oauth/authenticate", sent)


def test_a_known_origin_may_call_and_read(dev: Rig) -> None:
    asked = preflight(dev, ORIGIN)
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert "x-sdk-parent-host" in asked.headers["access-control-allow-headers"]
    assert {"GET", "POST", "PUT", "DELETE"} <= set(
        asked.headers["access-control-allow-methods"].replace(" ", "").split(",")
    )
    for session, status in (("", 401), (signed_in(dev)["session_token"], 200)):
        called = from_page(dev, ORIGIN, session)
        assert called.status == status
        assert called.headers["access-control-allow-origin"] == ORIGIN
        assert called.headers["access-control-allow-credentials"] == "true"
        assert called.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_origin_may_neither_call_nor_read(dev: Rig, origin: str) -> None:
    asked = preflight(dev, origin)
    assert "access-control-allow-origin" not in asked.headers
    called = from_page(dev, origin, signed_in(dev)["session_token"])
    assert error_of(called) == (400, "bad_domain_for_stytch_sdk")
    assert "access-control-allow-origin" not in called.headers


def test_without_an_origin_the_page_that_the_sdk_names_counts(dev: Rig) -> None:
    session = signed_in(dev)["session_token"]
    pair = f"{dev.public_token}:{session}"
    keys = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    url = f"{dev.base_url}/sdk/v1/users/me"
    for host, status in (("https://evil.example", 400), (ORIGIN, 200), (None, 200)):
        named = {} if host is None else {"X-SDK-Parent-Host": host}
        assert Browser().send("GET", url, keys | named).status == status


def test_the_backends_routes_answer_no_page(dev: Rig) -> None:
    reply = dev.call("GET", "/v1/users/nope", headers={"Origin": ORIGIN})
    assert "access-control-allow-origin" not in reply.headers
    asked = Browser().send("OPTIONS", f"{dev.base_url}/v1/users", {"Origin": ORIGIN})
    assert asked.status == 405
    assert "access-control-allow-origin" not in asked.headers


def from_page(rig: Rig, origin: str, session: str) -> Answer:
    pair = f"{rig.public_token}:{session or rig.public_token}"
    sent = {
        "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
        "Origin": origin,
        "X-SDK-Parent-Host": ORIGIN,
    }
    return Browser().send("GET", f"{rig.base_url}/sdk/v1/users/me", sent)
