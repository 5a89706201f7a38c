"""Identifiers: one spelling each, and back to their bytes."""

import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.crypto.ids import is_uuid, new_uuid, uuid_bytes, uuid_text


def test_a_new_id_is_a_version_4_uuid_of_the_given_randomness() -> None:
    assert new_uuid(lambda n: b"\xff" * n) == "ffffffff-ffff-4fff-bfff-ffffffffffff"
    assert new_uuid(lambda n: b"\x00" * n) == "00000000-0000-4000-8000-000000000000"


def test_new_ids_differ() -> None:
    assert len({new_uuid(os.urandom) for _ in range(1000)}) == 1000


@given(st.uuids())
def test_text_and_bytes_are_two_faces_of_one_id(value: uuid.UUID) -> None:
    assert is_uuid(str(value))
    assert uuid_bytes(str(value)) == value.bytes
    assert uuid_text(value.bytes) == str(value)


HONEST = "0f6b2c1a-7b3c-4d5e-8f90-a1b2c3d4e5f6"


@pytest.mark.parametrize(
    "other",
    [
        HONEST.upper(),
        "{" + HONEST + "}",
        "urn:uuid:" + HONEST,
        HONEST.replace("-", ""),
        HONEST + "\n",
        " " + HONEST[1:],
        HONEST[:-1],
        HONEST[:-1] + "g",
        HONEST[:-1] + "６",  # a digit to str.isdigit and int(), not to us
        "0-6b2c1a-7b3c-4d5e-8f90-a1b2c3d4e5f6",
        "",
    ],
)
def test_any_other_spelling_is_no_id(other: str) -> None:
    assert is_uuid(HONEST)
    assert not is_uuid(other)
    with pytest.raises(ValueError, match="canonical"):
        uuid_bytes(other)


@given(st.text())
def test_garbage_is_no_id_and_raises_nothing(text: str) -> None:
    assert is_uuid(text) is False


@given(st.binary().filter(lambda data: len(data) != 16))
def test_other_lengths_of_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        uuid_text(data)
