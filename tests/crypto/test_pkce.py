"""PKCE: the RFC's vector, both methods, and the syntax of both values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.crypto import pkce

# RFC 7636, appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_vector_of_the_rfc() -> None:
    assert pkce.challenge_s256(VERIFIER) == CHALLENGE
    assert pkce.verify("S256", CHALLENGE, VERIFIER)


@pytest.mark.parametrize(
    ("method", "challenge", "verifier"),
    [
        ("S256", CHALLENGE, VERIFIER[:-1]),
        ("S256", CHALLENGE, VERIFIER + "k"),
        ("S256", CHALLENGE, CHALLENGE),  # plain after S256: the challenge was public
        ("S256", CHALLENGE + "=", VERIFIER),
        ("S256", CHALLENGE, ""),
        ("S256", "", ""),
        ("S256", pkce.challenge_s256(""), ""),  # an empty verifier proves nothing
        ("s256", CHALLENGE, VERIFIER),
        ("plain", CHALLENGE, VERIFIER),
        ("plain", "", ""),
        ("", VERIFIER, VERIFIER),
        ("none", VERIFIER, VERIFIER),
        ("S256", CHALLENGE, "\ud800"),
    ],
)
def test_what_proves_nothing(method: str, challenge: str, verifier: str) -> None:
    assert pkce.verify(method, challenge, verifier) is False


def test_plain_is_equality_whatever_the_length() -> None:
    assert pkce.verify("plain", "some-code-challenge", "some-code-challenge")
    assert not pkce.verify("plain", "some-code-challenge", "some-code-challengE")


@given(st.text(min_size=1))
def test_every_verifier_proves_its_own_challenge(verifier: str) -> None:
    challenge = pkce.challenge_s256(verifier)
    assert pkce.is_challenge_s256(challenge)
    assert pkce.verify("S256", challenge, verifier)
    assert not pkce.verify("S256", challenge, verifier + "x")


@pytest.mark.parametrize("text", ["a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "é", "a" * 43 + "\n", ""])
def test_what_is_no_verifier(text: str) -> None:
    assert not pkce.is_verifier(text)


@pytest.mark.parametrize("text", ["a" * 43, "a" * 128, "-._~" * 20, VERIFIER])
def test_what_is_a_verifier(text: str) -> None:
    assert pkce.is_verifier(text)


@pytest.mark.parametrize(
    "text",
    [
        CHALLENGE[:-1],
        CHALLENGE + "=",
        CHALLENGE[:-1] + "N",
        CHALLENGE.replace("-", "+"),
        "",
        "é" * 43,
    ],
)
def test_what_is_no_challenge(text: str) -> None:
    assert pkce.is_challenge_s256(CHALLENGE)
    assert not pkce.is_challenge_s256(text)
