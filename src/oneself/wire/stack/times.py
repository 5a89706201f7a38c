"""Our microseconds in this wire's words: milliseconds, seconds, and the texts that dates have."""

from datetime import UTC, datetime

MICROS_PER_MILLI = 1_000
MICROS_PER_SECOND = 1_000_000


def millis(micros: int) -> int:
    """Milliseconds since 1970, rounded down."""
    return micros // MICROS_PER_MILLI


def seconds(micros: int) -> int:
    """Seconds since 1970, rounded down."""
    return micros // MICROS_PER_SECOND


def iso(at_millis: int) -> str:
    """ISO 8601 in UTC with milliseconds, as JavaScript prints dates."""
    moment = datetime.fromtimestamp(at_millis / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_millis % 1000:03d}Z"


def http_date(micros: int) -> str:
    """The date of a cookie's `Expires` (RFC 9110 section 5.6.7, IMF-fixdate)."""
    moment = datetime.fromtimestamp(micros / MICROS_PER_SECOND, UTC)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    month = _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02d} {month} {moment.year:04d} {moment:%H:%M:%S} GMT"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
