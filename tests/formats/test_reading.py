"""Files of users, in every container, and every way in which a file can be hostile; each beside its honest twin."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from oneself.faults import RowRefused
from oneself.formats import lines
from oneself.formats.reading import rows
from oneself.model import TransferFormat, UserRecord

ADA = "11111111-1111-4111-8111-111111111111"
GRACE = "22222222-2222-4222-8222-222222222222"
STYTCH: dict[str, Any] = {
    "user_id": f"user-live-{ADA}",
    "status": "active",
    "name": {"first_name": "Ada", "middle_name": "", "last_name": "Lovelace"},
    "emails": [{"email_id": f"email-live-{GRACE}", "email": "ada@corp.example", "verified": True}],
    "phone_numbers": [],
    "providers": [
        {
            "provider_type": "Google",
            "provider_subject": "g-1",
            "profile_picture_url": "https://pictures.example/ada",
            "locale": "en",
            "oauth_user_registration_id": f"oauth-user-live-{ADA}",
            "provider_values": {
                "access_token": "at",
                "refresh_token": "rt",
                "id_token": "",
                "scopes": ["openid", "email"],
                "expires_at": "2030-01-01T00:00:00Z",
            },
        }
    ],
    "password": None,
    "trusted_metadata": {"plan": "pro"},
    "untrusted_metadata": {},
    "created_at": "2024-02-03T04:05:06Z",
    "external_id": None,
    "is_locked": False,
    "roles": ["stytch_user"],
}
STACK: dict[str, Any] = {
    "id": ADA,
    "primary_email": "ada@corp.example",
    "primary_email_verified": True,
    "primary_email_auth_enabled": True,
    "display_name": "Ada",
    "signed_up_at_millis": 1_700_000_000_000,
    "oauth_providers": [{"id": "github", "account_id": "42", "email": "ada@corp.example"}],
    "client_metadata": {"a": 1},
}


def read(data: bytes | str, source: TransferFormat = "stytch", environment: str = "live") -> list[Any]:
    """The rows of a file: a record, or the reason why there is none, with the line."""
    file = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    said = []
    for line, row, _ in rows(file, source, environment):
        assert isinstance(row, UserRecord | RowRefused)
        if isinstance(row, RowRefused):
            assert row.what_to_do
        said.append((line, row.reason if isinstance(row, RowRefused) else row))
    return said


def one(row: dict[str, Any], source: TransferFormat = "stytch", environment: str = "live") -> Any:
    """What one row says."""
    ((_, said),) = read(json.dumps(row), source, environment)
    return said


CONTAINERS: dict[str, Callable[[list[Any]], str]] = {
    "lines": lambda users: "\n".join(json.dumps(user) for user in users),
    "lines with gaps and CRLF": lambda users: "\r\n\r\n".join(json.dumps(user) for user in users) + "\r\n",
    "array": json.dumps,
    "pretty array": lambda users: json.dumps(users, indent=2),
    "results": lambda users: json.dumps({"request_id": "r", "results": users, "results_metadata": {"total": 2}}),
    "pretty items": lambda users: json.dumps({"is_paginated": True, "items": users}, indent=4),
    "byte order mark": lambda users: "\ufeff" + json.dumps(users),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_holds_the_same_users(container: str) -> None:
    # texts with all that the reading looks for inside, and rows that lie over the borders of what is read at once
    odd = 'a "quoted" ] } , \\ { [ "items": [ text'
    users = [
        STYTCH | {"user_id": f"user-live-{ADA[:-6]}{n:06d}", "trusted_metadata": {"odd": odd, "long": "x" * 997 * n}}
        for n in range(100)
    ]
    said = [row for _, row in read(CONTAINERS[container](users))]
    assert [row.server_metadata for row in said] == [user["trusted_metadata"] for user in users]
    assert [row.id[-6:] for row in said] == [f"{n:06d}" for n in range(100)]


def test_lines_are_told() -> None:
    text = json.dumps([{"user_id": 1}, STYTCH, {"user_id": 2}], indent=1)
    places = [number for number, line in enumerate(text.splitlines(), 1) if '"user_id": ' in line]
    refused = [line for line, said in read(text) if isinstance(said, str)]
    assert refused == [places[0] - 1, places[2] - 1]  # an element begins with its bracket, a line above
    assert [line for line, _ in read("\n{\n".replace("{", json.dumps(STYTCH)) + "\n\nx\n")] == [2, 5]


def test_it_is_said_how_long_a_row_is_in_the_file() -> None:
    long, broken = json.dumps(STYTCH | {"trusted_metadata": {"a": "x" * 1_000}}), "{" + "y" * 500
    for text in (f"{long}\n{broken}\n", f"[{long},\n {broken}}}]"):
        first, second = (size for _, _, size in rows(io.BytesIO(text.encode()), "stytch"))
        assert (first - len(long) in (0, 1), second - len(broken) in (0, 1)) == (True, True)
    table = 'user,display_name\nu-1,"a\nb"\nu-2,' + "x" * 500
    assert [size for _, _, size in rows(io.BytesIO(table.encode()), "csv")] == [10, 504]


def test_stytchs_user_is_read_whole() -> None:
    said = one(STYTCH)
    assert (said.id, said.first_name, said.last_name) == (ADA, "Ada", "Lovelace")
    assert said.created_at == 1_706_933_106_000_000
    assert said.server_metadata == {"plan": "pro"} and said.client_metadata is None
    (email,), (account,) = said.emails, said.accounts
    assert (email.address, email.verified, email.is_primary, email.id) == ("ada@corp.example", True, True, GRACE)
    assert (account.provider, account.subject, account.id, account.locale) == ("Google", "g-1", ADA, "en")
    (tokens,) = account.tokens
    assert (tokens.access_token, tokens.refresh_token, tokens.scopes) == ("at", "rt", ("openid", "email"))
    assert tokens.expires_at == 1_893_456_000_000_000


def test_stacks_user_is_read_whole() -> None:
    account = {
        "id": GRACE,
        "provider_config_id": "github",
        "account_id": "42",
        "allow_sign_in": False,
        "access_tokens": [
            {"access_token": "at", "scopes": ["a", "b"], "expires_at_millis": 1_900_000_000_000},
            {"access_token": "lone", "scopes": ["c"]},
        ],
        "refresh_tokens": [
            {"refresh_token": "dead", "scopes": ["b", "a"], "is_valid": False},
            {"refresh_token": "rt", "scopes": "b a"},
        ],
    }
    said = one(STACK | {"oauth_providers": [account]}, "stack")
    assert (said.id, said.display_name, said.created_at) == (ADA, "Ada", 1_700_000_000_000_000)
    (email,) = said.emails
    assert (email.verified, email.claims_sign_in) == (True, True)
    (read_account,) = said.accounts
    assert (read_account.provider, read_account.id, read_account.allow_sign_in) == ("github", GRACE, False)
    joined, lone = read_account.tokens
    assert (joined.access_token, joined.refresh_token, joined.expires_at) == ("at", "rt", 1_900_000_000_000_000)
    assert (lone.access_token, lone.refresh_token) == ("lone", "")
    assert one(STACK, "stack").accounts[0].allow_sign_in is None


@pytest.mark.parametrize("value", ["true", "yes", 1, 0, [], {}])
def test_an_address_is_verified_by_true_and_nothing_else(value: Any) -> None:
    told = one(STYTCH | {"emails": [{"email": "ada@corp.example", "verified": value}]})
    assert told == "verified is not true or false"
    assert one(STACK | {"primary_email_verified": value}, "stack") == "primary_email_verified is not true or false"
    for silent in (None, False):
        assert one(STACK | {"primary_email_verified": silent}, "stack").emails[0].verified is False
    assert one({"id": ADA, "primary_email": "a@b.example"}, "stack").emails[0].verified is False
    assert one(STYTCH | {"emails": [{"email": "a@b.example"}]}).emails[0].verified is False


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"user_id": 7}, "user_id is not a text"),
    ({"user_id": ADA}, "user_id has not the form user-live-UUID"),
    ({"user_id": f"email-live-{ADA}"}, "user_id has not the form user-live-UUID"),
    ({"user_id": f"user-live-{ADA.upper()[:-1]}A"}, "user_id has not the form user-live-UUID"),
    ({"user_id": f"user-test-{ADA}"}, "user_id belongs to the environment test, and the project is of live"),
    ({"emails": "ada@corp.example"}, "emails is not a list of objects"),
    ({"emails": ["ada@corp.example"]}, "emails is not a list of objects"),
    ({"emails": [{"email": ["ada@corp.example"]}]}, "email is not a text"),
    ({"name": "Ada"}, "name is not an object"),
    ({"trusted_metadata": []}, "trusted_metadata is not an object"),
    ({"trusted_metadata": {"a": {"b": "\0"}}}, "trusted_metadata holds characters that no text may hold"),
    ({"created_at": 7}, "created_at is not a text"),
    ({"created_at": "yesterday"}, "created_at is not a time in RFC 3339, as 2025-11-12T10:35:49Z"),
    ({"created_at": "0001-01-01T00:00:00Z"}, "created_at is not a time in RFC 3339, as 2025-11-12T10:35:49Z"),
    ({"created_at": "2024-13-40T00:00:00Z"}, "created_at is not a time in RFC 3339, as 2025-11-12T10:35:49Z"),
    ({"status": "root"}, "status is not one of active, pending and disabled"),
    ({"is_locked": "false"}, "is_locked is not true or false"),
    ({"providers": {"provider_type": "Google"}}, "providers is not a list of objects"),
    ({"providers": [{"provider_values": "at"}]}, "provider_values is not a list of objects"),
    ({"providers": [{"provider_values": {"scopes": [1]}}]}, "scopes is not a list of texts"),
]


@pytest.mark.parametrize(("changed", "reason"), WRONG)
def test_a_wrong_row_is_refused_alone(changed: dict[str, Any], reason: str) -> None:
    text = "\n".join(json.dumps(row) for row in (STYTCH, STYTCH | changed, STYTCH))
    (_, before), (line, said), (_, behind) = read(text)
    assert (line, said) == (2, reason)
    assert before == behind == one(STYTCH)


def deep(levels: int) -> str:
    """JSON of so many levels."""
    return '{"a":' * levels + "1" + "}" * levels


BROKEN: list[tuple[bytes, str]] = [
    (b"{", "it is no valid JSON"),
    (b"\x00", "it is no valid JSON"),
    (b"[1]", "it is JSON, but no object"),
    (b"7", "it is JSON, but no object"),
    (b'{"user_id": NaN}', "it is no valid JSON"),
    (b'{"user_id": "\xff\xfe"}', "it is not UTF-8"),
    (b'{"user_id": "\xed\xa0\x80"}', "it is not UTF-8"),
    (b'{"user_id": "\\ud800"}', "it is no valid JSON"),
    (f'{{"trusted_metadata": {deep(65)}}}'.encode(), "trusted_metadata is nested deeper than 64 levels"),
    (f'{{"trusted_metadata": {deep(100_000)}}}'.encode(), "it is no valid JSON"),
    (b'{"user_id": "' + b"x" * lines.LONGEST_ROW + b'"}', "it is longer than 4 MiB"),
]


@pytest.mark.parametrize(("row", "reason"), BROKEN, ids=[f"{n}" for n in range(len(BROKEN))])
def test_a_broken_line_takes_no_neighbour_along(row: bytes, reason: str) -> None:
    honest = json.dumps(STYTCH).encode()
    (_, before), (line, said), (_, behind) = read(b"\n".join([honest, row, honest]))
    assert (line, said) == (2, reason)
    assert before == behind == one(STYTCH)


def test_a_broken_element_of_an_array_is_refused_alone_where_it_is_closed() -> None:
    honest = json.dumps(STYTCH)
    said = [row for _, row in read(f'[{honest}, {{"a": nope}}, 7, {honest}]')]
    assert said == [one(STYTCH), "it is no valid JSON", "it is JSON, but no object", one(STYTCH)]


def test_an_array_that_is_cut_off_gives_what_came_before() -> None:
    honest = json.dumps(STYTCH)
    said = [row for _, row in read(f'{{"results": [{honest}, {honest[:-20]}')]
    assert said == [one(STYTCH), "the file ends inside of the list of users"]
    said = [row for _, row in read(f'[{honest}, "{"x" * lines.LONGEST_ROW}{"x" * 70_000}", {honest}]')]
    assert said == [one(STYTCH), "it is longer than 4 MiB; nothing behind it was read"]


@pytest.mark.parametrize("text", ["", " \n\n ", "[]", '{"results": []}'])
def test_no_users_are_no_rows(text: str) -> None:
    assert read(text) == []


def test_a_file_that_is_something_else_is_said_once() -> None:
    assert read(json.dumps([STYTCH]).encode("utf-16")) == [(1, "the file is UTF-16")]
    assert read('{\n"request_id": "x"\n}') == [(1, "the file is a JSON object without a list of users")]
    assert read(b"a,b\r\n1,2\r\n", "csv") == [(1, "the first row names no column `user`")]
    assert read(b"user,colour\r\n1,2\r\n", "csv") == [(1, "the first row names unknown columns, at the places 2")]
    assert read(b"user,user\r\n1,2\r\n", "csv") == [(1, "the first row names a column twice")]


HEAD = "user,email,email_verified,display_name,provider,subject,client_metadata,phone\r\n"
HONEST = "u-1,ada@corp.example,true,Ada,google,g-1,,\r\n"
CELLS: list[tuple[str, str]] = [
    (",ada@corp.example,true,Ada,google,g-1,,", "the cell `user` is empty"),
    ("u-2,a@b.example,TRUE,,,,,", "email_verified is not true or false"),
    ("u-2,a@b.example,1,,,,,", "email_verified is not true or false"),
    ("u-2,=cmd|' /C calc'!A0,,,,,,", "email begins like a spreadsheet's formula"),
    ("u-2,,,@SUM(1),,,,", "display_name begins like a spreadsheet's formula"),
    ("u-2,,,+1,,,,", "display_name begins like a spreadsheet's formula"),
    ("u-2,,,a\0b,,,,", "display_name holds characters that no text may hold"),
    ("u-2,,", "it has 3 cells, and the first row has 8"),
    ("u-2,,,,,,,,", "it has 9 cells, and the first row has 8"),
    ('u-2,,,,,,"[1]",', "client_metadata is not a JSON object"),
    ("u-2,,,,,,{,", "client_metadata is not a JSON object"),
    ("u-2,,,,,g-1,,", "it has an account or tokens, and the cell `provider` is empty"),
    ('u-2,"a"b,,,,,,', "it is no valid CSV: a quote is out of place or never closed"),
    ("u-2," + "x" * lines.LONGEST_ROW, "it is longer than 4 MiB"),
]


@pytest.mark.parametrize(("row", "reason"), CELLS, ids=[f"{n}" for n in range(len(CELLS))])
def test_a_wrong_row_of_a_table_is_refused_alone(row: str, reason: str) -> None:
    (_, before), (line, said), (_, behind) = read(f"{HEAD}{HONEST}{row}\r\n{HONEST}", "csv")
    assert (line, said) == (3, reason)
    assert before == behind
    assert (before.external_id, before.emails[0].verified, before.accounts[0].subject) == ("u-1", True, "g-1")


def test_a_table_in_another_encoding_is_refused_row_by_row() -> None:
    data = HEAD.encode() + "u-2,,,Zoë,,,,\r\n".encode("latin-1") + HONEST.encode()
    (_, said), (_, behind) = read(data, "csv")
    assert said == "it is not UTF-8"
    assert behind.external_id == "u-1"


def test_a_cell_that_is_meant_to_begin_like_a_formula_is_written_with_a_quote() -> None:
    ((_, said),) = read(f"{HEAD}u-2,,,'=1+1,google,''x,,+491701234567\r\n", "csv")
    assert (said.display_name, said.accounts[0].subject, said.phones[0].number) == ("=1+1", "'x", "+491701234567")


def test_a_users_key_is_an_id_of_ours_or_a_name() -> None:
    for key, found in ((ADA, (ADA, "")), (f"user-live-{ADA}", (ADA, "")), ("crm|7", ("", "crm|7"))):
        ((_, said),) = read(f"user\r\n{key}\r\n", "csv")
        assert (said.id, said.external_id) == found


def test_what_is_not_taken_is_named() -> None:
    said = one(
        STYTCH
        | {
            "password": {"password_id": f"password-live-{ADA}", "requires_reset": False},
            "totps": [{"totp_id": "totp-live-x", "verified": True}],
            "webauthn_registrations": [{}, {}],
            "roles": ["admin"],
        }
    )
    assert sorted(said.not_taken) == [
        "WebAuthn registration",
        "WebAuthn registration",
        "authenticator app",
        "password without its hash",
        "roles",
    ]
    told = one(STACK | {"has_password": True, "requires_totp_mfa": True, "selected_team_id": GRACE}, "stack")
    assert told.not_taken == ("password without its hash", "second factor (TOTP)", "selected team")
    assert one(STYTCH).not_taken == one(STACK, "stack").not_taken == ()
