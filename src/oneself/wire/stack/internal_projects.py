"""`/internal/projects` and `/internal/config`: projects as their owners make and configure them."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from oneself.actions import projects as action
from oneself.model import Project, ProjectConfig
from oneself.wire.http import Reply
from oneself.wire.stack import config_document, render_project, teams
from oneself.wire.stack.access import INTERNAL
from oneself.wire.stack.bodies import json_value
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.claims import Bearer
from oneself.wire.stack.config_document import Document, Misfit
from oneself.wire.stack.fields import Form
from oneself.wire.stack.operation import ADMIN, SERVER, Call, Operation, done, items, operation
from oneself.wire.stack.project_bodies import ChangeBody, CreateBody, config_changes, described
from oneself.wire.stack.refusals import Refused, plain
from oneself.wire.stack.replies import AdminProject, AdminProjects, ConfigString, Success

# Under what name the password of a project's own mail server is sealed and kept.
MAIL_SECRET = "email_password"
NEW_PROJECT: Document = {"auth.password.allowSignIn": True, "domains.allowLocalhost": True}


class OverrideBody(Form):
    """Changes of the configuration: a JSON text of a flat map with dotted keys."""

    config_override_string: str


class LevelPath(Form):
    """Which level is overridden."""

    level: config_document.Level


async def create(call: Call, body: CreateBody) -> Reply:
    """Make a project that belongs to a team of the caller's."""
    bearer = _owner(call)
    await teams.require_membership(call, body.owner_team_id, bearer.user_id)
    none: Document = {"base": {}} | {level: {} for level in config_document.LEVELS}
    empty = ProjectConfig(first_party=call.project.config.first_party, extras={config_document.EXTRAS: none})
    changes = NEW_PROJECT | config_changes(body.config)
    _check(empty, "environment", changes)
    made = await action.create(
        call.rt,
        action.Declaration(
            display_name=body.display_name, owner_team_id=body.owner_team_id, make_keys=False, config=empty
        ),
    )
    project = await _configured(call, made.project, "environment", changes, described(body))
    return done(call, await _shown(call, project))


async def owned(call: Call) -> Reply:
    """List the projects of the caller's teams."""
    bearer = _owner(call)
    rows = await action.owned_by(call.rt, call.project, bearer.user_id)
    return items(call, [await _shown(call, row) for row in rows])


async def read_current(call: Call) -> Reply:
    """Read the project with everything that its administrators may see."""
    return done(call, await _shown(call, call.project))


async def update_current(call: Call, body: ChangeBody) -> Reply:
    """Change the project; settings that are there replace what was."""
    project, changes = call.project, config_changes(body.config)
    _check(project.config, "environment", changes)
    if body.display_name:
        project = await action.rename(call.rt, project, body.display_name)
    project = await _configured(call, project, "environment", changes, described(body))
    return done(call, await _shown(call, project))


async def delete_current(call: Call) -> Reply:
    """Delete the project with everything in it."""
    if call.project.stack_id == INTERNAL:
        raise plain(400, "The internal project cannot be deleted")
    await action.delete(call.rt, call.project)
    return done(call, {"success": True})


async def override(call: Call, body: OverrideBody) -> Reply:
    """Change the configuration at one level."""
    level = call.params.level
    if call.access == "server" and level != "branch":
        raise plain(403, "Only the branch level can be changed with server access")
    try:
        changes = json_value(body.config_override_string)
    except ValueError:
        raise plain(400, "config_override_string is not valid JSON") from None
    if not isinstance(changes, dict):
        raise plain(400, "config_override_string must be an object")
    await _configured(call, call.project, level, changes, {})
    return done(call, {"success": True})


async def configuration(call: Call) -> Reply:
    """Read the whole configuration, every level over the defaults."""
    whole = config_document.rendered(config_document.overrides_of(call.project.config))
    for name, entry in whole["auth"]["oauth"]["providers"].items():
        if entry.get("clientSecret"):
            entry["clientSecret"] = await action.open_client_secret(call.rt, call.project, name)
    return done(call, {"config_string": json.dumps(whole)})


