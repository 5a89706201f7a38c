"""What came back from one outbound call: status, type, bytes, and when to come again."""

import contextlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER = 86_400


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What a provider answered: never shown, because bodies carry tokens."""

    status: int
    content_type: str
    body: bytes
    retry_after: int | None = None

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes)"

    @property
    def ok(self) -> bool:
        """Say whether the status is one of success."""
        return 200 <= self.status < 300


def retry_after(value: str, now: int) -> int | None:
    """Read Retry-After (RFC 9110 10.2.3) as whole seconds from `now` (microseconds), bounded."""
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), MAX_RETRY_AFTER)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        seconds = parsedate_to_datetime(value).timestamp() - now / 1_000_000
        return min(max(int(seconds) + 1, 0), MAX_RETRY_AFTER)
    return None
