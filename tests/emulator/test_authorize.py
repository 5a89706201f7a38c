"""The authorization endpoint: who is answered by redirect, who by a page, and what a person can pick there."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from tests.emulator.plays import PLAYS
from tests.emulator.rig import CALLBACK, Reply, Rig, ask, fields_of_form, html_unescaped

ALL = sorted(PLAYS)
WITH_PKCE = sorted(name for name, play in PLAYS.items() if play.pkce)
S256 = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}


def is_page(reply: Reply) -> bool:
    return "location" not in reply.headers and reply.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("provider", ALL)
def test_an_unknown_client_or_redirect_uri_is_never_redirected(rig: Rig, provider: str) -> None:
    play = PLAYS[provider]
    for wrong in (
        {play.client_id_param: "nobody"},
        {play.client_id_param: ""},
        {"redirect_uri": "https://attacker.example/"},
        {"redirect_uri": CALLBACK + "/deeper"},
        {"redirect_uri": CALLBACK + "?more=1"},
        {"redirect_uri": "http://[broken"},
    ):
        reply = rig.authorize(provider, None, login_hint="ada", **wrong)
        assert is_page(reply), wrong
        assert reply.status in (400, 401), wrong
        assert "code=" not in reply.text
    assert rig.trip(provider).code


@pytest.mark.parametrize("provider", ALL)
def test_the_page_lists_the_personas_and_a_way_to_say_no(rig: Rig, provider: str) -> None:
    proof = S256 if PLAYS[provider].pkce else {}
    reply = rig.authorize(provider, None, **proof)
    assert (reply.status, is_page(reply)) == (200, True)
    assert 'value="ada"' in reply.text
    assert "linus@kernel.example" in reply.text
    assert 'value="deny"' in reply.text
    assert "<script" not in reply.text
    assert "http://" not in reply.text.split("<main>")[1].split("<form")[0]


def press(rig: Rig, provider: str, page: Reply, persona: str, scopes: list[str]) -> Reply:
    """Press a persona's button on the page, with these scopes ticked."""
    action = html_unescaped(page.text.partition('action="')[2].partition('"')[0])
    fields = [("_scope", scope) for scope in scopes] + [("_persona", persona)]
    return ask("POST", rig.at(provider, PLAYS[provider].authorize) + action, form=fields)


@pytest.mark.parametrize("provider", ALL)
def test_pressing_a_button_signs_in_without_scripts(rig: Rig, provider: str) -> None:
    proof = S256 if PLAYS[provider].pkce else {}
    page = rig.authorize(provider, None, **proof)
    scopes = PLAYS[provider].scope.split()
    answer = press(rig, provider, page, "grace", scopes)
    came = fields_of_form(answer) if answer.status == 200 else answer.redirected()
    assert came["code"]
    assert came["state"] == "a-state-of-sixteen"
    no = press(rig, provider, page, "deny", scopes)
    said = fields_of_form(no) if no.status == 200 else no.redirected()
    assert "code" not in said
    assert is_page(press(rig, provider, page, "nobody", scopes))


def test_an_unticked_scope_is_not_granted(rig: Rig) -> None:
    page = rig.authorize("oidc", code_challenge="x" * 43, code_challenge_method="plain")
    assert page.status == 302  # plain is not taken here
    page = rig.authorize("google", code_challenge="x" * 43, code_challenge_method="plain")
    code = press(rig, "google", page, "ada", ["openid", "profile"]).redirected()["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": "x" * 43}
    token = rig.token("google", rig.client("google"), form).json()
    assert "email" not in token["scope"]
    assert "email" not in rig.document("google", token["access_token"]).json()


def test_a_forged_button_gives_no_scope_that_was_not_asked_for(rig: Rig) -> None:
    page = rig.authorize("google", scope="openid", code_challenge="x" * 43, code_challenge_method="plain")
    code = press(rig, "google", page, "ada", ["openid", "email"]).redirected()["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": "x" * 43}
    assert rig.token("google", rig.client("google"), form).json()["scope"] == "openid"


def test_errors_of_a_known_client_come_back_by_redirect(rig: Rig) -> None:
    for changes, error in (
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "https://x.example"}, "request_not_supported"),
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "S512"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ):
        came = rig.authorize("oidc", None, **changes).redirected()
        assert (came["error"], came["state"], came["iss"]) == (error, "a-state-of-sixteen", rig.at("oidc", "")), changes
    assert "code" in rig.authorize("oidc", None, login_hint="ada", prompt="none", **S256).redirected()


@pytest.mark.parametrize("provider", WITH_PKCE)
def test_an_unknown_challenge_method_is_refused(rig: Rig, provider: str) -> None:
    came = rig.trip(provider, code_challenge_method="s256").came
    assert came["error"] == "invalid_request"
    assert "code" in rig.trip(provider).came


