"""Which refusals each operation can answer with, for its description; the tests hold what is seen against it."""

from collections.abc import Iterator

from oneself.wire.http import Route
from oneself.wire.stytch.access import ANYBODY, BACKEND, SIGNED_IN
from oneself.wire.stytch.faults import FAULTS
from oneself.wire.stytch.refusals import WIRE

_EVERYWHERE = ("internal_server_error", "server_unavailable", "request_too_large")
_BODY = ("bad_request", "invalid_argument")
_KEYS = {
    BACKEND: (
        "invalid_authorization_header",
        "invalid_project_id_authentication",
        "invalid_secret_authentication",
        "unauthorized_credentials",
    ),
    ANYBODY: (),
}
_BROWSER = ("invalid_authorization_header", "unauthorized_credentials", "bad_domain_for_stytch_sdk")

_USER = ("invalid_user_id", "user_not_found")
_TOKEN = ("invalid_session_token",)
_JWT = ("unable_to_parse_session_jwt", "jwt_invalid_audience", "jwt_invalid_issuer", "jwt_invalid_claims")
_LIFE = ("invalid_session_duration_minutes", "custom_claims_too_large", "stytch_claims_in_custom_claims")
_METADATA = ("metadata_too_large", "metadata_too_many_keys")
_NAMED = ("invalid_user_external_id", "duplicate_user_external_id", "invalid_rbac_role_assignment")
_CONFIG = ("invalid_oauth_provider", "oauth_config_not_found", "apple_oauth_config_not_found")
_NOT_HERE = ("product_not_configured",)
_LAST = ("cannot_delete_last_primary_factor",)

# What the linking law and the provider can say at the end of a trip.
_LAW = (
    *("oauth_registration_in_use", "duplicate_email", "oauth_unverified_email", "sign_up_closed"),
    *("user_locked", "oauth_config_not_found", "invalid_oauth_attach_token"),
)
_REDEEM = (
    *("oauth_token_not_found", "pkce_expected_code_verifier", "pkce_mismatch", "invalid_pkce_code_verifier"),
    *("pkce_did_not_expect_code_verifier", "oauth_attach_proof_required", *_LAW),
)

