"""A signer of id_tokens for the scripted providers, honest or not."""

from __future__ import annotations

import hmac
import json
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from oneself.crypto import b64

KID = "key-1"


@lru_cache
def rsa(name: str = KID) -> RSAKey:
    """A key pair, one per name."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@lru_cache
def p256(name: str = KID) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


@lru_cache
def ed25519(name: str = KID) -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": name, "use": "sig"})


def jwks(*keys: RSAKey | ECKey | OKPKey) -> dict[str, Any]:
    """The published set."""
    return {"keys": [key.as_dict(private=False) for key in keys or (rsa(),)]}


def signed(
    claims: dict[str, Any],
    *,
    key: Key | None = None,
    alg: str = "RS256",
    kid: str | None = KID,
    **header: Any,
) -> str:
    """A compact token, with any header that is asked for."""
    protected = {"alg": alg, "typ": "JWT", **header}
    if kid is not None:
        protected["kid"] = kid
    if "crit" in header:
        return _by_hand(protected, claims)
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = 1 << 20
    return jws.serialize_compact(protected, json.dumps(claims).encode(), key or rsa(), registry=registry)


def _two_parts(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(b64.encode(json.dumps(part).encode()) for part in (header, claims))


def _by_hand(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """RS256 over a header that an honest library refuses to write."""
    parts = _two_parts(header, claims)
    key = rsa().raw_value
    assert isinstance(key, RSAPrivateKey)
    return f"{parts}.{b64.encode(key.sign(parts.encode(), PKCS1v15(), SHA256()))}"


def unsigned(claims: dict[str, Any], alg: str = "none") -> str:
    """A token without a signature."""
    return _two_parts({"alg": alg, "typ": "JWT", "kid": KID}, claims) + "."


def confused(claims: dict[str, Any]) -> str:
    """A token under HS256 whose shared secret is the published RSA key."""
    parts = _two_parts({"alg": "HS256", "typ": "JWT", "kid": KID}, claims)
    published = rsa().as_pem(private=False)
    return f"{parts}.{b64.encode(hmac.digest(published, parts.encode(), 'sha256'))}"
