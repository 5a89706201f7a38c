"""Signing keys of our own: made, stored as PKCS#8, and published as JSON Web Keys (RFC 7517, RFC
7518 section 6).
"""

from collections.abc import Mapping
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from oneself.crypto import b64
from oneself.faults import Fault, FaultCode

Alg = Literal["RS256", "ES256"]
PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey
PublicKey = RSAPublicKey | EllipticCurvePublicKey


def generate_rsa(bits: int = 2048) -> RSAPrivateKey:
    """Return a fresh RSA key; takes a tenth of a second and more, so never on the event loop.

    This and `generate_p256` draw from OpenSSL's generator: the library takes no other source.
    """
    return generate_rsa_key(public_exponent=65537, key_size=bits)


def generate_p256() -> EllipticCurvePrivateKey:
    """Return a fresh P-256 key for ES256."""
    return generate_ec(SECP256R1())


def dump_private(key: PrivateKey) -> bytes:
    """Return the key as unencrypted PKCS#8 DER, to be sealed before it is stored."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def dump_pem(key: PrivateKey) -> str:
    """The key as PKCS#8 in PEM, as vendors hand out keys to sign with."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_private(der: bytes) -> PrivateKey:
    """Read what `dump_private` wrote; Fault(seal_broken) for anything but an RSA or P-256 key."""
    try:
        key = load_der_private_key(der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Fault(FaultCode.SEAL_BROKEN, "not a private key") from None
    if isinstance(key, RSAPrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise Fault(FaultCode.SEAL_BROKEN, "neither an RSA nor a P-256 key")


def alg_of(key: PrivateKey | PublicKey) -> Alg:
    """Return the one algorithm that a key of ours is used for: RSA signs RS256, P-256 signs
    ES256.
    """
    return "RS256" if isinstance(key, RSAPrivateKey | RSAPublicKey) else "ES256"


def jwk_public(key: PrivateKey | PublicKey, kid: str) -> dict[str, str]:
    """Return the public JWK: `kty`, `use`, `alg`, `kid` and the public numbers; a dialect adds
    what its wire asks.
    """
    public = key.public_key() if isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey) else key
    numbers = public.public_numbers()
    if isinstance(numbers, RSAPublicNumbers):
        shape = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid}
        return shape | {"n": _uint(numbers.n), "e": _uint(numbers.e)}
    shape = {"kty": "EC", "use": "sig", "alg": "ES256", "kid": kid, "crv": "P-256"}
    return shape | {"x": _uint(numbers.x, 32), "y": _uint(numbers.y, 32)}


def load_public(jwk: Mapping[str, object]) -> PublicKey:
    """Read the public key of a JWK that `jwk_public` gave; Fault(token_signature_invalid) for
    any other.
    """
    try:
        if jwk.get("kty") == "RSA":
            return RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
            point = EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), SECP256R1())
            return point.public_key()
    except (KeyError, ValueError):
        pass
    raise Fault(FaultCode.TOKEN_SIGNATURE_INVALID, "not a public key of ours")


def _uint(number: int, length: int = 0) -> str:
    return b64.encode(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))


def _number(value: object) -> int:
    data = b64.decode(value) if isinstance(value, str) else None
    if not data:
        raise ValueError("not a base64url number")
    return int.from_bytes(data, "big")
