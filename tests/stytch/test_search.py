"""`users/search` against a plain filter in memory, over a thousand users, on both databases."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oneself.actions import projects, users
from oneself.actions.users import NewLinkedAccount, NewUser
from tests.stytch.in_process import Face, face_on

USERS = 1000
ROUNDS = 200
NAMES = ("Ada", "Grace", "Alan", "Barbara", "Édith", "van der", "O'Neil", "100%", "_x_", "Straße")
DOMAINS = ("corp.example", "home.example", "mail.example")

User = dict[str, Any]


async def populate(face: Face, chance: random.Random) -> list[User]:
    """A thousand users of every kind, as the dialect itself shows them, newest first."""

    async def make(number: int) -> None:
        body: dict[str, Any] = {
            "name": {"first_name": chance.choice(NAMES), "last_name": chance.choice(NAMES)},
            "create_user_as_pending": number % 5 == 0,
        }
        if number % 7:
            body["email"] = f"{chance.choice('abcXYZ')}{number}@{chance.choice(DOMAINS)}"
        if number % 3 == 0 or "email" not in body:
            body["phone_number"] = f"+1202{number:07d}"
        if number % 11 == 0:
            body["external_id"] = f"ext.{number}"
        if number % 4 == 1:
            await linked(face, number, body)
            return
        if number % 50 == 2 and "email" in body:
            password = {"email": body["email"], "password": "correct horse", "name": body["name"]}
            status, said = await face.call("POST", "/v1/passwords", password)
        else:
            status, said = await face.call("POST", "/v1/users", body)
        assert status in (200, 201), said

    for start in range(0, USERS, 50):
        await asyncio.gather(*(make(number) for number in range(start, start + 50)))
    status, said = await face.call("POST", "/v1/users/search", {"limit": 1000})
    assert status == 200
    assert said["results_metadata"] == {"total": USERS, "next_cursor": None}
    found: list[User] = said["results"]
    return found


async def linked(face: Face, number: int, body: dict[str, Any]) -> None:
    """Somebody as a trip leaves them behind: with accounts, and an address that was proved."""
    project = await projects.by_stytch_id(face.rt, face.project_id)
    assert project is not None
    names = [name for name, every in (("github", 8), ("linkedin", 12)) if number % every == 1]
    await users.create(
        face.rt,
        project,
        NewUser(
            email=body.get("email", ""),
            email_verified=number % 16 != 1,
            phone=body.get("phone_number", ""),
            first_name=body["name"]["first_name"],
            last_name=body["name"]["last_name"],
            external_id=body.get("external_id", ""),
            accounts=tuple(NewLinkedAccount(config_id=name, subject=f"{name}-{number}") for name in names),
        ),
    )


def folded(text: str) -> str:
    return " ".join(text.casefold().split())


def words(user: User) -> list[str]:
    name = user["name"]
    text = folded(f"{name['first_name']} {name['middle_name']} {name['last_name']}")
    return [text[at:] for at in range(len(text)) if at == 0 or text[at - 1] == " "]


def name_begins(user: User, text: str) -> bool:
    return any(word.startswith(folded(text)) for word in words(user))


def address_begins(user: User, text: str) -> bool:
    addresses = [email["email"].casefold() for email in user["emails"]]
    wanted = text.casefold()
    return any(a.startswith(wanted) or f"@{wanted}" in a for a in addresses)


def has_password(user: User, value: bool) -> bool:
    return (user["password"] is not None) is value


def never(_user: User, value: bool) -> bool:
    return value is False


FILTERS: dict[str, Callable[[User, Any], bool]] = {
    "created_at_greater_than": lambda user, value: bool(user["created_at"][:19] > value[:19]),
    "created_at_less_than": lambda user, value: bool(user["created_at"][:19] < value[:19]),
    "created_at_between": lambda user, value: bool(
        value["greater_than"][:19] < user["created_at"][:19] < value["less_than"][:19]
    ),
    "status": lambda user, value: bool(user["status"] == value),
    "user_id": lambda user, value: user["user_id"] in value or user["external_id"] in value,
    "full_name_fuzzy": name_begins,
    "phone_number": lambda user, value: any(p["phone_number"] in value for p in user["phone_numbers"]),
    "phone_id": lambda user, value: any(p["phone_id"] in value for p in user["phone_numbers"]),
    "phone_verified": lambda user, value: any(p["verified"] is value for p in user["phone_numbers"]),
    "phone_number_fuzzy": lambda user, value: any(value in p["phone_number"] for p in user["phone_numbers"]),
    "email_address": lambda user, value: any(
        e["email"].casefold() in {text.casefold() for text in value} for e in user["emails"]
    ),
    "email_id": lambda user, value: any(e["email_id"] in value for e in user["emails"]),
    "email_verified": lambda user, value: any(e["verified"] is value for e in user["emails"]),
    "email_address_fuzzy": address_begins,
    "oauth_provider": lambda user, value: any(
        p["provider_type"].casefold() in {text.casefold().removeprefix("oauth_") for text in value}
        for p in user["providers"]
    ),
    "password_exists": has_password,
    "webauthn_registration_verified": never,
    "crypto_wallet_verified": never,
    "totp_verified": never,
    "webauthn_registration_id": lambda _user, _value: False,
    "crypto_wallet_id": lambda _user, _value: False,
    "crypto_wallet_address": lambda _user, _value: False,
    "totp_id": lambda _user, _value: False,
}


def operand(chance: random.Random, users: list[User]) -> dict[str, Any]:
    """One operand with a value that some users match and others do not."""
    name = chance.choice(sorted(FILTERS))
    someone = [chance.choice(users) for _ in range(chance.randint(0, 3))]
    value: Any
    if name == "created_at_between":
        first, last = sorted(chance.choice(users)["created_at"] for _ in range(2))
        value = {"greater_than": first.replace("Z", ".999999Z"), "less_than": last}
    elif name.startswith("created_at"):
        # between whole seconds, since the dialect shows no smaller part of a time
        value = shifted(chance.choice(users)["created_at"], chance.choice((-1, 0, 1)))
        value = value.replace("Z", ".999999Z") if name.endswith("greater_than") else value
    elif name == "status":
        value = chance.choice(("active", "pending"))
    elif name in ("phone_verified", "email_verified", "password_exists") or name.endswith("_verified"):
        value = chance.random() < 0.5
    elif name == "user_id":
        known = [user["external_id"] for user in users if user["external_id"]]
        value = chance.sample(known, 2) if chance.random() < 0.3 else [user["user_id"] for user in someone]
    elif name == "full_name_fuzzy":
        value = chance.choice(("a", "Ad", "grace h", "édith", "%", "_", "van DER", "strasse", "'", ""))
    elif name == "email_address_fuzzy":
        value = chance.choice(("a", "x1", "corp", "mail.ex", "@corp", "%", "_", "b9"))
    elif name == "phone_number_fuzzy":
        value = chance.choice(("+1202", "0001", "999", "%", ""))
    elif name in ("phone_number", "phone_id"):
        value = [phone[name] for user in someone for phone in user["phone_numbers"]]
    elif name == "email_address":
        value = [email["email"].swapcase() for user in someone for email in user["emails"]]
    elif name == "email_id":
        value = [email["email_id"] for user in someone for email in user["emails"]]
    elif name == "oauth_provider":
        value = chance.choice((["google", "Github"], ["LINKEDIN"], ["oauth_linkedin", "github"], ["google"], []))
    else:
        value = ["some"]
    return {"filter_name": name, "filter_value": value}


def shifted(stamp: str, seconds: int) -> str:
    moment = datetime.fromisoformat(stamp) + timedelta(seconds=seconds)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def expected(users: list[User], operator: str, operands: list[dict[str, Any]]) -> list[str]:
    def matches(user: User) -> bool:
        outcomes = [FILTERS[each["filter_name"]](user, each["filter_value"]) for each in operands]
        if not outcomes:
            return True
        return any(outcomes) if operator == "OR" else all(outcomes)

    return [user["user_id"] for user in users if matches(user)]


async def test_a_search_finds_what_a_plain_filter_finds(migrated_url: str) -> None:
    chance = random.Random(20261122)
    async with face_on(migrated_url) as face:
        everybody = await populate(face, chance)
        assert_of_every_kind(everybody)
        seen = set()
        for _ in range(ROUNDS):
            operator = chance.choice(("AND", "OR"))
            operands = [operand(chance, everybody) for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3)))]
            seen |= {each["filter_name"] for each in operands}
            wanted = expected(everybody, operator, operands)
            query = {"operator": operator, "operands": operands}
            found, totals = await paged(face, query, chance.choice((7, 100, 1000)), len(wanted))
            assert found == wanted, (operator, operands)
            assert totals <= {len(wanted)}
        assert seen == set(FILTERS)
        await check_between(face, everybody)


def assert_of_every_kind(users: list[User]) -> None:
    """A filter that matches nobody, or everybody, would prove little."""
    kinds: dict[str, Callable[[User], bool]] = {
        "github": lambda user: "Github" in [each["provider_type"] for each in user["providers"]],
        "linkedin": lambda user: "LinkedIn" in [each["provider_type"] for each in user["providers"]],
        "proved": lambda user: any(email["verified"] for email in user["emails"]),
        "not proved": lambda user: any(not email["verified"] for email in user["emails"]),
        "password": lambda user: user["password"] is not None,
        "pending": lambda user: bool(user["status"] == "pending"),
        "number": lambda user: bool(user["phone_numbers"]),
        "named by the application": lambda user: user["external_id"] is not None,
    }
    for name, of_kind in kinds.items():
        assert 10 <= sum(map(of_kind, users)) <= USERS - 10, name


async def paged(face: Face, query: object, limit: int, most: int) -> tuple[list[str], set[int]]:
    """All pages of one search: the ids, and every total that was told."""
    found: list[str] = []
    totals: set[int] = set()
    cursor = None
    if limit == 7 and most > 70:
        limit = 100
    while True:
        asked = {"query": query, "limit": limit} | ({"cursor": cursor} if cursor else {})
        status, said = await face.call("POST", "/v1/users/search", asked)
        assert status == 200, said
        found += [user["user_id"] for user in said["results"]]
        totals.add(said["results_metadata"]["total"])
        assert len(said["results"]) <= limit
        cursor = said["results_metadata"]["next_cursor"]
        if cursor is None:
            return found, totals


async def check_between(face: Face, users: list[User]) -> None:
    """A span of time, alone and beside another operand under OR."""
    first, last = users[-1]["created_at"], users[0]["created_at"]
    after, before = shifted(first, -1), shifted(last, 1)
    span = {"filter_name": "created_at_between", "filter_value": {"greater_than": after, "less_than": before}}
    nobody = {"filter_name": "totp_id", "filter_value": ["x"]}
    empty = {"filter_name": "created_at_between", "filter_value": {"greater_than": before, "less_than": after}}
    for operands, total in (([span], USERS), ([span, nobody], USERS), ([empty, nobody], 0)):
        query = {"operator": "OR", "operands": operands}
        _, said = await face.call("POST", "/v1/users/search", {"query": query, "limit": 0})
        assert said["results_metadata"]["total"] == total
        assert said["results"] == []


@pytest.mark.parametrize("most", [0, 2, 3])
async def test_matches_are_counted_only_up_to_the_limit(migrated_url: str, most: int) -> None:
    """The vendor too says -1 where it does not count; the pages go on all the same."""
    async with face_on(migrated_url, search_total=most) as face:
        totals = []
        for number in range(4):
            _, said = await face.call("POST", "/v1/users/search", {"limit": 1})
            totals.append(said["results_metadata"]["total"])
            await face.call("POST", "/v1/users", {"email": f"n{number}@corp.example"})
        assert totals == [number if number <= most and most else -1 for number in range(4)]
        found, told = await paged(face, None, 1, 4)
        assert (len(found), told) == (4, {-1})
        one = {"operands": [{"filter_name": "email_address", "filter_value": ["n2@corp.example"]}], "operator": "AND"}
        _, said = await face.call("POST", "/v1/users/search", {"query": one})
        assert (len(said["results"]), said["results_metadata"]["total"]) == (1, 1 if most else -1)


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({"limit": -1}, "user_search_invalid_limit"),
        ({"limit": 1001}, "user_search_invalid_limit"),
        ({"limit": 2**70}, "user_search_invalid_limit"),
        ({"limit": "10"}, "invalid_argument"),
        ({"cursor": "nonsense"}, "user_search_invalid_cursor"),
        ({"cursor": "WzEsMV0"}, "user_search_invalid_cursor"),
        ({"cursor": "ä"}, "user_search_invalid_cursor"),
        ({"query": {"operator": "XOR", "operands": []}}, "user_search_invalid_operator"),
        ({"query": {"operator": 5}}, "user_search_invalid_operator"),
        ({"query": {"operands": [5]}}, "invalid_argument"),
        ("{}", "user_search_missing_filter_name"),
        ('{"filter_name": 5, "filter_value": 5}', "user_search_filter_name_must_be_string"),
        ('{"filter_name": "nope", "filter_value": 5}', "user_search_filter_name_not_recognized"),
        ('{"filter_name": "user_id"}', "user_search_missing_filter_value"),
        ('{"filter_name": "user_id", "filter_value": "x"}', "user_search_expected_array_of_string"),
        ('{"filter_name": "user_id", "filter_value": [5]}', "user_search_expected_array_of_string"),
        ('{"filter_name": "full_name_fuzzy", "filter_value": 5}', "user_search_expected_string"),
        ('{"filter_name": "email_verified", "filter_value": "true"}', "user_search_expected_bool"),
        ('{"filter_name": "totp_verified", "filter_value": 1}', "user_search_expected_bool"),
        ('{"filter_name": "created_at_between", "filter_value": 1}', "user_search_expected_object"),
        ('{"filter_name": "created_at_between", "filter_value": {}}', "user_search_expected_timestamp"),
        ('{"filter_name": "created_at_less_than", "filter_value": "1"}', "user_search_expected_timestamp"),
        ('{"filter_name": "status", "filter_value": "gone"}', "user_search_invalid_status_filter"),
        ('{"filter_name": "oauth_provider", "filter_value": ["x"]}', "user_search_invalid_oauth_provider_filter"),
        (
            '{"filter_name": "user_id", "filter_value": ["ext", "user-test-1"]}',
            "user_search_cannot_mix_internal_and_external_user_ids",
        ),
        (
            '{"filter_name": "user_id", "filter_value": [' + ",".join(['"a"'] * 101) + "]}",
            "user_search_maximum_filter_value_count_exceeded",
        ),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(migrated_sqlite_url: str, body: Any, error_type: str) -> None:
    if isinstance(body, str):
        body = {"query": {"operator": "AND", "operands": [json.loads(body)]}}
    async with face_on(migrated_sqlite_url) as face:
        status, said = await face.call("POST", "/v1/users/search", body)
        assert (status, said["error_type"]) == (400, error_type)
        status, said = await face.call("POST", "/v1/users/search", {})
        assert (status, said["results"]) == (200, [])
