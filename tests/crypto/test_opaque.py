"""Opaque secrets: their form, what is stored of them, and the derived secrets of a flow."""

import hashlib
import hmac
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.crypto import opaque
from oneself.crypto.ids import is_uuid, new_uuid

PROJECT = "11111111-1111-4111-8111-111111111111"
FLOW = "22222222-2222-4222-8222-222222222222"
KEY = bytes(range(32))
garbage = st.text() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_session_token_is_33_random_bytes_in_44_characters() -> None:
    token = opaque.session_token(os.urandom)
    assert re.fullmatch(r"[A-Za-z0-9_-]{44}", token)
    assert len(urlsafe_b64decode(token)) == 33
    assert opaque.is_session_token(token)
    assert not opaque.is_session_token(token[:-1])
    assert not opaque.is_session_token(token + "A")
    assert not opaque.is_session_token("=" + token[1:])


def test_base32_takes_each_of_its_225_bits_from_the_randomness() -> None:
    assert opaque.base32_secret(lambda n: b"\x00" * n) == "0" * 45
    assert opaque.base32_secret(lambda n: b"\xff" * n) == "z" * 45
    # 0x0044_32... = 00000 00001 00010 00011 0010...: the alphabet in order
    assert opaque.base32_secret(lambda n: bytes.fromhex("00443214c7") + bytes(n - 5))[:8] == "01234567"


@given(st.binary(min_size=29, max_size=29))
def test_a_base32_secret_has_stacks_form(data: bytes) -> None:
    secret = opaque.base32_secret(lambda _: data)
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{45}", secret)
    assert opaque.is_base32_secret(secret)


@pytest.mark.parametrize("change", ["i", "l", "o", "u", "A", "-", "é"])
def test_letters_outside_the_alphabet_are_no_base32_secret(change: str) -> None:
    secret = opaque.base32_secret(os.urandom)
    assert opaque.is_base32_secret(secret)
    assert not opaque.is_base32_secret(change + secret[1:])


def test_keys_have_their_vendors_form() -> None:
    assert re.fullmatch(r"secret-test-[A-Za-z0-9_-]{35}=", opaque.stytch_secret("test", os.urandom))
    assert re.fullmatch(r"secret-live-.{36}", opaque.stytch_secret("live", os.urandom))
    assert len(urlsafe_b64decode(opaque.stytch_secret("test", os.urandom)[12:])) == 26
    token = opaque.public_token("live", os.urandom)
    assert token.startswith("public-token-live-")
    assert is_uuid(token.removeprefix("public-token-live-"))
    assert re.fullmatch(r"pck_[0-9a-hjkmnp-tv-z]{45}", opaque.prefixed_key("pck_", os.urandom))


def test_a_stored_hash_never_changes_its_recipe() -> None:
    expected = hashlib.sha256(b"oneself\0" + b"\x00\x07" + b"session" + b"abc").digest()
    assert opaque.secret_hash("session", "abc") == expected


def test_kind_and_secret_cannot_flow_into_each_other() -> None:
    hashes = {opaque.secret_hash(kind, text) for kind, text in [("a", "bc"), ("ab", "c"), ("", "abc")]}
    assert len(hashes) == 3


@pytest.mark.parametrize(("a", "b"), [("", ""), (None, None), ("", None), ("a", None), ("a", ""), (b"", b"")])
def test_the_absent_and_the_empty_equal_nothing(a: str | None, b: str | None) -> None:
    assert not opaque.equal(a, b)
    assert not opaque.equal(b, a)


@given(st.text(min_size=1), st.text(min_size=1))
def test_equal_is_equality_of_what_is_there(a: str, b: str) -> None:
    assert opaque.equal(a, a)
    assert opaque.equal(a, b) == (a == b)


def test_equal_takes_a_lone_surrogate_without_raising() -> None:
    assert not opaque.equal("\ud800", "a")
    assert opaque.equal("\ud800", "\ud800")


def test_a_state_names_its_project_and_flow() -> None:
    state = opaque.new_state(PROJECT, FLOW, os.urandom)
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", state)
    assert opaque.read_state(state) == (PROJECT, FLOW)
    assert opaque.new_state(PROJECT, FLOW, os.urandom) != state


def test_a_ticket_and_a_grant_name_their_flow_in_44_characters() -> None:
    ticket = opaque.new_ticket(FLOW, os.urandom)
    grant = opaque.derive_grant(KEY, opaque.new_state(PROJECT, FLOW, os.urandom))
    assert len(ticket) == len(grant) == 44
    assert opaque.read_ticket(ticket) == opaque.read_grant(grant) == FLOW
    assert ticket != grant


@given(garbage)
def test_garbage_is_no_flow_secret_and_raises_nothing(text: str) -> None:
    found = opaque.read_state(text)
    assert found is None or (len(text) == 64 and all(map(is_uuid, found)))
    for read in (opaque.read_ticket, opaque.read_grant):
        assert read(text) is None or len(text) == 44
    assert opaque.is_session_token(text) == (opaque.read_ticket(text) is not None)


@given(st.integers(0, 63), st.sampled_from("+/=.! é\n"))
def test_a_state_has_one_spelling(place: int, change: str) -> None:
    state = opaque.new_state(PROJECT, FLOW, os.urandom)
    assert opaque.read_state(state[:place] + change + state[place + 1 :]) is None


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, -1), slice(None, 60), slice(0)])
def test_a_truncated_or_padded_state_is_none(cut: slice) -> None:
    state = opaque.new_state(PROJECT, FLOW, os.urandom)
    assert opaque.read_state(state[cut]) is None
    assert opaque.read_state(state + "AAAA") is None


def _expected(label: bytes, state: str) -> bytes:
    return hmac.new(KEY, label + b"\0" + state.encode(), hashlib.sha256).digest()


def test_derived_secrets_follow_their_recipe() -> None:
    state = opaque.new_state(PROJECT, FLOW, lambda n: b"\x07" * n)
    for label, derive in [
        (b"verifier", opaque.derive_verifier),
        (b"nonce", opaque.derive_nonce),
        (b"browser", opaque.derive_browser),
    ]:
        assert derive(KEY, state) == urlsafe_b64encode(_expected(label, state)).decode().rstrip("=")
    head = bytes.fromhex(FLOW.replace("-", ""))
    grant = urlsafe_b64encode(head + _expected(b"grant", state)[:17]).decode()
    assert opaque.derive_grant(KEY, state) == grant


def test_derived_secrets_differ_by_label_state_and_key() -> None:
    one, two = (opaque.new_state(PROJECT, FLOW, os.urandom) for _ in range(2))
    derivations = (
        opaque.derive_verifier,
        opaque.derive_nonce,
        opaque.derive_browser,
        opaque.derive_grant,
    )
    seen = {derive(key, state) for derive in derivations for key in (KEY, KEY[::-1]) for state in (one, two)}
    assert len(seen) == 16


def test_the_same_state_gives_the_same_grant_again() -> None:
    state = opaque.new_state(PROJECT, FLOW, os.urandom)
    assert opaque.derive_grant(KEY, state) == opaque.derive_grant(KEY, state)


def test_a_grant_is_only_derived_from_a_state() -> None:
    with pytest.raises(ValueError, match="state"):
        opaque.derive_grant(KEY, "not a state")


def test_one_kind_of_token_never_hashes_as_another() -> None:
    token = opaque.new_ticket(new_uuid(os.urandom), os.urandom)
    kinds = ("ticket", "grant", "session", "state")
    assert len({opaque.secret_hash(kind, token) for kind in kinds}) == len(kinds)
