"""Client secrets that are signed JWTs, as Apple demands them (Apple TN3107; ES256 only)."""

import base64
import json
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from oneself.emulator.clients import Client
from oneself.emulator.player import Player
from oneself.emulator.world import World

_MAX_LIFE = 15_777_000
_SKEW = 60


def check(world: World, player: Player, client: Client, secret: str) -> bool:
    """Say whether `secret` is a JWT of this client for this provider, alive, and signed by its key.

    The client's option `public_key` holds the PEM of its key; where it is not declared, the
    signature is not checked, the claims are. Option `team_id`, where given, must be the `iss`.
    """
    pem = client.option("public_key", "")
    claims = _signed(secret, pem) if pem else _unsigned(secret)
    if claims is None:
        return False
    now = world.now(player.id)
    team = client.option("team_id", "")
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        return False
    alive = issued <= now + _SKEW and now < expires <= now + _MAX_LIFE + _SKEW
    named = claims.get("sub") == client.client_id and bool(claims.get("iss"))
    ours = claims.get("aud") in (world.issuer(player), "https://appleid.apple.com")
    return alive and named and ours and (not team or claims["iss"] == team)


def _signed(secret: str, pem: str) -> dict[str, Any] | None:
    try:
        return dict(jwt.decode(secret, ECKey.import_key(pem), algorithms=["ES256"]).claims)
    except (JoseError, ValueError):
        return None


def _unsigned(secret: str) -> dict[str, Any] | None:
    try:
        header, payload, _signature = secret.split(".")
        said, claims = (json.loads(_bytes(part)) for part in (header, payload))
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(claims, dict):
        return None
    return claims if said.get("alg") == "ES256" and said.get("kid") else None


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
