"""id_tokens under a library that is not ours: keys, rotation, hashes, and tokens that are wrong on purpose."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.emulator.rig import Rig, ask

# provider, where its keys are, what it calls itself
SIGNERS = {
    "google": ("/oauth2/v3/certs", "https://accounts.google.com"),
    "microsoft": ("/common/discovery/v2.0/keys", "{root}/{tid}/v2.0"),
    "gitlab": ("/oauth/discovery/keys", "{root}"),
    "linkedin": ("/oauth/openid/jwks", "https://www.linkedin.com/oauth"),
    "apple": ("/auth/keys", "https://appleid.apple.com"),
    "twitch": ("/oauth2/keys", "https://id.twitch.tv/oauth2"),
    "salesforce": ("/id/keys", "{root}"),
    "slack": ("/openid/connect/keys", "https://slack.com"),
    "yahoo": ("/openid/v1/certs", "https://api.login.yahoo.com"),
    "oidc": ("/jwks", "{root}"),
    "mock": ("/jwks", "{root}"),
}


def keys(rig: Rig, provider: str) -> KeySet:
    return KeySet.import_key_set(ask("GET", rig.at(provider, SIGNERS[provider][0])).json())


def opened(token: str, published: KeySet, alg: str = "RS256") -> dict[str, Any]:
    return dict(jwt.decode(token, published, algorithms=[alg]).claims)


@pytest.mark.parametrize("provider", sorted(SIGNERS))
def test_an_id_token_verifies_under_the_published_keys(rig: Rig, provider: str) -> None:
    tokens = rig.sign_in(provider, nonce="the-nonce")
    found = opened(tokens["id_token"], keys(rig, provider), "ES256" if provider == "yahoo" else "RS256")
    issuer = SIGNERS[provider][1].format(root=rig.at(provider, ""), tid=found.get("tid"))
    assert (found["iss"], found["aud"]) == (issuer, "the-client")
    assert 0 < found["exp"] - found["iat"] <= 3_600
    assert found.get("nonce") == (None if provider == "linkedin" else "the-nonce")
    if "at_hash" in found:
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert found["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")
    assert "nonce" not in opened_quietly(rig.sign_in(provider)["id_token"])


def opened_quietly(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_providers_have_keys_of_their_own(rig: Rig) -> None:
    google, oidc = rig.sign_in("google")["id_token"], rig.sign_in("oidc")["id_token"]
    assert opened(google, keys(rig, "google"))
    assert opened(oidc, keys(rig, "oidc"))
    with pytest.raises((JoseError, ValueError)):
        opened(google, keys(rig, "oidc"))


def test_published_keys_hold_nothing_private(rig: Rig) -> None:
    for provider, (path, _issuer) in SIGNERS.items():
        for key in ask("GET", rig.at(provider, path)).json()["keys"]:
            assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key), provider
            assert key["use"] == "sig"
            assert key["kid"]


def test_a_rotation_keeps_old_tokens_good_or_not(rig: Rig) -> None:
    old = rig.sign_in("google")["id_token"]
    kid = rig.control("POST", "/keys/rotate", {"provider": "google"})["google"]
    new = rig.sign_in("google")["id_token"]
    published = keys(rig, "google")
    assert {key.kid for key in published.keys} >= {kid}
    assert opened(old, published)
    assert opened(new, published)
    rig.control("POST", "/keys/rotate", {"provider": "google", "keep_old": False})
    with pytest.raises((JoseError, ValueError)):
        opened(new, keys(rig, "google"))
    assert opened(rig.sign_in("google")["id_token"], keys(rig, "google"))


def test_a_key_can_sign_before_it_is_published(rig: Rig) -> None:
    rig.control("POST", "/keys/rotate", {"provider": "oidc", "publish": False})
    with pytest.raises((JoseError, ValueError)):
        opened(rig.sign_in("oidc")["id_token"], keys(rig, "oidc"))
    rig.control("POST", "/keys/rotate", {"provider": "oidc"})
    assert opened(rig.sign_in("oidc")["id_token"], keys(rig, "oidc"))


@pytest.mark.parametrize(
    "flaw",
    ["alg_none", "hs256_public_key", "bad_signature", "unknown_kid", "foreign_key", "crit"],
)
def test_a_spoiled_token_is_refused_and_the_next_is_good(rig: Rig, flaw: str) -> None:
    rig.control("POST", "/faults", {"kind": "id_token", "provider": "oidc", "flaw": flaw})
    spoiled = rig.sign_in("oidc")["id_token"]
    with pytest.raises((JoseError, ValueError)):
        opened(spoiled, keys(rig, "oidc"))
    assert opened(rig.sign_in("oidc")["id_token"], keys(rig, "oidc"))


def header(token: str) -> dict[str, Any]:
    part = token.split(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_flaws_are_what_they_are_called(rig: Rig) -> None:
    def spoiled(flaw: str) -> str:
        rig.control("POST", "/faults", {"kind": "id_token", "flaw": flaw})
        return str(rig.sign_in("oidc")["id_token"])

    assert header(spoiled("alg_none"))["alg"] == "none"
    assert header(spoiled("hs256_public_key"))["alg"] == "HS256"
    assert "kid" not in header(spoiled("no_kid"))
    assert header(spoiled("jku"))["jku"].startswith("https://attacker")
    assert header(spoiled("crit"))["crit"] == ["x-unknown"]
    published = {key["kid"] for key in ask("GET", rig.at("oidc", "/jwks")).json()["keys"]}
    assert header(spoiled("foreign_key"))["kid"] in published
    assert header(spoiled("unknown_kid"))["kid"] not in published


@pytest.mark.parametrize("provider", ["google", "microsoft", "linkedin", "twitch", "slack", "yahoo", "oidc", "gitlab"])
def test_discovery_names_addresses_that_answer(local: Rig, provider: str) -> None:
    consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
    where = {
        "microsoft": f"/{consumers}/v2.0/.well-known/openid-configuration",
        "linkedin": "/oauth/.well-known/openid-configuration",
        "twitch": "/oauth2/.well-known/openid-configuration",
    }
    url = local.at(provider, where.get(provider, "/.well-known/openid-configuration"))
    metadata = ask("GET", url).json()
    assert metadata["issuer"] + "/.well-known/openid-configuration" == url
    assert ask("GET", metadata["jwks_uri"]).json()["keys"]
    assert ask("POST", metadata["token_endpoint"], form={}).status in (200, 400, 401, 403)
    assert ask("GET", metadata["authorization_endpoint"]).status in (400, 401)
    token = local.sign_in(provider, "grace")["id_token"]
    assert opened_quietly(token)["iss"] == metadata["issuer"]
