"""Tokens that others signed: the RFCs' own vectors hold, and each class of forgery is refused
beside its honest twin.
"""

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from oneself.crypto import jwk, jwt
from oneself.crypto.foreign_jwt import verify_parts
from oneself.faults import Fault, FaultCode

RSA = jwk.generate_rsa()
OTHER = jwk.generate_rsa()
EC = jwk.generate_p256()
JWKS: dict[str, Any] = {"keys": [jwk.jwk_public(RSA, "r1"), jwk.jwk_public(EC, "e1")]}
CLAIMS = {"iss": "https://accounts.example", "sub": "1", "email": "é@example.com"}
PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def verify_foreign(token: str, jwks: Any, algs: tuple[str, ...]) -> dict[str, Any]:
    """The claims of a token, as whoever takes it apart and checks it reads them."""
    parts = jwt.take_apart(token)
    verify_parts(parts, jwks, algs)
    return jwt.parse_object(parts.payload)


def theirs(alg: str = "RS256", kid: str | None = "r1", key: Any = RSA, **header: Any) -> str:
    headers = header if kid is None else {"kid": kid, **header}
    return pyjwt.encode(CLAIMS, key, algorithm=alg, headers=headers)


def refused(token: str, jwks: Any = JWKS, algs: tuple[str, ...] = ("RS256", "ES256")) -> Fault:
    with pytest.raises(Fault) as caught:
        verify_foreign(token, jwks, algs)
    assert verify_foreign(theirs(), JWKS, ("RS256",)) == CLAIMS  # the honest twin
    return caught.value


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_each_rsa_algorithm_is_read(alg: str) -> None:
    key = {name: text for name, text in jwk.jwk_public(RSA, "r1").items() if name != "alg"}
    assert verify_foreign(theirs(alg), {"keys": [key]}, (alg,)) == CLAIMS


def test_es256_is_read_and_a_vendors_own_header_members_are_ignored() -> None:
    token = theirs("ES256", "e1", EC, x5t="abc", ver="2.0", nonce="n")
    assert verify_foreign(token, JWKS, ("ES256",)) == CLAIMS


# RFC 7515, appendices A.2 and A.3: neither names a kid
PAYLOAD = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
A2_KEY = {
    "kty": "RSA",
    "n": (
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B"
        "m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5"
        "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7"
        "aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    ),
    "e": "AQAB",
}
A2 = (
    f"eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
    "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
    "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY"
    "I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
A3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
A3 = (
    f"eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)


@pytest.mark.parametrize(("token", "key", "alg"), [(A2, A2_KEY, "RS256"), (A3, A3_KEY, "ES256")])
def test_the_vectors_of_the_rfc(token: str, key: dict[str, str], alg: str) -> None:
    claims = verify_foreign(token, {"keys": [key]}, (alg,))
    assert claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_ed25519_as_in_rfc_8037_appendix_a() -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    # The signature holds; the RFC's payload is a sentence and no JSON, which is found only
    # afterwards.
    fault = refused(f"{signed}.{signature}", {"keys": [key]}, ("EdDSA",))
    assert fault.code is FaultCode.TOKEN_MALFORMED
    fault = refused(f"{signed}.{signature[::-1].replace('gA', 'AA')}", {"keys": [key]}, ("EdDSA",))
    assert fault.code in (FaultCode.TOKEN_SIGNATURE_INVALID, FaultCode.TOKEN_MALFORMED)


def hmac_under(key: bytes, kid: str) -> str:
    algorithm = pyjwt.algorithms.HMACAlgorithm(pyjwt.algorithms.HMACAlgorithm.SHA256)
    header = {"alg": "HS256", "kid": kid, "typ": "JWT"}
    parts = [json.dumps(value).encode() for value in (header, CLAIMS)]
    signed = b".".join(urlsafe_b64encode(value).rstrip(b"=") for value in parts)
    return (signed + b"." + urlsafe_b64encode(algorithm.sign(signed, key)).rstrip(b"=")).decode()


def test_a_shared_secret_under_the_rsa_key_is_refused_even_where_listed() -> None:
    token = hmac_under(PEM, "r1")
    for algs in (("RS256",), ("RS256", "HS256"), ("HS256",)):
        assert refused(token, algs=algs).code is FaultCode.TOKEN_SIGNATURE_INVALID
    secret = {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s1"}]}
    fault = refused(hmac_under(b"secret", "s1"), secret, ("HS256", "RS256"))
    assert fault.code is FaultCode.TOKEN_SIGNATURE_INVALID


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_no_signature_is_refused(alg: str) -> None:
    head = urlsafe_b64encode(json.dumps({"alg": alg, "kid": "r1"}).encode()).decode().rstrip("=")
    body = urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip("=")
    for token in (f"{head}.{body}.", f"{head}.{body}.AAAA"):
        fault = refused(token, algs=("RS256", alg))
        assert fault.code in (FaultCode.TOKEN_SIGNATURE_INVALID, FaultCode.TOKEN_MALFORMED)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["https://unknown.example"], "https://unknown.example": 1},
        {"jku": "https://evil.example/jwks"},
        {"jwk": jwk.jwk_public(OTHER, "r1")},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
    ],
    ids=" ".join,
)
def test_a_header_that_names_keys_or_unknown_rules_is_refused(header: dict[str, Any]) -> None:
    for key in (RSA, OTHER):
        assert refused(theirs(key=key, **header)).code is FaultCode.TOKEN_MALFORMED


def test_a_foreign_key_is_refused_and_said_to_be_unknown() -> None:
    fault = refused(theirs(kid="r2", key=OTHER))
    assert (fault.code, fault.facts) == (FaultCode.TOKEN_SIGNATURE_INVALID, {"kid_unknown": True})
    fault = refused(theirs(key=OTHER))
    assert (fault.code, fault.facts) == (FaultCode.TOKEN_SIGNATURE_INVALID, {})


def test_without_kid_one_fitting_key_is_enough_and_two_are_too_many() -> None:
    assert verify_foreign(theirs(kid=None), JWKS, ("RS256",)) == CLAIMS
    two = {"keys": [*JWKS["keys"], jwk.jwk_public(OTHER, "r2")]}
    assert refused(theirs(kid=None), two).facts == {"kid_unknown": True}
    assert verify_foreign(theirs(), two, ("RS256",)) == CLAIMS


def test_two_keys_of_one_kid_are_both_tried() -> None:
    same = {"keys": [jwk.jwk_public(OTHER, "r1"), jwk.jwk_public(RSA, "r1")]}
    assert verify_foreign(theirs(), same, ("RS256",)) == CLAIMS


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"kty": "EC"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"n": 5},
        {"n": ""},
        {"n": "é"},
        {"n": "AQAB"},
        {"e": "AA"},
        {"e": None},
    ],
    ids=str,
)
def test_a_key_made_for_something_else_never_fits(change: dict[str, Any]) -> None:
    altered = {"keys": [jwk.jwk_public(RSA, "r1") | change]}
    assert refused(theirs(), altered).facts == {"kid_unknown": True}


