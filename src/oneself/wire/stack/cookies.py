"""The cookie that binds a trip to its browser; its text is compared letter by letter, so no library writes it."""

from oneself.actions.runtime import Settings
from oneself.wire.stack.times import MICROS_PER_SECOND, http_date

BOUND = "true"


def inner_name(state: str) -> str:
    """The cookie's name for one trip."""
    return f"stack-oauth-inner-{state}"


def inner(state: str, now: int, settings: Settings) -> str:
    """The `Set-Cookie` of a trip that starts at `now` (microseconds)."""
    expires_at = now + settings.flow_seconds * MICROS_PER_SECOND
    secure = "Secure; " if settings.secure else ""
    return (
        f"{inner_name(state)}={BOUND}; Path=/; Expires={http_date(expires_at)}; "
        f"Max-Age={settings.flow_seconds}; {secure}HttpOnly"
    )


def inner_gone(state: str) -> str:
    """The `Set-Cookie` that deletes it."""
    return f"{inner_name(state)}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
