"""Sessions through the vendor's Python SDK and raw: check, prolong, claims, revoke, local JWTs."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt as pyjwt
import pytest

from tests.stytch.rig import Browser, Rig, refused


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def test_a_session_is_checked_by_its_token_and_by_its_jwt(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona())
    by_token = dev.client.sessions.authenticate(session_token=made.session_token)
    assert by_token.session_token == made.session_token
    assert by_token.session.session_id == made.user_session.session_id
    assert by_token.user.user_id == made.user_id
    by_jwt = dev.client.sessions.authenticate(session_jwt=made.session_jwt)
    assert by_jwt.session_token == ""
    assert by_jwt.session_jwt
    assert "user_id" not in dev.call("POST", "/v1/sessions/authenticate", {"session_token": made.session_token}).json


def test_a_jwt_says_what_the_contract_says(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona(), session_custom_claims={"plan": "gold", "sub": "x"})
    claims = claims_of(made.session_jwt)
    session = made.user_session
    assert claims["aud"] == [dev.project_id]
    assert claims["iss"] == f"stytch.com/{dev.project_id}"
    assert claims["sub"] == made.user_id
    assert claims["exp"] - claims["iat"] == 300
    assert claims["nbf"] == claims["iat"]
    assert claims["plan"] == "gold"
    assert "jti" not in claims
    inner = claims["https://stytch.com/session"]
    assert set(inner) == {
        "id",
        "started_at",
        "last_accessed_at",
        "expires_at",
        "attributes",
        "authentication_factors",
        "roles",
    }
    assert inner["id"] == session.session_id
    assert inner["attributes"] == {"user_agent": "", "ip_address": ""}
    [factor] = inner["authentication_factors"]
    assert set(factor) == {
        "type",
        "delivery_method",
        "last_authenticated_at",
        "google_oauth_factor",
    }
    header = pyjwt.get_unverified_header(made.session_jwt)
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert header["kid"].startswith("jwk-test-")


def test_the_sdk_checks_a_jwt_by_itself(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona(), session_custom_claims={"plan": "gold"})
    local = dev.client.sessions.authenticate_jwt_local(made.session_jwt)
    assert local is not None
    assert local.user_id == made.user_id
    assert local.custom_claims == {"plan": "gold"}
    assert dev.client.sessions.authenticate_jwt(made.session_jwt).request_id == ""
    # one that is too old for the caller goes to the server
    fresh = dev.client.sessions.authenticate_jwt(made.session_jwt, max_token_age_seconds=0)
    assert fresh.request_id.startswith("request-id-test-")

    async def work() -> str:
        client = dev.fresh_client()  # its connections belong to one event loop
        found = await client.sessions.authenticate_async(session_token=made.session_token)
        return found.session.session_id

    assert asyncio.run(work()) == made.user_session.session_id


def test_the_keys_are_for_anybody_with_or_without_credentials(dev: Rig) -> None:
    dev.sign_in("google", dev.persona())
    path = f"/v1/sessions/jwks/{dev.project_id}"
    bare = Browser().get(dev.base_url + path)
    assert bare.status == 200
    assert bare.json["keys"] == dev.call("GET", path).json["keys"]
    [key] = dev.client.sessions.get_jwks(dev.project_id).keys
    assert (key.kty, key.alg, key.use, key.key_ops) == ("RSA", "RS256", "sig", ["verify"])
    assert set(bare.json["keys"][0]) == {*("kty", "use", "key_ops", "alg", "kid", "x5c", "x5tS256", "n", "e")}
    unknown = Browser().get(f"{dev.base_url}/v1/sessions/jwks/project-test-{uuid4()}")
    assert (unknown.status, unknown.json["error_type"]) == (404, "project_not_found")


def test_a_duration_moves_the_end_and_claims_merge(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona(), session_custom_claims={"a": 1, "b": 2})
    longer = dev.client.sessions.authenticate(
        session_token=made.session_token,
        session_duration_minutes=600,
        session_custom_claims={"a": None, "c": 3, "iss": "x"},
    )
    ends = longer.session.expires_at
    assert ends is not None
    assert abs(ends - datetime.now(UTC) - timedelta(minutes=600)) < timedelta(seconds=30)
    assert longer.session.custom_claims == {"b": 2, "c": 3}
    shorter = dev.client.sessions.authenticate(session_token=made.session_token, session_duration_minutes=5)
    assert shorter.session.expires_at is not None
    assert shorter.session.expires_at < ends
    unmoved = dev.client.sessions.authenticate(session_token=made.session_token)
    assert unmoved.session.expires_at == shorter.session.expires_at


def test_an_unchanged_session_gets_the_same_jwt_and_a_changed_one_another(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona())
    first = dev.client.sessions.authenticate(session_token=made.session_token)
    time.sleep(1.1)
    again = dev.client.sessions.authenticate(session_token=made.session_token)
    assert again.session_jwt == first.session_jwt
    changed = dev.client.sessions.authenticate(session_token=made.session_token, session_custom_claims={"a": 1})
    assert claims_of(changed.session_jwt)["a"] == 1
    assert claims_of(changed.session_jwt)["iat"] > claims_of(first.session_jwt)["iat"]


def test_a_user_has_their_sessions_listed(dev: Rig) -> None:
    person = dev.persona()
    first, second = dev.sign_in("google", person), dev.sign_in("google", person)
    found = dev.client.sessions.get(first.user_id).sessions
    assert {session.session_id for session in found} == {
        first.user_session.session_id,
        second.user_session.session_id,
    }


@pytest.mark.parametrize("by", ["session_id", "session_token", "session_jwt"])
def test_a_revoked_session_is_over(dev: Rig, by: str) -> None:
    made = dev.sign_in("google", dev.persona())
    kept = dev.sign_in("google", dev.persona())
    given = made.user_session.session_id if by == "session_id" else getattr(made, by)
    assert dev.client.sessions.revoke(**{by: given}).status_code == 200
    for named in ({"session_token": made.session_token}, {"session_jwt": made.session_jwt}):
        assert refused(dev.client.sessions.authenticate, **named) == (404, "session_not_found")
    assert refused(dev.client.sessions.revoke, **{by: given}) == (404, "session_not_found")
    assert dev.client.sessions.get(made.user_id).sessions == []
    assert dev.client.sessions.authenticate(session_token=kept.session_token).session_jwt


@pytest.mark.parametrize(
    ("path", "body", "error_type"),
    [
        ("authenticate", {}, "no_session_arguments"),
        ("authenticate", {"session_token": "a", "session_jwt": "b"}, "too_many_session_arguments"),
        ("authenticate", {"session_token": "short"}, "invalid_session_token"),
        ("authenticate", {"session_token": ""}, "invalid_session_token"),
        ("authenticate", {"session_token": "!" * 44}, "invalid_session_token"),
        ("authenticate", {"session_token": 5}, "invalid_argument"),
        ("authenticate", {"session_jwt": ""}, "unable_to_parse_session_jwt"),
        ("authenticate", {"session_jwt": "a.b.c"}, "unable_to_parse_session_jwt"),
        ("authenticate", {"session_jwt": "x" * 60_000}, "unable_to_parse_session_jwt"),
        ("revoke", {}, "no_session_revoke_arguments"),
        ("revoke", {"session_id": "a", "session_jwt": "b"}, "too_many_session_revoke_arguments"),
        ("revoke", {"session_id": "session-test-2"}, "invalid_session_id"),
        ("revoke", {"session_id": f"user-test-{uuid4()}"}, "invalid_session_id"),
    ],
)
def test_arguments_that_name_no_session_are_refused(dev: Rig, path: str, body: dict[str, Any], error_type: str) -> None:
    reply = dev.call("POST", f"/v1/sessions/{path}", body)
    assert (reply.status, reply.json["error_type"]) == (400, error_type)


@pytest.mark.parametrize(
    ("more", "status", "error_type"),
    [
        ({"session_duration_minutes": 4}, 400, "invalid_session_duration_minutes"),
        ({"session_duration_minutes": 527_041}, 400, "invalid_session_duration_minutes"),
        ({"session_duration_minutes": -(2**70)}, 400, "invalid_session_duration_minutes"),
        ({"session_custom_claims": {"a": "x" * 5000}}, 400, "custom_claims_too_large"),
        (
            {"session_custom_claims": {"https://stytch.com/session": {}}},
            400,
            "stytch_claims_in_custom_claims",
        ),
        (
            {"authorization_check": {"resource_id": "documents", "action": "read"}},
            403,
            "consumer_session_authorization_error",
        ),
    ],
)
def test_a_live_session_does_not_bear_everything(dev: Rig, more: dict[str, Any], status: int, error_type: str) -> None:
    made = dev.sign_in("google", dev.persona())
    reply = dev.call("POST", "/v1/sessions/authenticate", {"session_token": made.session_token, **more})
    assert (reply.status, reply.json["error_type"]) == (status, error_type)
    kept = dev.client.sessions.authenticate(session_token=made.session_token)
    assert kept.session.expires_at == made.user_session.expires_at
    assert kept.session.custom_claims == {}


def test_a_jwt_of_another_project_or_signer_is_refused(minds: dict[str, Rig]) -> None:
    plain, other = minds["plain"], minds["other"]
    made = plain.sign_in("google", plain.persona())
    assert refused(other.client.sessions.authenticate, session_jwt=made.session_jwt) == (
        400,
        "jwt_invalid_audience",
    )
    head, body, signature = made.session_jwt.split(".")
    forged = {
        "unable_to_parse_session_jwt": [
            f"{head}.{body}.{signature[:-4]}AAAA",
            pyjwt.encode(claims_of(made.session_jwt), "k" * 32, "HS256", {"kid": "x"}),
            pyjwt.encode(claims_of(made.session_jwt), "", "none"),
            f"{head}.{body}.",
        ],
        "jwt_invalid_issuer": [pyjwt.encode({**claims_of(made.session_jwt), "iss": "evil"}, "k" * 32, "HS256")],
        "jwt_invalid_audience": [pyjwt.encode({**claims_of(made.session_jwt), "aud": []}, "k" * 32, "HS256")],
    }
    for error_type, tokens in forged.items():
        for token in tokens:
            assert refused(plain.client.sessions.authenticate, session_jwt=token) == (
                400,
                error_type,
            )
    assert plain.client.sessions.authenticate(session_jwt=made.session_jwt).session_jwt


def test_redeem_adds_to_a_session_that_it_is_given(dev: Rig) -> None:
    person = dev.persona()
    made = dev.sign_in("google", person)
    by_token = dev.client.oauth.authenticate(dev.trip("github", person.id), session_token=made.session_token)
    assert by_token.session_token == made.session_token
    assert by_token.user_session is not None
    assert by_token.user_session.session_id == made.user_session.session_id
    assert len(by_token.user_session.authentication_factors) == 2
    by_jwt = dev.client.oauth.authenticate(
        dev.trip("github", person.id),
        session_jwt=made.session_jwt,
        session_duration_minutes=600,
        session_custom_claims={"a": 1},
    )
    assert by_jwt.session_token == ""
    assert by_jwt.session_jwt
    assert by_jwt.user_session is not None
    assert by_jwt.user_session.custom_claims == {"a": 1}
    assert len(by_jwt.user_session.authentication_factors) == 2


def test_redeem_ignores_a_session_of_somebody_else(dev: Rig) -> None:
    theirs = dev.sign_in("google", dev.persona())
    mine = dev.client.oauth.authenticate(
        dev.trip("google", dev.persona().id),
        session_token=theirs.session_token,
        session_duration_minutes=60,
    )
    assert mine.user_id != theirs.user_id
    assert mine.session_token not in ("", theirs.session_token)
    kept = dev.client.sessions.authenticate(session_token=theirs.session_token)
    assert len(kept.session.authentication_factors) == 1


def test_redeem_takes_one_session_at_most(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona())
    token = dev.trip("google", dev.persona().id)
    both = {"session_token": made.session_token, "session_jwt": made.session_jwt}
    assert refused(dev.client.oauth.authenticate, token, **both) == (
        400,
        "too_many_session_arguments",
    )
    assert dev.client.oauth.authenticate(token).status_code == 200