def test_members_that_do_not_matter_do_not_harm() -> None:
    extra = jwk.jwk_public(RSA, "r1") | {
        "x5t": 5,
        "crv": ["P-256"],
        "d": "AAAA",
        "key_ops": ["verify"],
    }
    assert verify_foreign(theirs(), {"keys": [None, 5, [], {}, extra]}, ("RS256",)) == CLAIMS


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
def test_a_short_rsa_key_never_fits() -> None:
    short = generate_private_key(65537, 1024)  # noqa: S505  (short on purpose)
    jwks = {"keys": [jwk.jwk_public(short, "short")]}
    assert refused(theirs(kid="short", key=short), jwks).facts == {"kid_unknown": True}


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": "r1"}, {"keys": []}])
def test_a_broken_key_set_has_no_key(jwks: dict[str, Any]) -> None:
    assert refused(theirs(), jwks).facts == {"kid_unknown": True}


def test_an_algorithm_outside_the_list_is_refused() -> None:
    assert refused(theirs("RS512"), algs=("RS256",)).code is FaultCode.TOKEN_SIGNATURE_INVALID
    assert refused(theirs(), algs=()).code is FaultCode.TOKEN_SIGNATURE_INVALID
    assert refused(theirs("ES256", "r1", EC)).code is FaultCode.TOKEN_SIGNATURE_INVALID


def test_every_character_counts() -> None:
    token = theirs("ES256", "e1", EC)
    for place in range(0, len(token), 3):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(Fault):
            verify_foreign(token[:place] + other + token[place + 1 :], JWKS, ("ES256",))
    assert verify_foreign(token, JWKS, ("ES256",)) == CLAIMS


def test_an_oversized_token_is_refused() -> None:
    token = pyjwt.encode({"a": "x" * 20_000}, RSA, algorithm="RS256", headers={"kid": "r1"})
    assert refused(token).code is FaultCode.TOKEN_MALFORMED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x5t", "b64", "cty"]), json_values))
def test_any_header_raises_only_the_two_faults(header: dict[str, Any]) -> None:
    signed = theirs("ES256", "e1", EC).partition(".")[2]
    for value in (header, {"alg": "ES256", "kid": "e1"} | header):
        head = urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
        with pytest.raises(Fault) as caught:
            verify_foreign(f"{head}.{signed}", JWKS, ("ES256", "RS256"))
        assert caught.value.code in (FaultCode.TOKEN_MALFORMED, FaultCode.TOKEN_SIGNATURE_INVALID)


@given(
    st.lists(st.dictionaries(st.sampled_from(["kty", "kid", "n", "e", "use", "alg", "crv", "key_ops"]), json_values))
)
def test_any_key_set_raises_only_the_two_faults(keys: list[dict[str, Any]]) -> None:
    honest = jwk.jwk_public(OTHER, "r1")
    with pytest.raises(Fault) as caught:
        verify_foreign(theirs(), {"keys": keys + [honest | key for key in keys]}, ("RS256",))
    assert caught.value.code is FaultCode.TOKEN_SIGNATURE_INVALID
