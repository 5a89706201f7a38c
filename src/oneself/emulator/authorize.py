"""The authorization endpoint: checks the request, lets a persona be picked, sends the browser back.

RFC 6749 sections 3.1 and 4.1.1-4.1.2, RFC 7636 section 4.3, RFC 9207, OpenID Connect Core 3.1.2. A
request whose client or redirect URI is not known is never redirected.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from oneself.emulator import pages
from oneself.emulator.answers import Answer
from oneself.emulator.calls import Call, once
from oneself.emulator.clients import Client
from oneself.emulator.personas import Persona
from oneself.emulator.player import Player
from oneself.emulator.world import Code, Grant, Pick, World, consent_key

DENY = "deny"
_MAX_NAME = 320  # characters, as of the longest e-mail address
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 appendix A.4
_SHAPES = {
    "S256": re.compile(r"[A-Za-z0-9_-]{43}"),
    "S256_HEX": re.compile(r"[0-9a-f]{64}"),
    "plain": re.compile(r"[A-Za-z0-9._~-]{43,128}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that may be answered by redirect."""

    player: Player
    client: Client
    redirect_uri: str
    params: Mapping[str, str]
    query: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes in order, each once."""
        return self.player.split(self.params.get("scope", ""))

    @property
    def method(self) -> str:
        """How the challenge was made; a client can be registered with TikTok's hex digest."""
        method = self.params.get("code_challenge_method", self.player.pkce_default)
        hexed = method == "S256" and self.client.option("pkce_encoding", "") == "hex"
        return "S256_HEX" if hexed else method


async def authorize(world: World, player: Player, call: Call) -> Answer:
    """Serve GET and POST; the page posts the pick in `_persona`, with the request in the query."""
    picked = dict(call.form)
    choosing = call.method == "POST" and "_persona" in picked
    pairs = call.query if choosing or call.method == "GET" else [*call.query, *call.form]
    params = once(pairs)
    if params is None:
        return pages.refusal(player, "invalid_request", "A parameter came more than once.")
    asked = _known(world, player, params, call.query_string)
    if isinstance(asked, Answer):
        return asked
    wrong = _wrong(asked)
    if wrong is not None:
        return back(world, asked, {"error": wrong[0], "error_description": wrong[1]})
    if choosing:
        granted = tuple(value for name, value in call.form if name == "_scope")
        return decide(world, asked, picked["_persona"], granted)
    persona = _automatic(world, asked)
    if persona is not None:
        return decide(world, asked, persona, asked.scopes)
    if params.get("prompt") == "none":
        return back(world, asked, {"error": "login_required"})
    people = [person.at(player.id) for person in world.personas.values()]
    query = call.query_string if call.method == "GET" else urlencode(params, quote_via=quote)
    return pages.choose(player, asked.client, asked.scopes, people, query)


def _known(world: World, player: Player, params: Mapping[str, str], query: str) -> _Asked | Answer:
    """Find the client and its redirect URI; a page where either is not known."""
    client_id = params.get(player.client_id_param, "")
    client = world.find_client(player.id, client_id)
    if client is None:
        words = f"The client {client_id!r} is not registered here." if client_id else "No client."
        return pages.refusal(player, "invalid_client", words, status=401)
    uri = params.get("redirect_uri", "")
    if uri and _usable(uri):
        client = world.learn(client, redirect_uri=uri)
    if not uri and len(client.redirect_uris) == 1 and "openid" not in params.get("scope", ""):
        uri = client.redirect_uris[0]
    elif uri not in client.redirect_uris:
        words = f"{uri!r} is not a redirect URI of this client." if uri else "No redirect_uri."
        return pages.refusal(player, "redirect_uri_mismatch", words)
    return _Asked(player=player, client=client, redirect_uri=uri, params=params, query=query)


