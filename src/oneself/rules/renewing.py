"""When a provider's token is renewed, what a failure of that means, and how others wait for it; microseconds unless a
name says otherwise.
"""

from collections.abc import Iterable
from typing import Literal

from oneself.faults import Fault, FaultCode
from oneself.rules.lifetimes import SECOND

Failure = Literal["ambiguous", "unavailable", "misconfigured"]

# After a transient failure the provider is left alone for this long, unless it says otherwise itself.
COOL_DOWN_SECONDS = 5
# During an outage an access token is handed out while it lives at least this long.
LAST_USE = 10 * SECOND

# Between two looks at a refresh that another process makes, a waiter sleeps for a part of what it has waited, within
# these bounds in seconds: it hears late by that part of the provider's own time at most, and a slow provider costs few
# looks.
_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.01, 0.1
_SLEEP_PART = 40
# Scopes that say who somebody is, or that there be a refresh token: many servers leave them out of a refresh's answer.
_SELDOM_REPEATED = frozenset({"openid", "profile", "email", "offline_access"})
_TRANSIENT = (FaultCode.PROVIDER_UNAVAILABLE, FaultCode.PROVIDER_REPLY_INVALID)


def pause(waited: int) -> float:
    """For how many seconds to sleep before the next look at another's refresh."""
    return min(max(_SHORTEST_SLEEP, waited / SECOND / _SLEEP_PART), _LONGEST_SLEEP)


def lacks(granted: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether the provider has narrowed the grant since the consent, and took something that is wanted now."""
    return bool({*wanted} - {*granted} - _SELDOM_REPEATED)


def is_lost(fault: Fault) -> bool:
    """Whether the provider may have acted on a request whose answer never reached us, or could not be read."""
    return fault.code in _TRANSIENT and fault.facts.get("sent", True) is True and "status" not in fault.facts


def failure(fault: Fault, *, single_use: bool) -> Failure:
    """The class of an outcome that is neither fresh tokens nor a dead grant (docs/decisions.md, "The vault")."""
    if fault.code is FaultCode.PROVIDER_MISCONFIGURED:
        return "misconfigured"
    return "ambiguous" if is_lost(fault) and single_use else "unavailable"


def still_serves(fault: Fault, left: int, *, keeps_access_token: bool) -> bool:
    """Whether an access token that lives for `left` is handed out because its refresh failed by `fault`."""
    # the lost answer may have ended the access token with the refresh token
    killed = is_lost(fault) and not keeps_access_token
    return fault.code in _TRANSIENT and left > LAST_USE and not killed


def later(micros: int) -> Fault:
    """What a reader is told who came while the provider is left alone, or has waited too long for another's refresh."""
    seconds = max(1, -(-micros // SECOND))
    return Fault(FaultCode.PROVIDER_UNAVAILABLE, "the provider failed a moment ago", retry_after=seconds, sent=False)
