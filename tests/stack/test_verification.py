"""Proof of an address by a mailed code: at sign-up, for a channel, and for the primary address in the older form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oneself.actions.mailing import newest
from oneself.model import ProjectConfig
from tests.stack.golden import check_json, check_known, check_plain
from tests.stack.in_process import face_on
from tests.stack.mailed import CALLBACK, NOT_FOUND, UNKNOWN_CODE, USED, code_in, code_to, post
from tests.stack.wire import Answer, Person, Stack, fresh_email, jwt_claims

PASSWORD = "correct horse battery"
VERIFY = "/contact-channels/verify"
DONE = {"success": True}


def sign_up(stack: Stack, **more: Any) -> Person:
    email = fresh_email()
    answer = post(stack, "/auth/password/sign-up", {"email": email, "password": PASSWORD, **more})
    body = answer.json
    return Person(body["user_id"], body["access_token"], body["refresh_token"], email)


def channels(stack: Stack, person: Person) -> Any:
    return stack.ok("GET", f"/contact-channels?user_id={person.user_id}")["items"]


def send(stack: Stack, person: Person, channel: str, callback: str = CALLBACK, user: str = "me") -> Answer:
    path = f"/contact-channels/{user}/{channel}/send-verification-code"
    return post(stack, path, {"callback_url": callback}, person.access_token)


def test_sign_up_asks_for_the_proof_and_gets_it(stack: Stack) -> None:
    person = sign_up(stack, verification_callback_url=CALLBACK)
    letter = stack.letter(person.email, "verify")
    assert letter["subject"].startswith("Verify your email")
    code = code_in(letter["link"])
    assert letter["link"] == f"{CALLBACK}?code={code}"
    assert "If it was not you" in letter["text"]
    check_json(post(stack, f"{VERIFY}/check-code", {"code": code}), 200, {"is_code_valid": True})
    assert channels(stack, person)[0]["is_verified"] is False
    check_json(post(stack, VERIFY, {"code": code.upper()}), 200, DONE)
    assert channels(stack, person)[0]["is_verified"] is True
    check_known(post(stack, VERIFY, {"code": code}), *USED)
    me = stack.ok("GET", "/users/me", access="client", token=person.access_token)
    assert me["primary_email_verified"] is True


def test_a_code_proves_once(stack: Stack) -> None:
    person = sign_up(stack, verification_callback_url=CALLBACK)
    code = code_to(stack, person.email, "verify")
    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(lambda _: post(stack, VERIFY, {"code": code}).status, range(50)))
    assert statuses == [200] + [409] * 49


def test_a_channel_is_proved_by_its_own_code(stack: Stack) -> None:
    person, second = sign_up(stack), fresh_email()
    body = {"user_id": "me", "value": second, "type": "email", "used_for_auth": False}
    channel = stack.ok("POST", "/contact-channels", body, access="client", token=person.access_token)["id"]
    check_json(send(stack, person, channel), 200, DONE)
    check_json(post(stack, VERIFY, {"code": code_to(stack, second, "verify")}), 200, DONE)
    shown = {row["value"]: row["is_verified"] for row in channels(stack, person)}
    assert shown == {person.email: False, second: True}
    check_known(send(stack, person, channel), 409, "EMAIL_ALREADY_VERIFIED", "The e-mail is already verified.")


def test_a_code_dies_with_what_it_proves(stack: Stack) -> None:
    person = sign_up(stack, verification_callback_url=CALLBACK)
    code, channel = code_to(stack, person.email, "verify"), channels(stack, person)[0]["id"]
    path = f"/contact-channels/{person.user_id}/{channel}"
    stack.ok("PATCH", path, {"value": fresh_email()})
    check_known(post(stack, VERIFY, {"code": code}), *NOT_FOUND)
    stack.ok("PATCH", path, {"value": person.email})
    check_json(post(stack, VERIFY, {"code": code}), 200, DONE)
    gone = sign_up(stack, verification_callback_url=CALLBACK)
    code = code_to(stack, gone.email, "verify")
    stack.ok("DELETE", f"/users/{gone.user_id}")
    check_known(post(stack, VERIFY, {"code": code}), *NOT_FOUND)
    check_known(post(stack, VERIFY, {"code": UNKNOWN_CODE}), *NOT_FOUND)


def test_whose_channels_one_may_have_proved(stack: Stack) -> None:
    mine, theirs = sign_up(stack), sign_up(stack)
    channel = channels(stack, theirs)[0]["id"]
    check_plain(
        send(stack, mine, channel, user=theirs.user_id),
        403,
        "Client can only send verification code for their own user.",
    )
    check_plain(send(stack, mine, channel), 404, "Contact channel not found.")
    assert send(stack, theirs, channel, "https://evil.example/").code == "REDIRECT_URL_NOT_WHITELISTED"
    assert stack.letters(theirs.email) == []
    path = f"/contact-channels/{theirs.user_id}/{channel}/send-verification-code"
    check_json(stack.call("POST", path, {"callback_url": CALLBACK}), 200, DONE)
    stack.ok("DELETE", "/auth/sessions/current", {}, access="client", token=mine.access_token)
    assert send(stack, mine, channels(stack, mine)[0]["id"]).code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


def test_the_older_form_names_the_primary_address(stack: Stack) -> None:
    person, other = sign_up(stack), fresh_email()
    path = "/contact-channels/send-verification-code"
    check_known(
        post(stack, path, {"email": other, "callback_url": CALLBACK}, person.access_token),
        400,
        "EMAIL_IS_NOT_PRIMARY_EMAIL",
        f"The given e-mail ({other}) must equal the user's primary e-mail ({person.email}).",
        {"email": other, "primary_email": person.email},
    )
    body = {"email": person.email.upper(), "callback_url": CALLBACK}
    check_json(post(stack, path, body, person.access_token), 200, DONE)
    check_json(post(stack, VERIFY, {"code": code_to(stack, person.email, "verify")}), 200, DONE)
    assert post(stack, path, body, person.access_token).code == "EMAIL_ALREADY_VERIFIED"
    assert post(stack, path, body).code == "USER_AUTHENTICATION_REQUIRED"


async def test_a_restricted_user_is_free_once_the_address_is_proved(migrated_url: str) -> None:
    config = ProjectConfig(require_email_verification=True)
    async with face_on(migrated_url, config, keep_mail=True) as face:
        email = fresh_email()
        body = {"email": email, "password": PASSWORD, "verification_callback_url": CALLBACK}
        _, made = await face.call("POST", "/auth/password/sign-up", body, access="client")
        assert jwt_claims(made["access_token"])["restricted_reason"] == {"type": "email_not_verified"}
        (letter,) = await newest(face.rt)
        assert await face.call("POST", VERIFY, {"code": code_in(letter.link)}, access="client") == (200, DONE)
        headers = {"x-stack-refresh-token": made["refresh_token"]}
        _, fresh = await face.call("POST", "/auth/sessions/current/refresh", access="client", headers=headers)
        assert jwt_claims(fresh["access_token"])["restricted_reason"] is None


async def test_sign_up_needs_no_mail_server_and_the_proof_does(migrated_url: str) -> None:
    async with face_on(migrated_url) as face:
        body = {"email": fresh_email(), "password": PASSWORD, "verification_callback_url": CALLBACK}
        status, made = await face.call("POST", "/auth/password/sign-up", body, access="client")
        assert status == 200
        _, listed = await face.call("GET", f"/contact-channels?user_id={made['user_id']}")
        path = f"/contact-channels/{made['user_id']}/{listed['items'][0]['id']}/send-verification-code"
        reply = await face.reply("POST", path, {"callback_url": CALLBACK})
        assert reply.status == 400
        assert reply.body.startswith(b"This server sends no mail, because it has no mail server.")
