"""`oneself export`: a project's users as a file that `oneself import` and others can read."""

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from oneself.actions import exporting
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, only_project
from oneself.cli.choosing import choice
from oneself.cli.importing import FORMATS
from oneself.cli.output import ERR, Refused, Styled, progress
from oneself.formats import stack, stytch, table
from oneself.model import Project, TransferFormat, UserRecord
from oneself.wire.stytch.wording import WORDINGS

_RISK = (
    "The file holds {what} in clear: whoever reads it can act for these users. It is readable for you alone; "
    "move it encrypted, and delete it when it is imported."
)


@click.command("export")
@click.argument("target", metavar="stack|stytch|csv", type=click.Choice(FORMATS))
@click.option("--project", "project_name", help="Which project, by any id or its name; not needed where there is one.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new file for the users (mode 0600), instead of standard output.",
)
@click.option(
    "--with-tokens",
    is_flag=True,
    help="Provider tokens too, in clear: whoever has the file can act for every user there. Needs --output.",
)
@click.option(
    "--with-password-hashes", is_flag=True, help="Hashes of passwords too: they can be guessed at. Needs --output."
)
@choice
def export_users(
    target: TransferFormat,
    project_name: str | None,
    output: Path | None,
    with_tokens: bool,
    with_password_hashes: bool,
    config_file: Path | None,
    data: Path | None,
) -> None:
    """Write all users of a project with their linked accounts, one JSON object a line, or CSV.

    Tokens and password hashes are left out unless asked for; then the audit says so. Servers go on meanwhile.
    """
    secrets = [name for name, asked in (("tokens", with_tokens), ("password hashes", with_password_hashes)) if asked]
    if secrets and output is None:
        raise Refused("Where to?", [f"With {' and '.join(secrets)} in it, name a new file with --output."])

    async def work(rt: Runtime) -> int:
        project = await only_project(rt, project_name)
        if secrets:
            await exporting.note(rt, project, target, "_and_".join(secrets).replace(" ", "_"))
        lines, done = _writer(target, project), 0
        total = await exporting.count(rt, project)
        with _opened(output) as file, progress("exporting", "pieces") as tell:
            file.write(_head(target))
            async for user in exporting.users(rt, project, tokens=with_tokens, passwords=with_password_hashes):
                file.write(lines(user))
                done += 1
                tell(done, total)
        return done

    done = ask(config_file, data, work)
    ERR.print(f"{done} users were exported.")
    if secrets:
        ERR.print(Styled(_RISK.format(what=" and ".join(secrets)), "yellow"))


def written(target: TransferFormat, project: Project, users: Iterable[UserRecord]) -> bytes:
    """A whole file of users, as the command writes it user by user."""
    lines = _writer(target, project)
    return _head(target) + b"".join(lines(user) for user in users)


@contextmanager
def _opened(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a new file for its owner alone, which bears its name only once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists():
        raise Refused("The file is there already.", [f"Nothing is written over {output}: name another, or remove it."])
    partial = output.with_name(f"{output.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Refused("The file cannot be written.", [f"{output}: {error.strerror}"]) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        try:
            output.hardlink_to(partial)
        except FileExistsError:
            raise Refused("The file is there already.", [f"{output} was made meanwhile: name another."]) from None
    finally:
        partial.unlink(missing_ok=True)


def _head(target: TransferFormat) -> bytes:
    return _csv([list(table.COLUMNS)]) if target == "csv" else b""


def _writer(target: TransferFormat, project: Project) -> Callable[[UserRecord], bytes]:
    """From a user to its lines."""
    if target == "csv":
        return lambda user: _csv(table.write(user))
    if target == "stack":
        return lambda user: msgspec.json.encode(stack.write(user)) + b"\n"
    known = {one.config_id: one.provider for one in project.config.providers}
    return lambda user: msgspec.json.encode(stytch.write(user, project.environment, _provider_type, known)) + b"\n"


def _provider_type(provider: str) -> str:
    """Stytch's name of a provider; one that it has no name for goes by ours."""
    wording = WORDINGS.get(provider)
    return wording.provider_type if wording else provider


def _csv(rows: Iterator[list[str]] | list[list[str]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
