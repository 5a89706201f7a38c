"""Users, their sessions, their contact channels."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.stack.golden import check_json, check_known, check_plain, check_schema_error
from tests.stack.owners import Owner
from tests.stack.wire import Person, Stack, fresh_email, jwt_claims

UNKNOWN = "11111111-1111-4111-8111-111111111111"


# --- users -----------------------------------------------------------------------------------------------


def test_a_whole_user(stack: Stack) -> None:
    email = fresh_email()
    body = {
        "display_name": "Ada",
        "profile_image_url": "https://p.example/a.png",
        "client_metadata": {"a": [1, None, {"b": "c"}]},
        "client_read_only_metadata": "any json",
        "server_metadata": {"s": 1},
        "primary_email": email.upper(),
        "primary_email_verified": True,
        "primary_email_auth_enabled": True,
        "password": "long enough",
        "otp_auth_enabled": True,
        "oauth_providers": [{"id": "google", "account_id": email, "email": None}],
    }
    answer = stack.call("POST", "/users", body)
    made = answer.json
    user_id, at = made["id"], made["signed_up_at_millis"]
    assert abs(at / 1000 - time.time()) < 60
    client = {
        "id": user_id,
        "primary_email": email,
        "primary_email_verified": True,
        "display_name": "Ada",
        "client_metadata": {"a": [1, None, {"b": "c"}]},
        "client_read_only_metadata": "any json",
        "profile_image_url": "https://p.example/a.png",
        "signed_up_at_millis": at,
        "has_password": True,
        "auth_with_email": True,
        "oauth_providers": [{"id": "google", "account_id": email, "email": None}],
        "selected_team_id": None,
        "selected_team": None,
        "requires_totp_mfa": False,
        "otp_auth_enabled": True,
        "passkey_auth_enabled": False,
        "is_anonymous": False,
        "is_restricted": False,
        "restricted_reason": None,
        "restricted_by_admin": False,
        "restricted_by_admin_reason": None,
    }
    server = client | {
        "primary_email_auth_enabled": True,
        "server_metadata": {"s": 1},
        "last_active_at_millis": at,
        "restricted_by_admin_private_details": None,
        "country_code": None,
        "risk_scores": {"sign_up": {"bot": 0, "free_trial_abuse": 0}},
    }
    check_json(answer, 201, server)
    check_json(stack.call("GET", f"/users/{user_id}"), 200, server)
    token = stack.ok("POST", "/auth/sessions", {"user_id": user_id})["access_token"]
    assert stack.ok("GET", "/users/me", token=token)["server_metadata"] == {"s": 1}
    me = stack.ok("GET", "/users/me", access="client", token=token)
    assert me == client


def test_an_empty_user_and_a_change_that_is_none(stack: Stack) -> None:
    made = stack.ok("POST", "/users", {})
    assert (made["primary_email"], made["display_name"], made["client_metadata"]) == (None, None, None)
    assert (made["primary_email_verified"], made["primary_email_auth_enabled"]) == (False, False)
    assert stack.ok("PATCH", f"/users/{made['id']}", {}) == made


def test_changing_a_user(stack: Stack) -> None:
    email, other = fresh_email(), fresh_email()
    made = stack.ok("POST", "/users", {"primary_email": email, "display_name": "A", "client_metadata": {"k": 1}})
    path = f"/users/{made['id']}"
    changes = {"display_name": None, "client_metadata": None, "primary_email_verified": True, "server_metadata": [1]}
    changed = stack.ok("PATCH", path, changes)
    assert (changed["display_name"], changed["client_metadata"], changed["server_metadata"]) == (None, None, [1])
    assert changed["primary_email_verified"] is True
    moved = stack.ok("PATCH", path, {"primary_email": other})
    assert (moved["primary_email"], moved["primary_email_verified"]) == (other, False)
    removed = stack.ok("PATCH", path, {"primary_email": None})
    assert (removed["primary_email"], removed["primary_email_verified"]) == (None, False)


def test_an_address_that_somebody_signs_in_with(stack: Stack) -> None:
    email = fresh_email()
    stack.ok("POST", "/users", {"primary_email": email, "primary_email_auth_enabled": True})
    taken = {"primary_email": email, "primary_email_auth_enabled": True}
    check_known(
        stack.call("POST", "/users", taken),
        409,
        "USER_EMAIL_ALREADY_EXISTS",
        f'A user with email "{email}" already exists.',
        {"email": email, "would_work_if_email_was_verified": False},
    )
    beside = stack.ok("POST", "/users", {"primary_email": email})
    assert beside["primary_email_auth_enabled"] is False
    answer = stack.call("PATCH", f"/users/{beside['id']}", {"primary_email_auth_enabled": True})
    assert answer.code == "USER_EMAIL_ALREADY_EXISTS"


def test_flags_without_an_address(stack: Stack) -> None:
    for name in ("primary_email_auth_enabled", "primary_email_verified"):
        check_plain(stack.call("POST", "/users", {name: True}), 400, f"{name} cannot be true without primary_email")
        assert stack.call("POST", "/users", {name: False}).status == 201


def test_users_of_their_own(stack: Stack) -> None:
    person = stack.person()
    path, token = "/users/me", person.access_token
    body = {"server_metadata": {}, "primary_email_verified": True, "display_name": "x"}
    check_schema_error(
        stack.call("PATCH", path, body, access="client", token=token),
        f"PATCH /api/v1{path}",
        "body contains unknown properties: server_metadata, primary_email_verified",
    )
    assert stack.ok("PATCH", path, {"display_name": "Me"}, access="client", token=token)["display_name"] == "Me"
    check_plain(
        stack.call("DELETE", path, access="client", token=token),
        400,
        "Client user deletion is not enabled for this project",
    )
    for method, sent in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        assert stack.call(method, path, sent, access="client").code == "CANNOT_GET_OWN_USER_WITHOUT_USER"
        assert stack.call(method, f"/users/{UNKNOWN}", sent).code == "USER_NOT_FOUND"
        assert stack.call(method, "/users/zz", sent).code == "SCHEMA_ERROR"
        assert stack.call(method, f"/users/{person.user_id}", sent, access="client").code == "INSUFFICIENT_ACCESS_TYPE"


def test_deleting_a_user(stack: Stack) -> None:
    person = stack.person()
    check_json(stack.call("DELETE", f"/users/{person.user_id}"), 200, {"success": True})
    check_known(stack.call("GET", f"/users/{person.user_id}"), 404, "USER_NOT_FOUND", "User not found.")
    assert stack.token(grant_type="refresh_token", refresh_token=person.refresh_token).status == 401


def test_pages_of_users(stack: Stack) -> None:
    mark = fresh_email().partition("@")[0]
    made = [stack.ok("POST", "/users", {"display_name": f"{mark} {index}"})["id"] for index in range(5)]
    path = f"/users?query={mark}&order_by=signed_up_at&limit=2"
    seen, cursor = [], ""
    while True:
        page = stack.ok("GET", path + (f"&cursor={cursor}" if cursor else ""))
        assert page["is_paginated"] is True
        seen += [user["id"] for user in page["items"]]
        cursor = page["pagination"]["next_cursor"]
        if cursor is None:
            break
    assert seen == made
    backwards = stack.ok("GET", f"/users?query={mark}&desc=true")
    assert [user["id"] for user in backwards["items"]] == made[::-1]
    assert [user["id"] for user in stack.ok("GET", f"/users?query={made[2]}")["items"]] == [made[2]]
    check_schema_error(
        stack.call("GET", "/users?limit=0&desc=maybe&order_by=name"),
        "GET /api/v1/users",
        "query.limit must be greater than or equal to 1",
        "query.order_by must be one of the following values: signed_up_at",
        'query.desc must be a `boolean` type, but the final value was: `"maybe"`.',
    )
    assert stack.call("GET", "/users?cursor=nonsense").status == 400


def test_what_a_token_of_a_dead_session_may_not(owner: Owner) -> None:
    """The token outlives sign-out for reads; an address and a deletion are no reads. Nor are they an impersonator's."""
    project = owner.project(client_user_deletion_enabled=True)
    person = project.person(primary_email_verified=True, primary_email_auth_enabled=True)
    looking = project.ok("POST", "/auth/sessions", {"user_id": person.user_id, "is_impersonation": True})
    other = project.ok("POST", "/auth/sessions", {"user_id": person.user_id})
    project.ok("DELETE", "/auth/sessions/current", access="client", token=person.access_token)
    email = {"primary_email": fresh_email()}
    for method, body in (("PATCH", email), ("PATCH", {"primary_email": None}), ("DELETE", None)):
        check_known(
            project.call(method, "/users/me", body, access="client", token=person.access_token),
            401,
            "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED",
            "Refresh token not found for this project, or the session has expired/been revoked.",
        )
        check_plain(
            project.call(method, "/users/me", body, access="client", token=looking["access_token"]),
            403,
            "An impersonation session can not do this.",
        )
    assert project.ok("GET", f"/users/{person.user_id}")["primary_email"] == person.email
    named = project.call("PATCH", "/users/me", {"display_name": "A"}, access="client", token=person.access_token)
    assert named.status == 200
    alive = {"access": "client", "token": other["access_token"]}
    assert project.ok("PATCH", "/users/me", email, **alive)["primary_email"] == email["primary_email"]
    check_json(project.call("DELETE", "/users/me", **alive), 200, {"success": True})


