"""Every fault that a dialect can meet has a row in its table, no row is unused, and no code stands for nothing."""

from functools import cache

import pytest

from oneself.faults import FaultCode
from oneself.wire.stack.faults import FAULTS as STACK
from oneself.wire.stytch.faults import FAULTS as STYTCH
from tests.house.fault_reach import definitions, reached
from tests.house.source import package, sample

TABLES = {"stytch": {code for code, _ in STYTCH}, "stack": {code for code, _ in STACK}}
# What the walk over names finds although no request of that face can come there, and why.
EXCUSED = {
    "stack": {
        FaultCode.CLAIMS_TOO_LARGE: "no request of this dialect carries custom claims",
        FaultCode.EXTERNAL_ID_INVALID: "no request of this dialect carries an external id",
        FaultCode.EXTERNAL_ID_IN_USE: "no request of this dialect carries an external id",
        FaultCode.PHONE_INVALID: "no request of this dialect carries a telephone number",
        FaultCode.PHONE_IN_USE: "no request of this dialect carries a telephone number",
        FaultCode.REDIRECT_NOT_SET: "this dialect's start asks for no list of login and signup URLs",
        FaultCode.SESSION_DURATION_INVALID: "durations in minutes are the other dialect's",
        FaultCode.TICKET_INVALID: "tickets are the other dialect's",
        FaultCode.TOKEN_MALFORMED: "wire/stack/access.py tells each unusable token in words of its own",
        FaultCode.TOKEN_SIGNATURE_INVALID: "wire/stack/access.py tells each unusable token in words of its own",
    },
    "stytch": {
        FaultCode.ACCOUNT_OTHER: "no trip of this dialect is for one account alone",
        FaultCode.ACCOUNT_SLOT_TAKEN: "no request of this dialect links an account on the server's word",
        FaultCode.ACCOUNT_SUBJECT_TAKEN: "no request of this dialect links an account on the server's word",
        FaultCode.ACCOUNT_TWIN: "no request of this dialect links an account on the server's word",
        FaultCode.APP_KEY_GONE: "this dialect's start names no key that may be revoked",
        FaultCode.APP_KEY_NEEDED: "this dialect's start names no key that may be asked for later",
        FaultCode.MAIL_OFF: "no request of this dialect is nothing without mail",
        FaultCode.SECOND_FACTOR_NEEDED: "this dialect's sessions say what they rest on, and the application decides",
        FaultCode.GRANT_REDIRECT_MISMATCH: "this dialect's redeem names no redirect URI",
        FaultCode.RECONNECT_NEEDED: "no request of this dialect refreshes a provider's token",
    },
}
# The tables themselves mention every code, so they are left out of the walk.
LEFT_OUT = ("oneself.wire.stytch.faults", "oneself.wire.stack.faults")


@cache
def reach_of(face: str) -> set[FaultCode]:
    """What the modules of one face can meet, its own table left out."""
    found = definitions(module for module in package() if module.name not in LEFT_OUT)
    prefix = f"oneself.wire.{face}."
    codes = reached(found, [name for name in found if name.startswith(prefix)])
    return {FaultCode[code] for code in codes}


@pytest.mark.parametrize("face", sorted(TABLES))
def test_every_fault_that_a_face_meets_has_a_row(face: str) -> None:
    missing = reach_of(face) - TABLES[face] - set(EXCUSED[face])
    assert not missing, sorted(missing)


@pytest.mark.parametrize("face", sorted(TABLES))
def test_no_row_is_unused(face: str) -> None:
    unused = TABLES[face] - reach_of(face)
    assert not unused, sorted(unused)


@pytest.mark.parametrize("face", sorted(TABLES))
def test_no_excuse_outlives_its_reason(face: str) -> None:
    assert set(EXCUSED[face]) <= reach_of(face) - TABLES[face]


def test_no_code_stands_for_nothing() -> None:
    found = definitions(module for module in package() if not module.name.startswith("oneself.wire."))
    mentioned = {code for definition in found.values() for code in definition.codes}
    faces = definitions(module for module in package() if module.name.startswith("oneself.wire."))
    raised = mentioned | {code for name, one in faces.items() if not name.endswith("FAULTS") for code in one.codes}
    assert {code.name for code in FaultCode} == raised


def test_the_walk_follows_names_through_modules() -> None:
    face = sample("oneself.wire.x.a", "from oneself.actions import b\ndef f():\n    return b.g()\n")
    action = sample(
        "oneself.actions.b",
        "from oneself.faults import FaultCode\n_TABLE = {1: FaultCode.LAST_WAY_IN}\n"
        "def g():\n    return _h()\ndef _h():\n    return _TABLE\ndef other():\n    return FaultCode.FLOW_USED\n",
    )
    codes = reached(definitions([face, action]), ["oneself.wire.x.a.f"])
    assert set(codes) == {"LAST_WAY_IN"}
