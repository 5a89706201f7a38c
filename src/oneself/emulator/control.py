"""The control API: JSON under `/_control/`, by which a test orders faults and changes the world."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

from oneself.emulator.calls import Call, Handler
from oneself.emulator.clients import Client
from oneself.emulator.keys import FLAWS
from oneself.emulator.personas import Persona
from oneself.emulator.player import Answer
from oneself.emulator.trouble import KINDS, Trouble
from oneself.emulator.world import MAX_PERSONAS, Pick, Token, World

Route = tuple[str, tuple[str, ...], Handler]
T = TypeVar("T")

_MAX_TROUBLES = 1_000


class Problem(Exception):
    """A control request that cannot be done; its text is the answer."""


class _Order(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    provider: str = "*"


class _Skew(_Order, kw_only=True):
    skew_seconds: int


class _Rotate(_Order, kw_only=True):
    keep_old: bool = True
    publish: bool = True


class _Choice(_Order, kw_only=True):
    persona: str
    times: int = 1


class _Which(_Order, kw_only=True):
    """Tokens by their text, or all of a person, a client, a provider (any of them together)."""

    token: str = ""
    persona: str = ""
    client_id: str = ""


class _RefreshError(_Order, kw_only=True):
    error: str = "invalid_grant"
    description: str = ""
    status: int = 0
    times: int = 1


def control_routes(world: World) -> list[Route]:
    """Give the routes of the control API."""
    table: tuple[tuple[str, str, Callable[[World, Call], Awaitable[Answer]]], ...] = (
        ("/_control", "GET", _overview),
        ("/_control/reset", "POST", _reset),
        ("/_control/counts", "GET DELETE", _counts),
        ("/_control/faults", "GET POST DELETE", _faults),
        ("/_control/clients", "GET POST", _clients),
        ("/_control/personas", "GET POST", _personas),
        ("/_control/personas/{id}", "GET PATCH DELETE", _persona),
        ("/_control/picks", "POST DELETE", _picks),
        ("/_control/clock", "POST", _clock),
        ("/_control/keys/rotate", "POST", _rotate),
        ("/_control/revoke-access-token", "POST", _revoke_access),
        ("/_control/revoke-refresh-token", "POST", _revoke_refresh),
        ("/_control/revoke-grant", "POST", _revoke_grant),
        ("/_control/simulate-refresh-error", "POST", _refresh_error),
    )
    return [(path, tuple(methods.split()), partial(_guarded, serve, world)) for path, methods, serve in table]


async def _guarded(serve: Callable[[World, Call], Awaitable[Answer]], world: World, call: Call) -> Answer:
    # A page of another site can send a form here, but no JSON; so every change asks for JSON.
    if call.body and "json" not in call.headers.get("content-type", ""):
        return Answer(status=415, body={"error": "send application/json"})
    if foreign(call):
        return Answer(status=403, body={"error": "not from another site"})
    try:
        return await serve(world, call)
    except (Problem, msgspec.ValidationError, msgspec.DecodeError) as problem:
        return Answer(status=400, body={"error": str(problem)})


def foreign(call: Call) -> bool:
    """Say whether a browser sends this from the page of another site."""
    origin, host = call.headers.get("origin", ""), call.headers.get("host", "")
    return call.method != "GET" and bool(origin) and origin.partition("://")[2] != host


def read(call: Call, shape: type[T]) -> T:
    """Read the body as `shape`; an absent body is an empty object. Raises msgspec's errors."""
    return msgspec.json.decode(call.body or b"{}", type=shape)


def _checked(world: World, provider: str) -> str:
    if provider != "*" and provider not in world.players:
        raise Problem(f"provider is * or one of {', '.join(world.players)}")
    return provider


async def _overview(world: World, _call: Call) -> Answer:
    return Answer(
        body={
            "providers": {
                player.id: {"name": player.name, "endpoints": sorted(set(player.routes().values()))}
                for player in world.players.values()
            },
            "faults": KINDS,
            "id_token_flaws": FLAWS,
            "personas": sorted(world.personas),
        }
    )


async def _reset(world: World, _call: Call) -> Answer:
    world.reset()
    return Answer(body={})


async def _counts(world: World, call: Call) -> Answer:
    if call.method == "DELETE":
        world.counts.clear()
    return Answer(body=dict(sorted(world.counts.items())))


async def _faults(world: World, call: Call) -> Answer:
    if call.method == "DELETE":
        world.troubles.clear()
    elif call.method == "POST":
        add_trouble(world, read(call, Trouble))
    return Answer(body=[msgspec.to_builtins(trouble) for trouble in world.troubles])


