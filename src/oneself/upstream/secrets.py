"""The secret that our client shows to a provider: a text, or a token that it signs for each call."""

import base64
import binascii
from functools import lru_cache

from oneself.crypto.jwk import PrivateKey, alg_of, load_private
from oneself.crypto.jwt import Signer
from oneself.faults import Fault, FaultCode
from oneself.upstream.client import Client


def client_secret(client: Client, now: int) -> str:
    """Give the secret to send at `now` (microseconds).

    Raises `provider_misconfigured` where one has to be signed and the key is no P-256 key in PEM,
    or `key_id` or `team_id` is missing among the options.
    """
    rule = client.provider.signed_secret
    if rule is None:
        return client.secret.reveal()
    key_id, team_id = client.options.get("key_id", ""), client.options.get("team_id", "")
    if not key_id or not team_id:
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "key_id or team_id is missing", "secret")
    issued = now // 1_000_000
    claims = {
        "iss": team_id,
        "sub": client.client_id,
        "aud": rule.audience,
        "iat": issued,
        "exp": issued + rule.lifetime,
    }
    return Signer("ES256", key_id, _key(client.secret.reveal())).sign(claims)


@lru_cache(maxsize=64)
def _key(pem: str) -> PrivateKey:
    """Read a PKCS#8 key in PEM, or without the armour's two lines (RFC 7468 section 10)."""
    body = "".join(line.strip() for line in pem.splitlines() if not line.startswith("-----"))
    try:
        key = load_private(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError, Fault):
        key = None
    if key is None or alg_of(key) != "ES256":
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "the secret is no P-256 key", "secret")
    return key
