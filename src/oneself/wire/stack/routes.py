"""Every operation of this wire, in one table."""

from oneself.wire.stack import (
    api_keys,
    config_overrides,
    connected_accounts,
    consent,
    contact_channels,
    cross_domain,
    internal_projects,
    mfa,
    native,
    oauth,
    oauth_providers,
    otp,
    passwords,
    projects,
    sessions,
    teams,
    token,
    users,
)
from oneself.wire.stack.operation import API_PREFIXES, Operation, under

OPERATIONS: tuple[Operation, ...] = (
    *oauth.OPERATIONS,
    *consent.OPERATIONS,
    *native.OPERATIONS,
    *token.OPERATIONS,
    *cross_domain.OPERATIONS,
    *oauth_providers.OPERATIONS,
    *connected_accounts.OPERATIONS,
    *passwords.OPERATIONS,
    *otp.OPERATIONS,
    *mfa.OPERATIONS,
    *users.OPERATIONS,
    *contact_channels.OPERATIONS,
    *teams.OPERATIONS,
    *sessions.OPERATIONS,
    *projects.OPERATIONS,
    *internal_projects.OPERATIONS,
    *config_overrides.OPERATIONS,
    *api_keys.OPERATIONS,
)


def routes() -> list[Operation]:
    """Every operation under every prefix of the API."""
    return [under(prefix, described) for prefix in API_PREFIXES for described in OPERATIONS]
