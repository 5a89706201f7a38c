"""Two requests at once, and requests that cross: one outcome each, by the rules, and never a 5xx."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stack.golden import check_known
from tests.stack.owners import Owner
from tests.stack.wire import Answer, Person, Providers, Stack, fresh_email, jwt_claims, query_of, s256, send

ROUNDS = 6
TAKEN = "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN"


def together(*calls: Callable[[], Answer]) -> list[Answer]:
    """All calls, let go at the same moment."""
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], Answer]) -> Answer:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        answers = list(pool.map(one, calls))
    assert all(answer.status < 500 for answer in answers), [(answer.status, answer.text) for answer in answers]
    return answers


def row(person: Person, subject: str, sign_in: bool = True) -> dict[str, Any]:
    return {
        "user_id": person.user_id,
        "provider_config_id": "google",
        "account_id": subject,
        "allow_sign_in": sign_in,
        "allow_connected_accounts": True,
    }


def rows_of(stack: Stack, person: Person) -> list[Any]:
    found: list[Any] = stack.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"]
    return found


def codes(answers: Sequence[Answer]) -> list[str]:
    return sorted(answer.code for answer in answers if answer.headers["content-type"].startswith("application/json"))


# --- one account, several users --------------------------------------------------------------------------


def test_eight_servers_give_one_account_to_eight_users(stack: Stack) -> None:
    """7.3: check and insert are one; the losers are told the rule's own error."""
    people, subject = [stack.person() for _ in range(8)], secrets.token_hex(6)
    answers = together(*[lambda one=one: stack.call("POST", "/oauth-providers", row(one, subject)) for one in people])
    assert sorted(answer.status for answer in answers) == [201] + [400] * 7
    for answer in answers:
        if answer.status == 400:
            check_known(answer, 400, TAKEN, "A provider with the same account ID is already used for signing in.")
    assert sorted(len(rows_of(stack, one)) for one in people) == [0] * 7 + [1]


def test_one_user_gets_one_account_eight_times(stack: Stack) -> None:
    person, subject = stack.person(), secrets.token_hex(6)
    body = row(person, subject, sign_in=False)
    answers = together(*[lambda: stack.call("POST", "/oauth-providers", body)] * 8)
    assert sorted(answer.status for answer in answers) == [201] + [400] * 7
    twin = "The same provider type with the same account ID already exists for this user."
    assert {answer.text for answer in answers if answer.status == 400} == {twin}


def test_one_user_gets_eight_accounts_of_one_provider(stack: Stack) -> None:
    person = stack.person()
    answers = together(
        *[
            lambda subject=subject: stack.call("POST", "/oauth-providers", row(person, subject))
            for subject in [secrets.token_hex(6) for _ in range(8)]
        ]
    )
    assert sorted(answer.status for answer in answers) == [201] + [400] * 7
    taken = "The same provider type with sign-in enabled already exists for this user."
    assert {answer.text for answer in answers if answer.status == 400} == {taken}
    assert len(rows_of(stack, person)) == 1


def test_parallel_changes_turn_one_account_on(stack: Stack) -> None:
    """7.2, 7.4: eight connected rows of one account ask for sign-in at once: one may."""
    people, subject = [stack.person() for _ in range(8)], secrets.token_hex(6)
    ids = [stack.ok("POST", "/oauth-providers", row(one, subject, sign_in=False))["id"] for one in people]
    answers = together(
        *[
            lambda path=f"/oauth-providers/{one.user_id}/{row_id}": stack.call("PATCH", path, {"allow_sign_in": True})
            for one, row_id in zip(people, ids, strict=True)
        ]
    )
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    assert {answer.code for answer in answers if answer.status == 400} == {TAKEN}
    assert sum(rows_of(stack, one)[0]["allow_sign_in"] for one in people) == 1