@pytest.mark.parametrize("provider", ["github", "discord", "gitlab", "spotify", "oidc", "salesforce", "snapchat"])
def test_these_take_s256_only(rig: Rig, provider: str) -> None:
    came = rig.trip(provider, code_challenge="x" * 43, code_challenge_method="plain").came
    assert came["error"] == "invalid_request"


def test_a_public_client_must_prove_itself(rig: Rig) -> None:
    public = rig.register("oidc", secret="")
    assert rig.authorize("oidc", public, login_hint="ada").redirected()["error"] == "invalid_request"
    trip = rig.trip("oidc", client=public)
    assert rig.redeem(trip, code_verifier="").status == 400
    assert rig.redeem(trip).status == 200


def test_a_doubled_parameter_is_answered_by_a_page(rig: Rig) -> None:
    query = f"client_id=the-client&redirect_uri={quote(CALLBACK)}&response_type=code&scope=openid&login_hint=ada"
    assert is_page(ask("GET", rig.at("oidc", "/authorize?" + query + "&redirect_uri=https%3A%2F%2Fx.example")))
    assert is_page(ask("GET", rig.at("oidc", "/authorize?" + query + "&state=1&state=2")))
    assert "code" in ask("GET", rig.at("oidc", "/authorize?" + query)).redirected()


def test_a_request_may_come_by_post(rig: Rig) -> None:
    form = {"client_id": "the-client", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    page = ask("POST", rig.at("oidc", "/authorize"), form=form)
    assert 'value="ada"' in page.text
    assert "code" in press(rig, "oidc", page, "ada", ["openid"]).redirected()
    assert "code" in ask("POST", rig.at("oidc", "/authorize"), form={**form, "login_hint": "ada"}).redirected()


def test_one_registered_uri_may_be_left_out(rig: Rig) -> None:
    trip = rig.trip("github", redirect_uri="")
    assert "access_token" in rig.redeem(trip, redirect_uri="").json()
    assert is_page(rig.authorize("oidc", redirect_uri="", login_hint="ada"))  # OpenID Connect demands it


def test_a_fragment_and_a_form_carry_the_same(rig: Rig) -> None:
    fragment = rig.authorize("oidc", login_hint="ada", response_mode="fragment")
    parts = urlsplit(fragment.headers["location"])
    assert parts.query == ""
    assert {"code", "state", "iss"} == set(dict(parse_qsl(parts.fragment)))
    form = rig.authorize("oidc", login_hint="ada", response_mode="form_post", state='"><script>alert(1)</script>')
    assert form.status == 200
    assert f'action="{CALLBACK}"' in form.text
    assert fields_of_form(form)["state"] == '"><script>alert(1)</script>'
    assert form.text.count("<script") == 1
    assert "<button>Continue</button>" in form.text
    assert "sha256-" in form.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("provider", "issuer"),
    [
        ("google", "https://accounts.google.com"),
        ("discord", "https://discord.com"),
        ("github", "{root}/login/oauth"),
        ("oidc", "{root}"),
        ("mock", "{root}"),
    ],
)
def test_iss_comes_with_answers_and_refusals(rig: Rig, provider: str, issuer: str) -> None:
    wanted = issuer.format(root=rig.at(provider, ""))
    assert rig.trip(provider).came["iss"] == wanted
    assert rig.trip(provider, "deny").came["iss"] == wanted


@pytest.mark.parametrize("provider", sorted(set(ALL) - {"google", "discord", "github", "oidc", "mock"}))
def test_others_send_no_iss(rig: Rig, provider: str) -> None:
    assert "iss" not in rig.trip(provider).came


def test_the_query_of_a_redirect_uri_is_kept(rig: Rig) -> None:
    uri = CALLBACK + "?tenant=a%20b"
    rig.control("POST", "/clients", {"client_id": "with-query", "client_secret": "s", "redirect_uris": [uri]})
    query = f"client_id=with-query&redirect_uri={quote(uri, safe='')}&response_type=code&login_hint=ada"
    came = ask("GET", rig.at("oidc", "/authorize?" + query))
    assert came.headers["location"].startswith(uri + "&code=")


def test_picks_are_ordered_beforehand(rig: Rig) -> None:
    rig.control("POST", "/picks", {"provider": "oidc", "persona": "grace"})
    rig.control("POST", "/picks", {"provider": "*", "persona": "deny"})
    assert "code" in rig.authorize("oidc").redirected()
    assert rig.authorize("oidc").redirected()["error"] == "access_denied"
    assert rig.authorize("oidc").status == 200


def test_markup_in_a_persona_stays_text(rig: Rig) -> None:
    page = rig.authorize("oidc").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;bobby&#39;)" in page
    assert "javascript:" not in page
