"""`sessions/migrate`: an id_token of another system opens a session here, for whom it names and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt as pyjwt
import pytest

from tests.stytch.rig import Person, Rig, refused


def id_token(rig: Rig, person: Person, provider: str = "oidc") -> str:
    """What the other system has of a person who signed in there: an id_token for the same client."""
    values = rig.sign_in(provider, person).provider_values
    assert values.id_token
    return str(values.id_token)


def test_a_session_of_another_system_comes_over(minds: dict[str, Rig]) -> None:
    elsewhere, rig = minds["plain"], minds["migrating"]
    person = elsewhere.persona(given_name="Ida")
    token = id_token(elsewhere, person)
    made = rig.client.sessions.migrate(token, session_duration_minutes=60, session_custom_claims={"plan": "gold"})
    assert made.status_code == 200
    assert made.user.name is not None
    assert made.user.name.first_name == "Ida"
    assert made.session is not None
    assert made.session.custom_claims == {"plan": "gold"}
    assert rig.client.sessions.authenticate(session_token=made.session_token).user.user_id == made.user_id
    assert rig.client.sessions.authenticate_jwt_local(made.session_jwt) is not None
    # the same person again, by another token of theirs: the account was remembered
    again = rig.client.sessions.migrate(id_token(elsewhere, person))
    assert again.user_id == made.user_id
    assert (again.session, again.session_token, again.session_jwt) == (None, "", "")
    # and by a sign-in with that provider here
    assert rig.sign_in("oidc", person).user_id == made.user_id


def test_the_asynchronous_half_does_the_same(minds: dict[str, Rig]) -> None:
    elsewhere, rig = minds["plain"], minds["migrating"]
    person = elsewhere.persona()
    token = id_token(elsewhere, person)

    async def work() -> str:
        client = rig.fresh_client()
        return str((await client.sessions.migrate_async(token, session_duration_minutes=5)).user_id)

    assert asyncio.run(work()) == rig.client.sessions.migrate(token).user_id


def test_the_answer_is_what_strict_models_take(minds: dict[str, Rig]) -> None:
    token = id_token(minds["plain"], minds["plain"].persona())
    body = minds["migrating"].call("POST", "/v1/sessions/migrate", {"session_token": token}).json
    assert set(body) == {
        *("status_code", "request_id", "user_id", "user", "session", "session_token", "session_jwt", "user_device"),
    }
    assert (body["session"], body["session_token"], body["session_jwt"], body["user_device"]) == (None, "", "", None)


def test_a_token_that_proves_nothing_here_opens_nothing(minds: dict[str, Rig]) -> None:
    elsewhere, rig = minds["plain"], minds["migrating"]
    person = elsewhere.persona()
    good = id_token(elsewhere, person)
    head, payload, signature = good.split(".")
    claims = pyjwt.decode(good, options={"verify_signature": False})
    bad = {
        "nonsense": "x",
        "empty": "",
        "one of our own": elsewhere.sign_in("google", elsewhere.persona()).session_jwt,
        "another issuer's": id_token(elsewhere, elsewhere.persona(), "google"),
        "a changed signature": f"{head}.{payload}.{signature[:-4]}AAAA",
        "no signature": f"{head}.{payload}.",
        "a shared secret's": pyjwt.encode(claims, "k" * 32, "HS256"),
        "unsigned": pyjwt.encode(claims, "", "none"),
        "an access token": elsewhere.sign_in("oidc", elsewhere.persona()).provider_values.access_token,
    }
    before = rig.client.users.search().results_metadata.total
    for name, token in bad.items():
        assert refused(rig.client.sessions.migrate, token) == (400, "invalid_session_token"), name
    assert rig.client.users.search().results_metadata.total == before
    assert rig.client.sessions.migrate(good).user_id


def test_what_was_made_for_another_client_is_refused(minds: dict[str, Rig]) -> None:
    """An application elsewhere that has people sign in there must not become them here."""
    rig = minds["migrating_other_client"]
    elsewhere = minds["plain"]
    assert refused(rig.client.sessions.migrate, id_token(elsewhere, elsewhere.persona())) == (
        400,
        "invalid_session_token",
    )


def test_sign_up_closed_lets_over_only_whom_it_knows(minds: dict[str, Rig]) -> None:
    elsewhere, rig = minds["plain"], minds["migrating_closed"]
    token = id_token(elsewhere, elsewhere.persona())
    assert refused(rig.client.sessions.migrate, token) == (403, "sign_up_closed")
    person = elsewhere.persona()
    user = rig.client.users.create(email=elsewhere.persona().email)
    ticket = rig.client.oauth.attach("oidc", user_id=user.user_id).oauth_attach_token
    rig.client.oauth.authenticate(rig.trip("oidc", person.id, oauth_attach_token=ticket))
    assert rig.client.sessions.migrate(id_token(elsewhere, person)).user_id == user.user_id


@pytest.mark.parametrize(
    ("more", "error_type"),
    [
        ({"session_duration_minutes": 4}, "invalid_session_duration_minutes"),
        ({"session_custom_claims": {"https://stytch.com/x": 1}}, "stytch_claims_in_custom_claims"),
        ({"session_duration_minutes": "5"}, "invalid_argument"),
    ],
)
def test_a_mistake_beside_the_token_is_told(minds: dict[str, Rig], more: dict[str, Any], error_type: str) -> None:
    rig = minds["migrating"]
    reply = rig.call("POST", "/v1/sessions/migrate", {"session_token": "x", **more})
    assert (reply.status, reply.json["error_type"]) == (400, error_type)


def test_without_a_source_it_is_refused_by_name(minds: dict[str, Rig]) -> None:
    rig = minds["plain"]
    assert refused(rig.client.sessions.migrate, id_token(rig, rig.persona())) == (400, "product_not_configured")
