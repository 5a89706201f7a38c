"""Every fault that an emulated provider can be ordered to have, met by a real server: one trip ends, no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oneself.emulator.flaws import FLAWS
from oneself.emulator.trouble import KINDS
from tests.conftest import ENGINES
from tests.postgres_server import Cluster
from tests.processes.fleet import Fleet, Stytch, fleet, token_of, visited
from tests.stack.wire import Answer, Browser

AWAY = (503, "server_unavailable")
UNREADABLE = (400, "unable_to_authorize_oauth_provider")
DEAD_CODE = (400, "oauth_auth_code_error")

# What each kind means where a code is exchanged; None: the trip arrives all the same.
AT_TOKEN: dict[str, tuple[int, str] | None] = {
    "delay": None,
    "hang": AWAY,
    "hang_in_body": AWAY,
    "reset": AWAY,
    "reset_in_body": AWAY,
    "drip": AWAY,
    "rate_limit": AWAY,
    "server_error": AWAY,
    "status": AWAY,
    "html": UNREADABLE,
    "empty": UNREADABLE,
    "garbage": UNREADABLE,
    "truncated": UNREADABLE,
    "huge": UNREADABLE,
    "wrong_types": UNREADABLE,
    "redirect_loop": UNREADABLE,
    "oauth_error": DEAD_CODE,
    "id_token": UNREADABLE,
}
# Where a user document is read: there a refusal is no dead code, and a number that came as a text is the same id.
AT_DOCUMENT = AT_TOKEN | {"oauth_error": UNREADABLE, "wrong_types": None}
DETAILS: dict[str, dict[str, Any]] = {
    "delay": {"seconds": 0.2},
    "drip": {"seconds": 0.5},
    "status": {"status": 502},
    "rate_limit": {"retry_after": 1},
}
DOCUMENT_KINDS = [
    "hang",
    "reset_in_body",
    "rate_limit",
    "garbage",
    "huge",
    "redirect_loop",
    "wrong_types",
    "oauth_error",
]


@pytest.fixture(scope="module", params=ENGINES)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, emulator: str
) -> Iterator[Fleet]:
    """One server on each engine that waits for a provider no longer than three seconds."""
    folder = tmp_path_factory.mktemp("faults")
    name = postgres.create_database()
    url = f"sqlite:///{folder / 'oneself.sqlite3'}" if request.param == "sqlite" else postgres.url(name)
    with fleet(folder, url, emulator, 1, limits={"provider_seconds": 3}) as made:
        yield made
    postgres.drop_database(name)


@pytest.fixture(autouse=True)
def whole(shop: Fleet) -> Iterator[None]:
    """No fault, clock or order of one test outlives it."""
    yield
    shop.control("DELETE", "faults")
    shop.control("DELETE", "picks", {})
    shop.control("POST", "clock", {"provider": "*", "skew_seconds": 0})
    shop.control("POST", "clock", {"provider": "google", "skew_seconds": 0})


def order(shop: Fleet, kind: str, provider: str, endpoint: str, **more: Any) -> None:
    body = {"kind": kind, "provider": provider, "endpoint": endpoint, **DETAILS.get(kind, {}), **more}
    shop.control("POST", "faults", body)


def landed(stytch: Stytch, provider: str, persona: str) -> Answer:
    """A trip up to our callback's answer, as a script reads it."""
    browser = Browser()
    started = stytch.start(browser, provider, persona)
    assert started.status == 302, started.text
    return stytch.callback(browser, visited(started.location))


def users_of(stytch: Stytch, persona: str) -> int:
    query = {"operator": "AND", "operands": [_operand(persona)]}
    return len(stytch.ok("POST", "/users/search", {"query": query})["results"])


def _operand(persona: str) -> dict[str, Any]:
    return {"filter_name": "email_address", "filter_value": [f"{persona}@people.example"]}


def judge(shop: Fleet, provider: str, persona: str, wanted: tuple[int, str] | None) -> None:
    """One trip under a fault: it arrives, or it is refused as it should be and leaves nobody behind."""
    stytch = shop.stytch()
    answer = landed(stytch, provider, persona)
    if wanted is None:
        assert answer.status == 302, answer.text
        assert stytch.authenticate(token_of(answer)).status == 200
        return
    assert (answer.status, answer.json["error_type"]) == wanted, answer.text
    assert users_of(stytch, persona) == 0
    shop.control("DELETE", "faults")
    honest = landed(stytch, provider, persona)
    assert honest.status == 302, honest.text
    assert stytch.authenticate(token_of(honest)).status == 200
    assert users_of(stytch, persona) == 1


