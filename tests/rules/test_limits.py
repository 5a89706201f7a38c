"""Whom a limit counts as one, and how a minute is counted."""

import pytest

from oneself.rules.lifetimes import MINUTE, SECOND
from oneself.rules.limits import Meter, origin_of


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_one_caller(address: str, origin: str) -> None:
    assert origin_of(address) == origin


def test_a_minute_takes_so_many_and_the_next_one_again() -> None:
    meter, now = Meter(), 1_000 * MINUTE
    assert [meter.take("a", 3, now) for _ in range(3)] == [0, 0, 0]
    assert meter.take("a", 3, now + 15 * SECOND) == 45
    assert meter.take("b", 3, now) == 0
    assert meter.take("a", 3, now + MINUTE) == 0


def test_no_limit_is_no_limit() -> None:
    meter = Meter()
    assert {meter.take("a", 0, 0) for _ in range(100)} == {0}
