"""What orders have in common, come they as JSON or by a form: reading, refusing, carrying out."""

from typing import Any, TypeVar

import msgspec

from oneself.emulator.calls import Call
from oneself.emulator.personas import Persona
from oneself.emulator.trouble import Trouble
from oneself.emulator.world import World

T = TypeVar("T")

MAX_ORDERS = 1_000


class Problem(Exception):
    """A control request that cannot be done; its text is the answer."""


class Order(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What all orders say: which provider, `*` for every one."""

    provider: str = "*"


def foreign(call: Call) -> bool:
    """Say whether a browser sends this from the page of another site."""
    origin, host = call.headers.get("origin", ""), call.headers.get("host", "")
    return call.method != "GET" and bool(origin) and origin.partition("://")[2] != host


def read(call: Call, shape: type[T]) -> T:
    """Read the body as `shape`; an absent body is an empty object. Raises msgspec's errors."""
    return msgspec.json.decode(call.body or b"{}", type=shape)


def checked(world: World, provider: str) -> str:
    """Give a provider that exists, or `*`. Raises Problem."""
    if provider != "*" and provider not in world.players:
        raise Problem(f"provider is * or one of {', '.join(world.players)}")
    return provider


def add_trouble(world: World, trouble: Trouble) -> None:
    """Order a fault. Raises Problem for a provider or endpoint that does not exist."""
    provider = checked(world, trouble.provider)
    players = world.players.values() if provider == "*" else [world.players[provider]]
    names = {name for player in players for name in player.routes().values()}
    if trouble.endpoint not in ("*", *names):
        raise Problem(f"endpoint is * or one of {', '.join(sorted(names))}")
    if len(world.troubles) >= MAX_ORDERS:
        raise Problem("too many faults are ordered already")
    world.troubles.append(trouble)


def change_persona(world: World, held: Persona, changes: dict[str, Any]) -> Persona:
    """Put the given fields into a persona; its id, and so its subjects, stay."""
    fields = {**msgspec.to_builtins(held), **changes, "id": held.id}
    world.personas[held.id] = msgspec.convert(fields, Persona)
    return world.personas[held.id]
