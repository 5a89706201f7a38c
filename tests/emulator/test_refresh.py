"""What each provider does when a grant is refreshed: rotation, reuse, death, and who gets a token at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from tests.emulator.plays import PLAYS, within
from tests.emulator.rig import Reply, Rig

REFRESHING = sorted(name for name, play in PLAYS.items() if play.refreshes)
SINGLE_USE = sorted(name for name, play in PLAYS.items() if play.single_use)
REUSABLE = sorted(set(REFRESHING) - set(SINGLE_USE))


def dead(provider: str, reply: Reply) -> bool:
    way, value = PLAYS[provider].dead_refresh
    return within(reply.json(), tuple(way.split("."))) == value and b"access_token" not in reply.body


@pytest.mark.parametrize("provider", REFRESHING)
def test_a_refresh_gives_a_token_that_opens_the_same_person(rig: Rig, provider: str) -> None:
    first = rig.sign_in(provider)
    again = rig.refresh(provider, first["refresh_token"])
    assert again.status == 200, again.text
    assert again.json()["access_token"] != first["access_token"]
    assert rig.subject(provider, again.json()["access_token"]) == rig.subject(
        provider, rig.sign_in(provider)["access_token"]
    )


@pytest.mark.parametrize("provider", REFRESHING)
def test_an_unknown_refresh_token_is_dead_in_the_providers_words(rig: Rig, provider: str) -> None:
    assert dead(provider, rig.refresh(provider, "no such token"))
    assert "access_token" in rig.refresh(provider, rig.sign_in(provider)["refresh_token"]).json()


@pytest.mark.parametrize("provider", REFRESHING)
def test_a_refresh_token_serves_only_its_client(rig: Rig, provider: str) -> None:
    token = rig.sign_in(provider)["refresh_token"]
    assert dead(provider, rig.refresh(provider, token, rig.register(provider)))
    wrong = msgspec.structs.replace(rig.client(provider), client_secret="wrong")
    if PLAYS[provider].auth != "jwt":
        assert b"access_token" not in rig.refresh(provider, token, wrong).body
    assert "access_token" in rig.refresh(provider, token).json()


@pytest.mark.parametrize("provider", SINGLE_USE)
def test_a_single_use_token_is_dead_after_its_use(rig: Rig, provider: str) -> None:
    old = rig.sign_in(provider)["refresh_token"]
    new = rig.refresh(provider, old).json()["refresh_token"]
    assert new != old
    # The honest twin goes first: at some providers a second use ends everything.
    newest = rig.refresh(provider, new).json()["refresh_token"]
    assert newest not in (new, old)
    assert dead(provider, rig.refresh(provider, old))


@pytest.mark.parametrize("provider", SINGLE_USE)
def test_of_many_at_once_one_wins(rig: Rig, provider: str) -> None:
    token = rig.sign_in(provider)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _n: rig.refresh(provider, token), range(12)))
    assert sum(b"access_token" in reply.body for reply in replies) == 1


@pytest.mark.parametrize("provider", REUSABLE)
def test_a_reusable_token_serves_again(rig: Rig, provider: str) -> None:
    token = rig.sign_in(provider)["refresh_token"]
    for _ in range(3):
        assert "access_token" in rig.refresh(provider, token).json()


@pytest.mark.parametrize("provider", ["google", "apple", "figma", "salesforce", "mock"])
def test_these_refreshes_bring_no_refresh_token(rig: Rig, provider: str) -> None:
    assert "refresh_token" not in rig.refresh(provider, rig.sign_in(provider)["refresh_token"]).json()


@pytest.mark.parametrize("provider", ["yahoo", "hubspot"])
def test_these_bring_the_same_one_back(rig: Rig, provider: str) -> None:
    token = rig.sign_in(provider)["refresh_token"]
    assert rig.refresh(provider, token).json()["refresh_token"] == token


@pytest.mark.parametrize("provider", ["gitlab", "yahoo"])
def test_these_want_redirect_uri_again(rig: Rig, provider: str) -> None:
    token = rig.sign_in(provider)["refresh_token"]
    assert rig.refresh(provider, token, redirect_uri="").json()["error"] == "invalid_request"
    assert "access_token" in rig.refresh(provider, token).json()


def test_google_gives_a_refresh_token_at_the_first_consent_only(rig: Rig) -> None:
    assert "refresh_token" in rig.sign_in("google")
    assert "refresh_token" not in rig.sign_in("google")
    assert "refresh_token" in rig.sign_in("google", prompt="consent")
    assert "refresh_token" not in rig.sign_in("google", "grace", access_type="")


def test_google_asks_for_consent_again_after_a_revocation(rig: Rig) -> None:
    first = rig.sign_in("google")
    done = rig.token("google", rig.client("google"), {"token": first["access_token"]}, "/revoke")
    assert (done.status, done.json()) == (200, {})
    assert dead("google", rig.refresh("google", first["refresh_token"]))
    assert rig.subject("google", first["access_token"]) is None
    assert "refresh_token" in rig.sign_in("google")


def test_a_github_app_rotates_and_ends_the_old_access_token(rig: Rig) -> None:
    app = rig.register("github", "Iv1.0123456789abcdef")
    first = rig.sign_in("github", client=app)
    assert (first["expires_in"], first["refresh_token_expires_in"], first["scope"]) == (28_800, 15_897_600, "")
    again = rig.refresh("github", first["refresh_token"], app)
    assert again.status == 200
    assert rig.subject("github", first["access_token"]) is None
    assert rig.subject("github", again.json()["access_token"])
    reply = rig.refresh("github", first["refresh_token"], app)
    assert (reply.status, reply.json()["error"]) == (200, "bad_refresh_token")
    assert "access_token" in rig.refresh("github", again.json()["refresh_token"], app).json()


def test_a_github_oauth_app_gets_neither_expiry_nor_refresh_token(rig: Rig) -> None:
    said = rig.sign_in("github")
    assert set(said) == {"access_token", "scope", "token_type"}
    assert (said["scope"], said["token_type"]) == ("read:user,user:email", "bearer")


def test_spotify_sometimes_brings_a_refresh_token_and_keeps_the_old(rig: Rig) -> None:
    token = rig.sign_in("spotify")["refresh_token"]
    brought = ["refresh_token" in rig.refresh("spotify", token).json() for _ in range(4)]
    assert sorted(set(brought)) == [False, True]


def test_spotify_ends_a_grant_six_months_after_consent_however_often_refreshed(rig: Rig) -> None:
    token = rig.sign_in("spotify")["refresh_token"]
    for _ in range(5):
        rig.clock.pass_seconds(30 * 86_400)
        token = rig.refresh("spotify", token).json().get("refresh_token", token)
    rig.clock.pass_seconds(40 * 86_400)
    assert dead("spotify", rig.refresh("spotify", token))


def test_spotify_rotates_for_a_client_without_a_secret(rig: Rig) -> None:
    public = rig.register("spotify", secret="")
    old = rig.sign_in("spotify", client=public)["refresh_token"]
    new = rig.refresh("spotify", old, public).json()["refresh_token"]
    assert "access_token" in rig.refresh("spotify", new, public).json()
    assert dead("spotify", rig.refresh("spotify", old, public))


def test_a_stolen_refresh_token_ends_the_whole_oidc_grant(rig: Rig) -> None:
    old = rig.sign_in("oidc")["refresh_token"]
    new = rig.refresh("oidc", old).json()
    assert rig.subject("oidc", new["access_token"])
    assert dead("oidc", rig.refresh("oidc", old))
    assert dead("oidc", rig.refresh("oidc", new["refresh_token"]))
    assert rig.subject("oidc", new["access_token"]) is None


def test_oidc_keeps_scopes_within_what_was_granted(rig: Rig) -> None:
    token = rig.sign_in("oidc", scope="openid offline_access")["refresh_token"]
    assert rig.refresh("oidc", token, scope="openid email").json()["error"] == "invalid_scope"
    assert "access_token" in rig.refresh("oidc", token, scope="openid").json()


@pytest.mark.parametrize(
    ("provider", "without"),
    [
        ("oidc", "openid profile email"),
        ("mock", "openid"),
        ("microsoft", "openid profile email"),
        ("x", "users.read tweet.read"),
        ("coinbase", "wallet:user:read"),
        ("salesforce", "openid profile"),
    ],
)
def test_these_give_a_refresh_token_only_for_a_scope(rig: Rig, provider: str, without: str) -> None:
    assert "refresh_token" not in rig.sign_in(provider, scope=without)
    assert "refresh_token" in rig.sign_in(provider)


@pytest.mark.parametrize(
    ("provider", "option", "value"),
    [("slack", "rotation", "on"), ("salesforce", "rotation", "on")],
)
def test_rotation_that_an_app_turned_on(rig: Rig, provider: str, option: str, value: str) -> None:
    app = rig.register(provider, **{option: value})
    first: Any = rig.sign_in(provider, client=app)
    new = rig.refresh(provider, first["refresh_token"], app).json()
    assert new["refresh_token"] != first["refresh_token"]
    assert dead(provider, rig.refresh(provider, first["refresh_token"], app))


def test_slack_without_rotation_says_nothing_of_expiry(rig: Rig) -> None:
    assert set(rig.sign_in("slack")) == {"ok", "access_token", "token_type", "id_token"}


def test_linkedin_gives_refresh_tokens_to_partners_with_one_fixed_end(rig: Rig) -> None:
    assert "refresh_token" not in rig.sign_in("linkedin")
    partner = rig.register("linkedin", partner="yes")
    first = rig.sign_in("linkedin", client=partner)
    rig.clock.pass_seconds(86_400)
    again = rig.refresh("linkedin", first["refresh_token"], partner).json()
    assert again["refresh_token"] == first["refresh_token"]
    assert first["refresh_token_expires_in"] - again["refresh_token_expires_in"] in range(86_390, 86_410)
    rig.clock.pass_seconds(365 * 86_400)
    assert dead("linkedin", rig.refresh("linkedin", first["refresh_token"], partner))


def test_coinbase_answers_401_to_a_dead_grant(rig: Rig) -> None:
    assert rig.refresh("coinbase", "dead").status == 401


def test_figma_refuses_to_refresh_at_its_token_address(rig: Rig) -> None:
    token = rig.sign_in("figma")["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert rig.token("figma", rig.client("figma"), form).json()["error"] is True
    assert (
        "access_token" in rig.token("figma", rig.client("figma"), {"refresh_token": token}, "/v1/oauth/refresh").json()
    )


def test_facebook_trades_a_live_token_and_no_dead_one(rig: Rig) -> None:
    live = rig.sign_in("facebook")["access_token"]
    form = {"grant_type": "fb_exchange_token", "fb_exchange_token": live}
    longer = rig.token("facebook", rig.client("facebook"), form).json()["access_token"]
    assert rig.subject("facebook", longer) == rig.subject("facebook", live)
    rig.clock.pass_seconds(61 * 86_400)
    late = rig.token("facebook", rig.client("facebook"), form)
    assert (late.status, late.json()["error"]["code"], late.json()["error"]["error_subcode"]) == (400, 190, 463)
