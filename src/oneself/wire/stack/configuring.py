"""Changes of a project's configuration, carried out whole or not at all, and what its administrators then see of it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from oneself.actions import projects as action
from oneself.model import Project, ProjectConfig
from oneself.wire.stack import config_document, render_project
from oneself.wire.stack.config_document import Document, Misfit
from oneself.wire.stack.operation import Call
from oneself.wire.stack.refusals import Refused, plain

# Under what name the password of a project's own mail server is sealed and kept.
MAIL_SECRET = "email_password"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one level: keys to set, keys to drop with their children; with `whole` nothing else stays."""

    level: str = "environment"
    sets: Document = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(self.sets or self.drops or self.whole)


async def configured(call: Call, project: Project, change: Change, said: dict[str, Any] | None = None) -> Project:
    """The project after a change of its configuration, in one step that no other change can slip into.

    `said` is what is only kept and shown of it. Raises a plain 400 for what cannot be.
    """
    if not change and not said:
        return project
    cleaned, secrets = config_document.take_secrets(change.sets)
    change = replace(change, sets=cleaned)
    sealed = {
        name: await action.seal_client_secret(call.rt, project.id, name, secret) for name, secret in secrets.items()
    }
    kept = await _without_password(call, project, said or {})

    def changed(config: ProjectConfig) -> ProjectConfig:
        new = _changed(config, change, sealed)
        about = new.extras.get(render_project.EXTRAS, {}) | kept
        return msgspec.structs.replace(new, extras=new.extras | {render_project.EXTRAS: about})

    try:
        return await action.change_config(call.rt, project, changed)
    except Misfit as misfit:
        raise _misfit(misfit) from None


def check(config: ProjectConfig, change: Change) -> None:
    """Refuse a change that cannot be, before any of what came with it is done."""
    cleaned, _ = config_document.take_secrets(change.sets)
    try:
        _changed(config, replace(change, sets=cleaned), {})
    except Misfit as misfit:
        raise _misfit(misfit) from None


async def client_secrets(call: Call, project: Project) -> dict[str, str]:
    """The project's own client secrets in clear, by the id of their provider."""
    return {
        entry.config_id: await action.open_client_secret(call.rt, project, entry.config_id)
        for entry in project.config.providers
        if not entry.shared
    }


async def shown(call: Call, project: Project) -> dict[str, Any]:
    """The project as its administrators see it, secrets and all."""
    answer = render_project.admin_project(project, await client_secrets(call, project))
    sealed = project.config.extras.get(render_project.EXTRAS, {}).get(MAIL_SECRET)
    if sealed:
        password = await action.open_sealed(call.rt, project, MAIL_SECRET, base64.b64decode(sealed))
        answer["config"]["email_config"] = answer["config"]["email_config"] | {"password": password}
    return answer


def _changed(config: ProjectConfig, change: Change, sealed: Mapping[str, bytes]) -> ProjectConfig:
    levels = config_document.overrides_of(config)
    kept = config_document.override(levels, change.level, change.sets, change.drops, whole=change.whole)
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
