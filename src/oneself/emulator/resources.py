"""What access tokens open, and the endpoints about tokens and keys: user documents, revocation, JWKS."""

from collections.abc import Mapping
from dataclasses import replace

from oneself.emulator.answers import Answer
from oneself.emulator.calls import Call, once
from oneself.emulator.clients import Client, read_credentials, secret_matches
from oneself.emulator.overlay import overlay
from oneself.emulator.player import Player, Resource, Revocation, Scene
from oneself.emulator.world import Token, World

_CACHED = (("Cache-Control", "public, max-age=3600"),)


async def resource(world: World, player: Player, place: Resource, call: Call) -> Answer:
    """Serve a user document to a live access token that has one of the scopes it needs."""
    shown = _shown(place.token_in, place.token_field, call)
    if not shown:
        return player.refuse_api("missing")
    token = world.access.get(shown)
    scene = _scene(world, player, token, call)
    if scene is None:
        return player.refuse_api("dead")
    if place.scopes and not scene.has(*place.scopes):
        return player.refuse_api("scope")
    answer = place.answer(scene)
    return replace(answer, body=overlay(scene.persona, player.id, place.name, answer.body))


def _shown(place: str, field: str, call: Call) -> str:
    if place == "form":
        return dict(call.form).get(field, "")
    if place == "query":
        return dict(call.query).get(field, "")
    if place == "path":
        return call.path.get(field, "")
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", place):
        return token.strip()
    return dict(call.query).get("access_token", "") if place == "bearer_or_query" else ""


def _scene(world: World, player: Player, token: Token | None, call: Call) -> Scene | None:
    if token is None or token.grant.provider != player.id:
        return None
    if not token.alive(world.now(player.id)):
        return None
    scene = world.scene(player, token.grant)
    if scene is None:
        return None
    query = once(call.query) or {}
    return replace(
        scene,
        headers=call.headers,
        query=query,
        path=call.path,
        token=token.value,
        expires_at=token.expires_at,
    )


async def revocation(world: World, player: Player, place: Revocation, call: Call) -> Answer:
    """Serve a revocation (RFC 7009, or the vendor's own): check the client, end what is named."""
    form = once(call.form) or {}
    client = _revoker(world, player, place, call, form)
    if client is None and place.client != "none":
        return place.refused
    value = _named(place, call, form)
    token = None
    if place.takes != "refresh":
        token = world.access.get(value)
    if token is None and place.takes != "access":
        token = world.refresh.get(value)
    if token is None or token.grant.provider != player.id or not token.alive(world.now(player.id)):
        return place.unknown
    if client is not None and client.client_id != token.grant.client_id:
        return place.unknown
    if place.kills == "token":
        token.dead = True
    elif place.kills == "person":
        world.revoke_person(token.grant)
    else:
        world.revoke(token.grant)
    return place.done


def _revoker(world: World, player: Player, place: Revocation, call: Call, form: Mapping[str, str]) -> Client | None:
    if place.client == "none":
        return None
    authorization = call.headers.get("authorization", "")
    shown = read_credentials(authorization, form, player.client_id_param, player.secret_param)
    if shown is None or call.path.get("client_id", shown.client_id) != shown.client_id:
        return None
    client = world.find_client(player.id, shown.client_id)
    if client is None or place.client == "id":
        return client
    if place.client != "any" and shown.way != place.client:
        return None
    if "jwt" in player.client_auth or (client.learning and not client.client_secret):
        return client
    return client if secret_matches(client, shown.secret) else None


def _named(place: Revocation, call: Call, form: Mapping[str, str]) -> str:
    match place.body:
        case "json":
            given = call.json()
            value = given.get(place.field) if isinstance(given, dict) else None
            return value if isinstance(value, str) else ""
        case "query":
            return dict(call.query).get(place.field, "")
        case "path":
            return call.path.get(place.field, "")
        case "bearer":
            return _shown("bearer_or_query", "", call)
        case _:
            return form.get(place.field, "")


async def jwks(world: World, player: Player, _call: Call) -> Answer:
    """Serve the published keys; they may be cached, as the real ones."""
    alg = "RS256" if player.id_token is None else player.id_token.alg
    published = await world.keys.jwks(player.id, alg)
    extras = player.jwks_extras(world.issuer(player))
    return Answer(body={"keys": [{**key, **extras} for key in published["keys"]]}, headers=_CACHED)


async def discovery(world: World, player: Player, call: Call) -> Answer:
    """Serve the metadata (OpenID Connect Discovery 1.0 section 4)."""
    if player.discovery is None:
        return Answer(status=404, kind="empty")
    metadata = player.discovery(world.root(player), world.issuer(player), call.path)
    return Answer(body=metadata, headers=_CACHED)
