"""The control API: JSON under `/_control/`, by which a test orders faults and changes the world."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from oneself.emulator.answers import Answer
from oneself.emulator.calls import Call, Route
from oneself.emulator.clients import Client
from oneself.emulator.control_grants import refresh_error, revoke_access, revoke_grant, revoke_refresh
from oneself.emulator.flaws import FLAWS
from oneself.emulator.orders import MAX_ORDERS, Order, Problem, add_trouble, change_persona, checked, foreign, read
from oneself.emulator.personas import Persona
from oneself.emulator.trouble import KINDS, Trouble
from oneself.emulator.world import MAX_PERSONAS, Pick, World


class _Skew(Order, kw_only=True):
    skew_seconds: int


class _Rotate(Order, kw_only=True):
    keep_old: bool = True
    publish: bool = True


class _Choice(Order, kw_only=True):
    persona: str
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
        ("/_control/revoke-access-token", "POST", revoke_access),
        ("/_control/revoke-refresh-token", "POST", revoke_refresh),
        ("/_control/revoke-grant", "POST", revoke_grant),
        ("/_control/simulate-refresh-error", "POST", refresh_error),
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


async def _clients(world: World, call: Call) -> Answer:
    if call.method == "POST":
        client = read(call, Client)
        checked(world, client.provider or "*")
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


async def _picks(world: World, call: Call) -> Answer:
    if call.method == "DELETE":
        world.picks.clear()
        return Answer(body={})
    choice = read(call, _Choice)
    if choice.persona != "deny" and choice.persona not in world.personas:
        raise Problem("persona is deny or the id of a persona")
    world.picks.append(Pick(checked(world, choice.provider), choice.persona, choice.times))
    del world.picks[:-MAX_ORDERS]
    return Answer(body={})


async def _clock(world: World, call: Call) -> Answer:
    order = read(call, _Skew)
    world.skew[checked(world, order.provider)] = order.skew_seconds
    return Answer(body=world.skew)


async def _rotate(world: World, call: Call) -> Answer:
    order = read(call, _Rotate)
    checked(world, order.provider)
    kids = {}
    for player in world.players.values():
        if order.provider in ("*", player.id) and player.id_token is not None:
            kids[player.id] = await world.keys.rotate(
                player.id, player.id_token.alg, keep_old=order.keep_old, publish=order.publish
            )
    return Answer(body=kids)