def test_parallel_changes_of_one_row_are_all_kept(stack: Stack) -> None:
    """Each changes another field; none undoes another's."""
    person = stack.person()
    row_id = stack.ok("POST", "/oauth-providers", row(person, secrets.token_hex(6)))["id"]
    path = f"/oauth-providers/{person.user_id}/{row_id}"
    changes: list[dict[str, Any]] = [
        {"allow_sign_in": False},
        {"allow_connected_accounts": False},
        {"email": "new@corp.example"},
        {"account_id": f"moved-{row_id}"},
    ]
    answers = together(*[lambda body=body: stack.call("PATCH", path, body) for body in changes])
    assert [answer.status for answer in answers] == [200] * 4
    shown = stack.ok("GET", path)
    assert all(shown[name] == value for change in changes for name, value in change.items())


def test_parallel_changes_of_one_user_are_all_kept(stack: Stack) -> None:
    person = stack.person()
    changes: list[dict[str, Any]] = [
        {"display_name": "Ada"},
        {"client_metadata": {"a": 1}},
        {"server_metadata": {"b": 2}},
        {"profile_image_url": "https://p.example/a.png"},
        {"restricted_by_admin": True, "restricted_by_admin_reason": "r"},
        {"primary_email_verified": True},
    ]
    path = f"/users/{person.user_id}"
    answers = together(*[lambda body=body: stack.call("PATCH", path, body) for body in changes])
    assert [answer.status for answer in answers] == [200] * len(changes)
    shown = stack.ok("GET", path)
    assert all(shown[name] == value for change in changes for name, value in change.items())


# --- requests that cross ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(ROUNDS))
def test_an_unlink_against_a_sign_in(stack: Stack, providers: Providers, number: int) -> None:
    """Whoever comes first: the account is of its old user, or it was free and signs somebody new up."""
    persona = providers.newcomer(email_verified=bool(number % 2))
    person, _ = stack.sign_in(persona)
    (linked,) = rows_of(stack, person)
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, persona))
    unlink, redeemed = together(
        lambda: stack.call("DELETE", f"/oauth-providers/{person.user_id}/{linked['id']}"),
        lambda: stack.redeem(trip, landed),
    )
    assert unlink.status == 200
    left = rows_of(stack, person)
    if redeemed.status == 200:
        user_id = jwt_claims(redeemed.json["access_token"])["sub"]
        # the old user and nothing linked; or linked anew, to the old user by its address or to somebody new
        holders = stack.ok("GET", f"/users/{user_id}")["oauth_providers"]
        assert len(holders) + (len(left) if user_id != person.user_id else 0) <= 1
    else:
        assert redeemed.code == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
        assert left == []


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_deletion_of_the_user_against_a_sign_in(stack: Stack, providers: Providers, number: int) -> None:
    persona = providers.newcomer(name=f"Round {number}")
    person, _ = stack.sign_in(persona)
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, persona))
    gone, redeemed = together(
        lambda: stack.call("DELETE", f"/users/{person.user_id}"), lambda: stack.redeem(trip, landed)
    )
    assert gone.status == 200
    assert stack.call("GET", f"/users/{person.user_id}").code == "USER_NOT_FOUND"
    if redeemed.status == 200:
        user_id = jwt_claims(redeemed.json["access_token"])["sub"]
        alive = stack.call("GET", f"/users/{user_id}").status == 200
        # either it was the old user, who is gone now with the session, or somebody new
        assert alive == (user_id != person.user_id)
        refresh = {"grant_type": "refresh_token", "refresh_token": redeemed.json["refresh_token"]}
        assert stack.token(**refresh).status == (200 if alive else 401)
    else:
        assert redeemed.code == "INVALID_AUTHORIZATION_CODE"


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_refresh_against_a_sign_out(stack: Stack, number: int) -> None:
    person = stack.person(display_name=f"Round {number}")
    refresh = {"grant_type": "refresh_token", "refresh_token": person.refresh_token}
    out, *refreshed = together(
        lambda: stack.call("DELETE", "/auth/sessions/current", {}, access="client", token=person.access_token),
        *[lambda: stack.token(**refresh)] * 4,
    )
    assert out.status == 200
    assert {answer.status for answer in refreshed} <= {200, 401}
    assert stack.token(**refresh).code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


