"""What a sign-in needs and a start does not, loaded ahead of the first sign-in."""

from oneself.later import Later

_NEEDED = (Later("oneself.upstream.transport", "Transport"), Later("oneself.crypto.foreign_jwt", "verify_parts"))


def load() -> None:
    """Load what makes calls and what reads id_tokens, so that nobody has to wait for it; any thread may."""
    for one in _NEEDED:
        one.get()
