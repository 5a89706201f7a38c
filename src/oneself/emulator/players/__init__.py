"""The emulated providers, one file each, and where a project must point to reach them."""

from types import MappingProxyType

from oneself.emulator.players.amazon import AMAZON
from oneself.emulator.players.apple import APPLE
from oneself.emulator.players.bitbucket import BITBUCKET
from oneself.emulator.players.coinbase import COINBASE
from oneself.emulator.players.discord import DISCORD
from oneself.emulator.players.facebook import FACEBOOK
from oneself.emulator.players.figma import FIGMA
from oneself.emulator.players.github import GITHUB
from oneself.emulator.players.gitlab import GITLAB
from oneself.emulator.players.google import GOOGLE
from oneself.emulator.players.hubspot import HUBSPOT
from oneself.emulator.players.linkedin import LINKEDIN
from oneself.emulator.players.microsoft import MICROSOFT
from oneself.emulator.players.mock import MOCK
from oneself.emulator.players.oauth2 import OAUTH2
from oneself.emulator.players.oidc import OIDC
from oneself.emulator.players.salesforce import SALESFORCE
from oneself.emulator.players.slack import SLACK
from oneself.emulator.players.snapchat import SNAPCHAT
from oneself.emulator.players.spotify import SPOTIFY
from oneself.emulator.players.tiktok import TIKTOK
from oneself.emulator.players.twitch import TWITCH
from oneself.emulator.players.x import X
from oneself.emulator.players.yahoo import YAHOO

_ALL = (
    *(GOOGLE, GITHUB, MICROSOFT, SPOTIFY, FACEBOOK, DISCORD, GITLAB, BITBUCKET, LINKEDIN, APPLE, X),
    *(TWITCH, AMAZON, COINBASE, FIGMA, SALESFORCE, SLACK, SNAPCHAT, TIKTOK, YAHOO, HUBSPOT, OIDC, OAUTH2, MOCK),
)
PLAYERS = MappingProxyType({player.id: player for player in _ALL})

ALIASES = MappingProxyType({"generic_oidc": "oidc", "generic_oauth2": "oauth2", "twitter": "x"})


def endpoints_for(provider_id: str, base_url: str) -> dict[str, str]:
    """Give the addresses of an emulated provider, named as `ProviderCredentials.endpoints` wants.

    `base_url` is where the emulator runs. `{client_id}`, `{tenant}` and the like stay templates.
    For generic OIDC set the credentials' `issuer` to `<base_url>/oidc` instead. KeyError for a
    provider that is not played.
    """
    player = PLAYERS[ALIASES.get(provider_id, provider_id)]
    root = f"{base_url.rstrip('/')}/{player.id}"
    return {name: root + path for name, path in player.overrides.items()}
