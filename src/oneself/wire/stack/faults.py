"""Which refusal of this wire each fault of the domain becomes, by operation where the operation matters."""

from collections.abc import Mapping
from typing import Any

from oneself.faults import Fault, FaultCode
from oneself.wire.stack.catalogue import CATALOGUE
from oneself.wire.stack.refusals import Refusal, Refused, spell

Key = tuple[FaultCode, str | None]


def _known(name: str) -> Refusal:
    return CATALOGUE[name]


def _plain(status: int, text: str) -> Refusal:
    return Refusal(status, text)


_INVALID_GRANT = _plain(400, "Inner OAuth callback failed due to invalid grant. Please try again.")
_NO_PROVIDER_CONFIG = _plain(404, "OAuth provider {config_id} not found or not configured")
_NO_COOKIE = _plain(
    400,
    "Inner OAuth cookie not found. This is likely because you refreshed the page during the OAuth sign in "
    "process. Please try signing in again",
)
_LINK_GONE = _plain(400, "This link is not valid, or no longer. Ask the application for a new one.")
_UNAVAILABLE = _plain(503, "The service is temporarily unavailable. Please try again.")
_OUR_FAULT = _plain(500, "Something went wrong on our side. Please try again.")

# A row with None is for every operation that has no row of its own.
FAULTS: dict[Key, Refusal] = {
    # users and what belongs to them
    (FaultCode.USER_NOT_FOUND, None): _known("USER_NOT_FOUND"),
    (FaultCode.USER_NOT_FOUND, "sessions_create"): _known("USER_ID_DOES_NOT_EXIST"),
    (FaultCode.USER_UNAVAILABLE, None): _known("USER_NOT_FOUND"),
    (FaultCode.USER_UNAVAILABLE, "token_exchange"): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.SIGN_UP_CLOSED, None): _known("SIGN_UP_NOT_ENABLED"),
    (FaultCode.EMAIL_IN_USE, None): _known("USER_EMAIL_ALREADY_EXISTS"),
    (FaultCode.EMAIL_IN_USE, "oauth_callback"): _known("CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"),
    (FaultCode.EMAIL_IN_USE, "token_exchange"): _known("CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"),
    (FaultCode.EMAIL_UNVERIFIED, None): _known("CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"),
    (FaultCode.EMAIL_OWNER_UNVERIFIED, None): _known(
        "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE/unverified"
    ),
    (FaultCode.EMAIL_IN_USE, "contact_channels_create"): _known(
        "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
    ),
    (FaultCode.EMAIL_IN_USE, "contact_channels_update"): _known(
        "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
    ),
    (FaultCode.EMAIL_NOT_FOUND, None): _plain(404, "Contact channel not found."),
    (FaultCode.EMAIL_OWN_TWICE, None): _plain(409, "This user has this contact channel already."),
    (FaultCode.EMAIL_VERIFIED, None): _known("EMAIL_ALREADY_VERIFIED"),
    (FaultCode.EMAIL_INVALID, None): _plain(400, "The e-mail address is not valid."),
    (FaultCode.EMAIL_OWNER_UNVERIFIED, "otp_send"): _known("USER_EMAIL_ALREADY_EXISTS/unverified"),
    (FaultCode.EMAIL_OWNER_UNVERIFIED, "otp_sign_in"): _known("USER_EMAIL_ALREADY_EXISTS/unverified"),
    # mail and the codes in it
    (FaultCode.OTP_OFF, None): _plain(403, "OTP sign-in is not enabled for this project"),
    (FaultCode.MAIL_OFF, None): _plain(
        400,
        "This server sends no mail, because it has no mail server. Its operator sets one under `smtp` in its settings.",
    ),
    (FaultCode.CODE_UNKNOWN, None): _known("VERIFICATION_CODE_NOT_FOUND"),
    (FaultCode.CODE_EXPIRED, None): _known("VERIFICATION_CODE_EXPIRED"),
    (FaultCode.CODE_USED, None): _known("VERIFICATION_CODE_ALREADY_USED"),
    (FaultCode.CODE_WORN, None): _known("VERIFICATION_CODE_MAX_ATTEMPTS_REACHED"),
    (FaultCode.SECOND_FACTOR_NEEDED, None): _known("MULTI_FACTOR_AUTHENTICATION_REQUIRED"),
    (FaultCode.SECOND_FACTOR_WRONG, None): _known("INVALID_TOTP_CODE"),
    (FaultCode.PASSWORD_WRONG, None): _known("EMAIL_PASSWORD_MISMATCH"),
    (FaultCode.LIMIT_REACHED, None): _plain(429, "Too many requests. Please try again in a moment."),
    # teams
    (FaultCode.TEAM_NOT_FOUND, None): _known("TEAM_NOT_FOUND"),
    (FaultCode.TEAM_MEMBER_NOT_FOUND, None): _known("TEAM_MEMBERSHIP_NOT_FOUND"),
    (FaultCode.TEAM_MEMBER_TWICE, None): _known("TEAM_MEMBERSHIP_ALREADY_EXISTS"),
    # external accounts
    (FaultCode.ACCOUNT_NOT_FOUND, None): _plain(404, "OAuth provider {provider_id} for user {user_id} not found"),
    (FaultCode.ACCOUNT_SLOT_TAKEN, None): _plain(
        400, "The same provider type with sign-in enabled already exists for this user."
    ),
    (FaultCode.ACCOUNT_TWIN, None): _plain(
        400, "The same provider type with the same account ID already exists for this user."
    ),
    (FaultCode.ACCOUNT_OTHER, None): _plain(
        400, "Another account came back than the one that is connected. Nothing was changed."
    ),
    (FaultCode.ACCOUNT_SUBJECT_TAKEN, None): _known("OAUTH_PROVIDER_ACCOUNT_ID_ALREADY_USED_FOR_SIGN_IN"),
    (FaultCode.ACCOUNT_IN_USE, None): _known("OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER"),
    # providers
    (FaultCode.PROVIDER_UNKNOWN, None): _known("OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"),
    (FaultCode.PROVIDER_UNKNOWN, "oauth_providers_create"): _NO_PROVIDER_CONFIG,
    (FaultCode.PROVIDER_NOT_CONFIGURED, None): _known("OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"),
    (FaultCode.PROVIDER_NOT_CONFIGURED, "oauth_providers_create"): _NO_PROVIDER_CONFIG,
    (FaultCode.PROVIDER_NOT_NATIVE, None): _known("APPLE_BUNDLE_ID_NOT_CONFIGURED"),
    (FaultCode.ID_TOKEN_INVALID, None): _known("INVALID_APPLE_CREDENTIALS"),
    (FaultCode.PROVIDER_NOT_ENABLED, None): _known("OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"),
    (FaultCode.PROVIDER_DENIED, None): _known("OAUTH_PROVIDER_ACCESS_DENIED"),
    (FaultCode.PROVIDER_UNAVAILABLE, None): _known("OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"),
    (FaultCode.PROVIDER_MISCONFIGURED, None): _plain(
        400,
        "Invalid client credentials for this OAuth provider. Please ensure the configuration in the Stack Auth "
        "dashboard is correct.",
    ),
    (FaultCode.PROVIDER_GRANT_INVALID, None): _INVALID_GRANT,
    (FaultCode.PROVIDER_REPLY_INVALID, None): _known("OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"),
    (FaultCode.SHARED_SCOPES_REFUSED, None): _known("OAUTH_EXTRA_SCOPE_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS"),
    (FaultCode.SHARED_TOKENS_REFUSED, None): _known("OAUTH_ACCESS_TOKEN_NOT_AVAILABLE_WITH_SHARED_OAUTH_KEYS"),
    # one trip
    (FaultCode.CHALLENGE_INVALID, None): _plain(400, "The code challenge is not the base64url of a SHA-256 digest."),
    (FaultCode.LAST_WAY_IN, None): _plain(
        400, "This is the user's last way to sign in, and this project keeps one. Link another account first."
    ),
    (FaultCode.FLOW_UNKNOWN, None): _plain(400, "Invalid OAuth state. Please try signing in again."),
    (FaultCode.FLOW_USED, None): _plain(400, "Invalid OAuth state. Please try signing in again."),
    (FaultCode.FLOW_EXPIRED, None): _known("OUTER_OAUTH_TIMEOUT"),
    (FaultCode.FLOW_UNKNOWN, "consent_begin"): _LINK_GONE,
    (FaultCode.FLOW_EXPIRED, "consent_begin"): _LINK_GONE,
    (FaultCode.FLOW_COOKIE_MISSING, None): _NO_COOKIE,
    (FaultCode.FLOW_PROVIDER_MISMATCH, None): _INVALID_GRANT,
    (FaultCode.APP_KEY_GONE, None): _known("INVALID_PUBLISHABLE_CLIENT_KEY"),
    (FaultCode.APP_KEY_NEEDED, None): _known("PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT"),
    (FaultCode.REDIRECT_NOT_ALLOWED, None): _known("REDIRECT_URL_NOT_WHITELISTED"),
    (FaultCode.REDIRECT_INVALID, None): _known("REDIRECT_URL_NOT_WHITELISTED"),
    (FaultCode.GRANT_UNKNOWN, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.GRANT_REDIRECT_MISMATCH, None): _plain(
        400,
        "Invalid redirect URI. Your redirect URI must be the same as the one used to get the authorization code.",
    ),
    (FaultCode.VERIFIER_MISSING, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.VERIFIER_MISMATCH, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.VERIFIER_UNEXPECTED, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.VERIFIER_MALFORMED, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.ATTACH_PROOF_MISSING, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.ASKER_GONE, None): _known("INVALID_AUTHORIZATION_CODE"),
    (FaultCode.ASKER_GONE, "oauth_authorize"): _known("REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"),
    # sessions
    (FaultCode.SESSION_NOT_FOUND, None): _known("REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"),
    (FaultCode.SESSION_NOT_FOUND, "sessions_delete"): _plain(404, "Session not found."),
    (FaultCode.SESSION_NOT_FOUND, "cross_domain_authorize"): _plain(
        401, "Cross-domain auth handoff refresh token is not valid."
    ),
    (FaultCode.SESSION_FOREIGN, None): _plain(
        401, "Cross-domain auth handoff refresh token does not match the authenticated session."
    ),
    # the vault
    (FaultCode.CONNECTION_MISSING, None): _known("OAUTH_CONNECTION_NOT_CONNECTED_TO_USER"),
    (FaultCode.SCOPE_MISSING, None): _known("OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE"),
    (FaultCode.RECONNECT_NEEDED, None): _known("OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE"),
    # the ground
    (FaultCode.REQUEST_INVALID, None): _plain(400, "What the request asks for cannot be."),
    (FaultCode.PROJECT_UNKNOWN, None): _known("CURRENT_PROJECT_NOT_FOUND"),
    (FaultCode.DATABASE_UNAVAILABLE, None): _UNAVAILABLE,
    (FaultCode.DATABASE_CONTENDED, None): _UNAVAILABLE,
    (FaultCode.MASTER_KEY_MISSING, None): _OUR_FAULT,
    (FaultCode.SEAL_BROKEN, None): _OUR_FAULT,
}

_RETRY_SECONDS = 1


def refusal_for(fault: Fault, operation: str, facts: Mapping[str, Any]) -> Refused:
    """The refusal that a fault is in an operation, its words filled with facts.

    KeyError for a fault that has no row: that is a bug, and answered as one.
    """
    refusal = FAULTS.get((fault.code, operation)) or FAULTS[fault.code, None]
    refused = spell(refusal, {"contact_channel_value": facts.get("email"), "project_id": "", **facts})
    if refused.status in (429, 503):
        refused.headers.append(("retry-after", str(facts.get("retry_after") or _RETRY_SECONDS)))
    return refused
