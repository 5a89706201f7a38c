"""`/oauth-providers`: every rule with its text, and beside each refusal the twin that is let through."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.stack.golden import check_json, check_known, check_plain, check_schema_error
from tests.stack.owners import Owner
from tests.stack.wire import Answer, Person, Stack

UNKNOWN = "11111111-1111-4111-8111-111111111111"
SLOT_TAKEN = "The same provider type with sign-in enabled already exists for this user."
TWIN = "The same provider type with the same account ID already exists for this user."


def account() -> str:
    return secrets.token_hex(6)


def add(stack: Stack, person: Person, provider: str, account_id: str, sign_in: bool = True, **more: Any) -> Answer:
    body = {
        "user_id": person.user_id,
        "provider_config_id": provider,
        "account_id": account_id,
        "allow_sign_in": sign_in,
        "allow_connected_accounts": True,
    }
    return stack.call("POST", "/oauth-providers", body | more)


def added(stack: Stack, person: Person, provider: str, account_id: str, sign_in: bool = True) -> str:
    answer = add(stack, person, provider, account_id, sign_in)
    assert answer.status == 201, answer.text
    return str(answer.json["id"])


@pytest.fixture
def ada(stack: Stack) -> Person:
    return stack.person()


@pytest.fixture
def bob(stack: Stack) -> Person:
    return stack.person()


# --- create ----------------------------------------------------------------------------------------------


def test_create_shows_the_whole_row(stack: Stack, ada: Person) -> None:
    subject = account()
    answer = add(stack, ada, "google", subject, email="ada@corp.example")
    row_id = answer.json["id"]
    expected = {
        "user_id": ada.user_id,
        "id": row_id,
        "email": "ada@corp.example",
        "provider_config_id": "google",
        "type": "google",
        "allow_sign_in": True,
        "allow_connected_accounts": True,
        "account_id": subject,
    }
    check_json(answer, 201, expected)
    check_json(stack.call("GET", f"/oauth-providers/{ada.user_id}/{row_id}"), 200, expected)
    del expected["account_id"]
    mine = stack.call("GET", f"/oauth-providers/me/{row_id}", access="client", token=ada.access_token)
    check_json(mine, 200, expected)


def test_create_for_an_unknown_provider_then_an_unknown_user(stack: Stack, ada: Person) -> None:
    nobody = Person(UNKNOWN, "", "")
    check_plain(add(stack, nobody, "nonesuch", "1"), 404, "OAuth provider nonesuch not found or not configured")
    check_known(add(stack, nobody, "google", "1"), 404, "USER_NOT_FOUND", "User not found.")


def test_clients_cannot_create(stack: Stack, ada: Person) -> None:
    answer = stack.call("POST", "/oauth-providers", {}, access="client", token=ada.access_token)
    assert answer.code == "INSUFFICIENT_ACCESS_TYPE"


# --- the three laws --------------------------------------------------------------------------------------


def test_one_sign_in_account_per_provider(stack: Stack, ada: Person) -> None:
    added(stack, ada, "google", account())
    check_plain(add(stack, ada, "google", account()), 400, SLOT_TAKEN)
    assert add(stack, ada, "google", account(), sign_in=False).status == 201
    assert add(stack, ada, "github", account()).status == 201


def test_no_twin_of_one_account(stack: Stack, ada: Person, bob: Person) -> None:
    subject = account()
    added(stack, ada, "google", subject, sign_in=False)
    check_plain(add(stack, ada, "google", subject, sign_in=False), 400, TWIN)
    assert add(stack, bob, "google", subject, sign_in=False).status == 201
    assert add(stack, ada, "github", subject, sign_in=False).status == 201


def test_one_owner_of_a_sign_in_account(stack: Stack, ada: Person, bob: Person) -> None:
    subject = account()
    added(stack, ada, "google", subject)
    check_known(
        add(stack, bob, "google", subject),
        400,
        "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN",
        "A provider with the same account ID is already used for signing in.",
    )
    assert add(stack, bob, "google", subject, sign_in=False).status == 201


def test_the_provider_is_part_of_every_law(stack: Stack, ada: Person, bob: Person) -> None:
    """Upstream's rule 3 forgets the provider (7.1): user 123 of one would block user 123 of another."""
    subject = account()
    added(stack, ada, "google", subject)
    assert add(stack, bob, "github", subject).status == 201


