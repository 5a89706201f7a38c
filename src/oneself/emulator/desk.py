"""The pages for people: who the personas are, what each provider says of them, forms to change it."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from oneself.emulator.answers import Answer
from oneself.emulator.calls import Call, Route
from oneself.emulator.keys import FLAWS
from oneself.emulator.orders import Problem, add_trouble, change_persona, foreign
from oneself.emulator.pages import page
from oneself.emulator.personas import Persona
from oneself.emulator.preview import preview
from oneself.emulator.trouble import KINDS, Trouble
from oneself.emulator.world import World

_TEXTS = ("name", "given_name", "family_name", "username", "email", "work_domain", "public_email", "picture", "locale")


def desk_routes(world: World) -> list[Route]:
    """Give the routes of the pages for people."""
    table: tuple[tuple[str, str, Callable[[World, Call], Awaitable[Answer]]], ...] = (
        ("/", "GET", _index),
        ("/people/{id}", "GET POST", _person),
        ("/faults", "POST", _order_fault),
        ("/faults/clear", "POST", _clear_faults),
    )
    return [(path, tuple(methods.split()), partial(_guarded, serve, world)) for path, methods, serve in table]


async def _guarded(serve: Callable[[World, Call], Awaitable[Answer]], world: World, call: Call) -> Answer:
    if foreign(call):
        return Answer(status=403, kind="text", body="Not from another site.")
    return await serve(world, call)


def _home(world: World, path: str = "/") -> Answer:
    # 303: the browser comes back with a GET, and a reload orders nothing twice.
    return Answer(status=303, kind="empty", headers=(("Location", world.base_url + path),))


async def _index(world: World, _call: Call) -> Answer:
    return _show_index(world, "")


def _show_index(world: World, problem: str) -> Answer:
    names = sorted({name for player in world.players.values() for name in player.routes().values()})
    return page(
        "index.html",
        400 if problem else 200,
        base=world.base_url,
        players=[(player, world.root(player), _seen(world, player.id)) for player in world.players.values()],
        people=list(world.personas.values()),
        troubles=world.troubles,
        kinds=KINDS,
        flaws=FLAWS,
        endpoints=names,
        accept_any_client=world.accept_any_client,
        clients=len(world.clients),
        problem=problem,
    )


def _seen(world: World, provider: str) -> int:
    return sum(n for name, n in world.counts.items() if name.startswith(f"{provider}.") and name.count(".") == 1)


async def _person(world: World, call: Call) -> Answer:
    held = world.personas.get(call.path["id"])
    if held is None:
        return Answer(status=404, kind="text", body="There is no such persona.")
    if call.method == "POST":
        try:
            change_persona(world, held, _changes(dict(call.form)))
        except (ValueError, msgspec.ValidationError) as problem:
            return _show_person(world, held, str(problem))
        return _home(world, f"/people/{held.id}")
    return _show_person(world, held, "")


def _changes(form: dict[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: form[name].strip() for name in _TEXTS if name in form}
    changes["email_verified"] = "email_verified" in form
    if "answers" in form:
        changes["answers"] = json.loads(form["answers"] or "{}")
    return changes


def _show_person(world: World, persona: Persona, problem: str) -> Answer:
    shown = [
        (player, json.dumps(preview(world, player, persona), indent=2, ensure_ascii=False))
        for player in world.players.values()
    ]
    return page(
        "person.html",
        400 if problem else 200,
        base=world.base_url,
        person=persona,
        texts=[(name, getattr(persona, name)) for name in _TEXTS],
        answers=json.dumps(persona.answers, indent=2, ensure_ascii=False),
        shown=shown,
        problem=problem,
    )


async def _order_fault(world: World, call: Call) -> Answer:
    form = {name: value for name, value in call.form if value != ""}
    try:
        add_trouble(world, msgspec.convert(form, Trouble, strict=False))
    except (Problem, msgspec.ValidationError) as problem:
        return _show_index(world, str(problem))
    return _home(world)


async def _clear_faults(world: World, _call: Call) -> Answer:
    world.troubles.clear()
    return _home(world)
