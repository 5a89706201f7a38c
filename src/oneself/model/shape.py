"""The shape of every noun, the secret that must not be seen, and the names that several nouns share."""

from typing import Literal

import msgspec


class Secret:
    """A text that must not be seen: no readable `repr` or `str`, no equality, no order; `reveal()` gives it back."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the text itself, to the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)


Dialect = Literal["stytch", "stack", "console"]
Intent = Literal["sign_in", "attach"]
SessionKind = Literal["stytch", "stack", "console"]


class Noun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of all nouns: immutable, built by keyword."""
