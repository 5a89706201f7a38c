"""Sign-in by a mailed code: what it answers, whom it lets in, and that it does so once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from oneself.actions import projects
from oneself.actions.mailing import newest
from oneself.actions.projects import Declaration
from oneself.background import sweep
from oneself.model import Policy, ProjectConfig
from oneself.rules.lifetimes import DAY
from tests.stack.golden import JSON, check_headers, check_json, check_known, check_schema_error
from tests.stack.in_process import Face, face_on
from tests.stack.mailed import CALLBACK, EXPIRED, NOT_FOUND, UNKNOWN_CODE, USED, code_in, code_to, post
from tests.stack.wire import Answer, Stack, fresh_email, jwt_claims

SEND, SIGN_IN = "/auth/otp/send-sign-in-code", "/auth/otp/sign-in"
PASSWORD = "correct horse battery"


def send(stack: Stack, email: str, callback: str = CALLBACK) -> Answer:
    return post(stack, SEND, {"email": email, "callback_url": callback, "bot_challenge_token": "ignored"})


def sent_code(stack: Stack, email: str) -> str:
    assert send(stack, email).status == 200
    return code_to(stack, email)


def sign_in(stack: Stack, code: str, token: str = "") -> Answer:
    return post(stack, SIGN_IN, {"code": code}, token)


def test_somebody_new_comes_in_by_mail(stack: Stack) -> None:
    email = fresh_email()
    answer = send(stack, email.upper(), f"{CALLBACK}?kept=1&code=mine")
    check_headers(answer, JSON)
    nonce = answer.json["nonce"]
    assert sorted(answer.json) == ["nonce"]
    letter = stack.letter(email)
    assert "Sign in to" in letter["subject"]
    code = code_in(letter["link"])
    assert letter["link"] == f"{CALLBACK}?kept=1&code={code}"
    assert (len(code), code[6:], code[:6].upper()) == (45, nonce, letter["code"])
    assert letter["link"] in letter["text"]
    assert nonce in letter["html"]
    check_json(post(stack, f"{SIGN_IN}/check-code", {"code": code}), 200, {"is_code_valid": True})
    body = sign_in(stack, code.upper()).json
    assert sorted(body) == ["access_token", "is_new_user", "refresh_token", "user_id"]
    assert body["is_new_user"] is True
    me = stack.ok("GET", "/users/me", access="client", token=body["access_token"])
    assert (me["id"], me["primary_email"], me["primary_email_verified"]) == (body["user_id"], email, True)
    assert (me["otp_auth_enabled"], me["auth_with_email"], me["has_password"]) == (True, True, False)
    again = sign_in(stack, sent_code(stack, email)).json
    assert (again["user_id"], again["is_new_user"]) == (body["user_id"], False)


def test_a_code_works_once(stack: Stack) -> None:
    code = sent_code(stack, fresh_email())
    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(lambda _: sign_in(stack, code).status, range(50)))
    assert statuses == [200] + [409] * 49
    text = "The verification link has already been used."
    check_known(sign_in(stack, code), 409, "VERIFICATION_CODE_ALREADY_USED", text)
    check_known(post(stack, f"{SIGN_IN}/check-code", {"code": code}), *USED)


def guessed(code: str, number: int) -> str:
    """The code with another part to type: what somebody tries who asked for the letter and does not read it."""
    typed = "".join("0123456789abcdefghjkmnpqrstvwxyz"[(number >> shift) % 32] for shift in (0, 5, 10, 15, 20, 25))
    return ("1" + typed[1:] if typed == code[:6] else typed) + code[6:]


def test_whoever_asked_for_a_letter_cannot_guess_what_it_says(stack: Stack) -> None:
    check = f"{SIGN_IN}/check-code"
    patient = sent_code(stack, fresh_email())
    for number in range(19):
        path = SIGN_IN if number % 2 else check
        check_known(post(stack, path, {"code": guessed(patient, number)}), *NOT_FOUND)
    check_json(post(stack, check, {"code": patient}), 200, {"is_code_valid": True})
    assert sign_in(stack, patient).status == 200
    worn = sent_code(stack, fresh_email())
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda number: sign_in(stack, guessed(worn, number)).json["code"], range(50)))
    ended = "VERIFICATION_CODE_MAX_ATTEMPTS_REACHED"
    assert sorted(answers) == [ended] * 30 + ["VERIFICATION_CODE_NOT_FOUND"] * 20
    text = "The verification code nonce has reached the maximum number of attempts. This code is not valid anymore."
    check_known(sign_in(stack, worn), 400, ended, text)
    check_known(post(stack, check, {"code": worn}), 400, ended, text)


def test_two_codes_at_once_make_one_user(stack: Stack) -> None:
    email = fresh_email()
    codes = [sent_code(stack, email) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        bodies = list(pool.map(lambda code: sign_in(stack, code).json, codes))
    assert len({body["user_id"] for body in bodies}) == 1
    assert sorted(body["is_new_user"] for body in bodies) == [False, False, False, True]


def test_codes_that_are_none(stack: Stack) -> None:
    text = "The verification code does not exist for this project."
    check_known(sign_in(stack, UNKNOWN_CODE), 404, "VERIFICATION_CODE_NOT_FOUND", text)
    check_known(post(stack, f"{SIGN_IN}/check-code", {"code": UNKNOWN_CODE}), *NOT_FOUND)
    check_schema_error(
        sign_in(stack, "short"), "POST /api/v1/auth/otp/sign-in", "body.code must be exactly 45 characters"
    )
    check_schema_error(
        post(stack, SEND, {"email": "a@b"}),
        "POST /api/v1/auth/otp/send-sign-in-code",
        r'body.email must match the following: "/^[^.]+(\.[^.]+)*@.*\.[^.][^.]+$/"',
        "body.callback_url must be defined",
    )


def test_a_code_leads_only_to_trusted_places(stack: Stack) -> None:
    email = fresh_email()
    for elsewhere in (
        "https://evil.example/",
        "stack-auth-mobile-oauth-url://back",
        "http://localhost:3000@evil.example/",
    ):
        assert send(stack, email, elsewhere).code == "REDIRECT_URL_NOT_WHITELISTED", elsewhere
    assert stack.letters(email) == []
    assert send(stack, email).status == 200


def test_an_address_that_nobody_proved_lets_nobody_in(stack: Stack) -> None:
    email = fresh_email()
    made = post(stack, "/auth/password/sign-up", {"email": email, "password": PASSWORD}).json
    text = (
        f'A user with email "{email}" already exists but the email is not verified. Please login to your existing '
        "account with the method you used to sign up, and then verify your email to sign in with this login method."
    )
    details = {"email": email, "would_work_if_email_was_verified": True}
    check_known(send(stack, email), 409, "USER_EMAIL_ALREADY_EXISTS", text, details)
    # whoever waits inside may switch codes on for it, and still waits in vain
    stack.ok("PATCH", "/users/me", {"otp_auth_enabled": True}, access="client", token=made["access_token"])
    assert send(stack, email).code == "USER_EMAIL_ALREADY_EXISTS"
    stack.ok("PATCH", f"/users/{made['user_id']}", {"primary_email_verified": True})
    body = sign_in(stack, sent_code(stack, email)).json
    assert (body["user_id"], body["is_new_user"]) == (made["user_id"], False)


def test_a_code_outlived_by_its_address_lets_nobody_in(stack: Stack) -> None:
    email = fresh_email()
    code = sent_code(stack, email)
    squatter = post(stack, "/auth/password/sign-up", {"email": email, "password": PASSWORD}).json
    assert sign_in(stack, code).code == "USER_EMAIL_ALREADY_EXISTS"
    stack.ok("DELETE", f"/users/{squatter['user_id']}")
    assert sign_in(stack, code).json["is_new_user"] is True


def test_a_user_made_for_codes_is_the_mailboxes_and_nobody_elses(stack: Stack) -> None:
    email = fresh_email()
    fields = {"primary_email": email, "primary_email_auth_enabled": True, "otp_auth_enabled": True}
    user = stack.ok("POST", "/users", fields)
    before = stack.ok("POST", "/auth/sessions", {"user_id": user["id"]})
    body = sign_in(stack, sent_code(stack, email)).json
    assert (body["user_id"], body["is_new_user"]) == (user["id"], False)
    assert stack.token(grant_type="refresh_token", refresh_token=before["refresh_token"]).status == 401
    assert stack.token(grant_type="refresh_token", refresh_token=body["refresh_token"]).status == 200
    assert stack.ok("GET", f"/users/{user['id']}")["primary_email_verified"] is True


def test_an_anonymous_user_stays_who_it_is(stack: Stack) -> None:
    anonymous = post(stack, "/auth/anonymous/sign-up", None).json
    email = fresh_email()
    body = sign_in(stack, sent_code(stack, email), anonymous["access_token"]).json
    assert (body["user_id"], body["is_new_user"]) == (anonymous["user_id"], True)
    assert jwt_claims(body["access_token"])["is_anonymous"] is False
    # and does not swallow somebody who exists
    second = post(stack, "/auth/anonymous/sign-up", None).json
    known = sign_in(stack, sent_code(stack, email), second["access_token"]).json
    assert (known["user_id"], known["is_new_user"]) == (body["user_id"], False)


async def asked(face: Face, email: str) -> tuple[int, Any]:
    reply = await face.reply("POST", SEND, {"email": email, "callback_url": CALLBACK}, access="client")
    return reply.status, reply.body.decode()


async def test_what_a_project_and_a_server_may_refuse(migrated_url: str) -> None:
    email = fresh_email()
    async with face_on(migrated_url, ProjectConfig(otp_enabled=True)) as face:
        status, text = await asked(face, email)
        assert status == 400
        assert text.startswith("This server sends no mail, because it has no mail server.")
    async with face_on(migrated_url, ProjectConfig(), keep_mail=True) as face:
        assert await asked(face, email) == (403, "OTP sign-in is not enabled for this project")
    closed = ProjectConfig(otp_enabled=True, policies={"stack": Policy(sign_up=False)})
    async with face_on(migrated_url, closed, keep_mail=True) as face:
        status, text = await asked(face, email)
        assert (status, "SIGN_UP_NOT_ENABLED" in text) == (400, True)
        fields = {"primary_email": email, "primary_email_verified": True, "primary_email_auth_enabled": True}
        await face.call("POST", "/users", fields)
        assert (await asked(face, email))[0] == 200


async def test_a_mailbox_is_not_flooded_but_answered_letters_do_not_count(migrated_url: str) -> None:
    async with face_on(migrated_url, ProjectConfig(otp_enabled=True), keep_mail=True, mails_per_address=3) as face:
        email = fresh_email()
        for _ in range(3):
            assert (await asked(face, email))[0] == 200
        reply = await face.reply("POST", SEND, {"email": email, "callback_url": CALLBACK}, access="client")
        assert (reply.status, dict(reply.headers)["retry-after"]) == (429, "3600")
        assert (await asked(face, fresh_email()))[0] == 200
        code = await newest_code(face, email)
        assert (await face.call("POST", SIGN_IN, {"code": code}, access="client"))[0] == 200
        assert (await asked(face, email))[0] == 200


async def newest_code(face: Face, email: str) -> str:
    from_outbox = [letter for letter in await newest(face.rt) if letter.to == email]
    return code_in(from_outbox[0].link)


async def test_a_code_is_told_to_be_too_old_and_belongs_to_its_project(migrated_url: str) -> None:
    async with face_on(migrated_url, ProjectConfig(otp_enabled=True), keep_mail=True) as face:
        email = fresh_email()
        await asked(face, email)
        code = await newest_code(face, email)
        made = await projects.create(face.rt, Declaration(display_name="Another"))
        other = Face(face.rt, face.clock, made.project.stack_id, made.keys)
        assert (await other.call("POST", SIGN_IN, {"code": code}, access="client"))[1]["code"] == NOT_FOUND[1]
        await face.rt.db.change("UPDATE one_time_codes SET expires_at = $1 RETURNING kind", face.rt.clock())
        for path in (SIGN_IN, f"{SIGN_IN}/check-code"):
            status, body = await face.call("POST", path, {"code": code}, access="client")
            assert (status, body["code"], body["error"]) == EXPIRED
        assert await sweep(face.rt) == 0
        await face.rt.db.change("UPDATE one_time_codes SET expires_at = $1 RETURNING kind", face.rt.clock() - 2 * DAY)
        assert await sweep(face.rt) == 1
        status, body = await face.call("POST", SIGN_IN, {"code": code}, access="client")
        assert (status, body["code"], body["error"]) == NOT_FOUND