def test_the_laws_speak_in_order(stack: Stack, ada: Person, bob: Person) -> None:
    subject, other = account(), account()
    added(stack, ada, "google", subject)
    check_plain(add(stack, ada, "google", subject), 400, SLOT_TAKEN)
    added(stack, bob, "google", other)
    check_plain(add(stack, ada, "google", other), 400, SLOT_TAKEN)


# --- change ----------------------------------------------------------------------------------------------


def test_the_effective_state_decides(stack: Stack, ada: Person, bob: Person) -> None:
    """Turning sign-in on looks at the row's own account (7.2); naming a taken account fails cleanly (7.4)."""
    theirs, mine = account(), account()
    added(stack, bob, "google", theirs)
    row = added(stack, ada, "google", mine, sign_in=False)
    path = f"/oauth-providers/{ada.user_id}/{row}"
    assert stack.ok("PATCH", path, {"allow_sign_in": True})["allow_sign_in"] is True
    taken = stack.call("PATCH", path, {"account_id": theirs})
    assert taken.code == "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN"
    stack.ok("PATCH", path, {"allow_sign_in": False})
    assert stack.ok("PATCH", path, {"account_id": theirs})["account_id"] == theirs
    again = stack.call("PATCH", path, {"allow_sign_in": True})
    assert again.code == "OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN"


def test_sign_in_moves_off_and_on(stack: Stack, ada: Person) -> None:
    first = added(stack, ada, "google", account())
    second = added(stack, ada, "google", account(), sign_in=False)
    on, off = {"allow_sign_in": True}, {"allow_sign_in": False}
    check_plain(stack.call("PATCH", f"/oauth-providers/{ada.user_id}/{second}", on), 400, SLOT_TAKEN)
    stack.ok("PATCH", f"/oauth-providers/{ada.user_id}/{first}", off)
    assert stack.ok("PATCH", f"/oauth-providers/{ada.user_id}/{second}", on)["allow_sign_in"] is True


def test_a_change_to_the_same_is_fine(stack: Stack, ada: Person) -> None:
    subject = account()
    row = added(stack, ada, "google", subject)
    same = {"account_id": subject, "allow_sign_in": True, "allow_connected_accounts": True}
    assert stack.call("PATCH", f"/oauth-providers/{ada.user_id}/{row}", same).status == 200
    assert stack.call("PATCH", f"/oauth-providers/{ada.user_id}/{row}", {}).status == 200


def test_clients_change_flags_only(stack: Stack, ada: Person) -> None:
    row = added(stack, ada, "google", account())
    path = f"/oauth-providers/me/{row}"
    answer = stack.call("PATCH", path, {"account_id": "x", "email": "a@b.co"}, access="client", token=ada.access_token)
    check_schema_error(answer, f"PATCH /api/v1{path}", "body contains unknown properties: account_id, email")
    flags = {"allow_connected_accounts": False}
    assert stack.ok("PATCH", path, flags, access="client", token=ada.access_token)["allow_connected_accounts"] is False


# --- read, list, delete ----------------------------------------------------------------------------------


def test_rows_of_others_and_rows_that_are_not(stack: Stack, ada: Person, bob: Person) -> None:
    row = added(stack, ada, "google", account())
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        path = f"/oauth-providers/{bob.user_id}/{row}"
        check_plain(stack.call(method, path, body), 404, f"OAuth provider {row} for user {bob.user_id} not found")
        missing = f"/oauth-providers/{ada.user_id}/{UNKNOWN}"
        check_plain(
            stack.call(method, missing, body), 404, f"OAuth provider {UNKNOWN} for user {ada.user_id} not found"
        )
        nobody = f"/oauth-providers/{UNKNOWN}/{row}"
        assert stack.call(method, nobody, body).code == "USER_NOT_FOUND"
        check_schema_error(
            stack.call(method, f"/oauth-providers/{ada.user_id}/zz", body),
            f"{method} /api/v1/oauth-providers/{ada.user_id}/zz",
            "params.provider_id must be a valid UUID",
        )


