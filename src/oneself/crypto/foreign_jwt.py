"""Tokens that others signed (id_tokens): verified through joserfc against the signer's published
keys.

Only the signature and the form are checked here. Issuer, audience, nonce and the rest are the
caller's.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from oneself.crypto import b64, jwt
from oneself.faults import Fault, FaultCode

Key = RSAKey | ECKey | OKPKey

# What a key must be for an algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1). Shared secrets
# have
# no place here: an HMAC under a published key is the oldest forgery there is.
_FITTING: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
_LEAST_RSA_BITS = 2_048
_MOST_TRIED = 4


def verify_parts(parts: jwt.Parts, jwks: Mapping[str, Any], algs: tuple[str, ...]) -> None:
    """Check that a token, taken apart by `jwt.take_apart`, is signed under one of `algs` by a key of `jwks` (RFC 7517
    section 5).

    The key is the one that the header's `kid` names; a token without `kid` is taken only while a
    single key of the set fits. Keys for encryption, for another algorithm or of less than 2048 bits
    RSA never fit. Fault(token_signature_invalid) for `none`, a shared-secret algorithm or any other outside `algs`, for
    a signature that does not hold, and, with the fact `kid_unknown`, where no key fits: only then may the caller fetch
    the keys again.
    """
    alg, kid = parts.header.get("alg"), parts.header.get("kid")
    if not isinstance(alg, str) or alg not in algs or alg not in _FITTING:
        raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "an algorithm that is not allowed here")
    keys = list(_candidates(jwks, kid, alg))
    if not keys or (kid is None and len(keys) > 1):
        raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "no key of the set fits", kid_unknown=True)
    if not any(_holds(parts, key, alg) for key in keys[:_MOST_TRIED]):
        raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "the signature does not hold")


def _holds(parts: jwt.Parts, key: Key, alg: str) -> bool:
    try:
        return _verifier(alg)(parts, key)
    except (JoseError, ValueError):
        return False


@cache
def _verifier(alg: str) -> Callable[[jwt.Parts, Key], bool]:
    """The library's algorithm alone: form and header are read already, more strictly than it would."""
    model = JWSRegistry(algorithms=[alg]).get_alg(alg)

    def holds(parts: jwt.Parts, key: Key) -> bool:
        model.check_key(key)
        return model.verify(parts.signed, parts.signature, key)

    return holds


def _candidates(jwks: Mapping[str, Any], kid: object, alg: str) -> Iterator[Key]:
    listed = jwks.get("keys")
    for jwk in listed if isinstance(listed, list) else ():
        if isinstance(jwk, dict) and (kid is None or jwk.get("kid") == kid) and _fits(jwk, alg):
            key = _load(*_FITTING[alg], *(jwk.get(name, "") for name in ("n", "e", "x", "y")))
            if key is not None:
                yield key


def _fits(jwk: Mapping[str, Any], alg: str) -> bool:
    kty, crv = _FITTING[alg]
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("kty") == kty
        and (crv is None or jwk.get("crv") == crv)
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", alg) == alg
        and isinstance(operations, list)
        and "verify" in operations
        and all(isinstance(jwk.get(name, ""), str) for name in ("n", "e", "x", "y"))
    )


@lru_cache(maxsize=256)
def _load(kty: str, crv: str | None, n: str, e: str, x: str, y: str) -> Key | None:
    """Parse the public members alone: whatever else the set says of the key does not enter."""
    try:
        if crv is None:
            bits = int.from_bytes(b64.decode(n) or b"", "big").bit_length()
            strong = bits >= _LEAST_RSA_BITS
            return RSAKey.import_key({"kty": kty, "n": n, "e": e}) if strong else None
        if kty == "EC":
            return ECKey.import_key({"kty": kty, "crv": crv, "x": x, "y": y})
        return OKPKey.import_key({"kty": kty, "crv": crv, "x": x})
    except (JoseError, ValueError, TypeError):
        return None
