"""Password hashes: argon2id with the parameters that OWASP's password storage cheat sheet names
first.

Each call takes about 30 ms of CPU and 19 MiB and releases the GIL; the bounded pool that runs them
lives elsewhere.
"""

from collections.abc import Callable

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
_MOST_MEMORY_KIB = 262_144
_MOST_PASSES = 12
_MOST_LANES = 16

_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$b25lc2VsZi1ub2JvZHktMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A hash that no password is known to give: verified against, so that an unknown user takes as
long as a known one."""


def hash_password(password: str, random: Callable[[int], bytes]) -> str:
    """Return the encoded argon2id hash (PHC string) of `password`, with 16 bytes of salt from
    `random`.
    """
    return _HASHER.hash(_bytes(password), salt=random(16))


def verify_password(encoded: str | None, password: str) -> bool:
    """Tell whether `password` gives `encoded`; with None (no such user or password) take as long
    and say no.

    A hash that `is_acceptable` refuses matches nothing.
    """
    if encoded is not None and not is_acceptable(encoded):
        return False
    try:
        _HASHER.verify(encoded or _NOBODY, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return encoded is not None


def needs_rehash(encoded: str) -> bool:
    """Tell whether `encoded` was made with other parameters than today's (or is unreadable)."""
    try:
        return _HASHER.check_needs_rehash(encoded)
    except InvalidHashError:
        return True


def is_acceptable(encoded: str) -> bool:
    """Tell whether `encoded` is an argon2 hash of bounded cost; an imported file could ask for
    gigabytes.
    """
    try:
        found = extract_parameters(encoded)
    except (InvalidHashError, ValueError):
        return False
    return (
        0 < found.memory_cost <= _MOST_MEMORY_KIB
        and 0 < found.time_cost <= _MOST_PASSES
        and 0 < found.parallelism <= _MOST_LANES
    )


def _bytes(password: str) -> bytes:
    # A lone surrogate can arrive in JSON; it is hashed like any other character instead of raising.
    return password.encode("utf-8", "surrogatepass")
