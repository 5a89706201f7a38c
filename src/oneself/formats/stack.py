"""Users as Stack Auth's `GET /users` returns them, a JSON object each, with tokens and hashes where a file has them."""

from collections.abc import Sequence
from typing import Any

from oneself.formats.fields import (
    Json,
    choice,
    flag,
    mapping,
    millis,
    moment,
    objects,
    stamp,
    status,
    text,
    texts,
)
from oneself.model import AccountRecord, EmailRecord, TokenSet, UserRecord

_EXTRAS = ("restricted_by_admin_reason", "restricted_by_admin_private_details")


def read(row: Json) -> UserRecord:
    """What a user object says. Raises RowRefused."""
    hashed = text(row, "password_hash")
    signed_up_at = millis(row, "signed_up_at_millis")
    return UserRecord(
        id=text(row, "id"),
        external_id=text(row, "external_id"),
        status=status(row),
        is_anonymous=flag(row, "is_anonymous"),
        created_at=millis(row, "created_at_millis") or signed_up_at,
        signed_up_at=signed_up_at,
        last_active_at=millis(row, "last_active_at_millis"),
        display_name=text(row, "display_name"),
        picture_url=text(row, "profile_image_url"),
        client_metadata=mapping(row, "client_metadata"),
        client_read_only_metadata=mapping(row, "client_read_only_metadata"),
        server_metadata=mapping(row, "server_metadata"),
        password_hash=hashed,
        extras=_extras(row),
        emails=_emails(row),
        accounts=tuple(_account(one) for one in objects(row, "oauth_providers")),
        not_taken=tuple(_not_taken(row, bool(hashed))),
    )


def _extras(row: Json) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if flag(row, "otp_auth_enabled"):
        found["otp_auth_enabled"] = True
    if flag(row, "restricted_by_admin"):
        found["restricted_by_admin"] = True
        found |= {name: text(row, name) or None for name in _EXTRAS}
    return found


def _emails(row: Json) -> tuple[EmailRecord, ...]:
    """The addresses of `contact_channels` where the file has them, else the primary one of the user object."""
    channels = [one for one in objects(row, "contact_channels") if (text(one, "type") or "email") == "email"]
    if channels:
        return tuple(
            EmailRecord(
                address=text(one, "value"),
                verified=flag(one, "is_verified"),
                is_primary=flag(one, "is_primary"),
                claims_sign_in=flag(one, "used_for_auth"),
                id=text(one, "id"),
            )
            for one in channels
        )
    address = text(row, "primary_email")
    if not address:
        return ()
    verified, claims = flag(row, "primary_email_verified"), flag(row, "primary_email_auth_enabled")
    return (EmailRecord(address=address, verified=verified, is_primary=True, claims_sign_in=claims),)


def _account(one: Json) -> AccountRecord:
    """An entry of `oauth_providers`, as the user object has it or as `GET /oauth-providers` has it.

    Both call something `id`: the first the project's name of the provider, the second the row.
    """
    config_id = text(one, "provider_config_id")
    return AccountRecord(
        provider=config_id or text(one, "id"),
        subject=text(one, "account_id"),
        allow_sign_in=choice(one, "allow_sign_in"),
        allow_connected_accounts=flag(one, "allow_connected_accounts", default=True),
        email=text(one, "email"),
        picture_url=text(one, "profile_picture_url"),
        locale=text(one, "locale"),
        id=text(one, "id") if config_id else "",
        tokens=_tokens(one),
    )


def _tokens(one: Json) -> tuple[TokenSet, ...]:
    """Refresh and access tokens, which Stack keeps apart, joined where their scopes are the same.

    Of several with the same scopes the last one counts; a refresh token that is marked as invalid does not.
    """
    sets: dict[frozenset[str], TokenSet] = {}
    for access in objects(one, "access_tokens"):
        scopes = texts(access, "scopes")
        sets[frozenset(scopes)] = TokenSet(
            access_token=text(access, "access_token"),
            id_token=text(access, "id_token"),
            scopes=scopes,
            expires_at=millis(access, "expires_at_millis") or moment(access, "expires_at"),
            token_type=text(access, "token_type") or "Bearer",
            callback_uri=text(access, "callback_uri"),
        )
    for refresh in objects(one, "refresh_tokens"):
        if not flag(refresh, "is_valid", default=True):
            continue
        scopes = texts(refresh, "scopes")
        known = sets.get(frozenset(scopes)) or TokenSet(access_token="", scopes=scopes)
        sets[frozenset(scopes)] = TokenSet(
            access_token=known.access_token,
            refresh_token=text(refresh, "refresh_token"),
            id_token=known.id_token,
            scopes=known.scopes,
            expires_at=known.expires_at,
            token_type=known.token_type,
            callback_uri=known.callback_uri or text(refresh, "callback_uri"),
        )
    return tuple(sets.values())


