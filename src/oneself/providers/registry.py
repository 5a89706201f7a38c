"""All providers that this server knows, by id and by the other names that people use for them."""

from types import MappingProxyType

from oneself.faults import Fault, FaultCode
from oneself.providers.apple import APPLE
from oneself.providers.bitbucket import BITBUCKET
from oneself.providers.discord import DISCORD
from oneself.providers.facebook import FACEBOOK
from oneself.providers.generic_oidc import GENERIC_OIDC
from oneself.providers.github import GITHUB
from oneself.providers.gitlab import GITLAB
from oneself.providers.google import GOOGLE
from oneself.providers.linkedin import LINKEDIN
from oneself.providers.microsoft import MICROSOFT
from oneself.providers.slack import SLACK
from oneself.providers.spec import Provider
from oneself.providers.spotify import SPOTIFY
from oneself.providers.twitch import TWITCH
from oneself.providers.x import X

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
)

ALIASES = MappingProxyType({"oidc": "generic_oidc", "twitter": "x"})

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