def test_every_kind_of_fault_is_met_here() -> None:
    assert set(AT_TOKEN) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"id_token"}))
def test_a_fault_where_the_code_is_exchanged(shop: Fleet, kind: str) -> None:
    order(shop, kind, "google", "token")
    judge(shop, "google", shop.newcomer(), AT_TOKEN[kind])


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_a_fault_where_the_person_is_read(shop: Fleet, kind: str) -> None:
    order(shop, kind, "github", "userinfo", times=0)
    judge(shop, "github", shop.newcomer(), AT_DOCUMENT[kind])


@pytest.mark.parametrize("kind", ["server_error", "reset", "garbage", "wrong_types"])
def test_a_fault_where_the_addresses_are_read_is_no_account_without_one(shop: Fleet, kind: str) -> None:
    order(shop, kind, "github", "emails", times=0)
    persona = shop.newcomer()
    stytch = shop.stytch()
    answer = landed(stytch, "github", persona)
    if answer.status == 302:
        # addresses of the wrong shape are none; the person comes in, and nobody else's address is theirs
        assert kind == "wrong_types"
        assert stytch.authenticate(token_of(answer)).json["user"]["emails"] == []
    else:
        assert (answer.status, answer.json["error_type"]) == AT_TOKEN[kind]
    shop.control("DELETE", "faults")
    assert landed(stytch, "github", shop.newcomer()).status == 302


def test_a_stumble_at_the_document_is_not_noticed(shop: Fleet) -> None:
    order(shop, "server_error", "github", "userinfo", times=2)
    assert landed(shop.stytch(), "github", shop.newcomer()).status == 302


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_spoiled_id_token(shop: Fleet, flaw: str) -> None:
    order(shop, "id_token", "google", "*", flaw=flaw)
    # a set of several keys needs a key's id; with one key, a token without it is as good as any
    answer = landed(shop.stytch(), "google", shop.newcomer())
    if flaw == "no_kid" and answer.status == 302:
        return
    assert (answer.status, answer.json["error_type"]) == UNREADABLE, answer.text
    assert landed(shop.stytch(), "google", shop.newcomer()).status == 302


def test_an_answer_lost_after_the_act_ends_the_trip_and_the_next_one_arrives(shop: Fleet) -> None:
    order(shop, "reset", "google", "token", after=True)
    judge(shop, "google", shop.newcomer(), AWAY)


@pytest.mark.parametrize(("seconds", "arrives"), [(30, True), (-30, True), (3600, False), (-7200, False)])
def test_a_providers_clock_that_is_wrong(shop: Fleet, seconds: int, arrives: bool) -> None:
    shop.control("POST", "clock", {"provider": "google", "skew_seconds": seconds})
    answer = landed(shop.stytch(), "google", shop.newcomer())
    if arrives:
        assert answer.status == 302, answer.text
    else:
        assert (answer.status, answer.json["error_type"]) == UNREADABLE


def test_a_person_who_says_no(shop: Fleet) -> None:
    for provider in ("google", "github", "spotify"):
        shop.control("POST", "picks", {"provider": provider, "persona": "deny"})
        answer = landed(shop.stytch(), provider, shop.newcomer())
        assert (answer.status, answer.json["error_type"]) == (400, "oauth_flow_callback_error")


def test_a_redirect_that_no_trip_asked_for_is_no_sign_in(shop: Fleet) -> None:
    """GitHub sends people here after installing an App, with a code and without a state."""
    stytch, browser = shop.stytch(), Browser()
    started = stytch.start(browser, "github", shop.newcomer())
    own = visited(started.location).partition("?")[0]
    for path in (own, "/api/v1/auth/oauth/callback/github"):
        answer = stytch.callback(browser, f"{path}?code=a-code&installation_id=1&setup_action=install")
        assert answer.status == 400, (path, answer.text)
        assert "location" not in answer.headers
    assert stytch.callback(browser, visited(started.location)).status == 302, "the trip under way is none the worse"


def test_an_address_that_changed_is_the_same_person(shop: Fleet) -> None:
    stytch, persona = shop.stytch(), shop.newcomer()
    first = stytch.sign_in("google", persona)
    shop.control("PATCH", f"personas/{persona}", {"email": f"{persona}-new@people.example"})
    second = stytch.sign_in("google", persona)
    assert second["user_id"] == first["user_id"]
    assert len(second["user"]["providers"]) == 1


