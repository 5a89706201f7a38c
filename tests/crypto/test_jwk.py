"""Signing keys: stored and read back, published with exactly the public members."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import import_key

from oneself.crypto import b64, jwk
from oneself.faults import Fault, FaultCode

RSA = jwk.generate_rsa()
EC = jwk.generate_p256()


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "P-256"])
def test_a_key_is_stored_and_read_back(key: jwk.PrivateKey) -> None:
    again = jwk.load_private(jwk.dump_private(key))
    assert again.private_numbers() == key.private_numbers()
    assert jwk.alg_of(again) == jwk.alg_of(key.public_key()) == ("RS256" if key is RSA else "ES256")


def test_the_published_members_are_the_public_ones_alone() -> None:
    rsa, ec = jwk.jwk_public(RSA, "k1"), jwk.jwk_public(EC, "k2")
    assert list(rsa) == ["kty", "use", "alg", "kid", "n", "e"]
    assert list(ec) == ["kty", "use", "alg", "kid", "crv", "x", "y"]
    assert (rsa["kty"], rsa["use"], rsa["alg"], rsa["kid"], rsa["e"]) == (
        "RSA",
        "sig",
        "RS256",
        "k1",
        "AQAB",
    )
    assert (ec["kty"], ec["use"], ec["alg"], ec["kid"], ec["crv"]) == (
        "EC",
        "sig",
        "ES256",
        "k2",
        "P-256",
    )
    assert len(b64.decode(rsa["n"]) or b"") == 256
    assert len(ec["x"]) == len(ec["y"]) == 43


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "P-256"])
def test_another_library_reads_the_published_key(key: jwk.PrivateKey) -> None:
    published = jwk.jwk_public(key, "k")
    theirs = import_key({**published}).as_dict(private=False)
    assert {name: theirs[name] for name in published} == published
    ours = jwk.load_public(published)
    assert ours.public_numbers() == key.public_key().public_numbers()


def test_coordinates_keep_their_leading_zeros() -> None:
    # One key in 128 has a coordinate that begins with a zero byte; RFC 7518 section 6.2.1.2 keeps
    # it.
    for _ in range(600):
        published = jwk.jwk_public(jwk.generate_p256(), "k")
        assert len(published["x"]) == len(published["y"]) == 43


def test_other_private_keys_are_refused() -> None:
    encoding = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    others = [
        generate_ec(SECP384R1()).private_bytes(*encoding),
        Ed25519PrivateKey.generate().private_bytes(*encoding),
        jwk.dump_private(EC)[:-1],
        b"",
    ]
    for der in others:
        with pytest.raises(Fault) as caught:
            jwk.load_private(der)
        assert caught.value.code is FaultCode.SEAL_BROKEN


@given(st.binary(max_size=200))
def test_garbage_is_no_private_key(garbage: bytes) -> None:
    with pytest.raises(Fault) as caught:
        jwk.load_private(garbage)
    assert caught.value.code is FaultCode.SEAL_BROKEN


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct"},
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"x": ""},
        {"x": 5},
        {"x": None},
        {"x": "AAAA"},
        {"y": "é"},
        {"y": "_" * 43},
    ],
    ids=str,
)
def test_a_public_key_that_is_none_of_ours_is_refused(change: dict[str, object]) -> None:
    published: dict[str, object] = {**jwk.jwk_public(EC, "k")}
    assert isinstance(jwk.load_public(published), EllipticCurvePublicKey)
    with pytest.raises(Fault) as caught:
        jwk.load_public(published | change)
    assert caught.value.code is FaultCode.TOKEN_SIGNATURE_INVALID
