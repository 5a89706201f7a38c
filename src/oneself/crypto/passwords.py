"""Password hashes: argon2id with the parameters that OWASP's password storage cheat sheet names first, and what other
systems made of passwords before, until its owner signs in.

A hash of ours takes about 30 ms of CPU and 19 MiB, and each call releases the GIL; the bounded pool that runs them
lives elsewhere.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from oneself.crypto.foreign_hashes import (
    bcrypt_matches,
    bcrypt_objection,
    phc_bytes,
    scrypt_matches,
    scrypt_objection,
)

_PASSES, _MEMORY_KIB, _HASH_BYTES, _SALT_BYTES = 2, 19_456, 32, 16
_HASHER = PasswordHasher(
    time_cost=_PASSES,
    memory_cost=_MEMORY_KIB,
    parallelism=1,
    hash_len=_HASH_BYTES,
    salt_len=_SALT_BYTES,
    type=Type.ID,
)
_MOST_MEMORY_KIB = 262_144
_MOST_PASSES = 12
_MOST_LANES = 16

# Versions are 1.0 and 1.3; the first one used to go without saying.
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)(?:\$v=(16|19))?\$m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{16,128})"
)

_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$b25lc2VsZi1ub2JvZHktMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A hash that no password is known to give: verified against, so that an unknown user takes as
long as a known one."""


def hash_password(password: str, random: Callable[[int], bytes]) -> str:
    """Return the encoded argon2id hash (PHC string) of `password`, with 16 bytes of salt from
    `random`.
    """
    return _HASHER.hash(_bytes(password), salt=random(_SALT_BYTES))


def verify_password(encoded: str | None, password: str) -> bool:
    """Tell whether `password` gives `encoded`; with None (no such user or password) take as long as
    a hash of ours does, and say no. A hash of another kind takes as long as it takes.

    A hash to which there is an `objection` matches nothing.
    """
    if encoded is None:
        _argon2_matches(_NOBODY, _bytes(password))
        return False
    kind = kind_of(encoded)
    if not kind or _OBJECTIONS[kind](encoded):
        return False
    return _MATCHES[kind](encoded, _bytes(password))


def needs_rehash(encoded: str) -> bool:
    """Tell whether a guess at `encoded` costs less than one at today's hashes: other kinds, older versions, less memory
    or work, less salt, a shorter hash. What costs more than today's is none.
    """
    found = _ARGON2.fullmatch(encoded)
    if found is None or kind_of(encoded) != "argon2id" or found[1] != "19":
        return True
    memory, passes, salt, hashed = int(found[2]), int(found[3]), phc_bytes(found[5]), phc_bytes(found[6])
    if salt is None or hashed is None or len(salt) < _SALT_BYTES or len(hashed) < _HASH_BYTES:
        return True
    return memory < _MEMORY_KIB or memory * passes < _MEMORY_KIB * _PASSES


def kind_of(encoded: str) -> str:
    """The kind of a hash by what it begins with: argon2id, argon2i, argon2d, bcrypt or scrypt; empty for all others."""
    return next((kind for prefix, kind in _PREFIXES.items() if encoded.startswith(prefix)), "")


def objection(encoded: str) -> str:
    """Why a hash of a known kind is not taken, as what is said of it after "its password hash"; empty where it is.

    A file that comes from outside could ask for gigabytes, or for minutes.
    """
    kind = kind_of(encoded)
    return _OBJECTIONS[kind](encoded) if kind else "is of no kind that is verified here"


def _argon2_objection(encoded: str) -> str:
    found = _ARGON2.fullmatch(encoded)
    if found is None or phc_bytes(found[5]) is None or phc_bytes(found[6]) is None:
        return "is cut off or misspelt"
    memory, passes, lanes = (int(found[place]) for place in (2, 3, 4))
    if memory > _MOST_MEMORY_KIB or passes > _MOST_PASSES or lanes > _MOST_LANES:
        most = f"{_MOST_MEMORY_KIB >> 10} MiB, {_MOST_PASSES} passes or {_MOST_LANES} lanes"
        return f"has argon2 parameters that ask for more than {most}"
    return "has argon2 parameters that RFC 9106 does not allow" if memory < 8 * lanes else ""


def _argon2_matches(encoded: str, password: bytes) -> bool:
    try:
        return _HASHER.verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    # A lone surrogate can arrive in JSON; it is hashed like any other character instead of raising.
    return password.encode("utf-8", "surrogatepass")


_PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "$argon2id$": "argon2id",
        "$argon2i$": "argon2i",
        "$argon2d$": "argon2d",
        # One algorithm under three names; $2x$, which is not here, is that of a faulty implementation.
        "$2a$": "bcrypt",
        "$2b$": "bcrypt",
        "$2y$": "bcrypt",
        "$scrypt$": "scrypt",
    }
)
_ARGON2_KINDS = ("argon2id", "argon2i", "argon2d")
_OBJECTIONS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    dict.fromkeys(_ARGON2_KINDS, _argon2_objection) | {"bcrypt": bcrypt_objection, "scrypt": scrypt_objection}
)
_MATCHES: Mapping[str, Callable[[str, bytes], bool]] = MappingProxyType(
    dict.fromkeys(_ARGON2_KINDS, _argon2_matches) | {"bcrypt": bcrypt_matches, "scrypt": scrypt_matches}
)
