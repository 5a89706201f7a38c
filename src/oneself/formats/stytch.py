"""Users as Stytch's `users/search` returns them, one JSON object each, with tokens and hashes where a file has them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from oneself.faults import RowRefused
from oneself.formats.fields import (
    Json,
    choice,
    flag,
    mapping,
    moment,
    objects,
    stamp,
    status,
    text,
    texts,
    tokens,
    tokens_written,
)
from oneself.model import AccountRecord, EmailRecord, PhoneRecord, TokenSet, UserRecord

_ID = re.compile(r"([a-z-]+)-(test|live)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_FACTORS = {
    "webauthn_registrations": "WebAuthn registration",
    "biometric_registrations": "biometric registration",
    "totps": "authenticator app",
    "crypto_wallets": "crypto wallet",
}


def read(row: Json, environment: str) -> UserRecord:
    """What a user object says. Raises RowRefused.

    `environment` is the project's: ids keep their UUID, and applications have stored them with `test` or `live` in
    front. An empty one takes ids of both.
    """
    password = mapping(row, "password") or {}
    name = mapping(row, "name") or {}
    metadata = mapping(row, "trusted_metadata"), mapping(row, "untrusted_metadata")
    must_reset = flag(password, "requires_reset")
    hashed = text(row, "password_hash") or text(password, "hash")
    return UserRecord(
        id=_uuid(row, "user_id", "user", environment),
        external_id=text(row, "external_id"),
        status=_status(row),
        created_at=moment(row, "created_at"),
        first_name=text(name, "first_name"),
        middle_name=text(name, "middle_name"),
        last_name=text(name, "last_name"),
        server_metadata=metadata[0] or None,
        client_metadata=metadata[1] or None,
        password_hash="" if must_reset else hashed,
        emails=tuple(_email(one, place, environment) for place, one in enumerate(objects(row, "emails"))),
        phones=tuple(_phone(one, environment) for one in objects(row, "phone_numbers")),
        accounts=tuple(_account(one, environment) for one in objects(row, "providers")),
        not_taken=tuple(_not_taken(row, bool(password or hashed), bool(hashed), must_reset)),
    )


def _status(row: Json) -> Literal["active", "pending", "disabled"]:
    return "disabled" if flag(row, "is_locked") else status(row)


def _uuid(row: Json, member: str, kind: str, environment: str) -> str:
    """The UUID in one of Stytch's ids, or nothing where the row has none."""
    value = text(row, member)
    if not value:
        return ""
    match = _ID.fullmatch(value)
    if match is None or match[1] != kind:
        raise RowRefused(f"{member} has not the form {kind}-live-UUID", "Correct the row and import the file again.")
    if environment and match[2] != environment:
        raise RowRefused(
            f"{member} belongs to the environment {match[2]}, and the project is of {environment}",
            f"Import into a project that was made with --environment {match[2]}, so that ids that applications have "
            "stored go on working; or say --any-environment, and ids keep their UUID under another prefix.",
        )
    return match[3]


def _email(one: Json, place: int, environment: str) -> EmailRecord:
    primary = choice(one, "is_primary")
    return EmailRecord(
        address=text(one, "email"),
        verified=flag(one, "verified"),
        is_primary=place == 0 if primary is None else primary,
        claims_sign_in=flag(one, "claims_sign_in", default=True),
        id=_uuid(one, "email_id", "email", environment),
    )


def _phone(one: Json, environment: str) -> PhoneRecord:
    return PhoneRecord(
        number=text(one, "phone_number"),
        verified=flag(one, "verified"),
        id=_uuid(one, "phone_id", "phone-number", environment),
    )


def _account(one: Json, environment: str) -> AccountRecord:
    values = one.get("provider_values")
    sets = objects({"provider_values": [values] if isinstance(values, dict) else values}, "provider_values")
    return AccountRecord(
        provider=text(one, "provider_config_id") or text(one, "provider_type"),
        subject=text(one, "provider_subject"),
        allow_sign_in=flag(one, "allow_sign_in", default=True),
        allow_connected_accounts=flag(one, "allow_connected_accounts", default=True),
        picture_url=text(one, "profile_picture_url"),
        locale=text(one, "locale"),
        id=_uuid(one, "oauth_user_registration_id", "oauth-user", environment),
        tokens=tuple(tokens(values) for values in sets),
    )


def _not_taken(row: Json, has_password: bool, has_hash: bool, must_reset: bool) -> list[str]:
    lost = [words for member, words in _FACTORS.items() for _ in objects(row, member)]
    if must_reset:
        lost.append("password that must be reset")
    elif has_password and not has_hash:
        lost.append("password without its hash")
    if set(texts(row, "roles")) - {"stytch_user"}:
        lost.append("roles")
    return lost


def write(
    user: UserRecord, environment: str, provider_type: Callable[[str], str], known: Mapping[str, str]
) -> dict[str, Any]:
    """The user object of a user. `provider_type` gives Stytch's name of a provider; `known` maps the names of the
    project's credentials to their providers.

    Flags of addresses and accounts that Stytch has no member for are written under members of our own, and only where
    they say something; display name, picture, anonymity and read-only metadata have no place in it.
    """
    written: dict[str, Any] = {
        "user_id": f"user-{environment}-{user.id}",
        "external_id": user.external_id or None,
        "status": "pending" if user.status == "pending" else "active",
        "is_locked": user.status == "disabled",
        "created_at": stamp(user.created_at),
        "name": {"first_name": user.first_name, "middle_name": user.middle_name, "last_name": user.last_name},
        "emails": [_email_written(one, place, environment) for place, one in enumerate(user.emails)],
        "phone_numbers": [
            {"phone_id": f"phone-number-{environment}-{one.id}", "phone_number": one.number, "verified": one.verified}
            for one in user.phones
        ],
        "providers": [_account_written(one, environment, provider_type, known) for one in user.accounts],
        "password": {"password_id": f"password-{environment}-{user.id}", "requires_reset": False}
        if user.has_password
        else None,
        "trusted_metadata": user.server_metadata or {},
        "untrusted_metadata": user.client_metadata or {},
    }
    return written | ({"password_hash": user.password_hash} if user.password_hash else {})


def _email_written(one: EmailRecord, place: int, environment: str) -> dict[str, Any]:
    written: dict[str, Any] = {
        "email_id": f"email-{environment}-{one.id}",
        "email": one.address,
        "verified": one.verified,
    }
    if one.is_primary != (place == 0):
        written["is_primary"] = one.is_primary
    return written | ({} if one.claims_sign_in else {"claims_sign_in": False})


def _account_written(
    one: AccountRecord, environment: str, provider_type: Callable[[str], str], known: Mapping[str, str]
) -> dict[str, Any]:
    provider = known.get(one.provider, one.provider)
    written: dict[str, Any] = {
        "oauth_user_registration_id": f"oauth-user-{environment}-{one.id}",
        "provider_type": provider_type(provider),
        "provider_subject": one.subject,
        "profile_picture_url": one.picture_url,
        "locale": one.locale,
    }
    if one.provider != provider:
        written["provider_config_id"] = one.provider
    if one.allow_sign_in is False:
        written["allow_sign_in"] = False
    if not one.allow_connected_accounts:
        written["allow_connected_accounts"] = False
    return written | ({"provider_values": _sets(one.tokens)} if one.tokens else {})


def _sets(sets: tuple[TokenSet, ...]) -> dict[str, Any] | list[dict[str, Any]]:
    written = [tokens_written(one) for one in sets]
    return written[0] if len(written) == 1 else written
