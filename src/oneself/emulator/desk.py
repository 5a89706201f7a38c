"""The index pages: who the personas are, what each provider says of them, and forms to change it."""

from collections.abc import Awaitable, Callable
from functools import partial

from oneself.emulator.calls import Call, Handler
from oneself.emulator.control import foreign
from oneself.emulator.pages import page
from oneself.emulator.player import Answer
from oneself.emulator.world import World

Route = tuple[str, tuple[str, ...], Handler]


def desk_routes(world: World) -> list[Route]:
    """Give the routes of the pages for people."""
    table: tuple[tuple[str, str, Callable[[World, Call], Awaitable[Answer]]], ...] = (("/", "GET", _index),)
    return [(path, tuple(methods.split()), partial(_guarded, serve, world)) for path, methods, serve in table]


async def _guarded(serve: Callable[[World, Call], Awaitable[Answer]], world: World, call: Call) -> Answer:
    if foreign(call):
        return Answer(status=403, kind="text", body="Not from another site.")
    return await serve(world, call)


async def _index(world: World, _call: Call) -> Answer:
    return page("index.html", world=world)
