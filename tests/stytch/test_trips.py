"""Whole trips over HTTP with the vendor's Python SDK: sign in, link, and every way to go wrong."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.stytch.rig import LOGIN_URL, Browser, Pkce, Rig, refused
from tests.stytch.variants import SIGNUP_URL

TOKEN = re.compile(r"[A-Za-z0-9_-]{44}")


def test_tokens_of_a_shared_client_stay_on_the_server(minds: dict[str, Rig]) -> None:
    stranger, owner = minds["sharing"], minds["plain"]
    kept = stranger.sign_in("google", stranger.persona()).provider_values
    assert (kept.access_token, kept.refresh_token, kept.id_token) == ("", "", "")
    assert kept.scopes
    given = owner.sign_in("google", owner.persona()).provider_values
    assert given.access_token
    assert given.id_token


def test_a_first_sign_in_makes_a_user_and_a_second_one_finds_it(dev: Rig) -> None:
    person = dev.persona(given_name="Ida", family_name="Rhodes")
    first = dev.sign_in("google", person, session_custom_claims={"plan": "gold", "aud": "x"})
    assert first.status_code == 200
    assert TOKEN.fullmatch(first.session_token)
    assert (first.provider_type, first.reset_sessions) == ("Google", False)
    assert first.user.name.first_name == "Ida"
    assert [(email.email, email.verified) for email in first.user.emails] == [(person.email, True)]
    assert first.provider_values.access_token
    assert first.provider_values.expires_at is not None
    assert first.user_session.custom_claims == {"plan": "gold"}
    second = dev.sign_in("google", person)
    assert second.user_id == first.user_id
    assert second.oauth_user_registration_id == first.oauth_user_registration_id
    assert second.session_token != first.session_token


def test_without_a_duration_there_is_no_session(dev: Rig) -> None:
    person = dev.persona()
    found = dev.client.oauth.authenticate(dev.trip("google", person.id))
    assert (found.session_token, found.session_jwt, found.user_session) == ("", "", None)


def test_a_verified_address_joins_the_user_who_proved_it(dev: Rig) -> None:
    person = dev.persona()
    google = dev.sign_in("google", person)
    github = dev.sign_in("github", person)
    assert github.user_id == google.user_id
    assert [provider.provider_type for provider in github.user.providers] == ["Google", "Github"]


def test_an_unverified_address_joins_nobody_and_is_not_kept(dev: Rig) -> None:
    victim = dev.persona()
    owner = dev.sign_in("google", victim)
    thief = dev.persona(email=victim.email, email_verified=False)
    stolen = dev.sign_in("google", thief)
    assert stolen.user_id != owner.user_id
    assert stolen.user.emails == []


def test_a_verified_login_takes_over_an_address_that_nobody_proved(dev: Rig) -> None:
    person = dev.persona()
    squatter = dev.client.users.create(email=person.email)
    assert squatter.user.emails[0].verified is False
    owner = dev.sign_in("google", person)
    assert owner.user_id == squatter.user_id
    assert owner.user.emails[0].verified is True


def test_another_proved_address_of_a_known_account_is_added_where_it_is_free(dev: Rig) -> None:
    person, neighbour = dev.persona(), dev.persona()
    first = dev.sign_in("google", person)
    owner = dev.sign_in("google", neighbour)
    fresh = f"new-{person.email}"

    def after(email: str, verified: bool = True) -> list[tuple[str, bool]]:
        dev.control("PATCH", f"/personas/{person.id}", {"email": email, "email_verified": verified})
        again = dev.sign_in("google", person)
        assert (again.user_id, again.reset_sessions) == (first.user_id, False)
        assert len(again.user.providers) == 1
        return sorted((each.email, each.verified) for each in again.user.emails)

    assert after(f"unproved-{person.email}", verified=False) == [(person.email, True)]
    # an address of somebody else stays theirs, and nobody is signed in as them
    assert after(neighbour.email) == [(person.email, True)]
    assert [each.email for each in dev.client.users.get(owner.user_id).emails] == [neighbour.email]
    assert after(fresh) == sorted([(person.email, True), (fresh, True)])
    # the address stands for its user from now on
    assert dev.sign_in("github", dev.persona(email=fresh)).user_id == first.user_id


def test_an_attach_brings_its_proved_address_along_where_it_is_free(dev: Rig) -> None:
    neighbour = dev.persona()
    dev.sign_in("google", neighbour)
    for person, brought in ((dev.persona(), True), (dev.persona(email=neighbour.email), False)):
        user = dev.client.users.create(email=dev.persona().email)
        ticket = dev.client.oauth.attach("github", user_id=user.user_id).oauth_attach_token
        token = dev.trip("github", person.id, oauth_attach_token=ticket)
        linked = dev.client.oauth.authenticate(token, session_duration_minutes=5)
        assert linked.user_id == user.user_id
        assert (person.email in [each.email for each in linked.user.emails]) is brought
        assert linked.user_session is not None
        [factor] = linked.user_session.authentication_factors
        assert factor.github_oauth_factor is not None
        assert bool(factor.github_oauth_factor.email_id) is brought


def test_a_pending_user_becomes_active_by_signing_in(dev: Rig) -> None:
    user = dev.client.users.create(email=dev.persona().email, create_user_as_pending=True)
    assert user.status == "pending"
    ticket = dev.client.oauth.attach("github", user_id=user.user_id).oauth_attach_token
    assert dev.client.users.get(user.user_id).status == "pending"
    linked = dev.client.oauth.authenticate(dev.trip("github", dev.persona().id, oauth_attach_token=ticket))
    assert (linked.user_id, linked.user.status) == (user.user_id, "active")


def test_a_one_time_token_works_once(dev: Rig) -> None:
    token = dev.trip("google", dev.persona().id)
    assert dev.client.oauth.authenticate(token).status_code == 200
    assert refused(dev.client.oauth.authenticate, token) == (400, "oauth_token_not_found")


def test_a_token_of_another_project_is_unknown_and_stays_whole(minds: dict[str, Rig]) -> None:
    plain, other = minds["plain"], minds["other"]
    token = plain.trip("google", plain.persona().id)
    assert refused(other.client.oauth.authenticate, token) == (400, "oauth_token_not_found")
    assert plain.client.oauth.authenticate(token).status_code == 200


# --- PKCE ----------------------------------------------------------------------------------------


def test_pkce_ties_the_redeem_to_the_start(dev: Rig) -> None:
    pkce = Pkce()
    token = dev.trip("google", dev.persona().id, code_challenge=pkce.challenge)
    found = dev.client.oauth.authenticate(token, code_verifier=pkce.verifier)
    assert found.status_code == 200


@pytest.mark.parametrize(
    ("began", "verifier", "error_type"),
    [
        (True, None, "pkce_expected_code_verifier"),
        (True, Pkce().verifier, "pkce_mismatch"),
        (True, "", "invalid_pkce_code_verifier"),
        (True, "x" * 129, "invalid_pkce_code_verifier"),
        (False, Pkce().verifier, "pkce_did_not_expect_code_verifier"),
    ],
)
def test_a_wrong_verifier_is_refused_and_spends_the_token(
    dev: Rig, began: bool, verifier: str | None, error_type: str
) -> None:
    pkce = Pkce()
    challenge = {"code_challenge": pkce.challenge} if began else {}
    token = dev.trip("google", dev.persona().id, **challenge)
    body = {"token": token} if verifier is None else {"token": token, "code_verifier": verifier}
    reply = dev.call("POST", "/v1/oauth/authenticate", body)
    assert (reply.status, reply.json["error_type"]) == (400, error_type)
    again = {"token": token, "code_verifier": pkce.verifier} if began else {"token": token}
    spent = dev.call("POST", "/v1/oauth/authenticate", again)
    assert spent.json["error_type"] == "oauth_token_not_found"


@pytest.mark.parametrize("challenge", ["short", "x" * 44, "+" * 43, "a" * 42 + "="])
def test_a_malformed_challenge_is_refused_at_the_start(dev: Rig, challenge: str) -> None:
    reply = Browser().get(dev.start_url("google", code_challenge=challenge))
    assert (reply.status, reply.json["error_type"]) == (400, "invalid_pkce_code_challenge")


# --- attach --------------------------------------------------------------------------------------


def test_an_attach_by_user_id_links_whatever_the_addresses_say(dev: Rig) -> None:
    user = dev.client.users.create(email=dev.persona().email)
    ticket = dev.client.oauth.attach("github", user_id=user.user_id).oauth_attach_token
    person = dev.persona()
    token = dev.trip("github", person.id, oauth_attach_token=ticket)
    linked = dev.client.oauth.authenticate(token, session_duration_minutes=5)
    assert linked.user_id == user.user_id
    assert linked.provider_type == "Github"
    back = dev.sign_in("github", person)
    assert back.user_id == user.user_id


@pytest.mark.parametrize("by", ["session_token", "session_jwt"])
def test_an_attach_by_session_is_finished_by_that_session_or_by_pkce(dev: Rig, by: str) -> None:
    person = dev.persona()
    signed_in = dev.sign_in("google", person)
    named = {by: getattr(signed_in, by)}
    ticket = dev.client.oauth.attach("github", **named).oauth_attach_token
    token = dev.trip("github", dev.persona().id, oauth_attach_token=ticket)
    linked = dev.client.oauth.authenticate(token, session_token=signed_in.session_token)
    assert linked.user_id == signed_in.user_id
    assert linked.session_token == signed_in.session_token
    assert linked.user_session is not None
    kinds = [factor.delivery_method for factor in linked.user_session.authentication_factors]
    assert kinds == ["oauth_google", "oauth_github"]
    pkce = Pkce()
    ticket = dev.client.oauth.attach("spotify", **named).oauth_attach_token
    token = dev.trip("spotify", dev.persona().id, oauth_attach_token=ticket, code_challenge=pkce.challenge)
    linked = dev.client.oauth.authenticate(token, code_verifier=pkce.verifier)
    assert {each.provider_type for each in linked.user.providers} == {"Google", "Github", "Spotify"}


def test_a_link_that_somebody_else_finishes_is_not_made(dev: Rig) -> None:
    attacker = dev.sign_in("google", dev.persona())
    victim = dev.sign_in("google", dev.persona())
    ticket = dev.client.oauth.attach("github", session_token=attacker.session_token).oauth_attach_token
    victims_github = dev.persona()
    token = dev.trip("github", victims_github.id, oauth_attach_token=ticket)
    assert refused(dev.client.oauth.authenticate, token, session_token=victim.session_token) == (
        400,
        "oauth_attach_proof_required",
    )
    assert len(dev.client.users.get(attacker.user_id).providers) == 1
    mine = dev.sign_in("github", victims_github)
    assert mine.user_id not in (attacker.user_id, victim.user_id)


@pytest.mark.parametrize(
    ("mind", "with_pkce", "with_session", "made"),
    [
        ("plain", False, False, True),
        ("attach_pkce", False, False, False),
        ("attach_pkce", False, True, False),
        ("attach_pkce", True, False, True),
        ("attach_session", False, False, False),
        ("attach_session", True, False, False),
        ("attach_session", False, True, True),
    ],
)
def test_a_project_says_what_finishing_an_attach_of_its_backend_asks_for(
    minds: dict[str, Rig], mind: str, with_pkce: bool, with_session: bool, made: bool
) -> None:
    rig, pkce = minds[mind], Pkce()
    signed_in = rig.sign_in("google", rig.persona())
    ticket = rig.client.oauth.attach("github", user_id=signed_in.user_id).oauth_attach_token
    query = {"code_challenge": pkce.challenge} if with_pkce else {}
    token = rig.trip("github", rig.persona().id, oauth_attach_token=ticket, **query)
    proof: dict[str, Any] = {"code_verifier": pkce.verifier} if with_pkce else {}
    if with_session:
        proof["session_token"] = signed_in.session_token
    if made:
        linked = rig.client.oauth.authenticate(token, **proof)
        assert linked.user_id == signed_in.user_id
    else:
        assert refused(rig.client.oauth.authenticate, token, **proof) == (
            400,
            "oauth_attach_proof_required",
        )
        assert len(rig.client.users.get(signed_in.user_id).providers) == 1


@pytest.mark.parametrize(
    ("mind", "by"),
    [
        ("plain", "session_token"),
        ("attach_pkce", "session_token"),
        ("attach_pkce", "user_id"),
        ("attach_session", "session_token"),
        ("attach_session", "user_id"),
    ],
)
def test_a_forced_link_is_never_made_and_the_honest_one_is(minds: dict[str, Rig], mind: str, by: str) -> None:
    """An attacker has a victim open the attacker's own link: the victim's account would open the attacker's user.

    The application finishes in the victim's browser with what it has there: the victim's session, and a verifier of a
    trip that it began itself, if any. The link has no challenge, or the attacker's.
    """
    rig = minds[mind]
    attacker, victim = (rig.sign_in("google", rig.persona()) for _ in range(2))
    victims_github = rig.persona()

    def link(**challenge: str) -> str:
        ticket = rig.client.oauth.attach("github", **{by: getattr(attacker, by)}).oauth_attach_token
        return rig.trip("github", victims_github.id, oauth_attach_token=ticket, **challenge)

    theirs = {"session_token": victim.session_token}
    own_verifier = {"code_verifier": Pkce().verifier}
    forged = {"code_challenge": Pkce().challenge}
    outcomes = [
        refused(rig.client.oauth.authenticate, link(), **theirs),
        refused(rig.client.oauth.authenticate, link(), **theirs, **own_verifier),
        refused(rig.client.oauth.authenticate, link(**forged), **theirs),
        refused(rig.client.oauth.authenticate, link(**forged), **theirs, **own_verifier),
        refused(rig.client.oauth.authenticate, link()),
    ]
    assert outcomes == [
        (400, "oauth_attach_proof_required"),
        (400, "pkce_did_not_expect_code_verifier"),
        (400, "pkce_expected_code_verifier"),
        (400, "pkce_mismatch"),
        (400, "oauth_attach_proof_required"),
    ]
    for user in (attacker, victim):
        assert [each.provider_type for each in rig.client.users.get(user.user_id).providers] == ["Google"]
    assert rig.sign_in("github", victims_github).user_id not in (attacker.user_id, victim.user_id)

    # whoever links an account of their own has both proofs
    pkce = Pkce()
    ticket = rig.client.oauth.attach("github", **{by: getattr(victim, by)}).oauth_attach_token
    token = rig.trip("github", rig.persona().id, oauth_attach_token=ticket, code_challenge=pkce.challenge)
    linked = rig.client.oauth.authenticate(token, code_verifier=pkce.verifier, **theirs)
    assert linked.user_id == victim.user_id
    assert {each.provider_type for each in linked.user.providers} == {"Google", "Github"}


def test_an_account_of_another_user_is_refused_on_the_page_and_nothing_moves(dev: Rig) -> None:
    theirs = dev.persona()
    owner = dev.sign_in("github", theirs)
    mine = dev.client.users.create(email=dev.persona().email)
    ticket = dev.client.oauth.attach("github", user_id=mine.user_id).oauth_attach_token
    browser = Browser()
    url = browser.until(
        dev.start_url("github", theirs.id, oauth_attach_token=ticket),
        f"{dev.base_url}/v1/oauth/callback/",
    )
    reply = browser.get(url)
    assert (reply.status, reply.json["error_type"]) == (400, "oauth_registration_in_use")
    assert reply.location == ""
    assert owner.user_id not in reply.body.decode()
    assert dev.client.users.get(mine.user_id).providers == []
    assert len(dev.client.users.get(owner.user_id).providers) == 1


def test_an_attach_of_a_session_that_ended_is_not_made(dev: Rig) -> None:
    signed_in = dev.sign_in("google", dev.persona())
    pkce = Pkce()
    ticket = dev.client.oauth.attach("github", session_token=signed_in.session_token).oauth_attach_token
    token = dev.trip("github", dev.persona().id, oauth_attach_token=ticket, code_challenge=pkce.challenge)
    dev.client.sessions.revoke(session_token=signed_in.session_token)
    assert refused(dev.client.oauth.authenticate, token, code_verifier=pkce.verifier) == (
        400,
        "invalid_oauth_attach_token",
    )


def test_a_ticket_works_once_and_for_its_provider(dev: Rig) -> None:
    user = dev.client.users.create(email=dev.persona().email)
    ticket = dev.client.oauth.attach("github", user_id=user.user_id).oauth_attach_token
    wrong = Browser().get(dev.start_url("google", oauth_attach_token=ticket))
    assert (wrong.status, wrong.json["error_type"]) == (400, "invalid_oauth_attach_token")
    assert dev.trip("github", dev.persona().id, oauth_attach_token=ticket)
    again = Browser().get(dev.start_url("github", oauth_attach_token=ticket))
    assert (again.status, again.json["error_type"]) == (400, "invalid_oauth_attach_token")
    for nonsense in ("x", "x" * 44, "ATT"):
        reply = Browser().get(dev.start_url("github", oauth_attach_token=nonsense))
        assert reply.json["error_type"] == "invalid_oauth_attach_token"


# --- the browser's legs --------------------------------------------------------------------------


def test_new_and_known_people_land_where_the_project_wants_them(minds: dict[str, Rig]) -> None:
    rig = minds["two_urls"]
    person = rig.persona()
    landed = Browser().until(rig.start_url("google", person.id), "http://localhost:3000/")
    assert landed.startswith(SIGNUP_URL + "&stytch_token_type=oauth&token=")
    rig.client.oauth.authenticate(dict(parse_qsl(urlsplit(landed).query))["token"])
    landed = Browser().until(rig.start_url("google", person.id), "http://localhost:3000/")
    assert landed.startswith(LOGIN_URL + "?stytch_token_type=oauth&token=")


def test_a_start_sends_what_the_application_asked_for_to_the_provider(dev: Rig) -> None:
    reply = Browser().get(
        dev.start_url(
            "google",
            custom_scopes="https://www.googleapis.com/auth/calendar a",
            provider_prompt="consent",
            provider_redirect_uri="https://evil.example/",
            provider_state="mine",
        )
    )
    assert reply.status == 302
    sent = dict(parse_qsl(urlsplit(reply.location).query))
    assert sent["prompt"] == "consent"
    assert {"openid", "email", "profile", "https://www.googleapis.com/auth/calendar", "a"} == set(sent["scope"].split())
    assert sent["redirect_uri"].startswith(f"{dev.base_url}/v1/oauth/callback/oauth-callback-test-")
    assert sent["state"] != "mine"
    assert sent["code_challenge_method"] == "S256"


def test_the_trip_is_bound_to_its_browser(dev: Rig) -> None:
    browser, person = Browser(), dev.persona()
    url = browser.until(dev.start_url("google", person.id), f"{dev.base_url}/v1/oauth/callback/")
    stranger = Browser().get(url)
    assert (stranger.status, stranger.json["error_type"]) == (400, "oauth_state_mismatch")
    landed = browser.get(url)
    assert landed.status == 302
    again = browser.get(url)
    assert again.location == landed.location
    late = Browser().get(url)
    assert late.json["error_type"] == "oauth_state_mismatch"


def test_the_cookie_of_a_trip_is_fenced_in(dev: Rig) -> None:
    browser = Browser()
    browser.get(dev.start_url("google"))
    cookies = {cookie.name: cookie for cookie in browser.jar}
    trip = next(cookie for name, cookie in cookies.items() if name.startswith("oneself-trip-"))
    assert trip.path.startswith("/v1/oauth/callback/oauth-callback-test-")
    assert trip.has_nonstandard_attr("HttpOnly")
    assert trip.get_nonstandard_attr("SameSite") == "Lax"
    assert trip.expires is not None
    assert 0 < trip.expires - time.time() <= 600


def test_a_browser_has_at_most_five_trips_open(dev: Rig) -> None:
    browser, person = Browser(), dev.persona()
    stop = f"{dev.base_url}/v1/oauth/callback/"
    urls = [browser.until(dev.start_url("google", person.id), stop) for _ in range(7)]
    assert len([c for c in browser.jar if c.name.startswith("oneself-trip-")]) == 5
    outcomes = [browser.get(url).status for url in urls]
    assert outcomes == [400, 400, 302, 302, 302, 302, 302]


def test_a_denied_consent_is_said_and_can_be_tried_again(dev: Rig) -> None:
    browser = Browser()
    pkce = Pkce()
    url = browser.until(
        dev.start_url("google", "deny", code_challenge=pkce.challenge),
        f"{dev.base_url}/v1/oauth/callback/",
    )
    page = browser.get(url, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (page.status, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "script" not in page.headers["content-security-policy"]
    text = page.body.decode().replace("&amp;", "&")
    again = re.search(r'href="([^"]*/v1/public/oauth/google/start\?[^"]*)"', text)
    assert again is not None
    assert f'href="{LOGIN_URL}"' in text
    person = dev.persona()
    landed = browser.until(f"{again[1]}&provider_login_hint={person.id}", LOGIN_URL)
    token = dict(parse_qsl(urlsplit(landed).query))["token"]
    assert dev.client.oauth.authenticate(token, code_verifier=pkce.verifier).status_code == 200


def test_a_denied_attach_leads_back_to_the_application(dev: Rig) -> None:
    user = dev.client.users.create(email=dev.persona().email)
    ticket = dev.client.oauth.attach("github", user_id=user.user_id).oauth_attach_token
    browser = Browser()
    url = browser.until(
        dev.start_url("github", "deny", oauth_attach_token=ticket),
        f"{dev.base_url}/v1/oauth/callback/",
    )
    text = browser.get(url, accept="text/html").body.decode()
    assert f'href="{LOGIN_URL}"' in text
    assert "/start?" not in text
    as_json = browser.get(url, accept="application/json")
    assert as_json.status == 400


def test_an_answer_by_form_goes_round_once_more_by_get(dev: Rig) -> None:
    browser, person = Browser(), dev.persona()
    url = browser.until(dev.start_url("google", person.id), f"{dev.base_url}/v1/oauth/callback/")
    address, _, query = url.partition("?")
    posted = Browser().send("POST", address, {"Content-Type": "application/x-www-form-urlencoded"}, query.encode())
    assert posted.status == 303
    assert posted.location.startswith("/v1/oauth/callback/")
    assert browser.get(dev.base_url + posted.location).status == 302


def test_nothing_of_the_request_is_on_a_page(dev: Rig) -> None:
    marked = "<script>alert(1)</script>"
    page = Browser().get(
        dev.start_url("google", login_redirect_url="https://evil.example/" + marked),
        accept="text/html",
    )
    assert page.status == 400
    assert b"evil.example" not in page.body
    assert b"<script" not in page.body
