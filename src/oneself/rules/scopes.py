"""Scopes as sets: how they are named in the vault, and whether a grant covers a wish."""

from collections.abc import Iterable

# The name of a token set is part of a key, and PostgreSQL takes no more than 2,700 bytes there.
LONGEST_NAME = 2_000


def canonical(scopes: Iterable[str]) -> str:
    """The one text that names a set of scopes: sorted, without repeats, apart by a space.

    Scopes that make it longer than `LONGEST_NAME` bytes are left out, as if they had not been granted.
    """
    name = ""
    for scope in sorted({scope for scope in scopes if scope}):
        longer = f"{name} {scope}" if name else scope
        if len(longer.encode()) <= LONGEST_NAME:
            name = longer
    return name


def covers(granted: str, wanted: Iterable[str]) -> bool:
    """Whether a grant, named canonically, holds every wanted scope."""
    have = set(granted.split())
    return all(scope in have for scope in wanted)


def merged(base: Iterable[str], extra: Iterable[str]) -> tuple[str, ...]:
    """Base scopes, then extra ones, each once, in order of first mention."""
    return tuple(dict.fromkeys(scope for scope in (*base, *extra) if scope))
