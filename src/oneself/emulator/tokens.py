"""The token endpoint: codes and refresh tokens become tokens (RFC 6749 4.1.3, 5, 6; RFC 7636 4.6)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from oneself.emulator.answers import Answer, Refusal
from oneself.emulator.calls import Call, once
from oneself.emulator.clients import Client, Credentials, read_credentials, secret_matches
from oneself.emulator.issue import issue
from oneself.emulator.player import Player
from oneself.emulator.world import Code, Token, World
from oneself.later import Later

_ASSERTED = Later("oneself.emulator.assertion", "check")
_MAX_VALUE = 4_096


@dataclass(frozen=True, slots=True)
class _Asked:
    client: Client
    form: Mapping[str, str]


async def token(world: World, player: Player, call: Call) -> Answer:
    """Serve POST at the token endpoint, in the words and the encoding of the player."""
    answer = await _token(world, player, call, only="")
    return _encoded(player, call, answer)


async def refresh_only(world: World, player: Player, call: Call) -> Answer:
    """Serve POST at an endpoint that refreshes and nothing else, so that `grant_type` may miss."""
    return _encoded(player, call, await _token(world, player, call, only="refresh_token"))


def _encoded(player: Player, call: Call, answer: Answer) -> Answer:
    wants_json = "json" in call.headers.get("accept", "")
    if not player.form_answers or wants_json or answer.kind != "json":
        return answer
    return Answer(status=answer.status, body=answer.body, kind="form", headers=answer.headers)


async def _token(world: World, player: Player, call: Call, *, only: str) -> Answer:
    form = _fields(player, call)
    if form is None:
        return player.refuse(Refusal.REQUEST)
    client = authenticate(world, player, call, form)
    if isinstance(client, Refusal):
        return player.refuse(client)
    kind = only or form.get("grant_type", "")
    if not kind and player.form_answers:
        kind = "authorization_code"  # GitHub's original flow names no grant type
    asked = _Asked(client, form)
    if kind == "authorization_code":
        return await _redeem(world, player, asked)
    if kind == "refresh_token" and not (player.refresh_path and not only):
        return await _renew(world, player, asked)
    if player.exchange is not None and kind == player.exchange[0]:
        return await _exchange(world, player, asked)
    return player.refuse(Refusal.GRANT_TYPE if kind else Refusal.REQUEST)


def _fields(player: Player, call: Call) -> dict[str, str] | None:
    given = call.json() if player.json_requests else None
    if isinstance(given, dict):
        pairs = [(name, value) for name, value in given.items() if isinstance(value, str)]
    else:
        pairs = call.form or (call.query if player.form_answers or call.method == "GET" else [])
    fields = once(pairs)
    if fields is None or any(len(value) > _MAX_VALUE for value in fields.values()):
        return None
    return fields


def authenticate(world: World, player: Player, call: Call, form: Mapping[str, str]) -> Client | Refusal:
    """Find the client that calls and check its secret, or say what is wrong."""
    shown = read_credentials(call.headers.get("authorization", ""), form, player.client_id_param, player.secret_param)
    if shown is None or not shown.client_id:
        return Refusal.REQUEST if shown is None else Refusal.CLIENT
    client = world.find_client(player.id, shown.client_id)
    if client is None:
        return Refusal.CLIENT
    if shown.way != "none" and "jwt" in player.client_auth:
        signed = _ASSERTED.get()(world, player, client, shown.secret)
        return client if signed else Refusal.SECRET
    if shown.way != "none" and shown.way not in player.client_auth:
        return Refusal.CLIENT_WAY
    client = world.learn(client, secret=shown.secret)
    return client if _proven(client, shown) else Refusal.SECRET


def _proven(client: Client, shown: Credentials) -> bool:
    if client.learning and not client.client_secret:
        return True
    return secret_matches(client, shown.secret)


async def _redeem(world: World, player: Player, asked: _Asked) -> Answer:
    code = world.codes.get(asked.form.get("code", ""))
    if code is None or code.grant.provider != player.id:
        return player.refuse(Refusal.CODE)
    if code.grant.client_id != asked.client.client_id:
        return player.refuse(Refusal.CODE)
    if code.used:
        # A code that comes twice was stolen by somebody: what it gave ends (RFC 6749 4.1.2).
        world.revoke(code.grant)
        return player.refuse(Refusal.CODE)
    if world.now(player.id) >= code.expires_at or code.grant.revoked:
        return player.refuse(Refusal.CODE)
    given = asked.form.get("redirect_uri", "")
    if given != code.redirect_uri and (given or code.redirect_sent):
        return player.refuse(Refusal.REDIRECT)
    if not _verified(code, asked.form.get("code_verifier", "")):
        return player.refuse(Refusal.VERIFIER)
    code.used = True
    return await issue(world, player, code.grant, asked.client)


def _verified(code: Code, verifier: str) -> bool:
    # Written here and not taken from `oneself.crypto`, so that a mistake there would show.
    if not code.challenge:
        return True
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    proof = verifier
    if code.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    elif code.method == "S256_HEX":
        proof = hashlib.sha256(verifier.encode()).hexdigest()
    return hmac.compare_digest(proof, code.challenge)


async def _renew(world: World, player: Player, asked: _Asked) -> Answer:
    held = world.refresh.get(asked.form.get("refresh_token", ""))
    if held is None or held.grant.provider != player.id:
        return player.refuse(Refusal.REFRESH)
    if held.grant.client_id != asked.client.client_id:
        return player.refuse(Refusal.REFRESH)
    rule = player.refresh(asked.client)
    if rule is None:
        return player.refuse(Refusal.REFRESH)
    if held.spent and rule.reuse_kills_grant:
        world.revoke(held.grant)
    if not held.alive(world.now(player.id)):
        return player.refuse(Refusal.REFRESH)
    if rule.needs_redirect and "redirect_uri" not in asked.form:
        return player.refuse(Refusal.REQUEST)
    wanted = player.split(asked.form.get("scope", ""))
    if wanted and not set(wanted) <= set(held.grant.scopes):
        return player.refuse(Refusal.SCOPE)
    return await issue(world, player, held.grant, asked.client, used=held)


async def _exchange(world: World, player: Player, asked: _Asked) -> Answer:
    field = player.exchange[1] if player.exchange is not None else ""
    held: Token | None = world.access.get(asked.form.get(field, ""))
    if held is None or held.grant.provider != player.id or not held.alive(world.now(player.id)):
        return player.refuse(Refusal.REFRESH)
    if held.grant.client_id != asked.client.client_id:
        return player.refuse(Refusal.REFRESH)
    return await issue(world, player, held.grant, asked.client)
