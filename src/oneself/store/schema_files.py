"""The schema's numbered files: which there are, and what each says of itself."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from oneself.store.statements import split

FOLDER = Path(__file__).parent / "migrations"
Mode = Literal["transaction", "repeat", "autocommit"]

_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)(\.(?P<engine>sqlite|postgresql))?\.sql")
_DIRECTIVE = re.compile(r"^--! (?P<word>[a-z-]+)(?: (?P<number>\d+))?\s*$", re.MULTILINE)
_MODES: dict[str, Mode] = {"repeat": "repeat", "autocommit": "autocommit"}


@dataclass(frozen=True)
class Migration:
    """One numbered step of the schema, for one engine.

    `oldest_code` is the oldest code (by the number of its newest migration) that still works once
    this step is done; None keeps what was said before, as a step that only adds does.
    """

    number: int
    name: str
    statements: tuple[str, ...]
    mode: Mode = "transaction"
    oldest_code: int | None = None


def migrations(engine: str, folder: Path = FOLDER) -> list[Migration]:
    """Every step for `engine`, in order.

    A step is `NNNN_name.sql`, or `NNNN_name.sqlite.sql` beside `NNNN_name.postgresql.sql` where the
    engines must differ. Lines at its head may say `--! oldest-code N`, `--! repeat` (each statement
    is run in a commit of its own until it changes nothing: a backfill in batches), or
    `--! autocommit` (each statement alone, such as CREATE INDEX CONCURRENTLY IF NOT EXISTS); what
    the latter two hold must bear being run twice. Raises ValueError for files that do not fit.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        name = _NAME.fullmatch(path.name)
        if name is None:
            raise ValueError(f"{path.name} is not a name for a migration")
        if name["engine"] not in {None, engine}:
            continue
        number = int(name["number"])
        if number in found:
            raise ValueError(f"two migrations for {engine} have the number {number}")
        found[number] = _read(path, number, name["name"])
    if sorted(found) != list(range(1, len(found) + 1)):
        raise ValueError(f"the migrations for {engine} are not numbered without gaps from 0001")
    return [found[number] for number in sorted(found)]


def _read(path: Path, number: int, name: str) -> Migration:
    """One file, its directives and its statements."""
    text = path.read_text(encoding="utf-8")
    mode: Mode = "transaction"
    oldest_code = 1 if number == 1 else None
    for directive in _DIRECTIVE.finditer(text):
        if directive["word"] == "oldest-code" and directive["number"]:
            oldest_code = int(directive["number"])
        elif directive["word"] in _MODES:
            mode = _MODES[directive["word"]]
        else:
            raise ValueError(f"{path.name} says {directive[0]!r}, which means nothing")
    return Migration(number, name, tuple(split(text)), mode, oldest_code)
