"""When a project's key opens anything."""

from oneself.model import ProjectKey


def is_live(key: ProjectKey, now: int) -> bool:
    """Whether a key is neither revoked nor expired at `now` (microseconds)."""
    return not key.revoked_at and (not key.expires_at or key.expires_at > now)
