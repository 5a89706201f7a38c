"""What is stored of a trip's secrets: a hash each, under a label of its own."""

from oneself.crypto import opaque


def ticket_hash(ticket: str) -> bytes:
    """The hash of an attach ticket."""
    return opaque.secret_hash("ticket", ticket)


def state_hash(state: str) -> bytes:
    """The hash of a state."""
    return opaque.secret_hash("state", state)


def cookie_hash(cookie: str) -> bytes:
    """The hash of the cookie that binds a trip to its browser; nothing for no cookie."""
    return opaque.secret_hash("cookie", cookie) if cookie else b""


def grant_hash(grant: str) -> bytes:
    """The hash of a grant."""
    return opaque.secret_hash("grant", grant)