# --- sessions --------------------------------------------------------------------------------------------


@pytest.fixture
def ada(stack: Stack) -> Person:
    return stack.person()


def test_a_session_on_the_servers_word(stack: Stack, ada: Person) -> None:
    answer = stack.call("POST", "/auth/sessions", {"user_id": ada.user_id, "expires_in_millis": 60_000})
    assert (answer.status, sorted(answer.json)) == (200, ["access_token", "refresh_token"])
    check_known(
        stack.call("POST", "/auth/sessions", {"user_id": UNKNOWN}),
        400,
        "USER_ID_DOES_NOT_EXIST",
        f"The given user with the ID {UNKNOWN} does not exist.",
        {"user_id": UNKNOWN},
    )
    check_schema_error(
        stack.call("POST", "/auth/sessions", {"expires_in_millis": 31_708_800_001}),
        "POST /api/v1/auth/sessions",
        "body.user_id must be defined",
        "body.expires_in_millis must be less than or equal to 31708800000",
    )
    assert stack.call("POST", "/auth/sessions", {}, access="client").code == "INSUFFICIENT_ACCESS_TYPE"


def test_a_short_session_ends(stack: Stack, ada: Person) -> None:
    tokens = stack.ok("POST", "/auth/sessions", {"user_id": ada.user_id, "expires_in_millis": 100})
    time.sleep(0.2)
    assert stack.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status == 401


