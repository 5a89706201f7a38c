"""`oneself keys generate`: the key ring's keys and a project's keys, made but not kept here."""

import os
from base64 import b64encode
from datetime import UTC, datetime

import click

from oneself.cli.output import json_line
from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import KEY_BYTES


@click.command()
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
