"""Seals: what is sealed opens in its own place and nowhere else; keys rotate; nothing shows."""

import hashlib
import hmac
import os
import pickle
from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from oneself.crypto import seal
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode

KEY_ID = "33333333-3333-4333-8333-333333333333"
WHERE = ("project", "user", "row", "access_token")
OLD = "old:" + b64encode(b"o" * 32).decode()
NEW = "new:" + b64encode(b"n" * 32).decode()


def data_key(key: bytes = b"k" * 32, key_id: str = KEY_ID) -> seal.DataKey:
    return seal.DataKey(key_id, key, os.urandom)


def ring(*lines: str) -> seal.KeyRing:
    return seal.KeyRing.parse("\n".join(lines), os.urandom)


def length_prefixed(*parts: str) -> bytes:
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


@given(st.binary(), st.lists(st.text(), max_size=5))
def test_what_is_sealed_opens_in_its_place(plaintext: bytes, where: list[str]) -> None:
    key = data_key()
    sealed = key.seal(plaintext, *where)
    assert key.open(sealed, *where) == plaintext
    assert len(sealed) == len(plaintext) + 45
    assert seal.sealed_under(sealed) == KEY_ID


def test_the_layout_opens_with_nothing_but_the_library() -> None:
    sealed = data_key().seal(b"token", *WHERE)
    head = b"\x01" + b"\x33" * 6 + b"\x43\x33\x83" + b"\x33" * 7
    assert sealed[:17] == head
    aad = head + length_prefixed(*WHERE)
    assert AESGCM(b"k" * 32).decrypt(sealed[17:29], sealed[29:], aad) == b"token"


def test_the_same_plaintext_never_looks_the_same_twice() -> None:
    key = data_key()
    assert len({key.seal(b"token", *WHERE) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("other", "user", "row", "access_token"),
        ("project", "other", "row", "access_token"),
        ("project", "user", "other", "access_token"),
        ("project", "user", "row", "refresh_token"),
        ("project", "user", "row"),
        ("project", "user", "row", "access_token", ""),
        ("user", "project", "row", "access_token"),
        ("project", "user", "rowaccess_token", ""),
        ("project", "userr", "ow", "access_token"),
        (),
    ],
)
def test_a_swapped_ciphertext_does_not_open(elsewhere: tuple[str, ...]) -> None:
    key = data_key()
    sealed = key.seal(b"token", *WHERE)
    with pytest.raises(Fault) as caught:
        key.open(sealed, *elsewhere)
    assert caught.value.code is FaultCode.SEAL_BROKEN
    assert key.open(sealed, *WHERE) == b"token"


@given(st.data())
def test_a_flipped_bit_anywhere_does_not_open(data: st.DataObject) -> None:
    key = data_key()
    sealed = bytearray(key.seal(b"a provider's token", *WHERE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Fault) as caught:
        key.open(bytes(sealed), *WHERE)
    assert caught.value.code is FaultCode.SEAL_BROKEN


@given(st.binary(max_size=100) | st.binary(max_size=100).map(lambda tail: b"\x01" + b"\x33" * 16 + tail))
def test_garbage_raises_only_seal_broken(garbage: bytes) -> None:
    opens: list[Callable[[], bytes]] = [
        lambda: data_key().open(garbage, *WHERE),
        lambda: ring(OLD).unwrap(garbage, "project"),
    ]
    for open_it in opens:
        with pytest.raises(Fault) as caught:
            open_it()
        assert caught.value.code is FaultCode.SEAL_BROKEN


def test_another_key_does_not_open_even_under_the_same_id() -> None:
    sealed = data_key().seal(b"token", *WHERE)
    for other in (data_key(b"x" * 32), data_key(key_id=new_uuid(os.urandom))):
        with pytest.raises(Fault) as caught:
            other.open(sealed, *WHERE)
        assert caught.value.code is FaultCode.SEAL_BROKEN


def test_a_truncated_value_does_not_open() -> None:
    key = data_key()
    sealed = key.seal(b"token", *WHERE)
    for length in range(len(sealed)):
        with pytest.raises(Fault) as caught:
            key.open(sealed[:length], *WHERE)
        assert caught.value.code is FaultCode.SEAL_BROKEN


def test_what_is_sealed_is_not_to_be_read_from_the_bytes() -> None:
    assert b"canary" not in data_key().seal(b"canary" * 10, *WHERE)


def test_keys_show_and_serialise_nothing() -> None:
    for thing in (data_key(), ring(OLD)):
        shown = f"{thing!r} {thing!s} {thing}"
        assert shown in ("<DataKey> <DataKey> <DataKey>", "<KeyRing> <KeyRing> <KeyRing>")
        with pytest.raises(TypeError):
            pickle.dumps(thing)


def test_a_ring_is_read_from_lines_commas_and_comments() -> None:
    read = ring("# master keys", "", f" {NEW} , {OLD}", "\r")
    assert read.active_id == read.flow_key_id == "new"
    assert read.ids() == ("new", "old")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "new",
        "new:",
        ":" + b64encode(b"n" * 32).decode(),
        "new:" + b64encode(b"n" * 31).decode(),
        "new:" + b64encode(b"n" * 33).decode(),
        "new:" + b64encode(b"n" * 32).decode() + "!",
        "a b:" + b64encode(b"n" * 32).decode(),
        "é:" + b64encode(b"n" * 32).decode(),
        f"{NEW},{NEW}",
        "new:" + "é" * 44,
    ],
)
def test_an_unreadable_ring_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Fault) as caught:
        ring(text)
    assert caught.value.code is FaultCode.MASTER_KEY_MISSING
    assert b64encode(b"n" * 30).decode()[:20] not in str(caught.value)