def test_listing_and_ending_sessions(stack: Stack, ada: Person) -> None:
    second = stack.ok("POST", "/auth/sessions", {"user_id": ada.user_id})
    stack.ok("POST", "/auth/sessions", {"user_id": ada.user_id, "is_impersonation": True})
    ids = [jwt_claims(token)["refresh_token_id"] for token in (second["access_token"], ada.access_token)]
    listed = stack.ok("GET", "/auth/sessions?user_id=me", access="client", token=ada.access_token)
    assert [row["id"] for row in listed["items"]] == ids
    assert [row["is_current_session"] for row in listed["items"]] == [False, True]
    assert sorted(listed["items"][0]) == [
        "created_at",
        "id",
        "is_current_session",
        "is_impersonation",
        "last_used_at",
        "user_id",
    ]
    everything = stack.ok("GET", f"/auth/sessions?user_id={ada.user_id}", access="admin")["items"]
    assert [row["is_impersonation"] for row in everything] == [True, False, False]
    check_schema_error(
        stack.call("GET", "/auth/sessions"), "GET /api/v1/auth/sessions", "query.user_id must be defined"
    )
    other = stack.person()
    check_plain(
        stack.call("GET", f"/auth/sessions?user_id={other.user_id}", access="client", token=ada.access_token),
        403,
        "Client can only list sessions for their own user.",
    )
    check_known(
        stack.call("DELETE", f"/auth/sessions/{ids[1]}?user_id=me", access="client", token=ada.access_token),
        400,
        "CANNOT_DELETE_CURRENT_SESSION",
        "Cannot delete the current session.",
    )
    foreign = jwt_claims(other.access_token)["refresh_token_id"]
    for gone in (foreign, UNKNOWN):
        check_plain(
            stack.call("DELETE", f"/auth/sessions/{gone}?user_id=me", access="client", token=ada.access_token),
            404,
            "Session not found.",
        )
    stack.ok("DELETE", f"/auth/sessions/{ids[0]}?user_id=me", access="client", token=ada.access_token)
    assert stack.token(grant_type="refresh_token", refresh_token=second["refresh_token"]).status == 401
    assert stack.token(grant_type="refresh_token", refresh_token=other.refresh_token).status == 200


def test_signing_out(stack: Stack, ada: Person) -> None:
    answer = stack.call("DELETE", "/auth/sessions/current", {}, access="client", token=ada.access_token)
    check_json(answer, 200, {"success": True})
    again = stack.call("DELETE", "/auth/sessions/current", {}, access="client", token=ada.access_token)
    assert again.code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"
    nobody = stack.call("DELETE", "/auth/sessions/current", {}, access="client")
    assert nobody.code == "ACCESS_TOKEN_EXPIRED"
    assert nobody.json["details"] == {
        "expired_at_millis": None,
        "project_id": None,
        "user_id": None,
        "refresh_token_id": None,
    }


