"""The emulated OpenID Connect issuer under openid-client, npm's certified relying party."""

from __future__ import annotations

from typing import Any

import pytest

from tests import node_run
from tests.emulator.rig import CALLBACK, SECRET, Rig


@pytest.mark.node
def test_openid_client_signs_in_and_refuses_what_it_must(local: Rig) -> None:
    issuer = local.at("oidc", "")
    said: Any = node_run.run(
        "openid_client.mjs",
        send={
            "issuer": issuer,
            "client_id": "the-client",
            "secret": SECRET,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email offline_access",
            "persona": "linus",
        },
    )
    assert "failed" not in said, said
    assert (said["claims"]["iss"], said["claims"]["aud"]) == (issuer, "the-client")
    assert said["user"]["sub"] == said["claims"]["sub"]
    assert (said["user"]["email"], said["user"]["email_verified"]) == ("linus@kernel.example", False)
    assert said["refreshed"] is True
    assert said["again"]["error"]["oauth"] == "invalid_grant"
    refused = said["refused"]
    assert [name for name in refused if refused[name]["ok"]] == []
    assert refused["verifier"]["error"]["oauth"] == "invalid_grant"
    assert refused["refresh"]["error"]["oauth"] == "invalid_grant"
    assert refused["denied"]["error"]["oauth"] == "access_denied"
    # These it refuses by itself, over an honest answer.
    for name in ("state", "nonce", "iss", "no_iss"):
        assert refused[name]["error"]["oauth"] is None, name


@pytest.mark.node
@pytest.mark.parametrize("flaw", ["alg_none", "bad_signature", "foreign_key", "unknown_kid", "hs256_public_key"])
def test_openid_client_refuses_a_spoiled_id_token(local: Rig, flaw: str) -> None:
    local.control("POST", "/faults", {"kind": "id_token", "provider": "oidc", "flaw": flaw})
    said: Any = node_run.run(
        "openid_client.mjs",
        send={
            "issuer": local.at("oidc", ""),
            "client_id": "the-client",
            "secret": SECRET,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email offline_access",
            "persona": "ada",
        },
    )
    assert "failed" in said
    assert not said["failed"].get("error"), "the answer was honest: openid-client itself must refuse the token"
