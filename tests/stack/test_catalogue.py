"""The catalogue of known errors, word by word against the SDK's own, and no row that nobody uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import oneself.wire.stack
from oneself.faults import Fault, FaultCode
from oneself.wire.stack.catalogue import CATALOGUE, known
from oneself.wire.stack.claims import expired
from oneself.wire.stack.faults import FAULTS, refusal_for
from tests import node_run

AT = 1_700_000_000
ISO = "2023-11-14T22:13:20.000Z"
EMAIL = "a@b.c"
CHANNEL = {"contact_channel_value": EMAIL}
# Each error's facts, and the arguments that the SDK's constructor takes for the same.
CASES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "BODY_PARSING_ERROR": ({"message": "m"}, ["m"]),
    "SCHEMA_ERROR": ({"message": "m"}, ["m"]),
    "INVALID_ACCESS_TYPE": ({"access_type": "x"}, ["x"]),
    "ACCESS_TYPE_WITHOUT_PROJECT_ID": ({"request_type": "client"}, ["client"]),
    "INSUFFICIENT_ACCESS_TYPE": (
        {
            "actual_access_type": "client",
            "allowed_access_types": ["server", "admin"],
            "allowed": "'server' or 'admin'",
        },
        ["client", ["server", "admin"]],
    ),
    "INVALID_PUBLISHABLE_CLIENT_KEY": ({"project_id": 'p"q'}, ['p"q']),
    "INVALID_SECRET_SERVER_KEY": ({"project_id": "p"}, ["p"]),
    "INVALID_SUPER_SECRET_ADMIN_KEY": ({"project_id": "p"}, ["p"]),
    "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT": ({"project_id": "p"}, ["p"]),
    "ADMIN_ACCESS_TOKEN_EXPIRED": ({"expired_at": ISO, "expired_at_millis": AT * 1000}, [{"date": AT * 1000}]),
    "CURRENT_PROJECT_NOT_FOUND": ({"project_id": "p"}, ["p"]),
    "BRANCH_DOES_NOT_EXIST": ({"branch_id": "b"}, ["b"]),
    "INVALID_PROJECT_FOR_ACCESS_TOKEN": ({"expected_project_id": "a", "actual_project_id": "b"}, ["a", "b"]),
    "RESTRICTED_USER_NOT_ALLOWED": (
        {"reason": "anonymous", "restricted_reason": {"type": "anonymous"}},
        [{"type": "anonymous"}],
    ),
    "USER_ID_DOES_NOT_EXIST": ({"user_id": "u"}, ["u"]),
    "USER_EMAIL_ALREADY_EXISTS": ({"email": EMAIL}, [EMAIL]),
    "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE": (CHANNEL, ["email", EMAIL]),
    "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE/unverified": (CHANNEL, ["email", EMAIL, True]),
    "USER_EMAIL_ALREADY_EXISTS/unverified": ({"email": EMAIL}, [EMAIL, True]),
    "EMAIL_IS_NOT_PRIMARY_EMAIL": ({"email": "a", "primary_email": "b"}, ["a", "b"]),
    "MULTI_FACTOR_AUTHENTICATION_REQUIRED": ({"attempt_code": "c"}, ["c"]),
    "PASSWORD_TOO_SHORT": ({"min_length": 8}, [8]),
    "TEAM_NOT_FOUND": ({"team_id": "t"}, ["t"]),
    "TEAM_MEMBERSHIP_NOT_FOUND": ({"team_id": "t", "user_id": "u"}, ["t", "u"]),
    "INVALID_OAUTH_CLIENT_ID_OR_SECRET": ({"client_id": "c"}, ["c"]),
    "INVALID_SCOPE": ({"scope": "s"}, ["s"]),
}
# What later versions of the SDK word otherwise than the contract that clients compare with.
REWORDED = {"OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"}


@pytest.mark.node
def test_the_words_are_the_sdks_own() -> None:
    sent = [[name, row.code, CASES.get(name, ({}, []))[1]] for name, row in CATALOGUE.items()]
    theirs = node_run.run("stack_known_errors.mjs", send=sent)
    differing = {}
    for name in CATALOGUE:
        if name == "ACCESS_TOKEN_EXPIRED" or name in REWORDED:
            continue
        ours = known(name, **CASES.get(name, ({}, []))[0])
        mine = {"status": ours.status, "text": ours.text, "details": ours.details}
        if mine != theirs.get(name):
            differing[name] = (mine, theirs.get(name))
    assert differing == {}


@pytest.mark.node
def test_an_expired_token_in_the_sdks_own_words() -> None:
    cases: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("nothing", [], {}),
        (
            "everything",
            [{"date": AT * 1000}, "p", "u", "r"],
            {"exp": AT, "project_id": "p", "sub": "u", "refresh_token_id": "r"},
        ),
    ]
    theirs = node_run.run(
        "stack_known_errors.mjs", send=[[name, "ACCESS_TOKEN_EXPIRED", args] for name, args, _ in cases]
    )
    for name, _, claims in cases:
        ours = expired(claims)
        assert {"status": ours.status, "text": ours.text, "details": ours.details} == theirs[name]


def test_no_row_stands_for_nothing() -> None:
    folder = Path(next(iter(oneself.wire.stack.__path__)))
    code = "".join(file.read_text() for file in folder.glob("*.py") if file.name != "catalogue.py")
    assert [name for name in CATALOGUE if f'"{name}"' not in code] == []


def test_every_row_of_the_faults_can_be_said() -> None:
    for code, operation in FAULTS:
        refused = refusal_for(Fault(code), operation or "anything", {})
        assert refused.text
        assert 400 <= refused.status < 600
    assert refusal_for(Fault(FaultCode.PROVIDER_UNAVAILABLE), "x", {"retry_after": 7}).headers == [("retry-after", "7")]