def test_refreshing_by_header(stack: Stack, ada: Person) -> None:
    path = "/auth/sessions/current/refresh"
    answer = stack.call("POST", path, access="client", headers={"x-stack-refresh-token": ada.refresh_token})
    assert (answer.status, list(answer.json)) == (200, ["access_token"])
    for headers in ({}, {"x-stack-refresh-token": "x"}):
        refused = stack.call("POST", path, access="client", headers=headers)
        assert refused.code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


# --- contact channels ------------------------------------------------------------------------------------


def channels(stack: Stack, person: Person, **more: Any) -> list[Any]:
    listed = stack.ok("GET", f"/contact-channels?user_id={person.user_id}", **more)["items"]
    assert isinstance(listed, list)
    return listed


def test_a_channel_whole(stack: Stack, ada: Person) -> None:
    (row,) = channels(stack, ada, access="client", token=ada.access_token)
    assert row == {
        "user_id": ada.user_id,
        "id": row["id"],
        "value": ada.email,
        "type": "email",
        "used_for_auth": False,
        "is_verified": False,
        "is_primary": True,
    }
    path = f"/contact-channels/{ada.user_id}/{row['id']}"
    check_json(stack.call("GET", path), 200, row)
    check_json(stack.call("PATCH", path, {"is_verified": True}), 200, row | {"is_verified": True})
    assert stack.ok("GET", f"/users/{ada.user_id}")["primary_email_verified"] is True
    answer = stack.call("PATCH", path, {"is_verified": True}, access="client", token=ada.access_token)
    check_schema_error(answer, f"PATCH /api/v1{path}", "body contains unknown properties: is_verified")


def test_more_channels(stack: Stack, ada: Person) -> None:
    body = {"user_id": "me", "value": fresh_email(), "type": "email", "used_for_auth": True, "is_primary": True}
    made = stack.ok("POST", "/contact-channels", body, access="client", token=ada.access_token)
    assert (made["is_primary"], made["is_verified"]) == (True, False)
    assert [row["is_primary"] for row in channels(stack, ada)] == [False, True]
    assert stack.ok("GET", f"/users/{ada.user_id}")["primary_email"] == body["value"]
    twice = stack.call("POST", "/contact-channels", body, access="client", token=ada.access_token)
    assert twice.status == 409
    path = f"/contact-channels/{ada.user_id}/{made['id']}"
    stack.ok("PATCH", path, {"is_verified": True})
    third = body | {"value": fresh_email(), "is_primary": False}
    another = stack.ok("POST", "/contact-channels", third, access="client", token=ada.access_token)
    assert another["value"] in stack.letter(made["value"], "address_added")["text"]
    stack.ok("DELETE", f"/contact-channels/{ada.user_id}/{another['id']}")
    moved = stack.ok("PATCH", path, {"value": fresh_email()})
    assert moved["is_verified"] is False
    check_json(stack.call("DELETE", path), 200, {"success": True})
    assert len(channels(stack, ada)) == 1
    check_plain(stack.call("GET", path), 404, "Contact channel not found.")


def test_a_channel_that_somebody_signs_in_with(stack: Stack, ada: Person) -> None:
    email = fresh_email()
    stack.person(primary_email=email, primary_email_auth_enabled=True)
    body = {"user_id": ada.user_id, "value": email, "type": "email", "used_for_auth": True}
    check_known(
        stack.call("POST", "/contact-channels", body),
        409,
        "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE",
        f'This email "({email})" is already used for authentication by another account.',
        {"type": "email", "contact_channel_value": email, "would_work_if_email_was_verified": False},
    )
    assert stack.call("POST", "/contact-channels", body | {"used_for_auth": False}).status == 201


def test_channels_of_others(stack: Stack, ada: Person) -> None:
    other = stack.person()
    (row,) = channels(stack, other)
    words = "Client can only {} contact channels for their own user."
    path = f"/contact-channels/{other.user_id}/{row['id']}"
    for method, sent, verb in (("GET", None, "read"), ("PATCH", {}, "update"), ("DELETE", None, "delete")):
        answer = stack.call(method, path, sent, access="client", token=ada.access_token)
        check_plain(answer, 403, words.format(verb))
    listed = stack.call("GET", f"/contact-channels?user_id={other.user_id}", access="client", token=ada.access_token)
    check_plain(listed, 403, words.format("list"))
    stolen = f"/contact-channels/{ada.user_id}/{row['id']}"
    check_plain(stack.call("DELETE", stolen), 404, "Contact channel not found.")
