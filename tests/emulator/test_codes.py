"""Every provider's code exchange: each refusal stands beside its honest twin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from oneself.emulator import PLAYERS
from tests.emulator.plays import PLAYS, within
from tests.emulator.rig import CALLBACK, Reply, Rig

ALL = sorted(PLAYS)
WITH_PKCE = sorted(name for name, play in PLAYS.items() if play.pkce)


def test_every_player_is_played_here() -> None:
    assert set(PLAYS) == set(PLAYERS)


def refused(provider: str, reply: Reply) -> bool:
    """The provider's own status for a refusal, and no token in the body."""
    return reply.status in (*PLAYS[provider].refusal_status, 400, 401) and b"access_token" not in reply.body


def dead_code(provider: str, reply: Reply) -> bool:
    way, value = PLAYS[provider].dead_code
    return refused(provider, reply) and within(reply.json(), tuple(way.split("."))) == value


@pytest.mark.parametrize("provider", ALL)
def test_a_code_works_once_and_a_second_use_ends_what_it_gave(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider)
    first = rig.redeem(trip)
    assert first.status == 200, first.text
    access = first.json()["access_token"]
    opened = bool(PLAYS[provider].userinfo)
    assert bool(rig.subject(provider, access)) is opened
    assert dead_code(provider, rig.redeem(trip))
    assert not rig.subject(provider, access)


@pytest.mark.parametrize("provider", WITH_PKCE)
def test_a_wrong_or_missing_verifier_gets_nothing(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider)
    for wrong in ("", "x" * 43, trip.verifier + "x", trip.verifier[:-1]):
        assert refused(provider, rig.redeem(trip, code_verifier=wrong))
    assert rig.redeem(trip).status == 200
    assert rig.redeem(rig.trip(provider)).json()["access_token"]


@pytest.mark.parametrize("provider", ALL)
def test_a_wrong_or_missing_redirect_uri_gets_nothing(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider)
    for wrong in ("", CALLBACK + "/", CALLBACK + "?x=1", "http://127.0.0.1:2/callback"):
        assert refused(provider, rig.redeem(trip, redirect_uri=wrong)), wrong
    assert "access_token" in rig.redeem(trip).json()


@pytest.mark.parametrize("provider", ALL)
def test_only_the_client_that_asked_can_redeem(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider)
    other = rig.register(provider)
    wrong_secret = msgspec.structs.replace(trip.client, client_secret="wrong")
    unknown = msgspec.structs.replace(trip.client, client_id="nobody")
    no_secret = msgspec.structs.replace(trip.client, client_secret="")
    assert dead_code(provider, rig.redeem(trip, other))
    if PLAYS[provider].auth != "jwt":
        assert b"access_token" not in rig.redeem(trip, wrong_secret).body
    assert b"access_token" not in rig.redeem(trip, unknown).body
    assert b"access_token" not in rig.redeem(trip, no_secret).body
    assert "access_token" in rig.redeem(trip).json()
    assert "access_token" in rig.redeem(rig.trip(provider, client=other)).json()


@pytest.mark.parametrize("provider", ALL)
def test_a_code_dies_of_age(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider)
    rig.clock.pass_seconds(PLAYERS[provider].code_seconds + 1)
    if PLAYS[provider].auth == "jwt":
        rig.clock.pass_seconds(-PLAYERS[provider].code_seconds - 1)
        world = rig.emulator.world
        world.codes[trip.code].expires_at = 0
    assert dead_code(provider, rig.redeem(trip))
    rig.clock.moved = 0
    assert "access_token" in rig.redeem(rig.trip(provider)).json()


@pytest.mark.parametrize("provider", ALL)
def test_codes_are_kept_between_20_seconds_and_half_an_hour(provider: str) -> None:
    assert 20 <= PLAYERS[provider].code_seconds <= 1_800


def test_a_code_of_one_provider_is_worth_nothing_at_another(rig: Rig) -> None:
    trip = rig.trip("google")
    reply = rig.token(
        "oidc",
        trip.client,
        {
            "grant_type": "authorization_code",
            "code": trip.code,
            "redirect_uri": CALLBACK,
            "code_verifier": trip.verifier,
        },
    )
    assert reply.status == 400
    assert reply.json()["error"] == "invalid_grant"
    assert "access_token" in rig.redeem(trip).json()


def test_a_doubled_parameter_is_refused(rig: Rig) -> None:
    trip = rig.trip("oidc")
    assert rig.redeem(trip, grant_type="nonsense").json()["error"] == "unsupported_grant_type"
    assert rig.redeem(trip, grant_type="").json()["error"] == "invalid_request"
    assert rig.redeem(trip).status == 200


@pytest.mark.parametrize("provider", ALL)
def test_many_copies_of_one_code_at_once_give_one_answer(rig: Rig, provider: str) -> None:
    trip = rig.trip(provider)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(rig.redeem, [trip] * 16))
    assert len([reply for reply in replies if b"access_token" in reply.body]) == 1


@pytest.mark.parametrize("provider", ALL)
def test_token_answers_may_not_be_cached(rig: Rig, provider: str) -> None:
    reply = rig.redeem(rig.trip(provider))
    assert reply.headers["cache-control"] == "no-store"
