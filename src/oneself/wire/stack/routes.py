"""Every operation of this wire, in one table."""

from oneself.wire.stack import connected_accounts, oauth, oauth_providers, projects, sessions, token, users
from oneself.wire.stack.operation import API_PREFIXES, Operation, under

OPERATIONS: tuple[Operation, ...] = (
    *oauth.OPERATIONS,
    *token.OPERATIONS,
    *oauth_providers.OPERATIONS,
    *connected_accounts.OPERATIONS,
    *users.OPERATIONS,
    *sessions.OPERATIONS,
    *projects.OPERATIONS,
)


def routes() -> list[Operation]:
    """Every operation under every prefix of the API."""
    return [under(prefix, described) for prefix in API_PREFIXES for described in OPERATIONS]
