"""The outermost layer: counts every request to a provider, and gives it to the fault ordered for it."""

import json
from urllib.parse import parse_qs, urlsplit

from oneself.asgi.connection import Asgi, Message, Receive, Scope, Send, raw_path
from oneself.asgi.routing import Router
from oneself.emulator.mischief import play
from oneself.emulator.serving import segments
from oneself.emulator.trouble import take
from oneself.emulator.world import World

# Counters have a bounded set of names.
_COUNTED = frozenset({"authorization_code", "refresh_token", "fb_exchange_token"})
_MAX_FORM = 1_000_000


class Gate:
    """Wraps the application; `world.base_url` may have a path, which is taken off every request."""

    def __init__(self, world: World, app: Asgi) -> None:
        self._world = world
        self._app = app
        self._prefix = urlsplit(world.base_url).path.rstrip("/")
        # one name for all methods of a path
        self._named = Router(
            ("", f"/{player.id}{path}", (player, name))
            for player in world.players.values()
            for path, name in player.routes().items()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection, counted and perhaps spoiled."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = self._below(scope)
        found = self._named.walk(segments(scope))
        if found is None:
            await self._app(scope, receive, send)
            return
        player, name = found[0][""]
        grant_type = ""
        if name in ("token", "refresh") and scope["method"] == "POST":
            body, receive = await _read(receive)
            grant_type = _grant_type(body)
            self._world.counts[f"{player.id}.{name}.{grant_type if grant_type in _COUNTED else 'other'}"] += 1
        self._world.counts[f"{player.id}.{name}"] += 1
        trouble = take(self._world.troubles, player.id, name, grant_type)
        if trouble is None:
            await self._app(scope, receive, send)
        else:
            await play(trouble, player, self._here(scope), self._app, scope, receive, send)

    def _below(self, scope: Scope) -> Scope:
        path = raw_path(scope)
        if not self._prefix or not path.startswith(self._prefix + "/"):
            return scope
        return {**scope, "raw_path": path[len(self._prefix) :].encode("latin-1"), "root_path": ""}

    def _here(self, scope: Scope) -> bytes:
        query = bytes(scope["query_string"])
        path = (self._prefix + raw_path(scope)).encode("latin-1")
        return path + b"?" + query if query else path


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """Read a small body and give a `receive` that tells it again."""
    body, more = b"", True
    while more and len(body) <= _MAX_FORM:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": more}

    return body, again


def _grant_type(body: bytes) -> str:
    if body.lstrip().startswith(b"{"):
        try:
            said = json.loads(body).get("grant_type", "")
        except ValueError:
            return ""
        return said if isinstance(said, str) else ""
    return parse_qs(body.decode("latin-1")).get("grant_type", [""])[0]