def test_clients_touch_only_themselves(stack: Stack, ada: Person, bob: Person) -> None:
    row = added(stack, bob, "google", account())
    for method, verb, body in (("GET", "read", None), ("PATCH", "update", {}), ("DELETE", "delete", None)):
        path = f"/oauth-providers/{bob.user_id}/{row}"
        check_plain(
            stack.call(method, path, body, access="client", token=ada.access_token),
            403,
            f"Client can only {verb} OAuth providers for their own user.",
        )
        assert stack.call(method, path, body, access="client").code == "CANNOT_GET_OWN_USER_WITHOUT_USER"
        assert stack.call(method, path, body, access="client", token=bob.access_token).status == 200


def test_listing(stack: Stack, ada: Person, bob: Person) -> None:
    rows = [added(stack, ada, name, account(), sign_in=False) for name in ("google", "github", "google")]
    listed = stack.ok("GET", f"/oauth-providers?user_id={ada.user_id}")
    assert [row["id"] for row in listed["items"]] == rows
    assert listed["is_paginated"] is False
    mine = stack.ok("GET", "/oauth-providers?user_id=me", access="client", token=ada.access_token)
    assert [row["id"] for row in mine["items"]] == rows
    assert all("account_id" not in row for row in mine["items"])
    everybody = stack.ok("GET", "/oauth-providers")
    assert set(rows) <= {row["id"] for row in everybody["items"]}
    assert stack.call("GET", f"/oauth-providers?user_id={UNKNOWN}").code == "USER_NOT_FOUND"
    words = "Client can only list OAuth providers for their own user."
    for query in ("", f"?user_id={bob.user_id}"):
        check_plain(stack.call("GET", f"/oauth-providers{query}", access="client", token=ada.access_token), 403, words)
    assert stack.call("GET", "/oauth-providers?user_id=me", access="client").code == "CANNOT_GET_OWN_USER_WITHOUT_USER"


def test_delete(stack: Stack, ada: Person, bob: Person) -> None:
    subject = account()
    row = added(stack, ada, "google", subject)
    check_json(stack.call("DELETE", f"/oauth-providers/{ada.user_id}/{row}"), 200, {"success": True})
    assert stack.call("GET", f"/oauth-providers/{ada.user_id}/{row}").status == 404
    assert add(stack, bob, "google", subject).status == 201


def test_unlinking_asks_for_a_live_session(stack: Stack, ada: Person) -> None:
    """The token outlives sign-out; unlinking with it must not."""
    row = added(stack, ada, "google", account())
    stack.ok("DELETE", "/auth/sessions/current", access="client", token=ada.access_token)
    for method, body in (("DELETE", None), ("PATCH", {"allow_sign_in": False})):
        answer = stack.call(method, f"/oauth-providers/me/{row}", body, access="client", token=ada.access_token)
        check_known(
            answer,
            401,
            "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED",
            "Refresh token not found for this project, or the session has expired/been revoked.",
        )
    assert stack.call("GET", f"/oauth-providers/{ada.user_id}/{row}").status == 200


def test_a_row_whose_provider_nobody_knows_any_more(owner: Owner) -> None:
    """Its config id names no provider by itself: it is listed nowhere, and a change of it changes nothing."""
    project = owner.project()
    github = {"type": "github", "isShared": True, "allowSignIn": True, "allowConnectedAccounts": True}
    project.configure(auth__oauth__providers__corp=github)
    person = project.person()
    row = added(project, person, "corp", account())
    path = f"/oauth-providers/{person.user_id}/{row}"
    assert project.ok("GET", path)["type"] == "github"
    project.configure(auth__oauth__providers={})
    for method, body in (("GET", None), ("PATCH", {"allow_sign_in": False})):
        check_plain(project.call(method, path, body), 404, "OAuth provider corp not found or not configured")
    assert project.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"] == []
    project.configure(auth__oauth__providers__corp=github)
    assert project.ok("GET", path)["allow_sign_in"] is True
    project.configure(auth__oauth__providers={})
    check_json(project.call("DELETE", path), 200, {"success": True})
