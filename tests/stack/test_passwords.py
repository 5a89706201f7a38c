"""Password and anonymous sign-up, sign-in, and what an anonymous user becomes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.stack.golden import JSON, check_headers, check_known, check_plain, check_schema_error
from tests.stack.wire import Answer, Person, Providers, Stack, fresh_email, jwt_claims

PASSWORD = "correct horse battery"


def sign_up(stack: Stack, email: str, password: str = PASSWORD, token: str = "", **more: Any) -> Answer:
    body = {"email": email, "password": password, **more}
    return stack.call("POST", "/auth/password/sign-up", body, access="client", token=token)


def sign_in(stack: Stack, email: str, password: str = PASSWORD) -> Answer:
    return stack.call("POST", "/auth/password/sign-in", {"email": email, "password": password}, access="client")


def anonymous(stack: Stack) -> Person:
    body = stack.ok("POST", "/auth/anonymous/sign-up", access="client")
    return Person(body["user_id"], body["access_token"], body["refresh_token"])


def test_sign_up_then_sign_in(stack: Stack) -> None:
    email = fresh_email()
    answer = sign_up(stack, email.upper(), bot_challenge_token="ignored")
    body = answer.json
    assert answer.status == 200
    check_headers(answer, JSON)
    assert sorted(body) == ["access_token", "refresh_token", "user_id"]
    me = stack.ok("GET", "/users/me", access="client", token=body["access_token"])
    assert (me["id"], me["primary_email"]) == (body["user_id"], email)
    assert (me["has_password"], me["auth_with_email"], me["primary_email_verified"]) == (True, True, False)
    again = sign_in(stack, email)
    assert (again.status, again.json["user_id"]) == (200, body["user_id"])
    assert stack.token(grant_type="refresh_token", refresh_token=again.json["refresh_token"]).status == 200


def test_a_taken_address(stack: Stack) -> None:
    email = fresh_email()
    assert sign_up(stack, email).status == 200
    check_known(
        sign_up(stack, email),
        409,
        "USER_EMAIL_ALREADY_EXISTS",
        f'A user with email "{email}" already exists.',
        {"email": email, "would_work_if_email_was_verified": False},
    )


def test_eight_at_once_for_one_address(stack: Stack) -> None:
    email = fresh_email()
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda _: sign_up(stack, email).status, range(8)))
    assert statuses == [200] + [409] * 7


def test_wrong_passwords_and_unknown_people(stack: Stack) -> None:
    email = fresh_email()
    sign_up(stack, email)
    wrong = (400, "EMAIL_PASSWORD_MISMATCH", "Wrong e-mail or password.")
    check_known(sign_in(stack, email, PASSWORD + "x"), *wrong)
    check_known(sign_in(stack, fresh_email()), *wrong)


def test_bounds(stack: Stack) -> None:
    check_known(
        sign_up(stack, fresh_email(), "short"),
        400,
        "PASSWORD_TOO_SHORT",
        "Password too short. Minimum length is 8.",
        {"min_length": 8},
    )
    check_schema_error(
        sign_up(stack, "a@b", "x" * 71),
        "POST /api/v1/auth/password/sign-up",
        r'body.email must match the following: "/^[^.]+(\.[^.]+)*@.*\.[^.][^.]+$/"',
        "body.password must be at most 70 characters",
    )
    untrusted = sign_up(stack, fresh_email(), verification_callback_url="https://evil.example/")
    assert untrusted.code == "REDIRECT_URL_NOT_WHITELISTED"


def test_an_anonymous_user(stack: Stack) -> None:
    person = anonymous(stack)
    claims = jwt_claims(person.access_token)
    assert claims["aud"] == f"{stack.project_id}:anon"
    assert claims["iss"] == f"{stack.base_url}/api/v1/projects-anonymous-users/{stack.project_id}"
    assert (claims["is_anonymous"], claims["is_restricted"]) == (True, True)
    assert claims["restricted_reason"] == {"type": "anonymous"}
    me = stack.ok("GET", "/users/me", access="client", token=person.access_token)
    assert (me["is_anonymous"], me["is_restricted"], me["restricted_reason"]) == (True, True, {"type": "anonymous"})
    refused = stack.call(
        "GET", "/users/me", access="client", token=person.access_token, headers={"x-stack-allow-anonymous-user": "no"}
    )
    check_known(
        refused,
        401,
        "ANONYMOUS_AUTHENTICATION_NOT_ALLOWED",
        "X-Stack-Access-Token is for an anonymous user, but anonymous users are not enabled. Set the "
        "X-Stack-Allow-Anonymous-User header of this request to 'true' to allow anonymous users.",
    )
    listed = stack.ok("GET", "/users?limit=1000")["items"]
    assert person.user_id not in {user["id"] for user in listed}
    only = stack.ok("GET", "/users?limit=1000&only_anonymous=true")["items"]
    assert person.user_id in {user["id"] for user in only}
    assert all(user["is_anonymous"] for user in only)


def test_an_anonymous_user_signs_up_with_a_password(stack: Stack) -> None:
    person, email = anonymous(stack), fresh_email()
    body = sign_up(stack, email, token=person.access_token).json
    assert body["user_id"] == person.user_id
    me = stack.ok("GET", "/users/me", access="client", token=body["access_token"])
    assert (me["is_anonymous"], me["primary_email"], me["has_password"]) == (False, email, True)
    assert jwt_claims(body["access_token"])["aud"] == stack.project_id


def test_an_anonymous_user_signs_up_with_a_provider(stack: Stack, providers: Providers) -> None:
    person, persona = anonymous(stack), providers.newcomer()
    signed_in, told = stack.sign_in(persona, token=person.access_token)
    assert (signed_in.user_id, told["is_new_user"]) == (person.user_id, True)
    me = stack.ok("GET", "/users/me", access="client", token=signed_in.access_token)
    assert (me["is_anonymous"], me["primary_email"]) == (False, f"{persona}@corp.example")


def test_an_anonymous_user_with_a_known_account_is_left_alone(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    known, _ = stack.sign_in(persona)
    person = anonymous(stack)
    signed_in, told = stack.sign_in(persona, token=person.access_token)
    assert (signed_in.user_id, told["is_new_user"]) == (known.user_id, False)
    assert stack.ok("GET", f"/users/{person.user_id}")["is_anonymous"] is True


def test_changing_the_password_ends_other_sessions(stack: Stack) -> None:
    email = fresh_email()
    first, second = sign_up(stack, email).json, sign_in(stack, email).json
    body = {"old_password": "not it at all", "new_password": "another good one"}
    path, token = "/auth/password/update", first["access_token"]
    assert stack.call("POST", path, body, access="client", token=token).code == "PASSWORD_CONFIRMATION_MISMATCH"
    stack.ok("POST", path, body | {"old_password": PASSWORD}, access="client", token=token)
    assert sign_in(stack, email).code == "EMAIL_PASSWORD_MISMATCH"
    assert sign_in(stack, email, "another good one").status == 200
    assert stack.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).status == 200
    assert stack.token(grant_type="refresh_token", refresh_token=second["refresh_token"]).status == 401
    stack.ok("PATCH", f"/users/{first['user_id']}", {"password": "set by the server"})
    assert stack.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).status == 401


def test_a_first_password(stack: Stack) -> None:
    person = stack.person(primary_email_auth_enabled=True)
    path = "/auth/password/set"
    stack.ok("POST", path, {"password": PASSWORD}, access="client", token=person.access_token)
    assert sign_in(stack, person.email).status == 200
    answer = stack.call("POST", path, {"password": PASSWORD}, access="client", token=person.access_token)
    check_plain(answer, 400, "User already has a password set.")


@pytest.mark.parametrize("path", ["/auth/password/update", "/auth/password/set"])
def test_a_password_change_asks_for_a_user(stack: Stack, path: str) -> None:
    bodies = {"update": {"old_password": "x" * 9, "new_password": "y" * 9}, "set": {"password": "y" * 9}}
    answer = stack.call("POST", path, bodies[path.rpartition("/")[2]], access="client")
    assert answer.code == "USER_AUTHENTICATION_REQUIRED"
