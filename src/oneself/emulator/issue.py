"""Makes the tokens of a grant, by the rules of its provider, and lets the player word the answer."""

import base64
import hashlib

from oneself.emulator.answers import Answer, Json, Refusal
from oneself.emulator.clients import Client
from oneself.emulator.overlay import overlay
from oneself.emulator.player import IdToken, Issued, Player, Refresh, Scene
from oneself.emulator.trouble import id_token_flaw
from oneself.emulator.world import Grant, Token, World


async def issue(world: World, player: Player, grant: Grant, client: Client, used: Token | None = None) -> Answer:
    """Give new tokens; `used` is the refresh token that asks for them, if one does."""
    if used is not None:
        grant.refreshes += 1
    scene = world.scene(player, grant)
    if scene is None:
        return player.refuse(Refusal.REFRESH if used else Refusal.CODE)
    rule = player.refresh(client)
    refresh = _refresh_token(world, player, scene, grant, rule, used)
    if used is not None and rule is not None and rule.kills_access:
        for token in grant.access:
            token.dead = True
    _end_older(world, player, grant)
    seconds = player.access_seconds(client)
    access = world.opaque(player.access_prefix(client))
    expires_at = None if seconds is None else scene.now + seconds
    world.access[access] = Token(access, grant, expires_at)
    # Only the last few of one grant are remembered for a refresh that ends them.
    grant.access = [*grant.access[-9:], world.access[access]]
    issued = Issued(
        scene=scene,
        access_token=access,
        expires_in=seconds,
        refresh_token="" if refresh is None else refresh.value,
        refresh_expires_in=_left(refresh, scene.now),
        id_token=await _id_token(world, player, scene, access, refreshing=used is not None),
    )
    body = overlay(scene.persona, player.id, "token", player.token_answer(issued))
    return Answer(body=body)


def _end_older(world: World, player: Player, grant: Grant) -> None:
    if player.ends_older is None:
        return
    for token in world.access.values():
        held = token.grant
        same = (held.provider, held.client_id, held.persona) == (grant.provider, grant.client_id, grant.persona)
        if same and player.ends_older(held.scopes, grant.scopes):
            token.dead = True


def _left(refresh: Token | None, now: int) -> int | None:
    return None if refresh is None or refresh.expires_at is None else refresh.expires_at - now


def _refresh_token(
    world: World,
    player: Player,
    scene: Scene,
    grant: Grant,
    rule: Refresh | None,
    used: Token | None,
) -> Token | None:
    if rule is None:
        return None
    if used is None:
        if not rule.granted(scene):
            return None
        return _new_refresh(world, player, scene, grant, rule, None)
    if not rule.gives_new(grant.refreshes):
        return None
    if rule.rotation == "single_use":
        used.spent = True
    return _new_refresh(world, player, scene, grant, rule, used)


def _new_refresh(
    world: World,
    player: Player,
    scene: Scene,
    grant: Grant,
    rule: Refresh,
    used: Token | None,
) -> Token:
    if rule.rotation == "same" and used is not None:
        return used
    if rule.seconds is None:
        expires_at = None
    elif used is not None and not rule.slides:
        expires_at = used.expires_at
    else:
        expires_at = scene.now + rule.seconds
    value = world.opaque(player.refresh_prefix)
    world.refresh[value] = Token(value, grant, expires_at)
    return world.refresh[value]


async def _id_token(world: World, player: Player, scene: Scene, access_token: str, *, refreshing: bool) -> str:
    rule = player.id_token
    if rule is None or not rule.granted(scene) or (refreshing and not rule.on_refresh):
        return ""
    claims = id_claims(rule, scene, access_token, refreshing=refreshing)
    said = overlay(scene.persona, player.id, "id_token", claims)
    return await world.keys.sign(player.id, rule.alg, said, id_token_flaw(world.troubles, player.id))


def id_claims(rule: IdToken, scene: Scene, access_token: str, *, refreshing: bool = False) -> Json:
    """Give the claims of an id_token (OpenID Connect Core 2, 3.1.3.6, 12.2): no nonce when refreshed."""
    said: Json = {
        "iss": scene.issuer,
        "aud": scene.client.client_id,
        "sub": scene.subject,
        "iat": scene.now,
        "exp": scene.now + rule.seconds,
    }
    if rule.nonce and not refreshing and "nonce" in scene.asked:
        said["nonce"] = scene.asked["nonce"]
    if rule.at_hash:
        said["at_hash"] = _at_hash(access_token)
    return {**said, **rule.claims(scene)}


def _at_hash(access_token: str) -> str:
    """Give the left half of the token's SHA-256 in base64url (OpenID Connect Core 3.1.3.6)."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()
