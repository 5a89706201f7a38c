"""Turns the domain's nouns into this dialect's objects."""

from typing import Any

from oneself.model import (
    EmailAddress,
    ExternalAccount,
    Factor,
    PhoneNumber,
    Project,
    Session,
    TokenSet,
    UserView,
)
from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import (
    AttributesBody,
    EmailBody,
    KeyBody,
    NameBody,
    PasswordBody,
    PhoneBody,
    ProviderBody,
    ProviderValues,
    SessionBody,
    UserBody,
)
from oneself.wire.stytch.times import stamp
from oneself.wire.stytch.wording import WORDINGS, provider_type

DEFAULT_ROLES = ("stytch_user",)
"""What every user is; this server has no other roles in this dialect."""


def user_body(project: Project, view: UserView) -> UserBody:
    """Return a user with all that belongs to them."""
    return UserBody(**user_members(project, view))


def user_members(project: Project, view: UserView) -> dict[str, Any]:
    """Return a user's members, for an answer that holds them at its top level."""
    user = view.user
    return {
        "user_id": ids.make("user", project, user.id),
        "status": "pending" if user.status == "pending" else "active",
        "name": NameBody(user.first_name, user.middle_name, user.last_name),
        "emails": [email_body(project, email) for email in view.emails],
        "phone_numbers": [phone_body(project, phone) for phone in view.phones],
        "providers": [provider_body(project, account) for account in view.accounts if account.allow_sign_in],
        "password": (
            PasswordBody(ids.make(ids.PASSWORD.prefix, project, user.id), requires_reset=False)
            if user.password_hash
            else None
        ),
        "trusted_metadata": user.server_metadata or {},
        "untrusted_metadata": user.client_metadata or {},
        "created_at": stamp(user.created_at),
        "external_id": user.external_id or None,
        "is_locked": user.status == "disabled",
        "roles": list(DEFAULT_ROLES),
    }


def email_body(project: Project, email: EmailAddress) -> EmailBody:
    """Return one address of a user."""
    return EmailBody(ids.make("email", project, email.id), email.address, verified=email.verified_at > 0)


def phone_body(project: Project, phone: PhoneNumber) -> PhoneBody:
    """Return one telephone number of a user."""
    return PhoneBody(ids.make("phone-number", project, phone.id), phone.number, verified=phone.verified_at > 0)


def provider_body(project: Project, account: ExternalAccount) -> ProviderBody:
    """Return one linked account of a user."""
    return ProviderBody(
        provider_type=provider_type(account.provider, account.config_id),
        provider_subject=account.subject,
        profile_picture_url=account.picture_url,
        locale=account.locale,
        oauth_user_registration_id=ids.make("oauth-user", project, account.id),
    )


def session_body(project: Project, session: Session, view: UserView | None) -> SessionBody:
    """Return a session; `view` is its user, whose addresses some factors name."""
    return SessionBody(
        session_id=ids.make("session", project, session.id),
        user_id=ids.make("user", project, session.user_id),
        started_at=stamp(session.started_at),
        last_accessed_at=stamp(session.last_accessed_at),
        expires_at=stamp(session.expires_at),
        attributes=AttributesBody(session.ip_address, session.user_agent),
        authentication_factors=[factor_body(project, factor, session, view) for factor in session.factors],
        custom_claims=session.custom_claims,
        roles=list(DEFAULT_ROLES),
    )


def factor_body(project: Project, factor: Factor, session: Session, view: UserView | None) -> dict[str, Any]:
    """Return one factor of a session; its `type` and `delivery_method` are closed lists there."""
    kind, method, detail = _factor_words(project, factor, session, view)
    return {
        "type": kind,
        "delivery_method": method,
        "created_at": stamp(factor.created_at),
        "updated_at": stamp(factor.updated_at),
        "last_authenticated_at": stamp(factor.last_authenticated_at),
        **detail,
    }


def _factor_words(
    project: Project, factor: Factor, session: Session, view: UserView | None
) -> tuple[str, str, dict[str, Any]]:
    if factor.kind == "oauth":
        return _oauth_words(project, factor)
    if factor.kind == "password":
        return "password", "knowledge", {}
    if factor.kind == "email_otp":
        return "otp", "email", {"email_factor": _email_factor(project, factor, view)}
    if factor.kind == "impersonation":
        return "impersonated", "impersonation", {}
    # Opened by a backend or for an anonymous user: nothing outside was proved.
    token = {"token_id": ids.make("session", project, session.id)}
    return "trusted_auth_token", "trusted_token_exchange", {"trusted_auth_token_factor": token}


def _oauth_words(project: Project, factor: Factor) -> tuple[str, str, dict[str, Any]]:
    registration = ids.make("oauth-user", project, factor.account_id)
    wording = WORDINGS.get(factor.provider)
    if wording is None:
        # A provider that the dialect cannot name: every model knows this shape of a foreign one.
        detail = {
            "id": registration,
            "provider_id": factor.provider,
            "external_id": factor.subject,
        }
        return "sso", "sso_oidc", {"oidc_sso_factor": detail}
    detail = {
        "id": registration,
        "provider_subject": factor.subject,
        "email_id": ids.make("email", project, factor.email_id) if factor.email_id else "",
    }
    return "oauth", wording.delivery_method, dict.fromkeys(wording.factor_keys, detail)


def _email_factor(project: Project, factor: Factor, view: UserView | None) -> dict[str, str]:
    emails = view.emails if view is not None else ()
    address = next((email.address for email in emails if email.id == factor.email_id), "")
    return {
        "email_id": ids.make("email", project, factor.email_id) if factor.email_id else "",
        "email_address": address,
    }


def provider_values(tokens: TokenSet) -> ProviderValues:
    """Return the provider's own tokens, with empty texts for what it did not give."""
    return ProviderValues(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        id_token=tokens.id_token,
        scopes=list(tokens.scopes),
        expires_at=stamp(tokens.expires_at) if tokens.expires_at else None,
    )


def key_body(key: dict[str, Any]) -> KeyBody:
    """Return one public RSA key with the nine members that strict models ask for."""
    return KeyBody(
        kty="RSA",
        use="sig",
        key_ops=["verify"],
        alg="RS256",
        kid=str(key["kid"]),
        n=str(key["n"]),
        e=str(key["e"]),
    )
