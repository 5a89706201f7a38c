"""The control API: counters, personas, clients, keys, clocks, revoked grants, and who may call it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.emulator.plays import PLAYS
from tests.emulator.rig import CALLBACK, Rig, ask
from tests.emulator.test_shapes import claims

REFRESHING = sorted(name for name, play in PLAYS.items() if play.refreshes)


def test_requests_are_counted_by_endpoint_and_grant(rig: Rig) -> None:
    tokens = rig.sign_in("google")
    rig.refresh("google", tokens["refresh_token"])
    rig.subject("google", tokens["access_token"])
    assert rig.counts() == {
        "google.authorization": 1,
        "google.token": 2,
        "google.token.authorization_code": 1,
        "google.token.refresh_token": 1,
        "google.userinfo": 1,
    }
    assert rig.control("DELETE", "/counts") == {}


def test_every_one_of_many_at_once_is_counted(rig: Rig) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _n: ask("GET", rig.at("oidc", "/jwks")), range(40)))
    assert rig.counts()["oidc.jwks"] == 40


def test_a_persona_changes_but_not_their_subject(rig: Rig) -> None:
    before = rig.document("google", rig.sign_in("google", "rosa")["access_token"]).json()
    rig.control("PATCH", "/personas/rosa", {"email": "rosa@moved.example", "email_verified": False})
    after = rig.document("google", rig.sign_in("google", "rosa")["access_token"]).json()
    assert (after["email"], after["email_verified"]) == ("rosa@moved.example", False)
    assert after["sub"] == before["sub"]
    rig.control("POST", "/reset")
    again = rig.document("google", rig.sign_in("google", "rosa")["access_token"]).json()
    assert again == before


def test_a_change_shows_through_a_token_that_lives(rig: Rig) -> None:
    token = rig.sign_in("google")["access_token"]
    rig.control("PATCH", "/personas/ada", {"email": "new@corp.example"})
    assert rig.document("google", token).json()["email"] == "new@corp.example"


def test_an_address_passes_to_another_person(rig: Rig) -> None:
    rig.control("POST", "/personas", {"id": "late", "email": "ada@corp.example", "name": "Late"})
    late = rig.document("google", rig.sign_in("google", "late")["access_token"]).json()
    ada = rig.document("google", rig.sign_in("google")["access_token"]).json()
    assert late["email"] == ada["email"]
    assert late["sub"] != ada["sub"]


@pytest.mark.parametrize("value", [True, "true", 1, "1", False, "false", None, [], {"a": 1}])
def test_an_odd_answer_is_said_as_ordered(rig: Rig, value: object) -> None:
    answers = {"google": {"userinfo": {"email_verified": value}, "id_token": {"email_verified": value}}}
    rig.control("PATCH", "/personas/ada", {"answers": answers})
    token = rig.sign_in("google")
    assert rig.document("google", token["access_token"]).json()["email_verified"] == value
    assert claims(token["id_token"])["email_verified"] == value
    assert rig.document("google", rig.sign_in("google", "grace")["access_token"]).json()["email_verified"] is True


def test_odd_answers_reach_into_lists_and_leave_fields_out(rig: Rig) -> None:
    answers = {
        "github": {"emails": {"0.verified": "true", "1": {"$omit": True}}},
        "google": {"id_token": {"iss": "accounts.google.com", "email": {"$omit": True}, "a.b": 1}, "token": {"x": 1}},
        "spotify": {"userinfo": {"account_id": {"$omit": True}, "images.9.url": "x", "id.deep": 1}},
        "slack": {"userinfo": {"": ["no", "object"]}},
    }
    rig.control("PATCH", "/personas/ada", {"answers": answers})
    emails = rig.document("github", rig.sign_in("github")["access_token"], "/api/v3/user/emails").json()
    assert [entry["verified"] for entry in emails] == ["true"]
    google = rig.sign_in("google")
    found = claims(google["id_token"])
    assert (found["iss"], "email" in found, found["a"], google["x"]) == ("accounts.google.com", False, {"b": 1}, 1)
    spotify = rig.document("spotify", rig.sign_in("spotify")["access_token"]).json()
    assert "account_id" not in spotify
    assert rig.document("slack", rig.sign_in("slack")["access_token"]).json() == ["no", "object"]


def test_persons_come_and_go(rig: Rig) -> None:
    token = rig.sign_in("google", "rosa")["access_token"]
    rig.control("DELETE", "/personas/rosa")
    assert rig.subject("google", token) is None
    assert ask("GET", rig.base + "/_control/personas/rosa").status == 404
    assert rig.authorize("google", login_hint="rosa").status == 200  # only a page


@pytest.mark.parametrize("wrong", [{"email_verified": "yes"}, {"nonsense": 1}, {"answers": {"google": 1}}, [], "x"])
def test_a_wrong_persona_changes_nothing(rig: Rig, wrong: object) -> None:
    before = rig.control("GET", "/personas/ada")
    assert ask("PATCH", rig.base + "/_control/personas/ada", data=wrong).status == 400
    assert rig.control("GET", "/personas/ada") == before


@pytest.mark.parametrize("provider", REFRESHING)
def test_a_revoked_refresh_token_leaves_the_access_token_and_the_other_way_round(rig: Rig, provider: str) -> None:
    tokens = rig.sign_in(provider)
    assert rig.control("POST", "/revoke-refresh-token", {"token": tokens["refresh_token"]}) == {"revoked": 1}
    assert b"access_token" not in rig.refresh(provider, tokens["refresh_token"]).body
    assert bool(rig.subject(provider, tokens["access_token"])) is bool(PLAYS[provider].userinfo)
    other = rig.sign_in(provider, "grace")
    assert rig.control("POST", "/revoke-access-token", {"token": other["access_token"]}) == {"revoked": 1}
    assert rig.subject(provider, other["access_token"]) is None
    assert b"access_token" in rig.refresh(provider, other["refresh_token"]).body


def test_grants_are_revoked_by_person_client_and_provider(rig: Rig) -> None:
    ada, grace, elsewhere = rig.sign_in("google"), rig.sign_in("google", "grace"), rig.sign_in("oidc")
    assert rig.control("POST", "/revoke-grant", {"provider": "google", "persona": "ada"}) == {"revoked": 1}
    assert rig.subject("google", ada["access_token"]) is None
    assert b"access_token" not in rig.refresh("google", ada["refresh_token"]).body
    assert rig.subject("google", grace["access_token"])
    assert rig.subject("oidc", elsewhere["access_token"])
    assert rig.control("POST", "/revoke-grant", {"client_id": "the-client"})["revoked"] >= 2
    assert rig.subject("oidc", elsewhere["access_token"]) is None
    assert ask("POST", rig.base + "/_control/revoke-grant", data={}).status == 400


def test_a_providers_clock_can_be_wrong(rig: Rig) -> None:
    right = claims(rig.sign_in("google")["id_token"])
    rig.control("POST", "/clock", {"provider": "google", "skew_seconds": 600})
    fast = claims(rig.sign_in("google")["id_token"])
    other = claims(rig.sign_in("oidc")["id_token"])
    assert fast["iat"] - right["iat"] in range(600, 620)
    assert other["iat"] - right["iat"] in range(20)
    rig.control("POST", "/clock", {"skew_seconds": -7_200})
    token = rig.sign_in("oidc")["access_token"]
    rig.control("POST", "/clock", {"skew_seconds": 0})
    assert rig.subject("oidc", token) is None  # it was made two hours ago and lives five minutes


def test_a_registered_client_works_where_it_is_registered(rig: Rig) -> None:
    client = {"client_id": "late", "client_secret": "s", "redirect_uris": [CALLBACK], "provider": "google"}
    shown = rig.control("POST", "/clients", client)
    assert "s" not in [entry["client_secret"] for entry in shown]
    query = f"client_id=late&redirect_uri={CALLBACK}&response_type=code&scope=openid&login_hint=ada"
    assert ask("GET", rig.at("google", "/o/oauth2/v2/auth?" + query)).status == 302
    assert ask("GET", rig.at("oidc", "/authorize?" + query)).status == 401


def test_reset_forgets_tokens_faults_and_counts(rig: Rig) -> None:
    token = rig.sign_in("google")["access_token"]
    rig.control("POST", "/faults", {"kind": "delay", "seconds": 1})
    rig.control("POST", "/reset")
    assert rig.counts() == {}
    assert rig.control("GET", "/faults") == []
    assert rig.subject("google", token) is None
    assert "refresh_token" in rig.sign_in("google")  # a first consent again


def test_an_overview_names_everything_that_can_be_ordered(rig: Rig) -> None:
    found = rig.control("GET", "")
    assert set(found["providers"]) == set(PLAYS)
    assert {"hang", "huge", "redirect_loop", "wrong_types"} <= set(found["faults"])


def test_pages_of_other_sites_change_nothing(rig: Rig) -> None:
    url = rig.base + "/_control/faults"
    assert ask("POST", url, form={"kind": "delay"}).status == 415
    assert ask("POST", url, data={"kind": "delay"}, headers={"Origin": "https://attacker.example"}).status == 403
    assert ask("POST", rig.base + "/_control/reset", headers={"Origin": "null"}).status == 403
    assert ask("POST", url, data={"kind": "delay"}, headers={"Origin": rig.base}).status == 200


def test_broken_bodies_are_refused(rig: Rig) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/faults", "/clients", "/personas", "/picks", "/clock", "/keys/rotate", "/revoke-access-token"):
        assert ask("POST", rig.base + "/_control" + path, form={"a": "b"}, headers=headers).status == 400
        assert ask("POST", rig.base + "/_control" + path, data={"nonsense": 1}).status == 400
        assert ask("POST", rig.base + "/_control" + path, data=[1]).status == 400


def test_a_body_over_a_megabyte_is_refused(rig: Rig) -> None:
    reply = ask("POST", rig.at("google", "/token"), form={"code": "x" * 1_200_000})
    assert reply.status == 413
