"""What the dialect reads: times, ids, bodies; each refusal beside its honest twin."""

from __future__ import annotations

import pytest

from oneself.faults import Fault, FaultCode
from oneself.wire.stytch import bodies, ids, times
from oneself.wire.stytch.refusals import Refusal
from tests.stytch import samples


def refusal_of(data: bytes, kind: type = bodies.OAuthInput) -> str:
    with pytest.raises(Refusal) as caught:
        bodies.read_body(data, kind)
    return caught.value.row.error_type


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-04-24T12:41:30Z", 1_713_962_490_000_000),
        ("2024-04-24t12:41:30.5z", 1_713_962_490_500_000),
        ("2024-04-24T14:41:30.123456789+02:00", 1_713_962_490_123_456),
    ],
)
def test_rfc_3339_is_read(text: str, micros: int) -> None:
    assert times.parse(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-04-24",
        "2024-04-24T12:41:30",
        "2024-13-24T12:41:30Z",
        "2024-04-24 12:41:30Z",
        "2024-04-24T12:41:30Z\n",
        "0001-01-01T00:00:00+99:00",
    ],
)
def test_what_is_no_rfc_3339_is_no_time(text: str) -> None:
    assert times.parse(text) is None


def test_a_stamp_is_cut_to_whole_seconds() -> None:
    assert times.stamp(1_713_962_490_999_999) == "2024-04-24T12:41:30Z"
    assert times.stamp(0) == "1970-01-01T00:00:00Z"


def test_an_id_is_read_back() -> None:
    project = samples.project()
    made = ids.make("user", project, samples.USER_UUID)
    assert made == f"user-test-{samples.USER_UUID}"
    assert ids.read(ids.USER, project, made) == samples.USER_UUID


@pytest.mark.parametrize(
    "text",
    [
        "user-test-2",
        f"session-test-{samples.USER_UUID}",
        f"user-test-{samples.USER_UUID.upper()[:-1]}",
        f"user-test-{samples.USER_UUID}\n",
        f" user-test-{samples.USER_UUID}",
        "",
    ],
)
def test_an_id_of_another_kind_or_shape_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        ids.read(ids.USER, samples.project(), text)
    assert caught.value.row.error_type == "invalid_user_id"


def test_an_id_of_the_other_environment_is_nobody_here() -> None:
    with pytest.raises(Fault) as caught:
        ids.read(ids.USER, samples.project(), f"user-live-{samples.USER_UUID}")
    assert caught.value.code is FaultCode.USER_NOT_FOUND


@pytest.mark.parametrize("text", ["a", "ext-1", "A.b_c-d|9", "x" * 128, "user", "username-test-1"])
def test_an_external_id_may_be(text: str) -> None:
    assert ids.is_external(text)


@pytest.mark.parametrize(
    "text",
    ["", "x" * 129, "a b", "ä", "a\0", "a\n", f"user-test-{samples.USER_UUID}", "session-live-1"],
)
def test_an_external_id_may_not_be(text: str) -> None:
    assert not ids.is_external(text)


def test_a_body_is_read_and_what_is_not_known_in_it_is_ignored() -> None:
    read = bodies.read_body(b'{"token":"t","user_id":"x","session_token":null}', bodies.OAuthInput)
    assert (read.token, read.session_token, read.code_verifier) == ("t", None, None)
    assert bodies.read_body(b"", bodies.RevokeInput) == bodies.RevokeInput()
    assert bodies.read_body(b" {} ", bodies.RevokeInput) == bodies.RevokeInput()


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"token":"\xff"}',
        b'{"token":"a"} x',
        b'{"token":"\\ud800"}',
        b'{"token":' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_a_bad_request(data: bytes) -> None:
    assert refusal_of(data) == "bad_request"


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"token":1}',
        b'{"token":null}',
        b'{"token":"t","session_duration_minutes":"60"}',
        b'{"token":"t","session_duration_minutes":5.5}',
        b'{"token":"t","session_duration_minutes":true}',
        b'{"token":"t","session_custom_claims":{"a":' + b"[" * 64 + b"]" * 64 + b"}}",
        b'{"token":"t","session_custom_claims":[]}',
        b'{"token":"t","session_custom_claims":{"a":' + b"1" * 5000 + b"}}",
        b'{"token":"a\\u0000b"}',
        b'{"token":"t","session_custom_claims":{"a":{"b":["\\u0000"]}}}',
        b'{"token":"t","session_custom_claims":{"\\u0000":1}}',
    ],
)
def test_a_wrong_type_or_a_missing_member_is_an_invalid_argument(data: bytes) -> None:
    assert refusal_of(data) == "invalid_argument"


def test_a_backslash_before_a_nul_escape_is_only_text() -> None:
    assert bodies.read_body(rb'{"token":"\\u0000"}', bodies.OAuthInput).token == "\\u0000"
