"""JSON Web Tokens of our own: a hot signer and a strict verifier for RS256 and ES256 (RFC 7515,
7518, 7519, 8725).
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from oneself.crypto import b64
from oneself.crypto.jwk import Alg, PrivateKey, PublicKey
from oneself.faults import Fault, FaultCode

MAX_TOKEN = 16_384
"""Characters of the longest token that is read at all."""

MAX_HEADER = 2_048
"""Characters of the longest header, encoded."""

# A header may name a key to trust, or a rule that the reader must know; none of these is ever
# followed.
_FORBIDDEN = frozenset({"crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c"})
# One encoder for all: making one costs more than the claims that it writes.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_SHA256 = SHA256()
_ECDSA = ECDSA(_SHA256)
_PKCS1 = PKCS1v15()


class Parts(NamedTuple):
    """A compact token taken apart and not verified: its header, the bytes of its payload and of its signature, and the
    bytes that are signed.
    """

    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes


class Signer:
    """Signs claims under one private key; key and header are prepared once, not per token."""

    __slots__ = ("_key", "_prefix", "alg", "kid", "typ")

    def __init__(self, alg: Alg, kid: str, private_key: PrivateKey, typ: str = "JWT") -> None:
        """Take the algorithm (ValueError if it does not fit the key), the key's id and a `typ`."""
        if isinstance(private_key, RSAPrivateKey) != (alg == "RS256"):
            raise ValueError("the algorithm does not fit the key")
        self.alg, self.kid, self.typ = alg, kid, typ
        self._key = private_key
        self._prefix = _segment({"alg": alg, "kid": kid, "typ": typ}) + "."

    def __repr__(self) -> str:
        return f"<Signer {self.alg} {self.kid}>"

    def sign(self, claims: Mapping[str, Any] | bytes, **header: str) -> str:
        """Return the compact token over `claims`: a JSON object, or its bytes.

        `header` adds members; ValueError for one that every verifier refuses.
        """
        prefix = self._prefix
        if header:
            if not _FORBIDDEN.isdisjoint(header):
                raise ValueError("this header member is refused by every verifier")
            prefix = _segment({"alg": self.alg, "kid": self.kid, "typ": self.typ} | header) + "."
        payload = b64.encode(claims) if isinstance(claims, bytes) else _segment(claims)
        signing_input = prefix + payload
        return f"{signing_input}.{b64.encode(_sign(self._key, signing_input.encode('ascii')))}"


def verify(token: str, keys: Mapping[str, PublicKey], alg: Alg, typ: str | None = "JWT") -> dict[str, Any]:
    """Return the claims of a token of ours, signed under `alg` and no other by one of `keys`.

    `keys` are found by key id; `typ` must be the header's, None takes any. Times, issuer and
    audience are the caller's to check (`check_times`). Fault(token_malformed) for anything but
    three canonical parts of bounded length with JSON objects in the first two, or a header that
    asks for more than `alg`, `kid`, `typ`; Fault(token_signature_invalid) for another algorithm, an
    unknown key (with the fact `kid_unknown`) or a signature that does not hold.
    """
    header, payload, signature, signed = take_apart(token)
    if header.get("alg") != alg or (typ is not None and header.get("typ") != typ):
        raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "another algorithm or kind of token")
    kid = header.get("kid")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "signed by an unknown key", kid_unknown=True)
    if isinstance(key, RSAPublicKey) != (alg == "RS256") or not _holds(key, signature, signed):
        raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "the signature does not hold")
    return parse_object(payload)


def take_apart(token: str) -> Parts:
    """Return the parts of a compact token, UNVERIFIED (RFC 7515 section 3.1). Fault(token_malformed) as in `verify`."""
    parts = token.split(".") if len(token) <= MAX_TOKEN else []
    if len(parts) != 3 or not all(parts) or len(parts[0]) > MAX_HEADER:
        raise Fault(FaultCode.TOKEN_MALFORMED, "not three parts of bounded length")
    header, payload, signature = (b64.decode(part) for part in parts)
    if header is None or payload is None or signature is None:
        raise Fault(FaultCode.TOKEN_MALFORMED, "not canonical base64url")
    found = parse_object(header)
    if not _FORBIDDEN.isdisjoint(found):
        raise Fault(FaultCode.TOKEN_MALFORMED, "the header asks for what is never done")
    return Parts(found, payload, signature, token[: token.rindex(".")].encode("ascii"))


def peek_claims(token: str) -> dict[str, Any]:
    """Return the claims of a token, UNVERIFIED: good for choosing keys and nothing else.

    Fault(token_malformed) as in `verify`.
    """
    return parse_object(take_apart(token).payload)


def check_times(claims: Mapping[str, Any], now: int, leeway: int = 0) -> None:
    """Check `exp` (required), `nbf` and `iat` (RFC 7519 section 4.1) against `now`; both in
    microseconds.

    Fault(token_expired) outside the token's time, and Fault(token_malformed) for a time that is not
    a number.
    """
    expires = _micros(claims, "exp")
    if expires is None:
        raise Fault(FaultCode.TOKEN_MALFORMED, "exp is missing")
    if now >= expires + leeway:
        raise Fault(FaultCode.TOKEN_EXPIRED, "exp has passed")
    for name in ("nbf", "iat"):
        begins = _micros(claims, name)
        if begins is not None and begins > now + leeway:
            raise Fault(FaultCode.TOKEN_EXPIRED, f"{name} lies ahead")


def parse_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object whose member names are unique and whose numbers are finite;
    Fault(token_malformed) else.
    """
    try:
        found = _STRICT.decode(data.decode())
    except (ValueError, RecursionError):
        raise Fault(FaultCode.TOKEN_MALFORMED, "not JSON, or a repeated name") from None
    if not isinstance(found, dict):
        raise Fault(FaultCode.TOKEN_MALFORMED, "not a JSON object")
    return found


def _sign(key: PrivateKey, data: bytes) -> bytes:
    if isinstance(key, EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(data, _ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(data, _PKCS1, _SHA256)


def _holds(key: PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        if isinstance(key, EllipticCurvePublicKey):
            if len(signature) != 64:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            key.verify(encode_dss_signature(r, s), data, _ECDSA)
        else:
            key.verify(signature, data, _PKCS1, _SHA256)
    except InvalidSignature:
        return False
    return True


def _segment(value: Mapping[str, Any]) -> str:
    return b64.encode(_JSON(value).encode("utf-8"))


def _micros(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Fault(FaultCode.TOKEN_MALFORMED, f"{name} is not a number")
    return int(value * 1_000_000)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a repeated name")
    return found


def _not_finite(text: str) -> float:
    raise ValueError(text)


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_not_finite)
