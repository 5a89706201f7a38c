"""Passwords, the exchange of the only factor, products that are not here, and the sandbox's tokens."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.stytch.rig import Rig, refused
from tests.stytch.test_users import phone

GOOD = "correct horse battery"


def test_a_user_comes_with_a_password_and_signs_in_with_it(dev: Rig) -> None:
    email = dev.persona().email
    made = dev.client.passwords.create(email=email, password=GOOD, session_duration_minutes=60)
    assert made.status_code == 200
    assert made.session is not None
    assert made.session.authentication_factors[0].delivery_method == "knowledge"
    assert made.user.password is not None
    assert made.user.password.requires_reset is False
    found = dev.client.passwords.authenticate(email=email.upper(), password=GOOD, session_duration_minutes=5)
    assert found.user_id == made.user_id
    assert dev.client.sessions.authenticate(session_token=found.session_token).session_jwt
    bare = dev.client.passwords.authenticate(email=email, password=GOOD)
    assert (bare.session_token, bare.session_jwt, bare.session) == ("", "", None)


@pytest.mark.parametrize(
    ("email", "password", "error_type"),
    [
        ("OWN", "short", "weak_password"),
        ("OWN", "aaaaaaaaaaaa", "weak_password"),
        ("OWN", "x" * 2000, "weak_password"),
        ("long.address@people.example", "Long.Address@people.example", "weak_password"),
        ("nonsense", GOOD, "invalid_email"),
        ("", GOOD, "invalid_email"),
    ],
)
def test_a_password_that_cannot_be_is_refused(dev: Rig, email: str, password: str, error_type: str) -> None:
    wanted = dev.persona().email if email == "OWN" else email
    assert refused(dev.client.passwords.create, email=wanted, password=password) == (400, error_type)
    reply = dev.call("POST", "/v1/passwords", {"email": wanted, "password": password})
    assert (reply.status, reply.json["error_type"]) == (400, error_type)


def test_a_wrong_password_and_an_unknown_address_are_told_alike(dev: Rig) -> None:
    email = dev.persona().email
    dev.client.passwords.create(email=email, password=GOOD)
    assert refused(dev.client.passwords.create, email=email, password=GOOD) == (400, "duplicate_email")
    wrong = dev.call("POST", "/v1/passwords/authenticate", {"email": email, "password": GOOD + "!"})
    unknown = dev.call("POST", "/v1/passwords/authenticate", {"email": "no@b.example", "password": GOOD})
    assert wrong.status == unknown.status == 401
    assert wrong.json["error_type"] == unknown.json["error_type"] == "unauthorized_credentials"
    assert wrong.json["error_message"] == unknown.json["error_message"]


def test_a_password_is_taken_off(dev: Rig) -> None:
    email = dev.persona().email
    made = dev.client.passwords.create(email=email, password=GOOD, session_duration_minutes=60)
    assert made.user.password is not None
    left = dev.client.users.delete_password(made.user.password.password_id)
    assert left.user.password is None
    assert refused(dev.client.passwords.authenticate, email=email, password=GOOD) == (
        401,
        "unauthorized_credentials",
    )
    for gone in (made.user.password.password_id, f"password-test-{uuid4()}", f"password-live-{uuid4()}"):
        assert refused(dev.client.users.delete_password, gone) == (404, "password_not_found")
    assert refused(dev.client.users.delete_password, "password-test-1") == (400, "invalid_id")


def test_a_verified_login_drops_the_password_and_sessions_of_a_squatter(dev: Rig) -> None:
    person = dev.persona()
    squatter = dev.client.passwords.create(email=person.email, password=GOOD, session_duration_minutes=60)
    owner = dev.sign_in("google", person)
    assert owner.user_id == squatter.user_id
    assert owner.reset_sessions is True
    assert owner.user.password is None
    assert refused(dev.client.sessions.authenticate, session_token=squatter.session_token) == (
        404,
        "session_not_found",
    )
    assert refused(dev.client.passwords.authenticate, email=person.email, password=GOOD) == (
        401,
        "unauthorized_credentials",
    )
    assert dev.client.sessions.authenticate(session_token=owner.session_token).session_jwt


def test_the_only_factor_is_exchanged(dev: Rig) -> None:
    made = dev.client.users.create(email=dev.persona().email)
    other, number = dev.persona().email, phone()
    renamed = dev.client.users.exchange_primary_factor(made.user_id, email_address=other)
    assert [(email.email, email.verified) for email in renamed.user.emails] == [(other, False)]
    called = dev.client.users.exchange_primary_factor(made.user_id, phone_number=number)
    assert (called.user.emails, [each.phone_number for each in called.user.phone_numbers]) == ([], [number])
    taken = dev.client.users.create(email=dev.persona().email)
    exchange = dev.client.users.exchange_primary_factor
    assert refused(exchange, taken.user_id, phone_number=number) == (400, "duplicate_phone_number")
    assert refused(exchange, made.user_id, email_address=taken.user.emails[0].email) == (400, "duplicate_email")
    assert refused(exchange, made.user_id) == (400, "invalid_exchange_primary_factor_fields")
    assert refused(exchange, made.user_id, email_address=other, phone_number=number) == (
        400,
        "invalid_exchange_primary_factor_fields",
    )
    assert refused(exchange, made.user_id, email_address="x") == (400, "invalid_email")
    assert refused(exchange, made.user_id, phone_number="x") == (400, "invalid_phone_number")
    assert refused(exchange, f"user-test-{uuid4()}", email_address=other) == (404, "user_not_found")
    linked = dev.sign_in("google", dev.persona())
    assert refused(exchange, linked.user_id, email_address=other) == (400, "invalid_exchange_primary_factor_user")


@pytest.mark.parametrize(
    ("call", "kind", "absent"),
    [
        ("delete_webauthn_registration", "webauthn-registration", "webauthn_registration_not_found"),
        ("delete_biometric_registration", "biometric-registration", "biometric_registration_not_found"),
        ("delete_totp", "totp", "totp_not_found"),
        ("delete_crypto_wallet", "crypto-wallet", "crypto_wallet_not_found"),
    ],
)
def test_factors_that_nobody_has_are_not_found(dev: Rig, call: str, kind: str, absent: str) -> None:
    delete = getattr(dev.client.users, call)
    assert refused(delete, f"{kind}-test-{uuid4()}") == (404, absent)
    assert refused(delete, "nonsense") == (400, "invalid_id")


def test_products_that_are_not_here_are_refused_by_name(dev: Rig) -> None:
    sessions = dev.client.sessions
    for call, named in (
        (sessions.migrate, {"session_token": "x"}),
        (sessions.attest, {"profile_id": "x", "token": "x"}),
        (sessions.exchange_access_token, {"access_token": "x"}),
    ):
        assert refused(call, **named) == (400, "product_not_configured")
    for path in ("migrate", "attest", "exchange_access_token"):
        assert dev.call("POST", f"/v1/sessions/{path}", {}).json["error_type"] == "invalid_argument"


# --- sandbox -------------------------------------------------------------------------------------

OAUTH = "hdPVZHHX0UoRa7hJTuuPHi1vlddffSnoweRbVFf5-H8g"
SESSION = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY"
NEITHER = "59cnLELtq5cFVS6uYK9f-pAWzBkhqZl8AvLhbhOvKNWw"


def test_the_sandbox_answers_in_test_projects(dev: Rig) -> None:
    for minutes in (None, 60):
        found = dev.client.oauth.authenticate(OAUTH, session_duration_minutes=minutes)
        assert found.status_code == 200
        assert (found.user_session is None) is (minutes is None)
    assert refused(dev.client.oauth.authenticate, NEITHER) == (400, "oauth_token_not_found")
    body = dev.call("POST", "/v1/sessions/authenticate", {"session_token": SESSION}).json
    assert body["session_token"] == SESSION
    assert body["session"]["session_id"] == "session-test-eb94233f-8800-4ebd-8645-51dc15f9d028"
    assert body["session"]["started_at"] == "2021-08-28T00:41:58.935673Z"
    assert body["user"]["user_id"] == "user-test-e3795c81-f849-4167-bfda-e4a6e9c280fd"
    assert body["user"]["emails"][0]["email"] == "sandbox@stytch.com"
    [factor] = body["session"]["authentication_factors"]
    assert (factor["type"], factor["delivery_method"]) == ("magic_link", "email")
    assert dev.client.sessions.authenticate(session_token=SESSION).session_jwt
    assert dev.client.sessions.authenticate_jwt_local(body["session_jwt"]) is not None
    assert refused(dev.client.sessions.authenticate, session_token=NEITHER) == (404, "session_not_found")


def test_the_sandbox_person_is_nowhere_stored(dev: Rig) -> None:
    user_id = "user-test-e3795c81-f849-4167-bfda-e4a6e9c280fd"
    assert refused(dev.client.users.get, user_id) == (404, "user_not_found")
    assert refused(dev.client.sessions.get, user_id) == (404, "user_not_found")


def test_live_projects_have_no_sandbox(minds: dict[str, Rig]) -> None:
    live = minds["live"]
    assert refused(live.client.oauth.authenticate, OAUTH) == (400, "oauth_token_not_found")
    assert refused(live.client.sessions.authenticate, session_token=SESSION) == (404, "session_not_found")