def _not_taken(row: Json, has_hash: bool) -> list[str]:
    lost = []
    if flag(row, "has_password") and not has_hash:
        lost.append("password without its hash")
    if flag(row, "requires_totp_mfa"):
        lost.append("second factor (TOTP)")
    if flag(row, "passkey_auth_enabled"):
        lost.append("passkey")
    if text(row, "selected_team_id"):
        lost.append("selected team")
    return lost


def write(user: UserRecord) -> dict[str, Any]:
    """The user object of a user; its addresses, and what else Stack keeps in other objects, under names of their own
    (`contact_channels`, `refresh_tokens`, `access_tokens`). First, middle and last name and telephone numbers have no
    place in it.
    """
    primary = next((one for one in user.emails if one.is_primary), None)
    written: dict[str, Any] = {
        "id": user.id,
        "display_name": user.display_name or None,
        "primary_email": primary.address if primary else None,
        "primary_email_verified": bool(primary and primary.verified),
        "primary_email_auth_enabled": bool(primary and primary.claims_sign_in),
        "contact_channels": [_channel(one) for one in user.emails],
        "profile_image_url": user.picture_url or None,
        "signed_up_at_millis": user.signed_up_at // 1_000,
        "last_active_at_millis": user.last_active_at // 1_000,
        "client_metadata": user.client_metadata,
        "client_read_only_metadata": user.client_read_only_metadata,
        "server_metadata": user.server_metadata,
        "has_password": user.has_password,
        "is_anonymous": user.is_anonymous,
        "otp_auth_enabled": bool(user.extras.get("otp_auth_enabled")),
        "restricted_by_admin": bool(user.extras.get("restricted_by_admin")),
        "oauth_providers": [_account_written(one) for one in user.accounts],
    }
    if user.created_at // 1_000 != user.signed_up_at // 1_000:
        written["created_at_millis"] = user.created_at // 1_000
    written |= {name: user.extras[name] for name in _EXTRAS if user.extras.get(name)}
    ours = {"external_id": user.external_id, "password_hash": user.password_hash}
    ours |= {"status": user.status} if user.status != "active" else {}
    return written | {name: value for name, value in ours.items() if value}


def _channel(one: EmailRecord) -> dict[str, Any]:
    return {
        "id": one.id,
        "type": "email",
        "value": one.address,
        "is_primary": one.is_primary,
        "is_verified": one.verified,
        "used_for_auth": one.claims_sign_in,
    }


def _account_written(one: AccountRecord) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": one.id,
        "provider_config_id": one.provider,
        "account_id": one.subject,
        "email": one.email or None,
        "allow_sign_in": one.allow_sign_in is not False,
        "allow_connected_accounts": one.allow_connected_accounts,
    }
    pictured = {"profile_picture_url": one.picture_url, "locale": one.locale}
    return written | {name: value for name, value in pictured.items() if value} | _tokens_written(one.tokens)


def _tokens_written(sets: Sequence[TokenSet]) -> dict[str, Any]:
    refresh = [
        _filled({"refresh_token": one.refresh_token, "scopes": list(one.scopes), "callback_uri": one.callback_uri})
        for one in sets
        if one.refresh_token
    ]
    access = [
        _filled(
            {
                "access_token": one.access_token,
                "scopes": list(one.scopes),
                "expires_at": stamp(one.expires_at),
                "id_token": one.id_token,
                "token_type": one.token_type if one.token_type != "Bearer" else "",
                "callback_uri": one.callback_uri,
            }
        )
        for one in sets
        if one.access_token
    ]
    return ({"refresh_tokens": refresh} if refresh else {}) | ({"access_tokens": access} if access else {})


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without the members that say nothing; `scopes` stays, for no scopes are an answer too."""
    return {name: value for name, value in values.items() if value or name == "scopes"}