def test_a_fresh_line_is_a_ring() -> None:
    one, two = seal.generate_line(os.urandom), seal.generate_line(os.urandom)
    assert one != two
    assert ring(one, two).active_id == one.partition(":")[0]


def test_a_wrapped_key_outlives_rotation_of_the_master_key() -> None:
    wrapped = ring(OLD).wrap(b"k" * 32, "project")
    assert seal.wrapped_under(wrapped) == "old"
    rotated = ring(NEW, OLD)
    assert rotated.unwrap(wrapped, "project") == b"k" * 32
    assert seal.wrapped_under(rotated.wrap(b"k" * 32, "project")) == "new"


def test_a_missing_master_key_is_named() -> None:
    wrapped = ring(OLD).wrap(b"k" * 32, "project")
    with pytest.raises(Fault) as caught:
        ring(NEW).unwrap(wrapped, "project")
    assert caught.value.code is FaultCode.MASTER_KEY_MISSING
    assert caught.value.facts == {"key_id": "old"}
    assert "old" in caught.value.detail
    with pytest.raises(Fault) as caught:
        ring(NEW).flow_key("old")
    assert caught.value.code is FaultCode.MASTER_KEY_MISSING


def test_a_wrong_master_key_of_the_same_id_unwraps_nothing() -> None:
    wrapped = ring(OLD).wrap(b"k" * 32, "project")
    wrong = ring("old:" + b64encode(b"x" * 32).decode())
    with pytest.raises(Fault) as caught:
        wrong.unwrap(wrapped, "project")
    assert caught.value.code is FaultCode.SEAL_BROKEN


def test_a_wrapped_key_is_bound_to_its_place_and_to_every_bit() -> None:
    keys = ring(OLD)
    wrapped = keys.wrap(b"k" * 32, "project")
    with pytest.raises(Fault):
        keys.unwrap(wrapped, "another")
    for place in range(len(wrapped)):
        altered = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        with pytest.raises(Fault) as caught:
            keys.unwrap(altered, "project")
        assert caught.value.code in (FaultCode.SEAL_BROKEN, FaultCode.MASTER_KEY_MISSING)
    assert keys.unwrap(wrapped, "project") == b"k" * 32


def test_derived_keys_are_hkdf_and_stay_with_their_master_key() -> None:
    # RFC 5869, one block: extract under a salt of zeros, expand with the label and the counter 1.
    extracted = hmac.digest(bytes(32), b"o" * 32, "sha256")
    expected = hmac.new(extracted, b"oneself\0flow\x01", hashlib.sha256).digest()
    assert ring(OLD).flow_key("old") == ring(NEW, OLD).flow_key("old") == expected
    keys = ring(NEW, OLD)
    labels = {keys.derive(key_id, label) for key_id in ("new", "old") for label in ("flow", "wrap", "x")}
    assert len(labels) == 6


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        data_key(b"k" * 31)
    with pytest.raises(ValueError, match="32 bytes"):
        seal.KeyRing({"a": b"k" * 16}, os.urandom)
    assert len(seal.new_data_key(os.urandom)) == 32