def _usable(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    # A text that cannot stand in a Location header is no redirect URI.
    if not uri.isascii() or not uri.isprintable() or " " in uri:
        return False
    return bool(parts.scheme) and not parts.fragment and parts.scheme not in ("javascript", "data")


def _wrong(asked: _Asked) -> tuple[str, str] | None:
    """Say what is wrong with a request of a known client, as (error, description)."""
    player, params = asked.player, asked.params
    if "request" in params or "request_uri" in params:
        return "request_not_supported", "Request objects are not supported."
    if "response_type" not in params and player.response_type_needed:
        return "invalid_request", "response_type is missing."
    if params.get("response_type", "code") != "code":
        return "unsupported_response_type", "Only response_type=code is supported."
    if params.get("response_mode", "query") not in player.response_modes:
        return "invalid_request", "This response_mode is not supported."
    if not all(_SCOPE.fullmatch(scope) for scope in asked.scopes):
        return "invalid_scope", "A scope has characters that no scope may have."
    return _wrong_challenge(asked) or player.check(params, asked.query)


def _wrong_challenge(asked: _Asked) -> tuple[str, str] | None:
    player, params = asked.player, asked.params
    if not player.pkce or not player.pkce_when(params):
        return None  # passed over, as by the real one
    challenge = params.get("code_challenge", "")
    if not challenge:
        public = not asked.client.client_secret and not asked.client.learning
        if player.pkce_required or public or "code_challenge_method" in params:
            return "invalid_request", "code_challenge is required."
        return None
    if params.get("code_challenge_method", player.pkce_default) not in player.pkce:
        return "invalid_request", "This code_challenge_method is not supported."
    if not _SHAPES[asked.method].fullmatch(challenge):
        return "invalid_request", "code_challenge is malformed."
    return None


def _automatic(world: World, asked: _Asked) -> str | None:
    """Pick without a page: by an order of the control API, else by `login_hint`."""
    for pick in world.picks:
        if pick.provider in ("*", asked.player.id):
            _use(world, pick)
            return pick.persona
    hint = asked.params.get("login_hint", "")
    if hint == DENY or hint in world.personas:
        return hint
    if asked.player.any_login and 0 < len(hint) <= _MAX_NAME:
        world.guests[hint] = Persona(id=hint, email=hint if "@" in hint else "")
        return hint
    return None


def _use(world: World, pick: Pick) -> None:
    pick.times -= 1
    if pick.times <= 0:
        world.picks.remove(pick)


def decide(world: World, asked: _Asked, choice: str, scopes: tuple[str, ...]) -> Answer:
    """Send the browser back with a code for the chosen persona, or with the refusal of `deny`."""
    player = asked.player
    if choice == DENY:
        return back(world, asked, dict(player.denial))
    if world.persona(choice) is None:
        return pages.refusal(player, "invalid_request", "There is no such persona.")
    key = consent_key(player.id, asked.client.client_id, choice)
    now = world.now(player.id)
    grant = Grant(
        provider=player.id,
        client_id=asked.client.client_id,
        persona=choice,
        scopes=tuple(scope for scope in asked.scopes if scope in scopes),
        asked=asked.params,
        first=key not in world.consents,
        granted_at=now,
    )
    world.consents[key] = True
    looked_at = bool(player.pkce) and player.pkce_when(asked.params)
    challenge = asked.params.get("code_challenge", "") if looked_at else ""
    code = world.opaque(player.code_prefix)
    world.codes[code] = Code(
        grant=grant,
        redirect_uri=asked.redirect_uri,
        redirect_sent="redirect_uri" in asked.params,
        challenge=challenge,
        method=asked.method,
        expires_at=now + player.code_seconds,
    )
    scene = world.scene(player, grant)
    extras = player.redirect_extras(scene) if scene is not None else {}
    return back(world, asked, {"code": code, **extras})


def back(world: World, asked: _Asked, fields: Mapping[str, str]) -> Answer:
    """Answer through the browser: query, fragment or form_post, with `state` and `iss`."""
    player, said = asked.player, dict(fields)
    if "state" in asked.params:
        said["state"] = asked.params["state"]
    issuer = world.redirect_issuer(player)
    if issuer:
        said["iss"] = issuer
    mode = asked.params.get("response_mode", "query")
    if mode == "form_post":
        return pages.form_post(player, asked.redirect_uri, said)
    if mode == "fragment" and "fragment" in player.response_modes:
        location = f"{asked.redirect_uri}#{urlencode(said)}"
    else:
        joint = "&" if "?" in asked.redirect_uri else "?"
        location = f"{asked.redirect_uri}{joint}{urlencode(said)}{player.redirect_fragment}"
    return Answer(status=302, kind="empty", headers=(("Location", location),))
