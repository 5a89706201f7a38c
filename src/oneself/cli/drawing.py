"""What a person at a terminal sees: colours, tables, frames and bars. It loads only where there is a terminal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Literal

from rich.console import Console
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

Unit = Literal["parts", "pieces", "bytes"]
_COUNTED: Mapping[Unit, type[ProgressColumn]] = {
    "parts": TaskProgressColumn,  # so much of a hundred
    "pieces": MofNCompleteColumn,
    "bytes": DownloadColumn,
}
# A part of a line: plain words, or words and their style.
Part = str | tuple[str, str]


def say(file: IO[str], parts: Iterable[Part]) -> None:
    """Print parts as one line, which the terminal wraps."""
    _console(file).print(Text.assemble(*parts), soft_wrap=True)


def frame(file: IO[str], parts: Iterable[Part]) -> None:
    """Print parts in a box."""
    _console(file).print(Panel.fit(Text.assemble(*parts)))


def table(file: IO[str], columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table whose cells fold where the terminal is narrow."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    _console(file).print(drawn)


@contextmanager
def bar(file: IO[str], words: str, unit: Unit) -> Iterator[Callable[[int, int], None]]:
    """Show how far a work is while the block runs; gives what to tell: how much is done, and of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), _COUNTED[unit](), TimeRemainingColumn())
    with Progress(*columns, console=_console(file)) as drawn:
        task = drawn.add_task(words, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)


def _console(file: IO[str]) -> Console:
    return Console(file=file, highlight=False)
