"""`/internal/config`: a project's whole configuration, and the three levels that override its defaults."""

import json

from msgspec import UNSET, UnsetType

from oneself.wire.http import Reply
from oneself.wire.stack import config_document
from oneself.wire.stack.bodies import json_value
from oneself.wire.stack.config_document import Document
from oneself.wire.stack.configuring import Change, client_secrets, configured
from oneself.wire.stack.fields import Form, Json
from oneself.wire.stack.operation import ADMIN, SERVER, Call, Operation, done, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import ConfigString, Success


class LevelPath(Form):
    """Which level is overridden."""

    level: config_document.Level


class OverrideBody(Form):
    """Changes of a level: a JSON text of a flat map with dotted keys."""

    config_override_string: str


class ReplaceBody(Form):
    """A whole level, as `OverrideBody`; where it was pushed from is taken and not looked at."""

    config_string: str
    source: Json | UnsetType = UNSET


class ResetBody(Form):
    """Keys that a level shall not override any more; what is below them goes too."""

    keys: list[str]


async def configuration(call: Call) -> Reply:
    """Read the whole configuration, every level over the defaults."""
    whole = config_document.rendered(config_document.overrides_of(call.project.config))
    secrets = await client_secrets(call, call.project)
    for name, entry in whole["auth"]["oauth"]["providers"].items():
        if entry.get("clientSecret"):
            entry["clientSecret"] = secrets.get(name, "")
    return done(call, {"config_string": json.dumps(whole)})


async def read(call: Call) -> Reply:
    """Read what one level overrides."""
    level = config_document.overrides_of(call.project.config)[call.params.level]
    secrets = await client_secrets(call, call.project)
    return done(call, {"config_string": json.dumps(config_document.with_secrets(level, secrets))})


async def override(call: Call, body: OverrideBody) -> Reply:
    """Change what one level overrides."""
    sets = _document(body.config_override_string, "config_override_string")
    return await _changed(call, Change(call.params.level, sets))


async def replace(call: Call, body: ReplaceBody) -> Reply:
    """Let one level override these keys and no others."""
    return await _changed(call, Change(call.params.level, _document(body.config_string, "config_string"), whole=True))


async def reset(call: Call, body: ResetBody) -> Reply:
    """Take keys out of one level."""
    return await _changed(call, Change(call.params.level, drops=tuple(body.keys)))


async def _changed(call: Call, change: Change) -> Reply:
    if call.access == "server" and change.level != "branch":
        raise plain(403, "Only the branch level can be changed with server access")
    await configured(call, call.project, change)
    return done(call, {"success": True})


def _document(text: str, name: str) -> Document:
    try:
        found = json_value(text)
    except ValueError:
        raise plain(400, f"{name} is not valid JSON") from None
    if not isinstance(found, dict):
        raise plain(400, f"{name} must be an object")
    return found


LEVEL = "/internal/config/override/{level}"
OPERATIONS: tuple[Operation, ...] = (
    operation("GET", "/internal/config", configuration, "Read the configuration", allowed=ADMIN, response=ConfigString),
    operation("GET", LEVEL, read, "Read one level", allowed=ADMIN, params=LevelPath, response=ConfigString),
    operation(
        "PATCH",
        LEVEL,
        override,
        "Change one level",
        allowed=SERVER,
        params=LevelPath,
        body=OverrideBody,
        response=Success,
    ),
    operation(
        "PUT", LEVEL, replace, "Replace one level", allowed=SERVER, params=LevelPath, body=ReplaceBody, response=Success
    ),
    operation(
        "POST",
        f"{LEVEL}/reset-keys",
        reset,
        "Take keys out of one level",
        allowed=SERVER,
        params=LevelPath,
        body=ResetBody,
        response=Success,
    ),
)
