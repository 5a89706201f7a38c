"""`oneself provider`: what to register at each provider, and whether credentials work."""

import sys
from pathlib import Path
from typing import Any

import click

from oneself.actions import provider_check
from oneself.actions.provider_check import Trial
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, only_project
from oneself.cli.choosing import choice
from oneself.cli.output import OUT, Refused, Styled, json_line, pairs
from oneself.cli.supported import described, mark
from oneself.faults import Fault
from oneself.model import Project
from oneself.providers import registry
from oneself.wire.stack.asking import callback_path as stack_callback
from oneself.wire.stytch.cookies import callback_path as stytch_callback

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
_PROJECT = click.option("--project", "project_name", help="Any of its ids, or its name; not needed where it is alone.")


@click.command()
@click.argument("name")
@_PROJECT
@_JSON
@choice
def show(name: str, project_name: str | None, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Show what NAME is (a provider, or a project's own name for one), and the redirect URIs to register there."""

    async def work(rt: Runtime) -> tuple[Project, str]:
        return await only_project(rt, project_name), rt.settings.base_url

    project, base_url = ask(config_file, data, work)
    named = next((one for one in project.config.providers if one.config_id == name), None)
    facts = registry.find(named.provider if named else name)
    if facts is None:
        raise Refused("There is no such provider.", [f"{name!r} is neither configured nor known to this release."])
    told: dict[str, Any] = described(facts) | {
        "configured": named is not None,
        "redirect_uris": _redirect_uris(base_url, project, name),
    }
    if as_json:
        json_line(told)
        return
    uris = told.pop("redirect_uris")
    pairs([(key, _shown(value)) for key, value in told.items()])
    pairs([(f"register for {dialect}", uri) for dialect, uri in uris.items()])


@click.command()
@click.argument("name", required=False)
@_PROJECT
@_JSON
@choice
def check(
    name: str | None, project_name: str | None, as_json: bool, config_file: Path | None, data: Path | None
) -> None:
    """Try the project's credentials for NAME, or for all its providers. Exit code 1 where something is wrong."""

    async def work(rt: Runtime) -> dict[str, list[Trial]]:
        project = await only_project(rt, project_name)
        names = [name] if name else [one.config_id for one in project.config.providers]
        return {one: await _tried(rt, project, one) for one in names}

    found = ask(config_file, data, work)
    right = all(trial.ok is not False for trials in found.values() for trial in trials)
    if as_json:
        json_line({"ok": right, "providers": found})
    else:
        for config_id, trials in found.items():
            for trial in trials:
                sign = {True: Styled("✔", "green"), False: Styled("✘", "red"), None: Styled("?", "yellow")}[trial.ok]
                OUT.print(sign, " ", Styled(f"{config_id}, {trial.name}", "bold"), f"  {trial.words}")
    sys.exit(0 if right else 1)


async def _tried(rt: Runtime, project: Project, config_id: str) -> list[Trial]:
    try:
        uris = _redirect_uris(rt.settings.base_url, project, config_id)
        return await provider_check.trials(rt, project, config_id, uris)
    except Fault as fault:
        return [Trial("settings", False, fault.detail or fault.code.value)]


def _redirect_uris(base_url: str, project: Project, name: str) -> dict[str, str]:
    """What to register at the provider, by dialect: one for all providers there, one for each here."""
    return {"stytch": base_url + stytch_callback(project), "stack": base_url + stack_callback(name)}


def _shown(value: Any) -> str:
    return mark(value) if isinstance(value, bool) else str(value)
