"""What the commands say: data on standard output, words on standard error, and refusals that help.

A person at a terminal gets colours, tables and bars; a program gets the same words plain, and what draws is not even
loaded for it.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from oneself.later import Later

if TYPE_CHECKING:
    from oneself.cli.drawing import Unit

FAILED = 1
_SAY = Later("oneself.cli.drawing", "say")
_TABLE = Later("oneself.cli.drawing", "table")
_FRAME = Later("oneself.cli.drawing", "frame")
_BAR = Later("oneself.cli.drawing", "bar")

Tell = Callable[[int, int], None]
"""What a bar is told: how much is done, and of how much."""


class Styled(NamedTuple):
    """Words with the look that they have at a terminal, such as `bold` or `bold red`."""

    words: str
    style: str


class Stream:
    """One of the two standard streams, for words."""

    def __init__(self, *, error: bool) -> None:
        self._error = error

    @property
    def file(self) -> IO[str]:
        """The stream as it stands now."""
        return sys.stderr if self._error else sys.stdout

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at it."""
        return self.file.isatty()

    def print(self, *parts: str | Styled) -> None:
        """Print the parts as one line."""
        if self.is_terminal:
            _SAY.get()(self.file, parts)
        else:
            self._write("".join(map(_plain, parts)))

    def frame(self, *parts: str | Styled) -> None:
        """Print the parts, which may have several lines, so that they are not overlooked."""
        if self.is_terminal:
            _FRAME.get()(self.file, parts)
        else:
            self._write("".join(map(_plain, parts)))

    def _write(self, line: str) -> None:
        self.file.write(f"{line}\n")
        self.file.flush()


OUT = Stream(error=False)
ERR = Stream(error=True)


class Refused(click.ClickException):
    """Nothing was done, because of `reasons`, each with what to do; the program ends with exit code 1."""

    exit_code = FAILED

    def __init__(self, headline: str, reasons: Iterable[str]) -> None:
        super().__init__(headline)
        self.reasons = tuple(reasons)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print headline and reasons on standard error, or into `file`."""
        if file is not None:
            file.write("\n".join((self.message, *(f"  • {reason}" for reason in self.reasons), "")))
            return
        ERR.print(Styled(self.message, "bold red"))
        for reason in self.reasons:
            ERR.print(f"  • {reason}")


def json_line(value: object) -> None:
    """Print one JSON line on standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table on standard output: drawn for a person, with tabs between the cells for a program."""
    if OUT.is_terminal:
        _TABLE.get()(OUT.file, columns, rows)
        return
    for row in (columns, *rows):
        sys.stdout.write("\t".join(" ".join(cell.split()) for cell in row) + "\n")


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values on standard output, one pair a line."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        OUT.print(Styled(name.ljust(width), "bold"), f"  {value}")


@contextmanager
def progress(words: str, unit: "Unit") -> Iterator[Tell]:
    """Show a person on standard error how far a work is, as often as it tells; `unit` is what it counts in."""
    if not ERR.is_terminal:
        yield _untold
        return
    with _BAR.get()(ERR.file, words, unit) as tell:
        yield tell


def _untold(_done: int, _total: int) -> None:
    """No bar is shown."""


def _plain(part: str | Styled) -> str:
    return part.words if isinstance(part, Styled) else part
