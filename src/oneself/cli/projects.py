"""`oneself project`: make projects, list them, show one, delete one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from oneself.actions import projects
from oneself.actions.projects import CreatedProject, Declaration
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, find_project
from oneself.cli.choosing import choice, settings_of
from oneself.cli.output import OUT, Refused, Styled, json_line, pairs, table
from oneself.model import Project
from oneself.wire.stack.access import INTERNAL


@click.command()
@click.argument("name")
@click.option(
    "--environment",
    type=click.Choice(["test", "live"]),
    default="test",
    show_default=True,
    help="Goes into the ids of Stytch's dialect.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def create(name: str, environment: Any, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Make a project called NAME and print its keys, which are shown this once."""
    if not name.strip():
        raise Refused("A project needs a name.", ["Give one, as in `oneself project create Shop`."])

    async def work(rt: Runtime) -> CreatedProject:
        return await projects.create(rt, Declaration(display_name=name, environment=environment))

    made = ask(config_file, data, work)
    told = _described(made.project)
    told["stytch"]["secret"] = made.keys.stytch_secret
    told["stack"] |= {
        "publishable_client_key": made.keys.stack_client,
        "secret_server_key": made.keys.stack_server,
        "super_secret_admin_key": made.keys.stack_admin,
    }
    _print(told, as_json)


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line with all of them.")
@choice
def listing(as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """List all projects, oldest first."""
    found = ask(config_file, data, projects.list_all)
    if as_json:
        json_line({"projects": [_described(one) for one in found]})
        return
    rows = [(one.id, one.display_name, one.environment, one.stytch_id, one.stack_id) for one in found]
    table(("id", "name", "environment", "Stytch project_id", "Stack project id"), rows)


@click.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def show(name: str, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Show the project NAME (any of its ids, or its name). Keys are shown by their last letters only."""

    async def work(rt: Runtime) -> Project:
        return await find_project(rt, name)

    found = ask(config_file, data, work)
    told = _described(found)
    told["providers"] = [
        {
            "config_id": one.config_id,
            "provider": one.provider,
            "client_id": one.client_id,
            "shared": one.shared,
            "allow_sign_in": one.allow_sign_in,
        }
        for one in found.config.providers
    ]
    told["keys"] = [
        {
            "kind": key.kind,
            "ends_in": key.last_four,
            "created_at": _moment(key.created_at),
            "revoked": bool(key.revoked_at),
        }
        for key in found.keys
    ]
    _print(told, as_json)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@choice
def delete(name: str, yes: bool, config_file: Path | None, data: Path | None) -> None:
    """Delete the project NAME with its users, and destroy the key that seals its secrets. Nothing brings it back.

    Backups of the database still hold the project, and its key under the master key of their time, until they are
    deleted themselves. Grants are not handed back to the providers: delete users or unlink accounts first for that.
    """

    async def look(rt: Runtime) -> Project:
        return await find_project(rt, name)

    found = ask(config_file, data, look)
    _may_go(found, {one.id for one in settings_of(config_file, data).projects})
    if not yes:
        click.confirm(f"Delete {found.display_name} ({found.id}) with all its users?", abort=True, err=True)

    async def work(rt: Runtime) -> None:
        await projects.delete(rt, await find_project(rt, found.id))

    ask(config_file, data, work)
    OUT.print(f"{found.display_name} ({found.id}) is deleted, and its key with it.")


def _may_go(found: Project, declared: set[str]) -> None:
    """Ends the program for a project that would come back, or that others hang on."""
    if found.stack_id == INTERNAL:
        raise Refused("That project stays.", ["`internal` holds the administrators of the others."])
    if found.id in declared:
        raise Refused(
            "That project stays.",
            ["The settings file declares it, so the next start would make it again. Take its block out first."],
        )


def _described(one: Project) -> dict[str, Any]:
    return {
        "id": one.id,
        "display_name": one.display_name,
        "environment": one.environment,
        "created_at": _moment(one.created_at),
        "stytch": {
            "project_id": one.stytch_id,
            "public_token": one.stytch_public_token,
            "callback_id": one.stytch_callback_id,
        },
        "stack": {"project_id": one.stack_id},
    }


def _print(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        json_line(told)
        return
    pairs(_flat(told))
    for name, entries in told.items():
        if isinstance(entries, list):
            OUT.print(Styled(f"\n{name.capitalize()}", "bold"))
            columns = tuple(entries[0]) if entries else ("none",)
            table(columns, [[str(cell) for cell in entry.values()] for entry in entries])


def _flat(told: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in told.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{above}{name}.")
        elif not isinstance(value, list):
            rows.append((f"{above}{name}", str(value)))
    return rows


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")
