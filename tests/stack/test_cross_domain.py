"""The handoff of a session to another domain of the application."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stack.golden import check_known, check_plain, check_schema_error
from tests.stack.wire import RETURN_URL, Answer, Person, Stack, jwt_claims, query_of, s256

VERIFIER = "v" * 43
PATH = "/auth/oauth/cross-domain/authorize"


def ask(stack: Stack, person: Person | None, refresh: str | None = None, **changes: Any) -> Answer:
    body = {"redirect_uri": RETURN_URL, "state": "s", "code_challenge": s256(VERIFIER), **changes}
    token = refresh if refresh is not None else person.refresh_token if person else ""
    headers = {"x-stack-refresh-token": token} if token else {}
    return stack.call("POST", PATH, body, access="client", token=person.access_token if person else "", headers=headers)


def redeem(stack: Stack, answer: Answer, **changes: Any) -> Answer:
    code = query_of(answer.json["redirect_url"])["code"]
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN_URL, "code_verifier": VERIFIER}
    return stack.token(**(body | changes))


@pytest.fixture
def ada(stack: Stack) -> Person:
    return stack.person()


def test_the_same_session_arrives(stack: Stack, ada: Person) -> None:
    answer = ask(stack, ada, after_callback_redirect_url="http://localhost:1/after")
    assert list(answer.json) == ["redirect_url"]
    assert answer.json["redirect_url"].startswith(RETURN_URL + "?code=")
    assert query_of(answer.json["redirect_url"])["state"] == "s"
    check_known(
        redeem(stack, answer, code_verifier="w" * 43),
        400,
        "INVALID_AUTHORIZATION_CODE",
        "The given authorization code is invalid.",
    )
    body = redeem(stack, answer).json
    assert body["refresh_token"] == ada.refresh_token
    assert body["after_callback_redirect_url"] == "http://localhost:1/after"
    assert body["is_new_user"] is False
    claims, old = jwt_claims(body["access_token"]), jwt_claims(ada.access_token)
    assert (claims["sub"], claims["refresh_token_id"]) == (old["sub"], old["refresh_token_id"])
    assert redeem(stack, answer).code == "INVALID_AUTHORIZATION_CODE"


def test_what_must_come_along(stack: Stack, ada: Person) -> None:
    assert ask(stack, None).code == "USER_AUTHENTICATION_REQUIRED"
    check_plain(ask(stack, ada, ""), 400, "Cross-domain auth handoff requires passing the current refresh token.")
    other = stack.person()
    for token in ("x" * 45, other.refresh_token):
        check_plain(
            ask(stack, ada, token),
            401,
            "Cross-domain auth handoff refresh token does not match the authenticated session.",
        )
    assert ask(stack, ada, redirect_uri="https://evil.example/").code == "REDIRECT_URL_NOT_WHITELISTED"
    assert ask(stack, ada, after_callback_redirect_url="https://evil.example/").code == "REDIRECT_URL_NOT_WHITELISTED"


def test_the_body_is_checked(stack: Stack, ada: Person) -> None:
    check_schema_error(
        ask(stack, ada, code_challenge="short", code_challenge_method="plain", state=""),
        f"POST /api/v1{PATH}",
        "body.state must be at least 1 characters",
        'body.code_challenge must match the following: "/^[A-Za-z0-9._~-]{43,128}$/"',
        "body.code_challenge_method must be one of the following values: S256",
    )


def test_a_session_that_ended_meanwhile(stack: Stack, ada: Person) -> None:
    """7.16: the exchange neither prolongs nor revives a session."""
    answer = ask(stack, ada)
    stack.ok("DELETE", "/auth/sessions/current", access="client", token=ada.access_token)
    assert redeem(stack, answer).code == "INVALID_AUTHORIZATION_CODE"
    assert stack.token(grant_type="refresh_token", refresh_token=ada.refresh_token).status == 401


def test_another_redirect_uri(stack: Stack, ada: Person) -> None:
    answer = ask(stack, ada)
    assert redeem(stack, answer, redirect_uri=RETURN_URL + "x").text.startswith("Invalid redirect URI.")
    assert redeem(stack, answer).code == "INVALID_AUTHORIZATION_CODE"


def test_another_session_of_the_same_user(stack: Stack, ada: Person) -> None:
    other = stack.ok("POST", "/auth/sessions", {"user_id": ada.user_id})
    check_plain(
        ask(stack, ada, other["refresh_token"]),
        401,
        "Cross-domain auth handoff refresh token does not match the authenticated session.",
    )
    # which URL is asked for is told to nobody who does not bring the session
    untrusted = ask(stack, ada, other["refresh_token"], redirect_uri="https://evil.example/")
    assert (untrusted.status, untrusted.text) == (
        401,
        "Cross-domain auth handoff refresh token does not match the authenticated session.",
    )
    assert ask(stack, ada).status == 200
