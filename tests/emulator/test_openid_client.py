"""The emulated providers under openid-client, npm's certified relying party."""

from __future__ import annotations

from typing import Any

import pytest

from oneself.emulator import PLAYERS
from tests import node_run
from tests.emulator.plays import PLAYS, within
from tests.emulator.rig import CALLBACK, SECRET, Rig, apple_secret


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


# What openid-client itself refuses of an honest answer, because the vendor does not keep to the RFC: its quirk is real.
BEYOND = {
    "tiktok": 'response parameter "state" missing',  # it knows no client_id, so it shows a page and sends nobody back
    "twitch": '"scope" property must be a string',
    "oauth2": '"scope" property must be a string',
    "figma": '"token_type" property must be a string',
    "microsoft": 'unexpected JWT "iss"',  # it has an issuer for each person's tenant
}
# A refusal that does not look like one: status 200, or no `error` that is a text.
SAYS_NO_ITS_OWN_WAY = {"github", "slack", "facebook", "hubspot"}
WITHOUT_NONCE = {"linkedin"}


def described(rig: Rig, name: str) -> dict[str, Any]:
    """What a client of openid-client is told of a provider."""
    play, player, client = PLAYS[name], PLAYERS[name], rig.client(name)
    issuer = rig.emulator.world.redirect_issuer(player) or rig.emulator.world.issuer(player)
    signs = player.id_token is not None and ("openid" in play.scope or play.auth == "jwt")
    return {
        "name": name,
        "metadata": {
            "issuer": issuer,
            "authorization_endpoint": rig.at(name, play.authorize),
            "token_endpoint": rig.at(name, play.token),
            **({"jwks_uri": rig.at(name, player.jwks_path.format(tenant="common"))} if player.jwks_path else {}),
        },
        "auth": "basic" if play.auth == "basic" else "post",
        "secret": apple_secret(client, play) if play.auth == "jwt" else client.client_secret,
        "alg": player.id_token.alg if player.id_token else "RS256",
        "scope": play.scope,
        "params": dict(play.params),
        "pkce": play.pkce,
        "nonce": signs and name not in WITHOUT_NONCE,
        "userinfo": rig.at(name, play.userinfo) if play.userinfo and not play.introspected else "",
        "refreshes": play.refreshes and not play.refresh,
        "refresh_redirect": play.refresh_wants_redirect,
    }


@pytest.mark.node
def test_openid_client_meets_every_provider_that_keeps_to_the_rfc(local: Rig) -> None:
    for name in PLAYS:
        local.client(name)
    sent = {"redirect_uri": CALLBACK, "providers": [described(local, name) for name in PLAYS]}
    said: Any = node_run.run("openid_client_all.mjs", send=sent)
    refused = {name: said[name] for name in said if not said[name]["ok"]}
    assert set(refused) == set(BEYOND), [refused[name]["error"] for name in set(refused) - set(BEYOND)]
    for name, why in BEYOND.items():
        assert why in refused[name]["error"]["why"], (name, refused[name]["error"])
    for name in set(PLAYS) - set(BEYOND):
        found, play = said[name]["value"], PLAYS[name]
        if play.userinfo and not play.introspected:
            assert within(found["user"], play.subject), name
        if "openid" in play.scope or play.auth == "jwt":
            assert found["claims"]["aud"] == "the-client", name
        assert found["again"]["ok"] is False, name
        if name not in SAYS_NO_ITS_OWN_WAY:
            assert found["again"]["oauth"] == play.dead_code[1] or play.dead_code[0] != "error", (name, found["again"])
        assert found["denied"]["ok"] is False, name
        assert found["denied"]["oauth"] in ("access_denied", "user_cancelled_authorize", "user_cancelled_login"), name
        if found["forged"] is not None:
            assert found["forged"]["ok"] is False, name
        if found["refreshed"] is not None:
            assert found["refreshed"] == {"ok": True, "value": True}, (name, found["refreshed"])
