"""Tokens of our own: two other libraries read them, and no forgery of any known class is read
here.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import import_key

from oneself.crypto import jwk, jwt
from oneself.faults import Fault, FaultCode

RSA = jwk.generate_rsa()
EC = jwk.generate_p256()
RS256 = jwt.Signer("RS256", "jwk-test-1", RSA)
ES256 = jwt.Signer("ES256", "k2", EC)
KEYS: dict[str, jwk.PublicKey] = {"jwk-test-1": RSA.public_key(), "k2": EC.public_key()}
CLAIMS: dict[str, Any] = {
    "aud": ["project-test-1"],
    "exp": 1_713_962_791,
    "iat": 1_713_962_491,
    "sub": "user-é-1",
    "https://stytch.com/session": {"id": "session-test-1", "attributes": {"ip_address": ""}},
}
NOW = 1_713_962_500_000_000


def part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def refused(token: str, alg: jwk.Alg = "ES256", typ: str | None = "JWT") -> Fault:
    with pytest.raises(Fault) as caught:
        jwt.verify(token, KEYS, alg, typ)
    return caught.value


@pytest.mark.parametrize("signer", [RS256, ES256], ids=["RS256", "ES256"])
def test_two_other_libraries_read_our_tokens(signer: jwt.Signer) -> None:
    token = signer.sign(CLAIMS)
    public = jwk.jwk_public(KEYS[signer.kid], signer.kid)
    assert joserfc_jwt.decode(token, import_key({**public}), algorithms=[signer.alg]).claims == CLAIMS
    options = {"verify_exp": False, "verify_aud": False}
    key = pyjwt.PyJWK(dict(public)).key
    assert pyjwt.decode(token, key, algorithms=[signer.alg], options=options) == CLAIMS  # type: ignore[arg-type]
    assert jwt.verify(token, KEYS, signer.alg) == CLAIMS


@pytest.mark.parametrize("signer", [RS256, ES256], ids=["RS256", "ES256"])
def test_we_read_the_tokens_of_two_other_libraries(signer: jwt.Signer) -> None:
    key = RSA if signer is RS256 else EC
    theirs = pyjwt.encode(CLAIMS, key, algorithm=signer.alg, headers={"kid": signer.kid})
    assert jwt.verify(theirs, KEYS, signer.alg) == CLAIMS
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    imported = import_key(pem, "RSA" if signer is RS256 else "EC")
    header = {"alg": signer.alg, "kid": signer.kid, "typ": "JWT"}
    assert jwt.verify(joserfc_jwt.encode(header, CLAIMS, imported), KEYS, signer.alg) == CLAIMS


def test_the_header_is_the_one_that_the_vendor_sends() -> None:
    header = RS256.sign(CLAIMS).partition(".")[0]
    assert header == part('{"alg":"RS256","kid":"jwk-test-1","typ":"JWT"}')
    assert jwt.take_apart(RS256.sign(CLAIMS)).header == {
        "alg": "RS256",
        "kid": "jwk-test-1",
        "typ": "JWT",
    }


def test_claims_may_come_as_bytes_and_headers_may_be_added() -> None:
    token = ES256.sign(b'{"a":1}', cty="x")
    assert jwt.verify(token, KEYS, "ES256") == jwt.peek_claims(token) == {"a": 1}
    assert jwt.take_apart(token).header["cty"] == "x"
    with pytest.raises(ValueError, match="refused"):
        ES256.sign({}, jku="https://evil.example")


def test_another_kind_of_token_is_refused() -> None:
    handoff = jwt.Signer("ES256", "k2", EC, typ="handoff+jwt").sign({"a": 1})
    assert refused(handoff).code is FaultCode.TOKEN_SIGNATURE_INVALID
    assert jwt.verify(handoff, KEYS, "ES256", "handoff+jwt") == {"a": 1}
    assert jwt.verify(handoff, KEYS, "ES256", None) == {"a": 1}
    assert refused(ES256.sign({}), typ="handoff+jwt").code is FaultCode.TOKEN_SIGNATURE_INVALID


def forge(header: dict[str, Any], sign: Callable[[bytes], bytes] | None = None) -> str:
    """A token with a true signature over a false header, unless another way to sign is given."""
    signed = f"{part(header)}.{part(CLAIMS)}"
    if sign is None:
        return f"{signed}.{ES256.sign(CLAIMS).rpartition('.')[2]}"
    return f"{signed}.{urlsafe_b64encode(sign(signed.encode())).decode().rstrip('=')}"


def ec_sign(data: bytes) -> bytes:
    return pyjwt.algorithms.ECAlgorithm(pyjwt.algorithms.ECAlgorithm.SHA256).sign(data, EC)


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HEADER = {"alg": "ES256", "kid": "k2", "typ": "JWT"}


def test_the_forger_of_these_tests_can_make_an_honest_token() -> None:
    assert jwt.verify(forge(HEADER, ec_sign), KEYS, "ES256") == CLAIMS


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "es256"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"kid": "unknown"},
        {"kid": None},
        {"kid": ["k2"]},
        {"kid": {}},
        {"kid": "jwk-test-1"},
        {"typ": "at+jwt"},
        {"typ": None},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"jku": "https://evil.example/jwks.json"},
        {"jwk": jwk.jwk_public(EC, "k2")},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"zip": "DEF"},
    ],
    ids=lambda change: next(f"{name} {value}" if name != "jwk" else name for name, value in change.items()),
)
def test_a_header_that_lies_is_refused_although_the_key_signed_it(change: dict[str, Any]) -> None:
    fault = refused(forge(HEADER | change, ec_sign))
    assert fault.code in (FaultCode.TOKEN_SIGNATURE_INVALID, FaultCode.TOKEN_MALFORMED)


def test_a_shared_secret_under_the_public_key_is_refused() -> None:
    header = {"alg": "HS256", "kid": "jwk-test-1", "typ": "JWT"}
    sign = pyjwt.algorithms.HMACAlgorithm(pyjwt.algorithms.HMACAlgorithm.SHA256).sign
    token = forge(header, lambda data: sign(data, PEM))
    for alg in ("RS256", "ES256"):
        assert refused(token, alg).code is FaultCode.TOKEN_SIGNATURE_INVALID


def test_an_unknown_key_is_told_apart_so_that_keys_can_be_read_again() -> None:
    token = jwt.Signer("ES256", "next", EC).sign(CLAIMS)
    fault = refused(token)
    assert (fault.code, fault.facts) == (FaultCode.TOKEN_SIGNATURE_INVALID, {"kid_unknown": True})
    assert jwt.verify(token, {"next": EC.public_key()}, "ES256") == CLAIMS


def test_the_algorithm_is_the_readers_choice() -> None:
    assert refused(RS256.sign(CLAIMS), "ES256").code is FaultCode.TOKEN_SIGNATURE_INVALID
    assert refused(ES256.sign(CLAIMS), "RS256").code is FaultCode.TOKEN_SIGNATURE_INVALID


def test_every_character_of_a_token_counts() -> None:
    for signer in (RS256, ES256):
        token = signer.sign(CLAIMS)
        for place in range(len(token)):
            other = "A" if token[place] != "A" else "B"
            altered = token[:place] + other + token[place + 1 :]
            codes = (FaultCode.TOKEN_MALFORMED, FaultCode.TOKEN_SIGNATURE_INVALID)
            assert refused(altered, signer.alg).code in codes
        assert jwt.verify(token, KEYS, signer.alg) == CLAIMS


@pytest.mark.parametrize(
    "alter",
    [
        lambda t: t + "=",
        lambda t: t + ".",
        lambda t: "." + t,
        lambda t: t + "\n",
        lambda t: " " + t,
        lambda t: t[:-1],
        lambda t: t.rpartition(".")[0],
        lambda t: t.rpartition(".")[0] + ".",
        lambda t: t.replace(".", "..", 1),
        lambda t: t + "." + t.rpartition(".")[2],
        lambda t: t.replace("-", "+").replace("_", "/") + "=",
        lambda t: t.rpartition(".")[0] + "." + part("\0" * 64),
        lambda t: t.rpartition(".")[0] + "." + part("\x7f" * 64),
        lambda t: t.rpartition(".")[0] + "." + part("a" * 63),
        lambda t: t.rpartition(".")[0] + "." + part("a" * 65),
        lambda _: "",
        lambda _: "..",
        lambda _: "a.b.c",
        lambda _: "é.é.é",
        lambda _: "\ud800.\ud800.\ud800",
        lambda t: part("[" * 1500) + t[t.index(".") :],
        lambda t: part('{"a":' * 300) + t[t.index(".") :],
        lambda t: part('{"alg":"ES256","alg":"ES256","kid":"k2","typ":"JWT"}') + t[t.index(".") :],
        lambda t: part("[]") + t[t.index(".") :],
        lambda t: part("null") + t[t.index(".") :],
        lambda t: t + "A" * 16_384,
    ],
)
def test_truncated_padded_and_broken_tokens_are_refused(alter: Callable[[str], str]) -> None:
    token = ES256.sign(CLAIMS)
    fault = refused(alter(token))
    assert fault.code in (FaultCode.TOKEN_MALFORMED, FaultCode.TOKEN_SIGNATURE_INVALID)
    assert jwt.verify(token, KEYS, "ES256") == CLAIMS


def test_a_signature_of_another_curve_or_in_der_is_refused() -> None:
    other = pyjwt.encode(CLAIMS, generate_ec(SECP384R1()), algorithm="ES384", headers={"kid": "k2"})
    assert refused(other).code is FaultCode.TOKEN_SIGNATURE_INVALID
    assert refused(forge(HEADER, lambda data: EC.sign(data, jwt._ECDSA))).code is (FaultCode.TOKEN_SIGNATURE_INVALID)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b"{",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b"\xff",
        b"[" * 8000,
    ],
)
def test_a_payload_that_is_no_object_is_refused_although_signed(payload: bytes) -> None:
    assert refused(ES256.sign(payload)).code is FaultCode.TOKEN_MALFORMED


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_garbage_raises_only_the_two_faults(text: str) -> None:
    assert refused(text).code in (FaultCode.TOKEN_MALFORMED, FaultCode.TOKEN_SIGNATURE_INVALID)


@given(
    st.dictionaries(
        st.text(),
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text()),
    )
)
def test_any_claims_come_back_as_they_went(claims: dict[str, Any]) -> None:
    try:
        token = ES256.sign(claims)
    except UnicodeEncodeError:
        return  # a lone surrogate is no text to sign
    assert jwt.verify(token, KEYS, "ES256") == claims


def test_a_signer_takes_only_its_own_kind_of_key_and_shows_nothing() -> None:
    with pytest.raises(ValueError, match="fit"):
        jwt.Signer("RS256", "k", EC)
    with pytest.raises(ValueError, match="fit"):
        jwt.Signer("ES256", "k", RSA)
    assert repr(ES256) == "<Signer ES256 k2>"


SECOND = 1_000_000


@pytest.mark.parametrize(
    ("claims", "now", "leeway", "code"),
    [
        ({"exp": 100}, 99 * SECOND, 0, None),
        ({"exp": 100}, 100 * SECOND - 1, 0, None),
        ({"exp": 100}, 100 * SECOND, 0, FaultCode.TOKEN_EXPIRED),
        ({"exp": 100}, 100 * SECOND, 1, None),
        ({"exp": 100}, 160 * SECOND, 60 * SECOND, FaultCode.TOKEN_EXPIRED),
        ({"exp": 100.5}, 100 * SECOND, 0, None),
        ({"exp": 100, "nbf": 50, "iat": 50}, 50 * SECOND, 0, None),
        ({"exp": 100, "nbf": 51}, 50 * SECOND, 0, FaultCode.TOKEN_EXPIRED),
        ({"exp": 100, "nbf": 51}, 50 * SECOND, SECOND, None),
        ({"exp": 100, "iat": 51}, 50 * SECOND, 0, FaultCode.TOKEN_EXPIRED),
        ({}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": None}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": "100"}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": True}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": [100]}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": float("inf")}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": float("nan")}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": 100, "nbf": "0"}, 0, 0, FaultCode.TOKEN_MALFORMED),
        ({"exp": -1}, 0, 0, FaultCode.TOKEN_EXPIRED),
    ],
)
def test_times(claims: dict[str, Any], now: int, leeway: int, code: FaultCode | None) -> None:
    if code is None:
        jwt.check_times(claims, now, leeway)
        return
    with pytest.raises(Fault) as caught:
        jwt.check_times(claims, now, leeway)
    assert caught.value.code is code


def test_a_number_too_long_for_python_is_malformed() -> None:
    assert refused(ES256.sign(b'{"exp":' + b"9" * 5000 + b"}")).code is FaultCode.TOKEN_MALFORMED
    huge = jwt.verify(ES256.sign(b'{"exp":1e999}'), KEYS, "ES256")
    with pytest.raises(Fault) as caught:
        jwt.check_times(huge, NOW)
    assert caught.value.code is FaultCode.TOKEN_MALFORMED
