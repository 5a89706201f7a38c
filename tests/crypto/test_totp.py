"""Time-based one-time passwords against the table of RFC 6238, appendix B; our passwords are the last six digits."""

from __future__ import annotations

import pytest

from oneself.crypto import totp

SECRET = b"12345678901234567890"
SECOND = 1_000_000
TABLE = {
    59: "94287082",
    1_111_111_109: "07081804",
    1_111_111_111: "14050471",
    1_234_567_890: "89005924",
    2_000_000_000: "69279037",
    20_000_000_000: "65353130",
}


@pytest.mark.parametrize(("at", "eight"), TABLE.items())
def test_the_table(at: int, eight: str) -> None:
    step = totp.step_of(at * SECOND)
    assert totp.at_step(SECRET, step) == eight[2:]
    assert totp.matching_step(SECRET, eight[2:], at * SECOND) == step


def test_one_step_before_and_one_after_count_and_no_other() -> None:
    now = 2_000_000_000 * SECOND
    step = totp.step_of(now)
    found = [totp.matching_step(SECRET, totp.at_step(SECRET, step + away), now) for away in (-2, -1, 0, 1, 2)]
    assert found == [None, step - 1, step, step + 1, None]


def test_a_password_counts_once() -> None:
    now = 2_000_000_000 * SECOND
    step = totp.step_of(now)
    password = totp.at_step(SECRET, step)
    assert totp.matching_step(SECRET, password, now, after=step - 1) == step
    assert totp.matching_step(SECRET, password, now, after=step) is None
    later = totp.at_step(SECRET, step + 1)
    assert totp.matching_step(SECRET, later, now, after=step) == step + 1


@pytest.mark.parametrize("wrong", ["", "00000", "0000000", "٠٠٠٠٠٠", "\ud800", "abcdef"])
def test_what_is_no_password_matches_nothing(wrong: str) -> None:
    assert totp.matching_step(SECRET, wrong, 59 * SECOND) is None
