"""The races of P2 and P3 over several processes: each copy goes to another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from tests.processes.fleet import Fleet, token_of, visited
from tests.server_process import cli
from tests.stack.wire import Answer, Browser, Person, fresh_email

T = TypeVar("T")
MANY = 50


def at_once(count: int, call: Callable[[int], T]) -> list[T]:
    """Make that many calls at once; each is given its number."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def statuses(answers: list[Answer]) -> dict[int, int]:
    """How many answers had each status."""
    found: dict[int, int] = {}
    for answer in answers:
        found[answer.status] = found.get(answer.status, 0) + 1
    return found


def test_a_grant_is_redeemed_once_of_fifty(three: Fleet) -> None:
    grant = three.stytch().grant("google", three.newcomer())
    answers = at_once(MANY, lambda n: three.stytch(n % 3).authenticate(grant))
    assert statuses(answers) == {200: 1, 400: MANY - 1}


def test_a_code_of_stack_is_redeemed_once_of_fifty(three: Fleet) -> None:
    stack = three.stack()
    trip = stack.start("google")
    landed = stack.land(trip, stack.visit(trip, three.newcomer()))
    answers = at_once(MANY, lambda n: three.stack(n % 3).redeem(trip, landed))
    assert statuses(answers) == {200: 1, 400: MANY - 1}


def test_fifty_copies_of_a_callback_make_one_exchange_and_one_grant(three: Fleet) -> None:
    browser = Browser()
    started = three.stytch().start(browser, "github", three.newcomer())
    path = visited(started.location)
    three.control("DELETE", "counts")
    copies = [Browser(dict(browser.cookies)) for _ in range(MANY)]
    answers = at_once(MANY, lambda n: three.stytch(n % 3).callback(copies[n], path))
    assert three.control("GET", "counts")["github.token"] == 1
    tokens = {token_of(answer) for answer in answers if answer.status == 302}
    assert len(tokens) == 1
    assert {answer.status for answer in answers} <= {302, 400}
    grant = tokens.pop()
    redeemed = at_once(6, lambda n: three.stytch(n % 3).authenticate(grant))
    assert statuses(redeemed)[200] == 1


def test_a_ticket_starts_one_trip_of_fifty(three: Fleet) -> None:
    stytch = three.stytch()
    user = stytch.ok("POST", "/users", {"email": fresh_email()})
    ticket = stytch.ok("POST", "/oauth/attach", {"provider": "github", "user_id": user["user_id"]})

    def start(number: int) -> Answer:
        token = ticket["oauth_attach_token"]
        return three.stytch(number % 3).start(Browser(), "github", "ada", oauth_attach_token=token)

    answers = at_once(MANY, start)
    assert statuses(answers)[302] == 1
    assert all(answer.status in (302, 400, 404) for answer in answers)


def test_one_account_goes_to_one_of_two_users(three: Fleet) -> None:
    for _ in range(8):
        people = [three.stack().person() for _ in range(2)]
        subject = f"s-{fresh_email()}"

        def create(number: int, people: list[Person] = people, subject: str = subject) -> Answer:
            body = {
                "user_id": people[number].user_id,
                "provider_config_id": "github",
                "account_id": subject,
                "email": fresh_email(),
                "allow_sign_in": True,
                "allow_connected_accounts": True,
            }
            return three.stack(number).call("POST", "/oauth-providers", body)

        answers = at_once(2, create)
        assert sorted(answer.status for answer in answers) == [201, 400], [answer.text for answer in answers]
        held = [three.stack(2).ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"] for person in people]
        assert sorted(len(one) for one in held) == [0, 1]


def test_a_new_person_who_signs_in_on_all_at_once_is_one_user(three: Fleet) -> None:
    for _ in range(4):
        persona = three.newcomer()
        grants = [three.stytch(n % 3).grant("google", persona) for n in range(6)]
        answers = at_once(6, lambda n, grants=grants: three.stytch(n % 3).authenticate(grants[n]))  # type: ignore[misc]
        assert statuses(answers) == {200: 6}, [answer.text for answer in answers if answer.status != 200]
        assert len({answer.json["user_id"] for answer in answers}) == 1


def test_of_the_last_two_ways_in_one_stays(three: Fleet) -> None:
    for _ in range(6):
        stytch = three.stytch()
        # spotify vouches for no address: these two accounts are the only ways in
        first = stytch.sign_in("spotify", three.newcomer(email=""))
        ticket = stytch.ok("POST", "/oauth/attach", {"provider": "github", "user_id": first["user_id"]})
        grant = stytch.grant("github", three.newcomer(email=""), oauth_attach_token=ticket["oauth_attach_token"])
        both = stytch.authenticate(grant).json["user"]
        assert both["emails"] == []
        accounts = [one["oauth_user_registration_id"] for one in both["providers"]]
        assert len(accounts) == 2
        answers = at_once(2, lambda n, ids=accounts: three.stytch(n).call("DELETE", f"/users/oauth/{ids[n]}"))  # type: ignore[misc]
        assert sorted(answer.status for answer in answers) == [200, 400], [answer.text for answer in answers]
        left = three.stytch(2).ok("GET", f"/users/{first['user_id']}")["providers"]
        assert len(left) == 1


def test_first_sign_ins_with_an_old_hash_against_a_change_of_the_password(three: Fleet, tmp_path: Path) -> None:
    """The hash is replaced at one of three servers while another takes a new password: that one stays, each time."""
    old, new = "correct horse battery", "an entirely new password"
    people = [
        {"id": str(uuid4()), "primary_email": fresh_email(), "primary_email_auth_enabled": True} for _ in range(6)
    ]
    bcrypt = "$2y$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"
    file = tmp_path / "users.jsonl"
    file.write_text("\n".join(json.dumps(person | {"password_hash": bcrypt}) for person in people))
    done = cli("import", "stack", str(file), "--json", "--config", str(three.config))
    assert json.loads(done.stdout)["password_hashes"] == {"bcrypt": 6}, done.stderr

    def sign_in(number: int, email: object, password: str) -> int:
        body = {"email": email, "password": password}
        return three.stack(number % 3).call("POST", "/auth/password/sign-in", body, access="client").status

    for place, person in enumerate(people):
        email, path = person["primary_email"], f"/users/{person['id']}"

        def call(number: int, email: object = email, path: str = path, place: int = place) -> int:
            if number == place % 6:
                return three.stack(number % 3).call("PATCH", path, {"password": new}).status
            return sign_in(number, email, old)

        answers = at_once(6, call)
        assert answers[place % 6] == 200
        assert set(answers) <= {200, 400}
        assert (sign_in(place, email, old), sign_in(place, email, new)) == (400, 200)
    # whom nobody gave another password, all may sign in at once
    single = {"id": str(uuid4()), "primary_email": fresh_email(), "primary_email_auth_enabled": True}
    file.write_text(json.dumps(single | {"password_hash": bcrypt}))
    assert cli("import", "stack", str(file), "--config", str(three.config)).returncode == 0
    assert at_once(12, lambda n: sign_in(n, single["primary_email"], old)) == [200] * 12
