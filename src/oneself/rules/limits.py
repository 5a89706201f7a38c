"""Whom a limit counts as one, and a meter of the running minute."""

import ipaddress
from functools import lru_cache

from oneself.rules.lifetimes import MINUTE, SECOND

# So many callers are told apart within a minute; more than that start the minute anew for all.
_MOST_KEYS = 100_000


@lru_cache(maxsize=4096)
def origin_of(address: str) -> str:
    """What a limit counts as one caller: an IPv4 address, or the /64 of an IPv6 one; any other text as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


class Meter:
    """How often something happened in the running minute, by key; held in one process, and bounded."""

    def __init__(self) -> None:
        self._minute = -1
        self._counts: dict[str, int] = {}

    def take(self, key: str, most: int, now: int) -> int:
        """Count once more; 0 where that is within `most` a minute (0: no limit), else seconds until the next one.

        `now` is in microseconds.
        """
        if not most:
            return 0
        minute = now // MINUTE
        if minute != self._minute or len(self._counts) >= _MOST_KEYS:
            self._minute, self._counts = minute, {}
        count = self._counts.get(key, 0) + 1
        if count > most:
            return max(1, ((minute + 1) * MINUTE - now) // SECOND)
        self._counts[key] = count
        return 0

    def give_back(self, key: str) -> None:
        """Count once less: what was taken turned out to be nothing that is limited."""
        if self._counts.get(key):
            self._counts[key] -= 1
