"""What one call to a provider may be, and what it may cost."""

from dataclasses import dataclass
from typing import Literal

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may cost: `deadline` in seconds for all of it, `size` of the body in bytes,
    `at_once` calls per host, `waiting` more that wait for a place.
    """

    deadline: float = 10.0
    size: int = 1_048_576
    at_once: int = 32
    waiting: int = 256


DEFAULT_LIMITS = Limits()
