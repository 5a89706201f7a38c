"""Nouns of the domain with plain values, for tests that need no server."""

from __future__ import annotations

from typing import Any

from oneself.model import (
    EmailAddress,
    ExternalAccount,
    Factor,
    PhoneNumber,
    Project,
    ProjectConfig,
    Session,
    User,
    UserView,
)

SECOND = 1_000_000
# 2024-04-24T12:41:30Z, with microseconds that must not be seen
NOON = 1_713_962_490 * SECOND + 123_456

PROJECT_UUID = "11111111-1111-4111-8111-111111111111"
CALLBACK_UUID = "22222222-2222-4222-8222-222222222222"
USER_UUID = "33333333-3333-4333-8333-333333333333"
EMAIL_UUID = "44444444-4444-4444-8444-444444444444"
ACCOUNT_UUID = "55555555-5555-4555-8555-555555555555"
SESSION_UUID = "66666666-6666-4666-8666-666666666666"
PHONE_UUID = "77777777-7777-4777-8777-777777777777"
PASSWORD_UUID = "88888888-8888-4888-8888-888888888888"


def project(**fields: Any) -> Project:
    values: dict[str, Any] = {
        "id": PROJECT_UUID,
        "display_name": "Sample",
        "environment": "test",
        "stytch_id": f"project-test-{PROJECT_UUID}",
        "stytch_public_token": f"public-token-test-{PROJECT_UUID}",
        "stytch_callback_id": f"oauth-callback-test-{CALLBACK_UUID}",
        "stack_id": PROJECT_UUID,
        "version": 1,
        "created_at": NOON,
        "config": ProjectConfig(authorized_origins=("http://localhost:3000",)),
    }
    return Project(**(values | fields))


def user(**fields: Any) -> User:
    values: dict[str, Any] = {
        "id": USER_UUID,
        "version": 1,
        "security_epoch": 1,
        "status": "active",
        "created_at": NOON,
        "signed_up_at": NOON,
        "last_active_at": NOON,
        "is_anonymous": False,
        "display_name": "Ada Lovelace",
        "first_name": "Ada",
        "middle_name": "",
        "last_name": "Lovelace",
        "picture_url": "",
        "external_id": "",
        "client_metadata": None,
        "client_read_only_metadata": None,
        "server_metadata": None,
        "password_hash": "",
        "password_id": "",
        "extras": {},
    }
    return User(**(values | fields))


def email(**fields: Any) -> EmailAddress:
    values: dict[str, Any] = {
        "id": EMAIL_UUID,
        "user_id": USER_UUID,
        "address": "Ada@Example.com",
        "folded": "ada@example.com",
        "verified_at": NOON,
        "verified_by": ACCOUNT_UUID,
        "is_primary": True,
        "claims_sign_in": True,
        "created_at": NOON,
    }
    return EmailAddress(**(values | fields))


def account(**fields: Any) -> ExternalAccount:
    values: dict[str, Any] = {
        "id": ACCOUNT_UUID,
        "user_id": USER_UUID,
        "config_id": "google",
        "provider": "google",
        "issuer": "https://accounts.google.com",
        "subject": "10769150350006150715113082367",
        "allow_sign_in": True,
        "allow_connected_accounts": True,
        "email": "ada@example.com",
        "email_verified": True,
        "email_id": EMAIL_UUID,
        "picture_url": "",
        "locale": "",
        "created_at": NOON,
    }
    return ExternalAccount(**(values | fields))


def phone() -> PhoneNumber:
    return PhoneNumber(id=PHONE_UUID, user_id=USER_UUID, number="+12025550162", verified_at=0)


def view(**fields: Any) -> UserView:
    values: dict[str, Any] = {"user": user(), "emails": (email(),), "accounts": (account(),)}
    return UserView(**(values | fields))


def factor(**fields: Any) -> Factor:
    values: dict[str, Any] = {
        "kind": "oauth",
        "created_at": NOON,
        "updated_at": NOON,
        "last_authenticated_at": NOON,
        "account_id": ACCOUNT_UUID,
        "provider": "google",
        "subject": "10769150350006150715113082367",
        "email_id": "",
    }
    return Factor(**(values | fields))


def session(**fields: Any) -> Session:
    values: dict[str, Any] = {
        "id": SESSION_UUID,
        "user_id": USER_UUID,
        "kind": "stytch",
        "started_at": NOON,
        "last_accessed_at": NOON + SECOND,
        "expires_at": NOON + 3600 * SECOND,
        "factors": (factor(),),
        "custom_claims": {},
        "ip_address": "",
        "user_agent": "",
    }
    return Session(**(values | fields))
