"""What the commands say: data on standard output, words on standard error, and refusals that help."""

import sys
from collections.abc import Iterable
from typing import IO, Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
FAILED = 1


class Refused(click.ClickException):
    """Nothing was done, because of `reasons`, each with what to do; the program ends with exit code 1."""

    exit_code = FAILED

    def __init__(self, headline: str, reasons: Iterable[str]) -> None:
        super().__init__(headline)
        self.reasons = tuple(reasons)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print headline and reasons on standard error, or into `file`."""
        to = ERR if file is None else Console(file=file, highlight=False)
        to.print(f"[bold red]{escape(self.message)}[/]")
        for reason in self.reasons:
            to.print(f"  • {escape(reason)}", soft_wrap=True)


def json_line(value: object) -> None:
    """Print one JSON line on standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table on standard output: drawn for a person, with tabs between the cells for a program."""
    if not OUT.is_terminal:
        for row in (columns, *rows):
            sys.stdout.write("\t".join(" ".join(cell.split()) for cell in row) + "\n")
        return
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(cell) for cell in row))
    OUT.print(drawn)


def pairs(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and values on standard output, one pair a line."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        OUT.print(f"[bold]{escape(name.ljust(width))}[/]  {escape(value)}", soft_wrap=True)
