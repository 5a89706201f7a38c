"""`oneself keys`: the key ring's keys and a project's keys, made but not kept here, and the rotation of the ring and of
signing keys.
"""

import os
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from oneself.actions import key_ring, signing_rotation
from oneself.actions.key_ring import MasterKeyUse
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, find_project
from oneself.cli.choosing import choice
from oneself.cli.output import ERR, OUT, json_line, table
from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import KEY_BYTES
from oneself.store.signing_keys import UseSummary


@click.group()
def keys() -> None:
    """Make keys, and rotate the key ring and the keys that sign tokens."""


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
    """Show what hangs on each master key and which may be removed, and the keys that sign tokens."""

    async def both(rt: Runtime) -> tuple[list[MasterKeyUse], list[UseSummary]]:
        return await key_ring.status(rt), await signing_rotation.status(rt)

    uses, signing = ask(config_file, data, both)
    if as_json:
        shown = [{**msgspec.structs.asdict(use), "removable": use.removable} for use in uses]
        json_line({"master_keys": shown, "signing_keys": [msgspec.structs.asdict(use) for use in signing]})
        return
    rows = [(use.id, _state(use), str(use.data_keys), str(use.open_trips)) for use in uses]
    table(("master key", "state", "projects' keys", "open trips"), rows)
    OUT.print()
    table(
        ("tokens of", "keys that sign", "the oldest since", "coming", "sign at last from", "still published"),
        [
            (
                use.use,
                str(use.signing),
                _time(use.oldest_signs_since),
                str(use.coming),
                _time(use.last_signs_at),
                str(use.retiring),
            )
            for use in signing
        ],
    )


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


@keys.command()
@click.option("--project", "name", help="One project alone, by any of its ids or its name.")
@click.option(
    "--leaked",
    is_flag=True,
    help="A key has leaked: replace the keys at once, and refuse all tokens that they signed. People stay signed in; "
    "clients that keep the published keys may refuse the new ones until they ask again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def rotate_signing(name: str | None, leaked: bool, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Put new keys behind the JWTs of both dialects, while the servers go on.

    New keys are made and published now, and sign once every client must have seen them; the keys before them stay
    published until nothing that they signed is good any more. The servers do the same by themselves on the schedule of
    `lifetimes.signing_key`.
    """
    columns = (TextColumn("making keys"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, disable=not ERR.is_terminal) as bar:
        task = bar.add_task("make", total=None)

        async def work(rt: Runtime) -> list[int]:
            project = await find_project(rt, name) if name else None
            places = await signing_rotation.places(rt, project)
            bar.update(task, total=len(places))
            times = []
            for project_id, use in places:
                if leaked:
                    await signing_rotation.replace(rt, project_id, use)
                times.append(0 if leaked else await signing_rotation.rotate(rt, project_id, use))
                bar.advance(task)
            return times

        times = ask(config_file, data, work)
    if as_json:
        json_line({"keys": len(times), "signs_at": max(times, default=0)})
    elif not times:
        OUT.print("No key signs yet: each is made at its first use.")
    elif leaked:
        OUT.print(f"{len(times)} keys were replaced. What the old ones signed is refused.")
    else:
        OUT.print(f"{len(times)} keys are published and sign from {signing_rotation.utc(max(times))} on.")


def _time(micros: int) -> str:
    return signing_rotation.utc(micros) if micros else "-"


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
