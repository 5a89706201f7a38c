"""The emulated providers, one file each, and where a project must point to reach them."""

from types import MappingProxyType

from oneself.emulator.players.github import GITHUB
from oneself.emulator.players.google import GOOGLE
from oneself.emulator.players.oidc import OIDC
from oneself.emulator.players.spotify import SPOTIFY

PLAYERS = MappingProxyType({player.id: player for player in (GOOGLE, GITHUB, SPOTIFY, OIDC)})

_ALIASES = MappingProxyType({"generic_oidc": "oidc"})


def endpoints_for(provider_id: str, base_url: str) -> dict[str, str]:
    """Give the addresses of an emulated provider, named as `ProviderCredentials.endpoints` wants.

    `base_url` is where the emulator runs. `{client_id}` and the like stay templates. For generic
    OIDC set the credentials' `issuer` to `<base_url>/oidc` instead. KeyError for a provider that is
    not played.
    """
    player = PLAYERS[_ALIASES.get(provider_id, provider_id)]
    root = f"{base_url.rstrip('/')}/{player.id}"
    return {name: root + path for name, path in player.overrides.items()}
