"""Golden bodies, typed from the contract and never recorded from the server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from stytch.consumer.models import sessions as session_models
from stytch.consumer.models import users as user_models

from oneself.model import TokenSet
from oneself.wire.stytch import render
from oneself.wire.stytch.wording import WORDINGS
from tests.stytch import samples


def plain(body: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body))


USER = {
    "user_id": f"user-test-{samples.USER_UUID}",
    "status": "active",
    "name": {"first_name": "Ada", "middle_name": "", "last_name": "Lovelace"},
    "emails": [
        {
            "email_id": f"email-test-{samples.EMAIL_UUID}",
            "email": "Ada@Example.com",
            "verified": True,
        }
    ],
    "phone_numbers": [],
    "providers": [
        {
            "provider_type": "Google",
            "provider_subject": "10769150350006150715113082367",
            "profile_picture_url": "",
            "locale": "",
            "oauth_user_registration_id": f"oauth-user-test-{samples.ACCOUNT_UUID}",
        }
    ],
    "webauthn_registrations": [],
    "biometric_registrations": [],
    "totps": [],
    "crypto_wallets": [],
    "password": None,
    "trusted_metadata": {},
    "untrusted_metadata": {},
    "created_at": "2024-04-24T12:41:30Z",
    "external_id": None,
    "is_locked": False,
    "lock_created_at": None,
    "lock_expires_at": None,
    "roles": ["stytch_user"],
}

GOOGLE_FACTOR = {
    "type": "oauth",
    "delivery_method": "oauth_google",
    "created_at": "2024-04-24T12:41:30Z",
    "updated_at": "2024-04-24T12:41:30Z",
    "last_authenticated_at": "2024-04-24T12:41:30Z",
    "google_oauth_factor": {
        "id": f"oauth-user-test-{samples.ACCOUNT_UUID}",
        "provider_subject": "10769150350006150715113082367",
        "email_id": "",
    },
}

SESSION = {
    "session_id": f"session-test-{samples.SESSION_UUID}",
    "user_id": f"user-test-{samples.USER_UUID}",
    "started_at": "2024-04-24T12:41:30Z",
    "last_accessed_at": "2024-04-24T12:41:31Z",
    "expires_at": "2024-04-24T13:41:30Z",
    "attributes": {"ip_address": "", "user_agent": ""},
    "authentication_factors": [GOOGLE_FACTOR],
    "custom_claims": {},
    "roles": ["stytch_user"],
}


def test_a_user_is_rendered_as_the_contract_says() -> None:
    assert plain(render.user_body(samples.project(), samples.view())) == USER


def test_a_session_is_rendered_as_the_contract_says() -> None:
    rendered = render.session_body(samples.project(), samples.session(), samples.view())
    assert plain(rendered) == SESSION


def test_a_user_with_everything_parses_in_the_strict_model() -> None:
    full = samples.view(
        user=samples.user(
            status="pending",
            external_id="ext-1",
            password_hash="$argon2id$x",
            password_id=samples.PASSWORD_UUID,
            server_metadata={"plan": "gold"},
            client_metadata={"theme": "dark"},
        ),
        phones=(samples.phone(),),
    )
    body = plain(render.user_body(samples.project(), full))
    assert body["status"] == "pending"
    assert body["external_id"] == "ext-1"
    assert body["trusted_metadata"] == {"plan": "gold"}
    assert body["untrusted_metadata"] == {"theme": "dark"}
    assert body["password"] == {
        "password_id": f"password-test-{samples.USER_UUID}",
        "requires_reset": False,
    }
    assert body["phone_numbers"] == [
        {
            "phone_id": f"phone-number-test-{samples.PHONE_UUID}",
            "phone_number": "+12025550162",
            "verified": False,
        }
    ]
    user_models.User.model_validate(body)


def test_a_disabled_user_is_locked_and_a_connected_account_is_no_way_in() -> None:
    body = render.user_body(
        samples.project(),
        samples.view(user=samples.user(status="disabled"), accounts=(samples.account(allow_sign_in=False),)),
    )
    assert (body.status, body.is_locked, body.providers) == ("active", True, [])


@pytest.mark.parametrize("provider", sorted(WORDINGS))
def test_every_known_provider_makes_a_factor_that_the_strict_model_knows(provider: str) -> None:
    session = samples.session(factors=(samples.factor(provider=provider, email_id=samples.EMAIL_UUID),))
    body = plain(render.session_body(samples.project(), session, samples.view()))
    parsed = session_models.Session.model_validate(body).authentication_factors[0]
    assert parsed.type == "oauth"
    called = {"x": "twitter"}.get(provider, provider)
    assert parsed.delivery_method.value == f"oauth_{called}"
    factors = [value for name, value in parsed.model_dump(exclude_none=True).items() if name.endswith("_oauth_factor")]
    assert factors == [
        {
            "id": f"oauth-user-test-{samples.ACCOUNT_UUID}",
            "provider_subject": "10769150350006150715113082367",
            "email_id": f"email-test-{samples.EMAIL_UUID}",
        }
    ]


@pytest.mark.parametrize(
    ("provider", "keys"),
    [
        ("gitlab", {"gitlab_oauth_factor", "git_lab_oauth_factor"}),
        ("linkedin", {"linkedin_oauth_factor", "linked_in_oauth_factor"}),
        ("tiktok", {"tiktok_oauth_factor", "tik_tok_oauth_factor"}),
    ],
)
def test_the_three_disputed_factor_keys_are_sent_in_both_spellings(provider: str, keys: set[str]) -> None:
    session = samples.session()
    body = render.factor_body(samples.project(), samples.factor(provider=provider), session, samples.view())
    assert {name for name in body if name.endswith("_oauth_factor")} == keys


@pytest.mark.parametrize("kind", ["password", "email_otp", "impersonation", "issued", "anonymous"])
def test_every_other_factor_parses_in_the_strict_model(kind: str) -> None:
    session = samples.session(factors=(samples.factor(kind=kind, account_id="", subject=""),))
    body = plain(render.session_body(samples.project(), session, samples.view()))
    session_models.Session.model_validate(body)


def test_a_provider_without_a_name_in_the_dialect_is_a_foreign_one() -> None:
    session = samples.session(factors=(samples.factor(provider="generic_oidc", subject="s-1"),))
    body = plain(render.session_body(samples.project(), session, samples.view()))
    parsed = session_models.Session.model_validate(body).authentication_factors[0]
    assert parsed.oidc_sso_factor is not None
    assert parsed.oidc_sso_factor.external_id == "s-1"
    named = render.provider_body(samples.project(), samples.account(provider="generic_oidc", config_id="acme-sso"))
    assert named.provider_type == "acme-sso"


def test_tokens_that_a_provider_did_not_give_are_empty_texts() -> None:
    bare = render.provider_values(TokenSet(access_token="at"))
    assert plain(bare) == {
        "access_token": "at",
        "refresh_token": "",
        "id_token": "",
        "scopes": [],
        "expires_at": None,
    }
    full = render.provider_values(
        TokenSet(
            access_token="at",
            refresh_token="rt",
            id_token="it",
            scopes=("openid", "email"),
            expires_at=samples.NOON,
        )
    )
    assert plain(full)["expires_at"] == "2024-04-24T12:41:30Z"


def test_a_key_has_the_nine_members_that_strict_models_ask_for() -> None:
    body = plain(render.key_body({"kid": "jwk-test-1", "n": "bm4", "e": "AQAB", "kty": "RSA"}))
    assert body == {
        "kty": "RSA",
        "use": "sig",
        "key_ops": ["verify"],
        "alg": "RS256",
        "kid": "jwk-test-1",
        "x5c": [],
        "x5tS256": "",
        "n": "bm4",
        "e": "AQAB",
    }
    session_models.JWK.model_validate(body)