def test_signing_out_eight_times(stack: Stack) -> None:
    person = stack.person()
    path, token = "/auth/sessions/current", person.access_token
    answers = together(*[lambda: stack.call("DELETE", path, {}, access="client", token=token)] * 8)
    assert sorted(answer.status for answer in answers) == [200] + [401] * 7


def test_two_links_of_one_user_at_one_provider(stack: Stack, providers: Providers) -> None:
    """One of the two may sign in, whichever was first; both are linked."""
    person = stack.person()
    trips = [stack.start("github", type="link", token=person.access_token) for _ in range(2)]
    landings = [stack.land(trip, stack.visit(trip, providers.newcomer())) for trip in trips]
    answers = together(
        *[lambda t=trip, at=landed: stack.redeem(t, at) for trip, landed in zip(trips, landings, strict=True)]
    )
    assert [answer.status for answer in answers] == [200, 200]
    assert sorted(linked["allow_sign_in"] for linked in rows_of(stack, person)) == [False, True]


def test_a_handoff_redeemed_eight_times(stack: Stack) -> None:
    from_here = stack.person()
    verifier = "v" * 43
    body = {
        "redirect_uri": "http://localhost:3000/",
        "state": "s",
        "code_challenge": s256(verifier),
    }
    headers = {"x-stack-refresh-token": from_here.refresh_token}
    path = "/auth/oauth/cross-domain/authorize"
    made = stack.call("POST", path, body, access="client", token=from_here.access_token, headers=headers)
    code = query_of(made.json["redirect_url"])["code"]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": body["redirect_uri"]}
    answers = together(*[lambda: stack.token(**grant, code_verifier=verifier)] * 8)
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    assert set(codes([answer for answer in answers if answer.status == 400])) == {"INVALID_AUTHORIZATION_CODE"}


def test_one_anonymous_user_signs_up_twice_at_once(stack: Stack, providers: Providers) -> None:
    """With a password and with a provider: one of them is the anonymous user, grown up; nobody is lost."""
    body = stack.ok("POST", "/auth/anonymous/sign-up", access="client")
    trip = stack.start(token=body["access_token"])
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    email = {"email": fresh_email(), "password": "correct horse battery"}
    signed_up, redeemed = together(
        lambda: stack.call("POST", "/auth/password/sign-up", email, access="client", token=body["access_token"]),
        lambda: stack.redeem(trip, landed),
    )
    assert (signed_up.status, redeemed.status) == (200, 200)
    ids = {signed_up.json["user_id"], jwt_claims(redeemed.json["access_token"])["sub"]}
    assert body["user_id"] in ids
    assert stack.ok("GET", f"/users/{body['user_id']}")["is_anonymous"] is False
    assert len(ids) == 2


def test_eight_sets_of_keys_and_one_revoked(owner: Owner) -> None:
    project = owner.project()
    body = {
        "description": "D",
        "expires_at_millis": 4_000_000_000_000,
        "has_publishable_client_key": False,
        "has_secret_server_key": True,
        "has_super_secret_admin_key": False,
    }
    made = together(*[lambda: project.call("POST", "/internal/api-keys", body, access="admin")] * 8)
    assert [answer.status for answer in made] == [200] * 8
    secret = made[0].json["secret_server_key"]
    headers = {
        "x-stack-access-type": "server",
        "x-stack-project-id": project.project_id,
        "x-stack-secret-server-key": secret,
    }
    current = "/api/v1/projects/current"
    assert send(project.base_url, "GET", current, headers).status == 200
    path = f"/internal/api-keys/{made[0].json['id']}"
    revoked = together(*[lambda: project.call("PATCH", path, {"revoked": True}, access="admin")] * 4)
    assert {answer.status for answer in revoked} == {200}
    assert send(project.base_url, "GET", current, headers).code == "INVALID_SECRET_SERVER_KEY"
    assert len(project.ok("GET", "/internal/api-keys", access="admin")["items"]) == 8
