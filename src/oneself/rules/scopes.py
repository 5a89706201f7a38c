"""Scopes as sets: how they are named in the vault, and whether a grant covers a wish."""

from collections.abc import Iterable


def canonical(scopes: Iterable[str]) -> str:
    """The one text that names a set of scopes: sorted, without repeats, apart by a space."""
    return " ".join(sorted({scope for scope in scopes if scope}))


def covers(granted: str, wanted: Iterable[str]) -> bool:
    """Whether a grant, named canonically, holds every wanted scope."""
    have = set(granted.split())
    return all(scope in have for scope in wanted)


def merged(base: Iterable[str], extra: Iterable[str]) -> tuple[str, ...]:
    """Base scopes, then extra ones, each once, in order of first mention."""
    return tuple(dict.fromkeys(scope for scope in (*base, *extra) if scope))
