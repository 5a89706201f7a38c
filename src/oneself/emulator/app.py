"""Builds the emulator: players, state and pages as one ASGI application."""

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial

from oneself.asgi.connection import Asgi, Receive, Scope, Send
from oneself.emulator.answers import Answer
from oneself.emulator.authorize import authorize
from oneself.emulator.calls import Call, Handler, Route
from oneself.emulator.clients import Client
from oneself.emulator.control import control_routes
from oneself.emulator.desk import desk_routes
from oneself.emulator.gate import Gate
from oneself.emulator.personas import PERSONAS, Persona
from oneself.emulator.player import Player
from oneself.emulator.players import PLAYERS
from oneself.emulator.resources import discovery, jwks, resource, revocation
from oneself.emulator.serving import application
from oneself.emulator.tokens import refresh_only, token
from oneself.emulator.world import World


class Emulator:
    """The ASGI application; `world` is its state, for tests that run in the same process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._gate = Gate(world, _application(world))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        await self._gate(scope, receive, send)


def _microseconds() -> int:
    return time.time_ns() // 1_000


def create_emulator(
    base_url: str,
    *,
    clock: Callable[[], int] = _microseconds,
    random: Callable[[int], bytes] = os.urandom,
    clients: Iterable[Client] = (),
    accept_any_client: bool = False,
    vendor_issuers: bool = True,
    personas: Iterable[Persona] = PERSONAS,
    players: Mapping[str, Player] = PLAYERS,
) -> Emulator:
    """Build the emulator as it is reached at `base_url` (which may have a path).

    `clock` gives microseconds since the epoch. `accept_any_client` registers unknown clients by
    what they show first. With `vendor_issuers` each provider signs as the vendor (`iss` is
    `https://accounts.google.com`), as an adapter with overridden addresses expects; without, every
    issuer is its address here, as a client that uses discovery demands.
    """
    return Emulator(
        World(
            base_url=base_url,
            clock=clock,
            random=random,
            players=players,
            cast=tuple(personas),
            accept_any_client=accept_any_client,
            vendor_issuers=vendor_issuers,
            declared=tuple(clients),
        )
    )


def _application(world: World) -> Asgi:
    played = [
        (f"/{player.id}{path}", methods, handler)
        for player in world.players.values()
        for path, methods, handler in _player_routes(world, player)
    ]
    return application([*played, *control_routes(world), *desk_routes(world)])


def _player_routes(world: World, player: Player) -> list[Route]:
    routes: list[Route] = [
        (player.authorization_path, ("GET", "POST"), _at(authorize, world, player)),
        *(
            (path, player.token_methods, _at(token, world, player))
            for path in (player.token_path, *player.token_aliases)
        ),
    ]
    if player.refresh_path:
        routes.append((player.refresh_path, ("POST",), _at(refresh_only, world, player)))
    if player.jwks_path:
        routes.append((player.jwks_path, ("GET",), _at(jwks, world, player)))
    if player.discovery is not None:
        routes.append((player.discovery_path, ("GET",), _at(discovery, world, player)))
    routes += [(place.path, place.methods, partial(resource, world, player, place)) for place in player.resources]
    routes += [
        (handed.path, handed.methods, partial(revocation, world, player, handed)) for handed in player.revocations
    ]
    return routes


def _at(serve: Callable[[World, Player, Call], Awaitable[Answer]], world: World, player: Player) -> Handler:
    return partial(serve, world, player)