def add_trouble(world: World, trouble: Trouble) -> None:
    """Order a fault. Raises Problem for a provider or endpoint that does not exist."""
    provider = _checked(world, trouble.provider)
    players = world.players.values() if provider == "*" else [world.players[provider]]
    names = {name for player in players for name in player.routes().values()}
    if trouble.endpoint not in ("*", *names):
        raise Problem(f"endpoint is * or one of {', '.join(sorted(names))}")
    if len(world.troubles) >= _MAX_TROUBLES:
        raise Problem("too many faults are ordered already")
    world.troubles.append(trouble)


async def _clients(world: World, call: Call) -> Answer:
    if call.method == "POST":
        client = read(call, Client)
        _checked(world, client.provider or "*")
        world.add_clients([client])
    shown = [
        {**msgspec.to_builtins(client), "client_secret": bool(client.client_secret)}
        for client in world.clients.values()
    ]
    return Answer(body=shown)


async def _personas(world: World, call: Call) -> Answer:
    if call.method == "POST":
        persona = read(call, Persona)
        if not persona.id or (persona.id not in world.personas and _full(world)):
            raise Problem("a persona needs an id, and there is a limit of them")
        world.personas[persona.id] = persona
    return Answer(body=[msgspec.to_builtins(person) for person in world.personas.values()])


def _full(world: World) -> bool:
    return len(world.personas) >= MAX_PERSONAS


async def _persona(world: World, call: Call) -> Answer:
    held = world.personas.get(call.path["id"])
    if held is None:
        return Answer(status=404, body={"error": "there is no such persona"})
    if call.method == "DELETE":
        del world.personas[held.id]
        return Answer(body={})
    if call.method == "PATCH":
        held = change_persona(world, held, read(call, dict[str, Any]))
    return Answer(body=msgspec.to_builtins(held))


def change_persona(world: World, held: Persona, changes: dict[str, Any]) -> Persona:
    """Put the given fields into a persona; its id, and so its subjects, stay."""
    fields = {**msgspec.to_builtins(held), **changes, "id": held.id}
    world.personas[held.id] = msgspec.convert(fields, Persona)
    return world.personas[held.id]


async def _picks(world: World, call: Call) -> Answer:
    if call.method == "DELETE":
        world.picks.clear()
        return Answer(body={})
    choice = read(call, _Choice)
    if choice.persona != "deny" and choice.persona not in world.personas:
        raise Problem("persona is deny or the id of a persona")
    world.picks.append(Pick(_checked(world, choice.provider), choice.persona, choice.times))
    del world.picks[:-_MAX_TROUBLES]
    return Answer(body={})


async def _clock(world: World, call: Call) -> Answer:
    order = read(call, _Skew)
    world.skew[_checked(world, order.provider)] = order.skew_seconds
    return Answer(body=world.skew)


async def _rotate(world: World, call: Call) -> Answer:
    order = read(call, _Rotate)
    _checked(world, order.provider)
    kids = {}
    for player in world.players.values():
        if order.provider in ("*", player.id) and player.id_token is not None:
            kids[player.id] = await world.keys.rotate(
                player.id, player.id_token.alg, keep_old=order.keep_old, publish=order.publish
            )
    return Answer(body=kids)


def _matching(tokens: list[Token], which: _Which) -> list[Token]:
    if not (which.token or which.persona or which.client_id or which.provider != "*"):
        raise Problem("name a token, persona, client_id or provider")
    return [
        token
        for token in tokens
        if which.token in ("", token.value)
        and which.persona in ("", token.grant.persona)
        and which.client_id in ("", token.grant.client_id)
        and which.provider in ("*", token.grant.provider)
    ]


async def _revoke_access(world: World, call: Call) -> Answer:
    return _kill(_matching(list(world.access.values()), read(call, _Which)))


async def _revoke_refresh(world: World, call: Call) -> Answer:
    return _kill(_matching(list(world.refresh.values()), read(call, _Which)))


def _kill(tokens: list[Token]) -> Answer:
    for token in tokens:
        token.dead = True
    return Answer(body={"revoked": len(tokens)})


async def _revoke_grant(world: World, call: Call) -> Answer:
    tokens = [*world.access.values(), *world.refresh.values()]
    found = {id(token.grant): token.grant for token in _matching(tokens, read(call, _Which))}
    for grant in found.values():
        world.revoke(grant)
    return Answer(body={"revoked": len(found)})


async def _refresh_error(world: World, call: Call) -> Answer:
    order = read(call, _RefreshError)
    add_trouble(
        world,
        Trouble(
            kind="oauth_error",
            provider=order.provider,
            grant_type="refresh_token",
            error=order.error,
            description=order.description,
            status=order.status,
            times=order.times,
        ),
    )
    return Answer(body={})
