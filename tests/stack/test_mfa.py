"""The second factor: nobody has a session before it is checked, whichever way they came; nothing of it works twice."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oneself.model import ProjectConfig
from tests.stack.golden import check_json, check_known, check_plain, check_schema_error
from tests.stack.in_process import face_on
from tests.stack.mailed import EXPIRED, NOT_FOUND, UNKNOWN_CODE, USED, code_to, post
from tests.stack.wire import Answer, Person, Providers, Stack, fresh_email, jwt_claims

PASSWORD = "correct horse battery"
SIGN_IN = "/auth/mfa/sign-in"
NEEDED = "Multi-factor authentication is required for this user."
INVALID = (400, "INVALID_TOTP_CODE", "The TOTP code is invalid. Please try again.")
WORN = (
    400,
    "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED",
    "The verification code nonce has reached the maximum number of attempts. This code is not valid anymore.",
)


def new_secret() -> bytes:
    return secrets.token_bytes(20)


def totp(secret: bytes, ahead: int = 0) -> str:
    """What an authenticator shows, so many half minutes ahead (RFC 6238)."""
    digest = hmac.digest(secret, (int(time.time()) // 30 + ahead).to_bytes(8, "big"), "sha1")
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def wrong(secret: bytes) -> str:
    """A password of no step that counts."""
    shown = {totp(secret, ahead) for ahead in (-2, -1, 0, 1, 2)}
    return next(text for text in ("000000", "111111", "222222", "333333", "444444", "555555") if text not in shown)


def somebody(stack: Stack, secret: bytes, **more: Any) -> Person:
    """Somebody with a password and a second factor."""
    encoded = base64.b64encode(secret).decode()
    fields = {"primary_email_verified": True, "primary_email_auth_enabled": True, "password": PASSWORD}
    return stack.person(**fields, totp_secret_base64=encoded, **more)


def with_password(stack: Stack, email: str) -> Answer:
    return post(stack, "/auth/password/sign-in", {"email": email, "password": PASSWORD})


def attempt_of(answer: Answer) -> str:
    code = str(answer.json["details"]["attempt_code"])
    check_known(answer, 400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED", NEEDED, {"attempt_code": code})
    assert len(code) == 45
    return code


def bring(stack: Stack, attempt: str, password: str) -> Answer:
    return post(stack, SIGN_IN, {"type": "totp", "totp": password, "code": attempt})


def sessions(stack: Stack, person: Person) -> int:
    return len(stack.ok("GET", f"/auth/sessions?user_id={person.user_id}")["items"])


def test_a_password_alone_opens_nothing(stack: Stack) -> None:
    secret = new_secret()
    person = somebody(stack, secret)
    before = sessions(stack, person)
    answer = with_password(stack, person.email)
    attempt = attempt_of(answer)
    text = "Multi-factor authentication is required for this user."
    check_known(answer, 400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED", text, {"attempt_code": attempt})
    assert sessions(stack, person) == before
    check_known(bring(stack, attempt, wrong(secret)), *INVALID)
    assert sessions(stack, person) == before
    body = bring(stack, attempt.upper(), totp(secret)).json
    assert sorted(body) == ["access_token", "is_new_user", "refresh_token", "user_id"]
    assert (body["user_id"], body["is_new_user"]) == (person.user_id, False)
    assert jwt_claims(body["access_token"])["requires_totp_mfa"] is True
    assert sessions(stack, person) == before + 1
    check_known(bring(stack, attempt, totp(secret, 1)), *USED)


def test_a_password_of_the_moment_works_once(stack: Stack) -> None:
    secret = new_secret()
    person = somebody(stack, secret)
    first, second = (attempt_of(with_password(stack, person.email)) for _ in range(2))
    password = totp(secret)
    assert bring(stack, first, password).status == 200
    check_known(bring(stack, second, password), *INVALID)
    assert bring(stack, second, totp(secret, 1)).status == 200


def test_fifty_at_once_open_one_session(stack: Stack) -> None:
    secret = new_secret()
    person = somebody(stack, secret)
    before, password = sessions(stack, person), totp(secret, 1)
    attempts = [attempt_of(with_password(stack, person.email)) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda attempt: bring(stack, attempt, password).status, attempts * 5))
    assert sorted(statuses)[:1] == [200]
    assert statuses.count(200) == 1
    assert sessions(stack, person) == before + 1


def test_five_guesses_end_an_attempt(stack: Stack) -> None:
    secret = new_secret()
    person = somebody(stack, secret)
    attempt = attempt_of(with_password(stack, person.email))
    for _ in range(5):
        check_known(bring(stack, attempt, wrong(secret)), *INVALID)
    check_known(bring(stack, attempt, totp(secret)), *WORN)
    assert bring(stack, attempt_of(with_password(stack, person.email)), totp(secret)).status == 200


def test_attempts_that_are_none(stack: Stack) -> None:
    check_known(bring(stack, UNKNOWN_CODE, "000000"), *NOT_FOUND)
    check_schema_error(
        post(stack, SIGN_IN, {"type": "sms", "code": "x"}),
        "POST /api/v1/auth/mfa/sign-in",
        "body.code must be exactly 45 characters",
        "body.type must be one of the following values: totp",
        "body.totp must be defined",
    )
    secret = new_secret()
    person = somebody(stack, secret)
    attempt = attempt_of(with_password(stack, person.email))
    stack.ok("PATCH", f"/users/{person.user_id}", {"password": "another password"})
    check_known(bring(stack, attempt, totp(secret)), *EXPIRED)


def test_a_mailed_code_alone_opens_nothing(stack: Stack) -> None:
    secret = new_secret()
    person = somebody(stack, secret)
    body = {"email": person.email, "callback_url": "http://localhost:3000/"}
    assert post(stack, "/auth/otp/send-sign-in-code", body).status == 200
    code = code_to(stack, person.email, "sign_in")
    before = sessions(stack, person)
    attempt = attempt_of(post(stack, "/auth/otp/sign-in", {"code": code}))
    assert sessions(stack, person) == before
    check_known(post(stack, "/auth/otp/sign-in", {"code": code}), *USED)
    assert bring(stack, attempt, totp(secret)).json["user_id"] == person.user_id


def test_a_provider_alone_opens_nothing_and_its_trip_goes_on(stack: Stack, providers: Providers) -> None:
    secret, ada = new_secret(), providers.newcomer()
    person, _ = stack.sign_in(ada)
    encoded = base64.b64encode(secret).decode()
    stack.ok("PATCH", "/users/me", {"totp_secret_base64": encoded}, access="client", token=person.access_token)
    before = sessions(stack, person)
    trip = stack.start()
    answer = stack.redeem(trip, stack.land(trip, stack.visit(trip, ada)))
    attempt = attempt_of(answer)
    assert sessions(stack, person) == before
    assert bring(stack, attempt, totp(secret)).json["user_id"] == person.user_id
    assert sessions(stack, person) == before + 1
    token = stack.ok("POST", f"/connected-accounts/{person.user_id}/google/access-token", {})
    assert token["access_token"]


def test_a_link_waits_for_the_second_factor_too(stack: Stack, providers: Providers) -> None:
    secret, ada = new_secret(), providers.newcomer()
    person, _ = stack.sign_in(ada)
    encoded = base64.b64encode(secret).decode()
    stack.ok("PATCH", "/users/me", {"totp_secret_base64": encoded}, access="client", token=person.access_token)
    trip = stack.start("github", type="link", token=person.access_token)
    attempt = attempt_of(stack.redeem(trip, stack.land(trip, stack.visit(trip, providers.newcomer()))))
    rows = stack.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"]
    assert [row["type"] for row in rows] == ["google"]
    assert bring(stack, attempt, totp(secret)).status == 200
    rows = stack.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"]
    assert [row["type"] for row in rows] == ["google", "github"]


def test_setting_it_and_taking_it_away(stack: Stack) -> None:
    person = stack.person(primary_email_verified=True, primary_email_auth_enabled=True, password=PASSWORD)
    me: dict[str, Any] = {"access": "client", "token": person.access_token}
    assert stack.ok("GET", "/users/me", **me)["requires_totp_mfa"] is False
    set_up = stack.ok("PATCH", "/users/me", {"totp_secret_base64": base64.b64encode(new_secret()).decode()}, **me)
    assert set_up["requires_totp_mfa"] is True
    assert "totp_secret_base64" not in set_up
    attempt_of(with_password(stack, person.email))
    assert stack.ok("PATCH", "/users/me", {"display_name": "Ada"}, **me)["requires_totp_mfa"] is True
    assert stack.ok("PATCH", "/users/me", {"totp_secret_base64": None}, **me)["requires_totp_mfa"] is False
    assert "If it was not you" in stack.letter(person.email, "second_factor_off")["text"]
    assert with_password(stack, person.email).status == 200
    check_plain(
        stack.call("PATCH", "/users/me", {"totp_secret_base64": "eA=="}, **me),
        400,
        "A TOTP secret has 10 to 256 bytes",
    )
    # a token whose session is over changes nothing about it
    stack.ok("DELETE", "/auth/sessions/current", {}, **me)
    again = stack.call("PATCH", "/users/me", {"totp_secret_base64": None}, **me)
    assert again.code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


async def test_the_secret_lies_nowhere_in_clear_and_attempts_are_bounded(migrated_url: str) -> None:
    async with face_on(migrated_url, ProjectConfig()) as face:
        secret, email = new_secret(), fresh_email()
        fields = {
            "primary_email": email,
            "primary_email_auth_enabled": True,
            "password": PASSWORD,
            "totp_secret_base64": base64.b64encode(secret).decode(),
        }
        assert (await face.call("POST", "/users", fields))[0] == 201
        row = await face.rt.db.one("SELECT extras FROM users WHERE extras LIKE '%totp%'")
        assert row is not None
        assert base64.b64encode(secret).decode().rstrip("=") not in row[0]
        body = {"email": email, "password": PASSWORD}
        for _ in range(20):
            status, told = await face.call("POST", "/auth/password/sign-in", body, access="client")
            assert (status, told["code"]) == (400, "MULTI_FACTOR_AUTHENTICATION_REQUIRED")
        reply = await face.reply("POST", "/auth/password/sign-in", body, access="client")
        assert (reply.status, dict(reply.headers)["retry-after"]) == (429, "3600")
        check = {"type": "totp", "totp": totp(secret), "code": told["details"]["attempt_code"]}
        assert (await face.call("POST", SIGN_IN, check, access="client"))[0] == 200
        assert (await face.call("POST", "/auth/password/sign-in", body, access="client"))[0] == 400


def test_answers_say_the_same_of_a_success(stack: Stack) -> None:
    """The twin: without a second factor none is asked for."""
    person = stack.person(primary_email_verified=True, primary_email_auth_enabled=True, password=PASSWORD)
    answer = with_password(stack, person.email)
    check_json(answer, 200, answer.json)
    assert answer.json["user_id"] == person.user_id
