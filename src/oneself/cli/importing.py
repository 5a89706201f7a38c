"""`oneself import`: users, linked accounts and tokens out of another system's file."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from oneself.actions import importing
from oneself.actions.importing import ImportWish, Row
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, only_project
from oneself.cli.choosing import choice
from oneself.cli.output import OUT, Styled, Tell, json_line, pairs, progress
from oneself.formats.reading import rows as rows_of
from oneself.model import ImportReport, RefusedRow, TransferFormat

FORMATS = ("stack", "stytch", "csv")
# Of so many refused rows the terminal tells; a file takes them all.
_SHOWN = 20
_TELL_EVERY = 64


@click.command("import")
@click.argument("source", metavar="stack|stytch|csv", type=click.Choice(FORMATS))
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--project", "project_name", help="Which project, by any id or its name; not needed where there is one.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would become of every row.")
@click.option("--tokens/--no-tokens", default=True, show_default=True, help="Take provider tokens along.")
@click.option(
    "--leave-out", multiple=True, metavar="PROVIDER", help="Do not take accounts of this provider; may be repeated."
)
@click.option(
    "--any-environment", is_flag=True, help="Take Stytch ids of the other environment: UUIDs stay, prefixes change."
)
@click.option(
    "--refused",
    "refused_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every refused row's line, reason and remedy into this file, as JSON lines.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON line.")
@choice
def import_users(
    source: TransferFormat,
    file: Path,
    project_name: str | None,
    dry_run: bool,
    tokens: bool,
    leave_out: tuple[str, ...],
    any_environment: bool,
    refused_file: Path | None,
    as_json: bool,
    config_file: Path | None,
    data: Path | None,
) -> None:
    r"""Import users, linked accounts and tokens out of FILE, so that nobody has to consent again.

    \b
    stack   user objects of `GET /users`: an array, `{"items": [...]}`, or one a line
    stytch  user objects of `users/search`: an array, `{"results": [...]}`, or one a line
    csv     a row for each linked account; the documentation names the columns

    Begin with --dry-run. Each row is taken whole or refused with a reason; a refused one takes no other along. Stopped
    on its way, start it again: what is here already stays as it is. Servers go on meanwhile. Exit code 1 where a row
    was refused. docs/importing.md has an example for each vendor.
    """
    wish = ImportWish(source=source, dry_run=dry_run, tokens=tokens, leave_out=frozenset(leave_out))
    with ExitStack() as stack:
        opened = stack.enter_context(file.open("rb"))
        told = stack.enter_context(refused_file.open("wb", buffering=0)) if refused_file else None
        size = file.stat().st_size
        tell = stack.enter_context(progress("checking" if dry_run else "importing", "bytes"))

        def refused(row: RefusedRow) -> None:
            if told is not None:
                told.write(msgspec.json.encode(row) + b"\n")

        async def work(rt: Runtime) -> ImportReport:
            project = await only_project(rt, project_name)
            environment = "" if any_environment else project.environment
            rows = rows_of(opened, source, environment)
            return await importing.run(rt, project, _watched(rows, opened, size, tell), wish, refused)

        report = ask(config_file, data, work)
        tell(size, size)
    if as_json:
        json_line(report)
    else:
        _print(report, refused_file)
    sys.exit(1 if report.refused else 0)


def _watched(rows: Iterator[Row], file: BinaryIO, size: int, tell: Tell) -> Iterator[Row]:
    """The rows, and how far they are in the file."""
    for place, row in enumerate(rows):
        if place % _TELL_EVERY == 0:
            tell(file.tell(), size)
        yield row


def _hashes(counts: dict[str, int]) -> str:
    """How many of which kind."""
    total = sum(counts.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{total} ({kinds})" if total else "0"


def _print(report: ImportReport, refused_file: Path | None) -> None:
    would = "would be " if report.dry_run else ""
    pairs(
        [
            ("rows", str(report.rows)),
            (f"users {would}made", str(report.created)),
            (f"users {would}given what was missing", str(report.completed)),
            ("users with all of it already", str(report.unchanged)),
            (f"linked accounts {would}added", str(report.accounts)),
            (f"token sets {would}added", str(report.token_sets)),
            (f"password hashes {would}taken", _hashes(report.password_hashes)),
            ("rows refused", str(report.refused)),
        ]
    )
    for name, count in report.not_taken.items():
        OUT.print(f"not taken: {count} × {name}")
    for row in report.refused_rows[:_SHOWN]:
        OUT.print(Styled(f"line {row.line}", "red"), f": {row.reason}. {row.what_to_do}")
    if report.refused > _SHOWN:
        where = f"; all are in {refused_file}" if refused_file else "; --refused FILE writes them all"
        OUT.print(f"and {report.refused - _SHOWN} more{where}.")
    if report.dry_run:
        OUT.print("Nothing was written. Leave --dry-run out to import.")
