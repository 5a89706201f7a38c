"""Base64url: one spelling per byte string."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.crypto import b64


@given(st.binary(max_size=200))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    text = b64.encode(data)
    assert text == urlsafe_b64encode(data).decode().rstrip("=")
    assert b64.decode(text) == data


@pytest.mark.parametrize(
    ("canonical", "other"),
    [
        ("-_8", "+/8"),  # the other alphabet
        ("-_8", "-_8="),  # padding
        ("-_8", "-_9"),  # stray low bits that a lenient decoder drops
        ("-_8", "-_8\n"),
        ("-_8", "-_ 8"),
        ("-_8", "-_!8"),
        ("-_8", "-_８"),
        ("-_8", "-_8xx"),
    ],
)
def test_no_byte_string_has_a_second_spelling(canonical: str, other: str) -> None:
    assert b64.decode(canonical) == b"\xfb\xff"
    assert b64.decode(other) is None


@given(st.text())
def test_garbage_decodes_to_none_or_to_what_encodes_back(text: str) -> None:
    data = b64.decode(text)
    assert data is None or b64.encode(data) == text
