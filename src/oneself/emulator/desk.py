"""The pages for people: who the personas are, what each provider says of them, forms to change it."""

import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from oneself.emulator.answers import Answer
from oneself.emulator.authorize import DENY
from oneself.emulator.calls import Call, Route
from oneself.emulator.flaws import FLAWS
from oneself.emulator.orders import Problem, add_trouble, change_persona, foreign
from oneself.emulator.pages import page
from oneself.emulator.personas import Persona
from oneself.emulator.preview import preview
from oneself.emulator.trouble import DETAILS, KINDS, Trouble
from oneself.emulator.world import MAX_PERSONAS, World

_NAMELESS = "A persona needs an id: letters, digits, - and _, 64 at most, and not one that is taken."
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAMES = ("name", "given_name", "family_name", "username")
_TEXTS = (*_NAMES, "email", "work_domain", "public_email", "picture", "locale", "note")
# fields that are written as JSON
_OBJECTS = {"emails": "{}", "verified": "{}", "other_emails": "[]", "answers": "{}"}


def desk_routes(world: World) -> list[Route]:
    """Give the routes of the pages for people."""
    table: tuple[tuple[str, str, Callable[[World, Call], Awaitable[Answer]]], ...] = (
        ("/", "GET", _index),
        ("/people", "POST", _newcomer),
        ("/people/{id}", "GET POST", _person),
        ("/faults", "POST", _order_fault),
        ("/faults/clear", "POST", _clear_faults),
        ("/reset", "POST", _start_over),
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
        details=_shown_for(),
        flaws=FLAWS,
        endpoints=names,
        accept_any_client=world.accept_any_client,
        clients=len(world.clients),
        problem=problem,
    )


def _shown_for() -> dict[str, list[str]]:
    """Which kinds each detail of an order belongs to, so that the form shows no other."""
    details = sorted({detail for named in DETAILS.values() for detail in named})
    return {detail: [kind for kind, named in DETAILS.items() if detail in named] for detail in details}


def _seen(world: World, provider: str) -> int:
    return sum(n for name, n in world.counts.items() if name.startswith(f"{provider}.") and name.count(".") == 1)


async def _newcomer(world: World, call: Call) -> Answer:
    name = dict(call.form).get("id", "").strip()
    if not _ID.fullmatch(name) or name == DENY or world.persona(name) or len(world.personas) >= MAX_PERSONAS:
        return _show_index(world, _NAMELESS)
    world.personas[name] = Persona(id=name, name=name.capitalize(), email=f"{name}@new.example")
    return _home(world, f"/people/{name}")


async def _person(world: World, call: Call) -> Answer:
    held = world.personas.get(call.path["id"])
    if held is None:
        return Answer(status=404, kind="text", body="There is no such persona.")
    if call.method == "POST":
        try:
            change_persona(world, held, _changes(dict(call.form)))
        except (ValueError, msgspec.ValidationError) as problem:
            return _show_person(world, held, problem=str(problem))
        return _home(world, f"/people/{held.id}")
    return _show_person(world, held, at=dict(call.query).get("at", ""))


def _changes(form: dict[str, str]) -> dict[str, Any]:
    changes: dict[str, Any] = {name: form[name].strip() for name in _TEXTS if name in form}
    changes["email_verified"] = "email_verified" in form
    for name, empty in _OBJECTS.items():
        if name in form:
            changes[name] = json.loads(form[name].strip() or empty)
    return changes


def _show_person(world: World, persona: Persona, *, problem: str = "", at: str = "") -> Answer:
    shown = [
        (player, persona.at(player.id), json.dumps(preview(world, player, persona), indent=2, ensure_ascii=False))
        for player in world.players.values()
    ]
    objects = {name: getattr(persona, name) for name in _OBJECTS}
    return page(
        "person.html",
        400 if problem else 200,
        base=world.base_url,
        person=persona,
        texts=[(name, getattr(persona, name)) for name in _TEXTS],
        objects={name: json.dumps(value, indent=2, ensure_ascii=False) for name, value in objects.items()},
        shown=shown,
        at=at,
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


async def _start_over(world: World, _call: Call) -> Answer:
    world.reset()
    return _home(world)
