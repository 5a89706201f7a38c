"""What this wire asks of each provider, and where the provider's answer comes back."""

from typing import Any

from oneself.model import ProviderCredentials

# What the original asks of each provider for itself; a provider that is not named is asked what its own facts say.
_BASE_SCOPES: dict[str, tuple[str, ...]] = {
    "google": ("openid", "email", "profile"),
    "github": ("user:email",),
    "spotify": ("user-read-email", "user-read-private"),
    "microsoft": ("User.Read", "openid"),
    "facebook": ("public_profile", "email"),
    "apple": ("name", "email"),
}
_AUTHORIZE_PARAMS = {"access_type": "offline", "prompt": "consent"}
_EXTRA_PARAMS: dict[str, dict[str, str]] = {"google": {"include_granted_scopes": "true"}}


def asked_of(entry: ProviderCredentials, base_url: str) -> dict[str, Any]:
    """What every start of this wire says of a provider, as fields of a start's request."""
    return {
        "dialect": "stack",
        "config_id": entry.config_id,
        "callback_url": base_url + callback_path(entry.config_id),
        "base_scopes": None if entry.shared else _BASE_SCOPES.get(entry.provider),
        "authorize_params": _AUTHORIZE_PARAMS | _EXTRA_PARAMS.get(entry.provider, {}),
        # The original sends none to the providers that it shares, and the address is compared.
        "nonce": not entry.shared,
    }


def callback_path(config_id: str) -> str:
    """The path that a provider sends browsers back to."""
    return f"/api/v1/auth/oauth/callback/{config_id}"
