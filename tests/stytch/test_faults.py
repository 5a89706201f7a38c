"""The two tables of refusals: well formed, distinct, and with words for people where pages show."""

from __future__ import annotations

import re
from typing import Any

import pytest

from oneself.faults import Fault, FaultCode
from oneself.wire.stytch import pages
from oneself.wire.stytch.faults import FAULTS, UNKNOWN, row_of
from oneself.wire.stytch.refusals import WIRE, Refusal


@pytest.mark.parametrize("row", [*FAULTS.values(), *WIRE.values()])
def test_a_row_is_a_refusal_with_a_type_and_a_sentence(row: tuple[int, str, str]) -> None:
    status, error_type, message = row
    assert 400 <= status < 600
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", error_type)
    assert message.endswith((".", "characters."))


def test_one_type_has_one_status_everywhere() -> None:
    statuses: dict[str, set[int]] = {}
    for row in [*FAULTS.values(), *WIRE.values()]:
        statuses.setdefault(row.error_type, set()).add(row.status)
    assert {name for name, found in statuses.items() if len(found) > 1} == set()


def test_a_provider_that_is_not_configured_is_said_in_the_words_that_the_vendor_suite_looks_for() -> None:
    row = row_of(Fault(FaultCode.PROVIDER_NOT_CONFIGURED), "oauth_attach")
    assert (row.status, row.error_type) == (400, "oauth_config_not_found")
    assert "OAuth config" in row.message


@pytest.mark.parametrize(
    ("facts", "error_type"),
    [
        ({"which": "login", "any_set": True}, "no_default_login_redirect_url_set"),
        ({"which": "login", "any_set": False}, "no_login_redirect_urls_set"),
        ({"which": "signup", "any_set": True}, "no_default_signup_redirect_url_set"),
        ({"which": "signup", "any_set": False}, "no_signup_redirect_urls_set"),
    ],
)
def test_a_missing_redirect_url_is_named_by_its_purpose(facts: dict[str, Any], error_type: str) -> None:
    assert row_of(Fault(FaultCode.REDIRECT_NOT_SET, **facts), "oauth_start").error_type == (error_type)


def test_a_fault_that_this_dialect_cannot_reach_is_our_own_error() -> None:
    assert row_of(Fault(FaultCode.CONNECTION_MISSING), "users_get") is UNKNOWN


def test_a_refusal_that_is_not_in_the_table_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        Refusal("no_such_type")


def test_every_advice_of_the_pages_belongs_to_a_type_that_can_happen() -> None:
    known = {row.error_type for row in [*FAULTS.values(), *WIRE.values()]}
    assert set(pages.ADVICE) <= known
