"""A forgotten password: who gets a letter, who learns that, what a reset ends, and that it works once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oneself.model import ProjectConfig
from tests.stack.golden import check_json, check_known, check_schema_error
from tests.stack.in_process import face_on
from tests.stack.mailed import CALLBACK, EXPIRED, NOT_FOUND, UNKNOWN_CODE, USED, code_in, code_to, post
from tests.stack.wire import Answer, Person, Stack, fresh_email

PASSWORD, ANOTHER = "correct horse battery", "staple of the horse"
SEND, RESET = "/auth/password/send-reset-code", "/auth/password/reset"
MAYBE = {"success": "maybe, only if user with e-mail exists"}
DONE = {"success": True}


def somebody(stack: Stack, **more: Any) -> Person:
    fields = {"primary_email_verified": True, "primary_email_auth_enabled": True, "password": PASSWORD, **more}
    return stack.person(**fields)


def send(stack: Stack, email: str, callback: str = CALLBACK) -> Answer:
    return post(stack, SEND, {"email": email, "callback_url": callback})


def reset_code(stack: Stack, email: str) -> str:
    check_json(send(stack, email), 200, MAYBE)
    return code_to(stack, email, "reset")


def reset(stack: Stack, code: str, password: str = ANOTHER) -> Answer:
    return post(stack, RESET, {"code": code, "password": password})


def sign_in(stack: Stack, email: str, password: str) -> int:
    return post(stack, "/auth/password/sign-in", {"email": email, "password": password}).status


def test_another_password_for_a_code(stack: Stack) -> None:
    person = somebody(stack)
    check_json(send(stack, person.email.upper()), 200, MAYBE)
    letter = stack.letter(person.email, "reset")
    assert letter["subject"].startswith("Reset your password")
    assert "If it was not you, do nothing" in letter["text"]
    code = code_in(letter["link"])
    check_json(post(stack, f"{RESET}/check-code", {"code": code}), 200, {"is_code_valid": True})
    check_known(
        reset(stack, code, "short"),
        400,
        "PASSWORD_TOO_SHORT",
        "Password too short. Minimum length is 8.",
        {"min_length": 8},
    )
    check_json(reset(stack, code.upper()), 200, DONE)
    assert (sign_in(stack, person.email, ANOTHER), sign_in(stack, person.email, PASSWORD)) == (200, 400)
    assert stack.token(grant_type="refresh_token", refresh_token=person.refresh_token).status == 401
    told = stack.letter(person.email, "password_changed")
    assert "If it was not you" in told["text"]
    check_known(reset(stack, code), *USED)
    check_known(post(stack, f"{RESET}/check-code", {"code": code}), *USED)


def test_fifty_at_once_change_it_once(stack: Stack) -> None:
    person = somebody(stack)
    code = reset_code(stack, person.email)
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda n: reset(stack, code, f"{ANOTHER} {n}").status, range(50)))
    # those for whom no hashing thread is free are told so, and change nothing
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 429}
    assert sign_in(stack, person.email, f"{ANOTHER} {statuses.index(200)}") == 200


def test_one_change_outdates_every_other_code(stack: Stack) -> None:
    person = somebody(stack)
    first, second = reset_code(stack, person.email), reset_code(stack, person.email)
    check_json(reset(stack, second), 200, DONE)
    check_known(reset(stack, first), 400, "VERIFICATION_CODE_EXPIRED", "The verification code has expired.")
    third = reset_code(stack, person.email)
    stack.ok("PATCH", f"/users/{person.user_id}", {"password": PASSWORD})
    check_known(reset(stack, third), *EXPIRED)
    assert sign_in(stack, person.email, PASSWORD) == 200


def test_nobody_learns_who_is_here(stack: Stack) -> None:
    nobody, person = fresh_email(), somebody(stack)
    unknown, known = send(stack, nobody), send(stack, person.email)
    assert (unknown.status, unknown.raw) == (known.status, known.raw)
    assert stack.letter(person.email, "reset")
    assert stack.letters(nobody) == []
    check_known(reset(stack, UNKNOWN_CODE), *NOT_FOUND)
    assert send(stack, person.email, "https://evil.example/").code == "REDIRECT_URL_NOT_WHITELISTED"
    check_schema_error(
        post(stack, RESET, {"code": "x"}),
        "POST /api/v1/auth/password/reset",
        "body.code must be exactly 45 characters",
        "body.password must be defined",
    )


def test_a_mailbox_that_is_only_claimed_opens_nothing_of_somebody_proved_elsewhere(stack: Stack) -> None:
    email = fresh_email()
    account = {"id": "github", "account_id": f"claimed-{email}", "email": None}
    stack.person(primary_email=email, primary_email_auth_enabled=True, oauth_providers=[account])
    check_json(send(stack, email), 200, MAYBE)
    honest = somebody(stack)
    assert reset_code(stack, honest.email)
    assert stack.letters(email) == []


def test_whoever_chose_the_password_of_an_unproved_address_is_put_out(stack: Stack) -> None:
    email, theirs = fresh_email(), fresh_email()
    squatter = post(stack, "/auth/password/sign-up", {"email": email, "password": PASSWORD}).json
    body = {"user_id": "me", "value": theirs, "type": "email", "used_for_auth": True}
    stack.ok("POST", "/contact-channels", body, access="client", token=squatter["access_token"])
    check_json(reset(stack, reset_code(stack, email)), 200, DONE)
    assert stack.token(grant_type="refresh_token", refresh_token=squatter["refresh_token"]).status == 401
    assert (sign_in(stack, email, ANOTHER), sign_in(stack, theirs, ANOTHER)) == (200, 400)
    kept = stack.ok("GET", f"/contact-channels?user_id={squatter['user_id']}")["items"]
    assert [(row["value"], row["is_verified"]) for row in kept] == [(email, True)]


def test_a_user_who_is_gone_has_no_password(stack: Stack) -> None:
    person = somebody(stack)
    code = reset_code(stack, person.email)
    stack.ok("DELETE", f"/users/{person.user_id}")
    check_known(reset(stack, code), *NOT_FOUND)


async def test_the_limit_is_the_same_for_people_and_for_nobody(migrated_url: str) -> None:
    async with face_on(migrated_url, ProjectConfig(), keep_mail=True, mails_per_address=2) as face:
        email = fresh_email()
        fields = {"primary_email": email, "primary_email_verified": True, "primary_email_auth_enabled": True}
        await face.call("POST", "/users", fields)
        for address in (email, fresh_email()):
            body = {"email": address, "callback_url": CALLBACK}
            replies = [await face.reply("POST", SEND, body, access="client") for _ in range(3)]
            assert [reply.status for reply in replies] == [200, 200, 429]
    async with face_on(migrated_url, ProjectConfig(password_enabled=False), keep_mail=True) as face:
        status, answer = await face.call("POST", SEND, body, access="client")
        assert (status, answer["code"]) == (400, "PASSWORD_AUTHENTICATION_NOT_ENABLED")
