"""The nouns of the domain in this wire's JSON."""

from collections.abc import Iterable
from typing import Any

from oneself.model import ExternalAccount, Project, ProviderCredentials, Session, Team, UserView
from oneself.wire.stack import restriction
from oneself.wire.stack.times import millis

Json = dict[str, Any]


def config_entry(project: Project, config_id: str) -> ProviderCredentials | None:
    """The project's provider entry of that id."""
    for entry in project.config.providers:
        if entry.config_id == config_id:
            return entry
    return None


def provider_type(project: Project, account: ExternalAccount) -> str:
    """Which provider an account is of: what the config entry says, or the id itself once the entry is gone.

    Empty where neither tells.
    """
    entry = config_entry(project, account.config_id)
    if entry is not None:
        return entry.provider
    return account.provider if account.provider == account.config_id else ""


def oauth_provider(project: Project, account: ExternalAccount, access: str) -> Json:
    """A linked account; clients do not see the provider's id of it."""
    shown: Json = {
        "user_id": account.user_id,
        "id": account.id,
        "provider_config_id": account.config_id,
        "type": provider_type(project, account),
        "allow_sign_in": account.allow_sign_in,
        "allow_connected_accounts": account.allow_connected_accounts,
    }
    if account.email:
        shown["email"] = account.email
    if access != "client":
        shown["account_id"] = account.subject
    return shown


def user(project: Project, view: UserView, access: str, team: Json | None = None) -> Json:
    """A user; `team` is the selected one, already rendered for the same access."""
    found, extras = view.user, view.user.extras
    primary = view.primary_email
    why = restriction.reason(project, view)
    otp = bool(extras.get("otp_auth_enabled"))
    shown: Json = {
        "id": found.id,
        "primary_email": primary.address if primary else None,
        "primary_email_verified": bool(primary and primary.verified_at),
        "display_name": found.display_name or None,
        "client_metadata": found.client_metadata,
        "client_read_only_metadata": found.client_read_only_metadata,
        "profile_image_url": found.picture_url or None,
        "signed_up_at_millis": millis(found.signed_up_at),
        "has_password": bool(found.password_hash),
        "auth_with_email": bool(found.password_hash) or otp,
        "oauth_providers": [
            {"id": row.config_id, "account_id": row.subject, "email": row.email or None} for row in view.accounts
        ],
        "selected_team_id": extras.get("selected_team_id") if team else None,
        "selected_team": team,
        "requires_totp_mfa": bool(extras.get("totp")),
        "otp_auth_enabled": otp,
        "passkey_auth_enabled": False,
        "is_anonymous": found.is_anonymous,
        "is_restricted": bool(why),
        "restricted_reason": {"type": why} if why else None,
        "restricted_by_admin": bool(extras.get("restricted_by_admin")),
        "restricted_by_admin_reason": extras.get("restricted_by_admin_reason"),
    }
    if access != "client":
        shown |= {
            "primary_email_auth_enabled": bool(primary and primary.claims_sign_in),
            "server_metadata": found.server_metadata,
            "last_active_at_millis": millis(found.last_active_at),
            "restricted_by_admin_private_details": extras.get("restricted_by_admin_private_details"),
            "country_code": None,
            "risk_scores": {"sign_up": {"bot": 0, "free_trial_abuse": 0}},
        }
    return shown


def team(found: Team, access: str) -> Json:
    """A team; clients do not see what servers keep about it."""
    shown: Json = {
        "id": found.id,
        "display_name": found.display_name,
        "profile_image_url": found.picture_url or None,
        "client_metadata": found.client_metadata,
        "client_read_only_metadata": found.client_read_only_metadata,
    }
    if access != "client":
        shown |= {"created_at_millis": millis(found.created_at), "server_metadata": found.server_metadata}
    return shown


def sessions(rows: Iterable[Session], access: str, current_id: str) -> list[Json]:
    """Sessions, in their order; those of impersonators are for admins alone."""
    return [
        {
            "id": row.id,
            "user_id": row.user_id,
            "created_at": millis(row.started_at),
            "last_used_at": millis(row.last_accessed_at),
            "is_impersonation": row.is_impersonation,
            "is_current_session": row.id == current_id,
        }
        for row in rows
        if access == "admin" or not row.is_impersonation
    ]
