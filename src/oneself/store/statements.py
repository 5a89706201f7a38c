"""Reading SQL text just far enough to renumber its parameters and to split a file
into statements.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

# What may hide a `$` or a `;` comes first: quoted text, quoted names, comments, dollar-quoted
# bodies.
_TOKEN = re.compile(
    r"""
      (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | --[^\n]*
    | /\*.*?\*/
    | (?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$
    | (?<![\w$])\$(?P<number>[1-9][0-9]*)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TRIGGER_WITH_BODY = re.compile(r"\s*CREATE\s+(TEMP\s+|TEMPORARY\s+)?TRIGGER\b.*\bBEGIN\b", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=2048)
def for_sqlite(sql: str) -> str:
    """Give SQLite's text of a statement that was written for PostgreSQL: `$1` becomes `?1`, outside
    of quotes, and `strpos` gets its name there.

    Statements are constants, or put together from few constant pieces, so each is rewritten once
    and kept.
    """
    return renumbered(sql, "?{}").replace("strpos(", "instr(")


def renumbered(sql: str, template: str) -> str:
    """Replace each parameter `$n` outside of quotes and comments by `template`, which gets the
    number.
    """
    return _TOKEN.sub(lambda token: template.format(token["number"]) if token["number"] else token[0], sql)


def listed(values: Sequence[T], first: int) -> tuple[str, list[T]]:
    """The parameters of an IN from `$first` on, and what to give for them: one value at least.

    A few texts only, whatever the number: the list is filled up to a power of two with its last value.
    """
    width = 1 << (len(values) - 1).bit_length()
    places = ", ".join(f"${first + place}" for place in range(width))
    return places, [*values, *([values[-1]] * (width - len(values)))]


def split(script: str) -> list[str]:
    """Split a file of SQL into statements, each without its closing semicolon; pieces of mere
    comment are dropped.
    """
    return [piece for piece in _pieces(script) if _COMMENT.sub("", piece).strip()]


def _pieces(script: str) -> Iterator[str]:
    """The text between the semicolons that end statements; those inside a trigger's body do not."""
    start = 0
    for token in _TOKEN.finditer(script):
        if token["end"] is None:
            continue
        piece = script[start : token.start()]
        if _inside_trigger(piece):
            continue
        yield piece.strip()
        start = token.end()
    yield script[start:].strip()


def _inside_trigger(piece: str) -> bool:
    """Whether a piece is a trigger with a body (SQLite's kind) that has not come to its end."""
    if not _TRIGGER_WITH_BODY.match(_COMMENT.sub("", piece)):
        return False
    return not sqlite3.complete_statement(piece + ";")
