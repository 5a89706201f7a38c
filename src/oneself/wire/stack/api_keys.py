"""`/internal/api-keys`: the keys of a project, made, listed and revoked in sets."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from oneself.actions import projects as action
from oneself.model import KeyKind, ProjectKey
from oneself.wire.http import Reply
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import Form, Uuid
from oneself.wire.stack.operation import ADMIN, Call, Operation, done, items, operation
from oneself.wire.stack.replies import ApiKeys, ApiKeySet
from oneself.wire.stack.times import MICROS_PER_MILLI, millis

NAMES: dict[KeyKind, str] = {
    "stack_client": "publishable_client_key",
    "stack_server": "secret_server_key",
    "stack_admin": "super_secret_admin_key",
}
# Keys that never expire, as a time: the first day of the year 3000.
NEVER_MILLIS = 32_503_680_000_000


class CreateBody(Form):
    """Which keys, what for, and until when (milliseconds since 1970)."""

    description: str
    expires_at_millis: Annotated[int, Meta(ge=0)]
    has_publishable_client_key: bool
    has_secret_server_key: bool
    has_super_secret_admin_key: bool


class ChangeBody(Form):
    """Keys can only be revoked."""

    description: str | UnsetType = UNSET
    revoked: Literal[True] | UnsetType = UNSET


class SetPath(Form):
    """One set of keys."""

    key_id: Uuid


async def create(call: Call, body: CreateBody) -> Reply:
    """Make a set of keys; they are shown in clear this once."""
    wanted: tuple[tuple[KeyKind, bool], ...] = (
        ("stack_client", body.has_publishable_client_key),
        ("stack_server", body.has_secret_server_key),
        ("stack_admin", body.has_super_secret_admin_key),
    )
    kinds = tuple(kind for kind, asked in wanted if asked)
    # Nothing would mean never; what has expired in 1970 has expired.
    expires_at = max(1, body.expires_at_millis * MICROS_PER_MILLI)
    set_id, keys = await action.add_keys(call.rt, call.project, kinds, body.description, expires_at)
    clear = keys.by_kind()
    made = await _stored(call, set_id)
    shown = {
        "id": set_id,
        "description": body.description,
        **{NAMES[kind]: clear[kind] for kind in kinds},
        "created_at_millis": millis(made[0].created_at if made else call.rt.clock()),
        "expires_at_millis": body.expires_at_millis,
    }
    return done(call, shown)


async def listing(call: Call) -> Reply:
    """List the sets of keys, newest first."""
    return items(call, [_shown(keys) for keys in _sets(call).values()])


async def read(call: Call) -> Reply:
    """Read one set."""
    return done(call, _shown(_one(call)))


async def update(call: Call, body: ChangeBody) -> Reply:
    """Revoke a set: here at once, on every other process within seconds."""
    _one(call)
    if body.revoked:
        await action.revoke_keys(call.rt, call.project, call.params.key_id)
    return done(call, _shown(await _stored(call, call.params.key_id)))


async def _stored(call: Call, set_id: str) -> list[ProjectKey]:
    """A set as it is stored by now."""
    project = await action.by_id(call.rt, call.project.id)
    return [key for key in (project.keys if project else ()) if key.set_id == set_id]


def _sets(call: Call) -> dict[str, list[ProjectKey]]:
    sets: dict[str, list[ProjectKey]] = {}
    for key in sorted(call.project.keys, key=lambda key: -key.created_at):
        if key.kind in NAMES:
            sets.setdefault(key.set_id, []).append(key)
    return sets


def _one(call: Call) -> list[ProjectKey]:
    keys = _sets(call).get(call.params.key_id)
    if keys is None:
        raise known("API_KEY_NOT_FOUND")
    return keys


def _shown(keys: Iterable[ProjectKey]) -> dict[str, Any]:
    listed = list(keys)
    first = listed[0]
    shown: dict[str, Any] = {
        "id": first.set_id,
        "description": first.description,
        "created_at_millis": millis(first.created_at),
        "expires_at_millis": millis(first.expires_at) if first.expires_at else NEVER_MILLIS,
    }
    if first.revoked_at:
        shown["manually_revoked_at_millis"] = millis(first.revoked_at)
    return shown | {NAMES[key.kind]: {"last_four": key.last_four} for key in listed if key.kind in NAMES}


OPERATIONS: tuple[Operation, ...] = (
    operation("POST", "/internal/api-keys", create, "Make keys", allowed=ADMIN, body=CreateBody, response=ApiKeySet),
    operation("GET", "/internal/api-keys", listing, "List keys", allowed=ADMIN, response=ApiKeys),
    operation(
        "GET",
        "/internal/api-keys/{key_id}",
        read,
        "Read a set of keys",
        allowed=ADMIN,
        params=SetPath,
        response=ApiKeySet,
    ),
    operation(
        "PATCH",
        "/internal/api-keys/{key_id}",
        update,
        "Revoke a set of keys",
        allowed=ADMIN,
        params=SetPath,
        body=ChangeBody,
        response=ApiKeySet,
    ),
)
