"""Every operation of this wire, in one table."""

from oneself.wire.stack import (
    connected_accounts,
    cross_domain,
    oauth,
    oauth_providers,
    passwords,
    projects,
    sessions,
    token,
    users,
)
from oneself.wire.stack.operation import API_PREFIXES, Operation, under

OPERATIONS: tuple[Operation, ...] = (
    *oauth.OPERATIONS,
    *token.OPERATIONS,
    *cross_domain.OPERATIONS,
    *oauth_providers.OPERATIONS,
    *connected_accounts.OPERATIONS,
    *passwords.OPERATIONS,
    *users.OPERATIONS,
    *sessions.OPERATIONS,
    *projects.OPERATIONS,
)


def routes() -> list[Operation]:
    """Every operation under every prefix of the API."""
    return [under(prefix, described) for prefix in API_PREFIXES for described in OPERATIONS]
