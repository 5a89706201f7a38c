"""Operations that cannot do one of the two things that the property-based run asks of each, and why."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fuzz.described import Dialect

Named = Mapping[tuple[Dialect, str], str]

_NO_SUCH_FACTOR = "no factor of this kind can be made here, so there is none to delete"
_NO_SUCH_PRODUCT = "the product behind it is not part of this server"

NEVER_SUCCEEDS: Named = {
    ("stytch", "users_delete_webauthn_registration"): _NO_SUCH_FACTOR,
    ("stytch", "users_delete_biometric_registration"): _NO_SUCH_FACTOR,
    ("stytch", "users_delete_totp"): _NO_SUCH_FACTOR,
    ("stytch", "users_delete_crypto_wallet"): _NO_SUCH_FACTOR,
    ("stytch", "sdk_users_delete_webauthn_registration"): _NO_SUCH_FACTOR,
    ("stytch", "sdk_users_delete_biometric_registration"): _NO_SUCH_FACTOR,
    ("stytch", "sdk_users_delete_totp"): _NO_SUCH_FACTOR,
    ("stytch", "sdk_users_delete_crypto_wallet"): _NO_SUCH_FACTOR,
    ("stytch", "users_revoke_connected_app"): _NO_SUCH_PRODUCT,
    ("stytch", "sdk_users_revoke_connected_app"): _NO_SUCH_PRODUCT,
    ("stytch", "sessions_exchange_access_token"): _NO_SUCH_PRODUCT,
    ("stytch", "sessions_attest"): _NO_SUCH_PRODUCT,
    ("stytch", "sdk_sessions_exchange_access_token"): _NO_SUCH_PRODUCT,
    ("stytch", "sdk_sessions_attest"): _NO_SUCH_PRODUCT,
}

_FOR_ANYBODY = "whoever may ask gets it: it is about nothing that could be missing"
NEVER_REFUSES: Named = {
    ("stytch", "errors"): "a page for developers that explains the refusals",
    ("stytch", "sdk_events"): "telemetry is taken and dropped, whatever it is",
    ("stytch", "oauth_callback_form"): "it only relays; what the answer is worth is found out by the GET behind it",
    ("stack", "oauth_callback_form"): "it only relays; what the answer is worth is found out by the GET behind it",
    ("stack", "passwords_anonymous"): "only a project that takes no new people refuses it",
    ("stack", "projects_current"): _FOR_ANYBODY,
    ("stack", "internal_projects_read_current"): _FOR_ANYBODY,
    ("stack", "config_overrides_configuration"): _FOR_ANYBODY,
    ("stack", "config_overrides_read"): _FOR_ANYBODY,
    ("stack", "api_keys_listing"): _FOR_ANYBODY,
    ("stack", "api_keys_create"): "any set of keys may be made, an expired or an empty one too",
}

# Whatever is wrong with what they relay, they relay it.
RELAY_ANYTHING = {("stack", "oauth_callback_form")}
