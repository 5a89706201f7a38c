"""All providers that this server knows, by id and by the other names that people use for them."""

from types import MappingProxyType

from oneself.faults import Fault, FaultCode
from oneself.providers.amazon import AMAZON
from oneself.providers.apple import APPLE
from oneself.providers.bitbucket import BITBUCKET
from oneself.providers.coinbase import COINBASE
from oneself.providers.discord import DISCORD
from oneself.providers.facebook import FACEBOOK
from oneself.providers.figma import FIGMA
from oneself.providers.generic_oauth2 import GENERIC_OAUTH2
from oneself.providers.generic_oidc import GENERIC_OIDC
from oneself.providers.github import GITHUB
from oneself.providers.gitlab import GITLAB
from oneself.providers.google import GOOGLE
from oneself.providers.hubspot import HUBSPOT
from oneself.providers.linkedin import LINKEDIN
from oneself.providers.microsoft import MICROSOFT
from oneself.providers.salesforce import SALESFORCE
from oneself.providers.slack import SLACK
from oneself.providers.snapchat import SNAPCHAT
from oneself.providers.spec import Provider
from oneself.providers.spotify import SPOTIFY
from oneself.providers.tiktok import TIKTOK
from oneself.providers.twitch import TWITCH
from oneself.providers.x import X
from oneself.providers.yahoo import YAHOO

PROVIDERS: tuple[Provider, ...] = (
    GOOGLE,
    GITHUB,
    SPOTIFY,
    GENERIC_OIDC,
    MICROSOFT,
    APPLE,
    FACEBOOK,
    DISCORD,
    GITLAB,
    LINKEDIN,
    SLACK,
    X,
    TWITCH,
    BITBUCKET,
    AMAZON,
    COINBASE,
    FIGMA,
    SALESFORCE,
    SNAPCHAT,
    TIKTOK,
    YAHOO,
    HUBSPOT,
    GENERIC_OAUTH2,
)

ALIASES = MappingProxyType({"oidc": "generic_oidc", "oauth2": "generic_oauth2", "twitter": "x"})

_BY_ID = MappingProxyType({provider.id: provider for provider in PROVIDERS})


def find(name: str) -> Provider | None:
    """Give the provider with this id or alias (exact, lower case), or None."""
    return _BY_ID.get(ALIASES.get(name, name))


def get(name: str) -> Provider:
    """Give the provider with this id or alias. Raises `provider_unknown`."""
    provider = find(name)
    if provider is None:
        raise Fault(FaultCode.PROVIDER_UNKNOWN, "no provider has this id")
    return provider
