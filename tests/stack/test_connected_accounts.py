"""Connected accounts and their tokens: fresh, refreshed, dead, and a provider that is down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack.golden import check_json, check_known, check_plain
from tests.stack.wire import Answer, Person, Providers, Stack

UNKNOWN = "11111111-1111-4111-8111-111111111111"
NEEDS_SCOPE = (
    400,
    "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE",
    "The OAuth connection does not have the required scope.",
)
NOT_CONNECTED = (400, "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER", "The OAuth connection is not connected to any user.")


@pytest.fixture
def persona(providers: Providers) -> str:
    return providers.newcomer()


@pytest.fixture
def ada(stack: Stack, persona: str) -> Person:
    return stack.sign_in(persona)[0]


@pytest.fixture
def faults(providers: Providers) -> Iterator[Providers]:
    """The providers, whose ordered faults are gone afterwards."""
    yield providers
    providers.order("/faults", {}, "DELETE")


def token(stack: Stack, person: Person, provider: str = "google", account: str = "", scope: str = "") -> Answer:
    path = f"/connected-accounts/me/{provider}" + (f"/{account}" if account else "") + "/access-token"
    body = {"scope": scope} if scope else {}
    return stack.call("POST", path, body, access="client", token=person.access_token)


def account_of(stack: Stack, person: Person) -> str:
    (row,) = stack.ok("GET", f"/connected-accounts/{person.user_id}")["items"]
    assert (row["user_id"], row["provider"]) == (person.user_id, "google")
    return str(row["provider_account_id"])


def test_listing(stack: Stack, ada: Person) -> None:
    subject = account_of(stack, ada)
    row = {"user_id": ada.user_id, "provider": "google", "provider_account_id": subject}
    mine = stack.call("GET", "/connected-accounts/me", access="client", token=ada.access_token)
    check_json(mine, 200, {"items": [row], "is_paginated": False})
    (link,) = stack.ok("GET", f"/oauth-providers?user_id={ada.user_id}")["items"]
    stack.ok("PATCH", f"/oauth-providers/{ada.user_id}/{link['id']}", {"allow_connected_accounts": False})
    check_json(stack.call("GET", f"/connected-accounts/{ada.user_id}"), 200, {"items": [], "is_paginated": False})
    check_known(stack.call("GET", f"/connected-accounts/{UNKNOWN}"), 404, "USER_NOT_FOUND", "User not found.")
    check_plain(
        stack.call("GET", f"/connected-accounts/{UNKNOWN}", access="client", token=ada.access_token),
        403,
        "Client can only list connected accounts for their own user.",
    )


def test_a_fresh_token(stack: Stack, ada: Person) -> None:
    subject = account_of(stack, ada)
    first = token(stack, ada)
    assert (first.status, list(first.json)) == (201, ["access_token"])
    assert token(stack, ada, account=subject).json == first.json
    assert token(stack, ada, scope="openid").json == first.json
    legacy = stack.call(
        "POST", "/auth/oauth/connected-accounts/google/access-token", {}, access="client", token=ada.access_token
    )
    assert legacy.json == first.json
    check_known(token(stack, ada, scope="openid no-such-scope"), *NEEDS_SCOPE)


def test_what_is_not_connected(stack: Stack, ada: Person) -> None:
    check_known(token(stack, ada, "github"), *NOT_CONNECTED)
    check_known(token(stack, ada, account="nobody"), *NOT_CONNECTED)
    check_known(
        token(stack, ada, "nonesuch"),
        400,
        "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED",
        "The OAuth provider is not found or not enabled.",
    )
    check_known(
        stack.call("POST", f"/connected-accounts/{UNKNOWN}/google/access-token", {}),
        404,
        "USER_NOT_FOUND",
        "User not found.",
    )
    other = stack.person()
    check_plain(
        stack.call(
            "POST",
            f"/connected-accounts/{other.user_id}/google/access-token",
            {},
            access="client",
            token=ada.access_token,
        ),
        403,
        "Client can only access its own connected accounts",
    )


def test_a_row_that_may_not_connect(stack: Stack, ada: Person) -> None:
    """7.11: the older route looks at the flag too."""
    subject = account_of(stack, ada)
    (link,) = stack.ok("GET", f"/oauth-providers?user_id={ada.user_id}")["items"]
    path = f"/oauth-providers/{ada.user_id}/{link['id']}"
    stack.ok("PATCH", path, {"allow_connected_accounts": False})
    check_known(token(stack, ada), *NOT_CONNECTED)
    check_known(token(stack, ada, account=subject), *NOT_CONNECTED)
    stack.ok("PATCH", path, {"allow_connected_accounts": True})
    assert token(stack, ada).status == 201


def test_a_row_without_tokens(stack: Stack) -> None:
    person = stack.person()
    body = {
        "user_id": person.user_id,
        "provider_config_id": "google",
        "account_id": f"made-{person.user_id}",
        "allow_sign_in": False,
        "allow_connected_accounts": True,
    }
    stack.ok("POST", "/oauth-providers", body)
    check_known(token(stack, person), *NEEDS_SCOPE)


def test_only_while_the_session_lives(stack: Stack, ada: Person) -> None:
    stack.ok("DELETE", "/auth/sessions/current", access="client", token=ada.access_token)
    assert token(stack, ada).code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


def stale(faults: Providers, stack: Stack, persona: str) -> Person:
    """Somebody whose stored access token has outlived half of its second, so that the next read refreshes."""
    faults.order(f"/personas/{persona}", {"answers": {"google": {"token": {"expires_in": 1}}}}, "PATCH")
    person, _ = stack.sign_in(persona)
    faults.order(f"/personas/{persona}", {"answers": {}}, "PATCH")
    time.sleep(1.1)
    return person


def test_a_refresh(stack: Stack, faults: Providers, persona: str) -> None:
    person = stale(faults, stack, persona)
    first = token(stack, person)
    assert first.status == 201
    assert token(stack, person).json == first.json


def test_twenty_who_ask_cause_one_refresh(stack: Stack, faults: Providers, persona: str) -> None:
    """7.10: a rotating provider would take the second refresh for a theft."""
    person = stale(faults, stack, persona)
    faults.order("/counts", {}, "DELETE")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: token(stack, person), range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["access_token"] for answer in answers}) == 1
    counts = faults.order("/counts", {}, "GET")
    assert counts["google.token.refresh_token"] == 1


@pytest.mark.parametrize(
    "error", ["invalid_grant", "access_denied", "consent_required", "invalid_token", "unauthorized_client"]
)
def test_a_dead_grant(stack: Stack, faults: Providers, persona: str, error: str) -> None:
    person = stale(faults, stack, persona)
    faults.order("/simulate-refresh-error", {"provider": "google", "error": error})
    check_known(token(stack, person), *NEEDS_SCOPE)
    check_known(token(stack, person), *NEEDS_SCOPE)
    again, _ = stack.sign_in(persona)
    assert token(stack, again).status == 201


@pytest.mark.parametrize("kind", ["server_error", "rate_limit", "garbage", "reset"])
def test_a_provider_that_is_down_disconnects_nobody(stack: Stack, faults: Providers, persona: str, kind: str) -> None:
    """7.9: only the provider's own word that a grant is dead kills it."""
    person = stale(faults, stack, persona)
    faults.order("/faults", {"provider": "google", "endpoint": "token", "kind": kind, "times": 10})
    answer = token(stack, person)
    assert (answer.status, answer.code) == (503, "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) >= 1
    faults.order("/faults", {}, "DELETE")
    deadline = time.monotonic() + 30
    while (later := token(stack, person)).status == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert later.status == 201