def test_an_address_that_was_given_to_somebody_else_is_not_proved_by_its_first_owner(shop: Fleet) -> None:
    """Whoever owns a mailbox now, and is vouched for, is let in to what it alone proved; an unproved word is not."""
    stytch, first, second = shop.stytch(), shop.newcomer(), shop.newcomer()
    before = stytch.sign_in("google", first)
    address = f"{first}@people.example"
    shop.control("PATCH", f"personas/{second}", {"email": address, "email_verified": False})
    claimed = stytch.sign_in("github", second)
    assert claimed["user_id"] != before["user_id"]
    assert claimed["user"]["emails"] == []
    third = shop.newcomer(email=address)
    assert stytch.sign_in("github", third)["user_id"] == before["user_id"]
    # and who lost the mailbox still comes in by the account
    shop.control("PATCH", f"personas/{first}", {"email": f"{first}-later@people.example"})
    assert stytch.sign_in("google", first)["user_id"] == before["user_id"]


# ---- grants: what a refresh meets ----

REFRESH_KINDS = sorted(set(KINDS) - {"id_token", "oauth_error", "delay"})


def connected(shop: Fleet, name: str = "google") -> tuple[str, str]:
    """Somebody whose access token is so short-lived that the next read refreshes; their persona and user."""
    persona = shop.newcomer(answers={name: {"token": {"expires_in": 1}}})
    return persona, shop.stack().sign_in(persona, name)[0].user_id


def token(shop: Fleet, user_id: str, name: str = "google") -> Answer:
    return shop.stack().call("POST", f"/connected-accounts/{user_id}/{name}/access-token", {})


def until_served(shop: Fleet, user_id: str, name: str = "google") -> Answer:
    """Ask until the pause after a failure is over."""
    deadline = time.monotonic() + 60
    while (answer := token(shop, user_id, name)).status == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@pytest.mark.parametrize("name", ["google", "github"])
def test_no_fault_at_a_refresh_disconnects_anybody(shop: Fleet, name: str) -> None:
    """Google's refresh tokens are reusable, those of a GitHub App single use: neither is lost by a broken answer."""
    people = {kind: connected(shop, name)[1] for kind in REFRESH_KINDS}
    time.sleep(1.1)  # their tokens' one second
    for kind, user_id in people.items():
        order(shop, kind, name, "token", grant_type="refresh_token")
        answer = token(shop, user_id, name)
        assert (answer.status, answer.code) == (503, "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"), (kind, answer.text)
        assert int(answer.headers["retry-after"]) >= 1
        shop.control("DELETE", "faults")
    # answers of these kinds were given after the provider had acted, so a single-use token is spent
    spent = {"hang_in_body", "reset_in_body", "drip", "truncated", "wrong_types"} if name == "github" else set()
    with ThreadPoolExecutor(8) as pool:
        served = dict(zip(people, pool.map(lambda user: until_served(shop, user, name), people.values()), strict=True))
    assert {kind for kind, answer in served.items() if answer.status != 201} == spent
    assert {served[kind].code for kind in spent} <= {"OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE"}


def test_a_grant_that_was_taken_back_and_one_that_was_not(shop: Fleet) -> None:
    (persona, user_id), (_, other) = connected(shop), connected(shop)
    time.sleep(1.1)
    shop.control("POST", "revoke-grant", {"persona": persona, "provider": "google"})
    refused = token(shop, user_id)
    assert (refused.status, refused.code) == (400, "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE")
    assert token(shop, other).status == 201
    # the account itself is still a way in, and the new consent a new grant
    shop.stack().sign_in(persona)
    assert until_served(shop, user_id).status == 201


def test_a_refresh_token_that_rotates_is_replaced_each_time(shop: Fleet) -> None:
    _, user_id = connected(shop, "github")
    seen = set()
    for _ in range(3):
        time.sleep(1.1)
        answer = token(shop, user_id, "github")
        assert answer.status == 201, answer.text
        seen.add(answer.json["access_token"])
    assert len(seen) == 3


def test_keys_that_rotate_are_fetched_again(shop: Fleet) -> None:
    """Not for every token that names an unknown key, so that a liar causes no storm: twice a minute at most."""
    assert landed(shop.stytch(), "google", shop.newcomer()).status == 302
    shop.control("POST", "keys/rotate", {"provider": "google", "keep_old": False})
    shop.control("DELETE", "counts")
    deadline = time.monotonic() + 90
    while (answer := landed(shop.stytch(), "google", shop.newcomer())).status != 302:
        assert (answer.status, answer.json["error_type"]) == UNREADABLE
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert shop.control("GET", "counts").get("google.jwks", 0) <= 2
