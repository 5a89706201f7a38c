"""A signer of id_tokens for the scripted providers, honest or not."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

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
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = 1 << 20
    return jws.serialize_compact(protected, json.dumps(claims).encode(), key or rsa(), registry=registry)


def unsigned(claims: dict[str, Any], alg: str = "none") -> str:
    """A token without a signature."""
    parts = ({"alg": alg, "typ": "JWT", "kid": KID}, claims)
    return ".".join(b64.encode(json.dumps(part).encode()) for part in parts) + "."


def confused(claims: dict[str, Any]) -> str:
    """A token under HS256 whose shared secret is the published RSA key."""
    secret = OctKey.import_key(rsa().as_pem(private=False))
    return signed(claims, key=secret, alg="HS256")
