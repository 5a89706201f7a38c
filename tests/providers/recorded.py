"""The recorded replies: composed by hand from what each vendor documents, never from a server of
ours, with the profile that must come out of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from oneself.model import EmailVerdict, Profile, ProviderCredentials
from oneself.providers.registry import PROVIDERS
from oneself.providers.spec import Provider

FOLDER = Path(__file__).parent / "recordings"
CLIENT_ID = "client-of-ours"


def recording(provider: Provider) -> dict[str, Any]:
    """The recording of one provider; there must be one."""
    found: dict[str, Any] = json.loads((FOLDER / f"{provider.id}.json").read_text("utf-8"))
    return found


def accounts() -> list[Any]:
    """All recorded accounts, as (provider, account) with readable test ids."""
    return [(provider, account) for provider in PROVIDERS for account in recording(provider)["accounts"]]


def label(value: object) -> str:
    """Name a test case after the provider or the account."""
    if isinstance(value, Provider):
        return value.id
    return str(value.get("name", value)) if isinstance(value, dict) else str(value)


def entries(*kinds: str) -> list[Any]:
    """All entries of some kinds, as (provider, entry)."""
    return [
        (provider, entry) for provider in PROVIDERS for kind in kinds for entry in recording(provider).get(kind, ())
    ]


def credentials(provider: Provider, account: dict[str, Any]) -> ProviderCredentials:
    """The project's settings under which an account was recorded."""
    whole = recording(provider)
    return ProviderCredentials(
        config_id=provider.id,
        provider=provider.id,
        client_id=CLIENT_ID,
        issuer=account.get("issuer", whole.get("issuer", "")),
        tenant=account.get("tenant", ""),
        endpoints=account.get("endpoints", {}),
        options={**whole.get("options", {}), **account.get("options", {})},
        trusted_email_domains=tuple(account.get("trusted_email_domains", ())),
    )


def expected(account: dict[str, Any]) -> Profile:
    """The profile that must come out."""
    said = dict(account["profile"])
    said["email_verdict"] = EmailVerdict(said.get("email_verdict", "absent"))
    return Profile(**said)


# Every name under which some provider says whether an address is proved.
FLAGS = {
    "email_verified",
    "verified_email",
    "verified",
    "is_confirmed",
    "confirmed_at",
    "xms_edov",
    "verified_primary_email",
    "mail_ok",
}


def undone(value: Any, said: Any) -> Any:
    """A recorded answer with `said` in the place of every such flag."""
    if isinstance(value, dict):
        return {name: said if name in FLAGS else undone(inner, said) for name, inner in value.items()}
    return [undone(inner, said) for inner in value] if isinstance(value, list) else value