_OF: dict[str, tuple[str, ...]] = {
    "oauth_attach": (
        *("no_user_selection_arguments", "too_many_user_selection_arguments", "session_not_found"),
        *(*_USER, *_TOKEN, *_JWT, *_CONFIG),
    ),
    "oauth_authenticate": ("too_many_session_arguments", *_TOKEN, *_JWT, *_LIFE, *_REDEEM, "session_not_found"),
    "oauth_start": (
        *("bad_request", "public_token_required", "public_token_not_found", "no_match_for_provided_oauth_url"),
        *("invalid_login_redirect_url", "invalid_signup_redirect_url", "invalid_pkce_code_challenge"),
        *("no_login_redirect_urls_set", "no_signup_redirect_urls_set", "invalid_oauth_attach_token"),
        *("no_default_login_redirect_url_set", "no_default_signup_redirect_url_set"),
        *("default_provider_not_allowed", "too_many_requests", *_CONFIG),
        *("oauth_token_exchange_invalid_client", "unable_to_authorize_oauth_provider"),
    ),
    "oauth_callback": (
        *("bad_request", "route_not_found", "oauth_invalid_state", "oauth_state_mismatch", "oauth_state_used"),
        *("expired_oauth_response", "oauth_invalid_callback_request", "oauth_flow_callback_error"),
        *("oauth_auth_code_error", "oauth_token_exchange_invalid_client", "unable_to_authorize_oauth_provider"),
        *_LAW,
    ),
    "oauth_callback_form": ("bad_request", "route_not_found"),
    "users_create": (
        *("invalid_create_user_request", "invalid_email", "duplicate_email", "invalid_phone_number"),
        *("duplicate_phone_number", *_NAMED, *_METADATA),
    ),
    "users_search": (*(name for name in WIRE if name.startswith("user_search_")),),
    "users_get": _USER,
    "users_update": (*_USER, *_NAMED, *_METADATA),
    "users_delete": _USER,
    "users_delete_oauth_registration": (
        *("invalid_oauth_user_registration_id", "oauth_user_registration_not_found", "user_not_found"),
        *_LAST,
    ),
    "users_delete_email": ("invalid_email_id", "email_not_found", "user_not_found", *_LAST),
    "users_delete_phone_number": ("invalid_id", "phone_number_not_found", "user_not_found", *_LAST),
    "users_delete_password": ("invalid_id", "password_not_found"),
    "users_delete_webauthn_registration": ("invalid_id", "webauthn_registration_not_found"),
    "users_delete_biometric_registration": ("invalid_id", "biometric_registration_not_found"),
    "users_delete_totp": ("invalid_id", "totp_not_found"),
    "users_delete_crypto_wallet": ("invalid_id", "crypto_wallet_not_found"),
    "users_exchange_primary_factor": (
        *("invalid_exchange_primary_factor_fields", "invalid_exchange_primary_factor_user", "invalid_email"),
        *("duplicate_email", "invalid_phone_number", "duplicate_phone_number", *_USER),
    ),
    "users_delete_external_id": _USER,
    "users_connected_apps": _USER,
    "users_revoke_connected_app": (*_USER, "connected_app_not_found"),
    "sessions_get": _USER,
    "sessions_authenticate": (
        *("no_session_arguments", "too_many_session_arguments", "session_not_found"),
        *("consumer_session_authorization_error", *_TOKEN, *_JWT, *_LIFE),
    ),
    "sessions_revoke": (
        *("no_session_revoke_arguments", "too_many_session_revoke_arguments", "session_not_found"),
        *("invalid_session_id", *_TOKEN, *_JWT),
    ),
    "sessions_migrate": (
        *("unable_to_authorize_oauth_provider", "oauth_token_exchange_invalid_client", "default_provider_not_allowed"),
        *(*_NOT_HERE, *_TOKEN, *_LIFE, *_LAW),
    ),
    "sessions_exchange_access_token": _NOT_HERE,
    "sessions_attest": _NOT_HERE,
    "sdk_sessions_exchange_access_token": _NOT_HERE,
    "sdk_sessions_attest": _NOT_HERE,
    "passwords_create": (
        *("weak_password", "invalid_email", "duplicate_email", "too_many_requests"),
        *(*_NOT_HERE, *_NAMED, *_METADATA, *_LIFE),
    ),
    "passwords_authenticate": ("unauthorized_credentials", "user_locked", "too_many_requests", *_NOT_HERE, *_LIFE),
    "sessions_jwks": ("project_not_found",),
    "sdk_bootstrap": ("public_token_not_found",),
    "sdk_oauth_attach": _CONFIG,
    "sdk_oauth_authenticate": (*_TOKEN, *_LIFE, *_REDEEM, "session_not_found"),
    "sdk_oauth_google_id_token_authenticate": (
        *("oauth_invalid_id_token", "unable_to_authorize_oauth_provider", "oauth_attach_proof_required"),
        *(*_TOKEN, *_LIFE, *_LAW, "session_not_found", "default_provider_not_allowed"),
        *("oauth_token_exchange_invalid_client", "oauth_flow_callback_error"),
    ),
    "sdk_sessions_authenticate": _LIFE,
    "sdk_users_update_me": ("cannot_update_trusted_metadata", "user_not_found", *_METADATA),
    "sdk_users_delete_oauth_registration": (
        *("invalid_oauth_user_registration_id", "oauth_user_registration_not_found", *_LAST),
    ),
    "sdk_users_delete_email": ("invalid_email_id", "email_not_found", *_LAST),
    "sdk_users_delete_phone_number": ("invalid_id", "phone_number_not_found", *_LAST),
    "sdk_users_delete_webauthn_registration": ("invalid_id", "webauthn_registration_not_found"),
    "sdk_users_delete_biometric_registration": ("invalid_id", "biometric_registration_not_found"),
    "sdk_users_delete_totp": ("invalid_id", "totp_not_found"),
    "sdk_users_delete_crypto_wallet": ("invalid_id", "crypto_wallet_not_found"),
    "sdk_users_revoke_connected_app": ("connected_app_not_found",),
}

_STATUS = {row.error_type: row.status for row in (*WIRE.values(), *FAULTS.values())}


def refusals(route: Route) -> Iterator[tuple[int, str]]:
    """Give status and type of every refusal that a route can answer with."""
    names = [*_EVERYWHERE, *_KEYS.get(route.access, _BROWSER), *_OF.get(route.operation, ())]
    if route.access == SIGNED_IN:
        names += ["user_unauthenticated", "session_not_found", *_TOKEN]
    if route.body is not None:
        names += _BODY
    for name in dict.fromkeys(names):
        yield _STATUS[name], name