def _owner(call: Call) -> Bearer:
    bearer = call.require_user()
    if call.project.stack_id != INTERNAL:
        raise known("EXPECTED_INTERNAL_PROJECT")
    return bearer


async def _configured(call: Call, project: Project, level: str, changes: Document, said: dict[str, Any]) -> Project:
    """The project after changes of its configuration, in one step that no other change can slip into."""
    if not changes and not said:
        return project
    cleaned, secrets = config_document.take_secrets(changes)
    sealed = {
        name: await action.seal_client_secret(call.rt, project.id, name, secret) for name, secret in secrets.items()
    }
    said = await _without_password(call, project, said)

    def change(config: ProjectConfig) -> ProjectConfig:
        new = _changed(config, level, cleaned, sealed)
        about = new.extras.get(render_project.EXTRAS, {}) | said
        return msgspec.structs.replace(new, extras=new.extras | {render_project.EXTRAS: about})

    try:
        return await action.change_config(call.rt, project, change)
    except Misfit as misfit:
        raise _misfit(misfit) from None


def _check(config: ProjectConfig, level: str, changes: Document) -> None:
    """Refuse changes that cannot be, before any of what came with them is done."""
    try:
        _changed(config, level, config_document.take_secrets(changes)[0], {})
    except Misfit as misfit:
        raise _misfit(misfit) from None


def _changed(config: ProjectConfig, level: str, cleaned: Document, sealed: Mapping[str, bytes]) -> ProjectConfig:
    kept = config_document.override(config_document.overrides_of(config), level, cleaned)
    new = config_document.typed(config, kept, sealed)
    for entry in new.providers:
        if not action.is_provider(entry.provider):
            raise Misfit(f"{entry.provider} is not a provider that this server knows")
    return new


def _misfit(misfit: Misfit) -> Refused:
    return plain(400, f"The configuration is not valid: {misfit}")


async def _without_password(call: Call, project: Project, said: dict[str, Any]) -> dict[str, Any]:
    """What is said of a project, the password of its mail server sealed apart from the rest."""
    mail = said.get("email_config")
    if mail is None:
        return said
    password = mail.pop("password", "")
    sealed = await action.seal_client_secret(call.rt, project.id, MAIL_SECRET, password) if password else b""
    return said | {MAIL_SECRET: base64.b64encode(sealed).decode()}


async def _shown(call: Call, project: Project) -> dict[str, Any]:
    secrets = {
        entry.config_id: await action.open_client_secret(call.rt, project, entry.config_id)
        for entry in project.config.providers
        if not entry.shared
    }
    shown = render_project.admin_project(project, secrets)
    sealed = project.config.extras.get(render_project.EXTRAS, {}).get(MAIL_SECRET)
    if sealed:
        password = await action.open_sealed(call.rt, project, MAIL_SECRET, base64.b64decode(sealed))
        shown["config"]["email_config"] = shown["config"]["email_config"] | {"password": password}
    return shown


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST", "/internal/projects", create, "Make a project", status=201, body=CreateBody, response=AdminProject
    ),
    operation("GET", "/internal/projects", owned, "List own projects", response=AdminProjects),
    operation(
        "GET", "/internal/projects/current", read_current, "Read the project", allowed=ADMIN, response=AdminProject
    ),
    operation(
        "PATCH",
        "/internal/projects/current",
        update_current,
        "Change the project",
        allowed=ADMIN,
        body=ChangeBody,
        response=AdminProject,
    ),
    operation(
        "DELETE",
        "/internal/projects/current",
        delete_current,
        "Delete the project",
        allowed=ADMIN,
        response=Success,
    ),
    operation("GET", "/internal/config", configuration, "Read the configuration", allowed=ADMIN, response=ConfigString),
    operation(
        "PATCH",
        "/internal/config/override/{level}",
        override,
        "Change the configuration at one level",
        allowed=SERVER,
        params=LevelPath,
        body=OverrideBody,
        response=Success,
    ),
)
