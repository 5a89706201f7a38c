"""A refused read of a token offers a link that its owner, and nobody else, can mend it by."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.stack.golden import check_known, check_plain
from tests.stack.test_connected_accounts import NEEDS_SCOPE
from tests.stack.wire import RETURN_URL, Answer, Browser, Person, Providers, Stack, Trip, query_of, send

WIDE = "repo"
LINK_GONE = (400, "This link is not valid, or no longer. Ask the application for a new one.")


@dataclass
class Asked:
    """What an application does with a refusal: take its link, and let a browser open it."""

    stack: Stack
    person: Person
    provider: str = "github"
    body: dict[str, Any] = field(default_factory=lambda: {"scope": WIDE, "consent_return_url": RETURN_URL})

    def token(self) -> Answer:
        path = f"/connected-accounts/{self.person.user_id}/{self.provider}/access-token"
        return self.stack.call("POST", path, self.body)

    def link(self, reason: str = "scope_missing") -> str:
        refused = self.token()
        assert (refused.status, refused.code, refused.json["error"]) == NEEDS_SCOPE
        details = refused.json["details"]
        assert sorted(details) == ["consent_url", "reason"]
        assert details["reason"] == reason
        assert details["consent_url"].startswith("http")
        return str(details["consent_url"].split("/", 3)[3])

    def open(self, link: str) -> Trip:
        browser = Browser()
        answer = browser.take(send(self.stack.base_url, "GET", f"/{link}"))
        assert answer.status == 307, (answer.status, answer.text)
        return Trip(answer.location, browser, "", "", RETURN_URL, answer)

    def consent(self, persona: str, link: str) -> dict[str, str]:
        """Open the link as that persona; what the application is told in the end."""
        trip = self.open(link)
        landed = self.stack.land(trip, self.stack.visit(trip, persona))
        assert landed.status == 303, (landed.status, landed.text)
        assert landed.location.startswith(RETURN_URL)
        assert not trip.browser.cookies
        return query_of(landed.location)


@pytest.fixture
def persona(providers: Providers) -> str:
    return providers.newcomer()


@pytest.fixture
def asked(stack: Stack, persona: str) -> Asked:
    """Somebody who signed in with GitHub and granted little."""
    return Asked(stack, stack.sign_in(persona, "github")[0])


def accounts_of(stack: Stack, person: Person) -> Any:
    return stack.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"]


def test_the_link_asks_for_what_was_granted_and_what_is_missing(asked: Asked, persona: str) -> None:
    link = asked.link()
    scopes = query_of(asked.open(link).location)["scope"].split()
    assert {"user:email", WIDE} <= set(scopes)
    before = accounts_of(asked.stack, asked.person)
    assert asked.consent(persona, link) == {"consent": "granted"}
    assert asked.token().status == 201
    assert accounts_of(asked.stack, asked.person) == before
    # a link may be opened again: it asks the same person for the same
    assert asked.consent(persona, link) == {"consent": "granted"}


def test_without_a_return_url_the_refusal_is_the_contracts_alone(asked: Asked) -> None:
    asked.body = {"scope": WIDE}
    check_known(asked.token(), *NEEDS_SCOPE)
    asked.body = {"consent_return_url": RETURN_URL}
    assert sorted(asked.token().json) == ["access_token"]


def test_a_return_url_of_somebody_else_is_refused(asked: Asked) -> None:
    asked.body["consent_return_url"] = "https://evil.example/x"
    assert (asked.token().status, asked.token().code) == (400, "REDIRECT_URL_NOT_WHITELISTED")


def test_nobody_elses_account_finishes_it(asked: Asked, providers: Providers, persona: str) -> None:
    """A link that is sent to somebody else links nothing and keeps nothing, whoever of the two is the attacker."""
    link, stranger = asked.link(), providers.newcomer()
    before = accounts_of(asked.stack, asked.person)
    assert asked.consent(stranger, link) == {"consent": "refused", "reason": "account_other"}
    known, _ = asked.stack.sign_in(stranger, "github")
    assert asked.consent(stranger, link) == {"consent": "refused", "reason": "account_other"}
    assert known.user_id != asked.person.user_id
    assert accounts_of(asked.stack, asked.person) == before
    assert asked.token().status == 400
    assert Asked(asked.stack, known).token().status == 400
    assert asked.consent(persona, link) == {"consent": "granted"}
    assert asked.token().status == 201
    assert Asked(asked.stack, known).token().status == 400


def test_another_browser_finishes_nothing(asked: Asked, persona: str) -> None:
    trip = asked.open(asked.link())
    path = asked.stack.visit(trip, persona)
    elsewhere = send(asked.stack.base_url, "GET", path)
    assert query_of(elsewhere.location) == {"consent": "refused", "reason": "flow_cookie_missing"}
    assert asked.token().status == 400
    assert query_of(asked.stack.land(trip, path).location) == {"consent": "granted"}
    assert asked.token().status == 201


@pytest.mark.parametrize("provider", ["google", "github"])
def test_a_grant_that_ended_is_mended_by_the_same_link(
    stack: Stack, providers: Providers, persona: str, provider: str
) -> None:
    """Google's by its own word; GitHub's here has no refresh token, so its end is the token's."""
    providers.order(f"/personas/{persona}", {"answers": {provider: {"token": {"expires_in": 1}}}}, "PATCH")
    asked = Asked(stack, stack.sign_in(persona, provider)[0], provider, {"consent_return_url": RETURN_URL})
    providers.order(f"/personas/{persona}", {"answers": {}}, "PATCH")
    time.sleep(1.1)  # the token's own second passes
    providers.order("/simulate-refresh-error", {"provider": provider, "error": "invalid_grant"})
    link = asked.link("reconnect_needed")
    providers.order("/faults", {}, "DELETE")
    assert asked.consent(persona, link) == {"consent": "granted"}
    assert asked.token().status == 201


def test_an_account_that_only_connects_stays_so(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    asked = Asked(stack, stack.sign_in(persona, "github")[0])
    (row,) = accounts_of(stack, asked.person)
    stack.ok("PATCH", f"/oauth-providers/{asked.person.user_id}/{row['id']}", {"allow_sign_in": False})
    assert asked.consent(persona, asked.link()) == {"consent": "granted"}
    (after,) = accounts_of(stack, asked.person)
    assert after == row | {"allow_sign_in": False}
    assert asked.token().status == 201


@pytest.mark.parametrize("change", [lambda part: part[:-4] + "AAAA", lambda _: "x", lambda part: part[:36]])
def test_a_link_that_was_touched_is_none(asked: Asked, change: Any) -> None:
    head, _, part = asked.link().rpartition("/")
    check_plain(send(asked.stack.base_url, "GET", f"/{head}/{change(part)}"), *LINK_GONE)
    assert send(asked.stack.base_url, "GET", f"/{head}/{part}").status == 307


def test_nobody_consents_for_a_user_or_an_account_that_is_gone(asked: Asked, persona: str) -> None:
    link = asked.link()
    trip = asked.open(link)
    path = asked.stack.visit(trip, persona)
    (row,) = accounts_of(asked.stack, asked.person)
    asked.stack.ok("DELETE", f"/oauth-providers/{asked.person.user_id}/{row['id']}")
    told = query_of(asked.stack.land(trip, path).location)
    assert told["consent"] == "refused"
    assert accounts_of(asked.stack, asked.person) == []
    asked.stack.ok("DELETE", f"/users/{asked.person.user_id}")
    assert send(asked.stack.base_url, "GET", f"/{link}").status in (400, 401, 404)
