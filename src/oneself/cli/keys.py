"""`oneself keys`: the key ring's keys and a project's keys, made but not kept here, and the ring's rotation."""

import os
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from oneself.actions import key_ring
from oneself.actions.key_ring import MasterKeyUse
from oneself.cli.asking import ask
from oneself.cli.choosing import choice
from oneself.cli.output import ERR, OUT, json_line, table
from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import KEY_BYTES


@click.group()
def keys() -> None:
    """Make keys, and rotate the key ring."""


@keys.command()
@click.option("--project", is_flag=True, help="Make ids and keys of a project, as the TOML file takes them.")
@click.option(
    "--environment",
    type=click.Choice(["test", "live"]),
    default="live",
    show_default=True,
    help="The environment that goes into a project's ids.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
def generate(project: bool, environment: str, as_json: bool) -> None:
    """Make a master key, or with --project a project's ids and keys.

    A master key is one line for the file that ONESELF_MASTER_KEYS_FILE names: the first line seals, the
    others still open what they sealed. `oneself keys rotate --help` says how to rotate.
    """
    if project:
        _project(environment, as_json)
        return
    name = f"k{datetime.now(UTC):%Y%m%d}-{os.urandom(3).hex()}"
    line = f"{name}:{b64encode(os.urandom(KEY_BYTES)).decode()}"
    if as_json:
        json_line({"master_key": line})
    else:
        click.echo(line)


@keys.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def status(as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Show what hangs on each master key, and which may be removed."""
    uses = ask(config_file, data, key_ring.status)
    if as_json:
        shown = [{**msgspec.structs.asdict(use), "removable": use.removable} for use in uses]
        json_line({"master_keys": shown})
        return
    rows = [(use.id, _state(use), str(use.data_keys), str(use.open_trips)) for use in uses]
    table(("master key", "state", "projects' keys", "open trips"), rows)


@keys.command()
@choice
def rotate(config_file: Path | None, data: Path | None) -> None:
    r"""Wrap every project's key under the first master key, while the servers go on.

    \b
    1. `oneself keys generate`; put the new line below the others; restart the servers, one by one.
    2. Move it to the top; restart the servers, one by one.
    3. `oneself keys rotate`. Stopped on its way, it goes on where it was.
    4. `oneself keys status`: a key that is "removable" may be deleted from the file.
    """
    columns = (TextColumn("wrapping keys"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, disable=not ERR.is_terminal) as bar:
        task = bar.add_task("wrap", total=None)
        done = ask(
            config_file,
            data,
            lambda rt: key_ring.rewrap(rt, lambda seen, total: bar.update(task, completed=seen, total=total)),
        )
    OUT.print(f"{done} keys were wrapped anew; all are under the first master key now.")


def _state(use: MasterKeyUse) -> str:
    if not use.in_ring:
        return "missing from the ring"
    return "seals" if use.active else "removable" if use.removable else "opens"


def _project(environment: str, as_json: bool) -> None:
    random = os.urandom
    made = {
        "id": new_uuid(random),
        "environment": environment,
        "stytch": {
            "project_id": f"project-{environment}-{new_uuid(random)}",
            "secret": opaque.stytch_secret(environment, random),
            "public_token": opaque.public_token(environment, random),
            "callback_id": f"oauth-callback-{environment}-{new_uuid(random)}",
        },
        "stack": {
            "project_id": new_uuid(random),
            "publishable_client_key": opaque.prefixed_key("pck_", random),
            "secret_server_key": opaque.prefixed_key("ssk_", random),
            "super_secret_admin_key": opaque.prefixed_key("sak_", random),
        },
    }
    if as_json:
        json_line(made)
        return
    click.echo("[[projects]]")
    for name, value in made.items():
        if isinstance(value, str):
            click.echo(f'{name} = "{value}"')
    for side in ("stytch", "stack"):
        click.echo(f"\n[projects.{side}]")
        for name, value in dict(made[side]).items():  # type: ignore[arg-type]
            click.echo(f'{name} = "{value}"')
