"""OAuth trips: away, back, and what a code is good for; with the attacks, and each attack's honest twin."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.stack.golden import JSON, TEXT, check_headers, check_known, check_plain, check_schema_error
from tests.stack.owners import Owner
from tests.stack.wire import RETURN_URL, Answer, Browser, Person, Providers, Stack, jwt_claims, query_of, send

INVALID_CODE = ("INVALID_AUTHORIZATION_CODE", "The given authorization code is invalid.")
INVALID_STATE = "Invalid OAuth state. Please try signing in again."
INVALID_GRANT = "Inner OAuth callback failed due to invalid grant. Please try again."
NO_COOKIE = (
    "Inner OAuth cookie not found. This is likely because you refreshed the page during the OAuth sign in process. "
    "Please try signing in again"
)


def inner_state(location: str) -> str:
    return query_of(location)["state"]


def begin(stack: Stack, provider: str = "google", **changes: str | None) -> Answer:
    path, _ = stack.authorize_path(provider, **changes)
    return stack.call("GET", path, access="")


# --- authorize -------------------------------------------------------------------------------------------


def test_the_way_to_the_provider(stack: Stack) -> None:
    trip = stack.start("github", provider_scope="repo user:email")
    answer, state = trip.authorize, inner_state(trip.location)
    assert (answer.status, answer.raw) == (307, b"")
    check_headers(answer, TEXT, location=trip.location)
    (cookie,) = answer.cookies
    assert re.fullmatch(
        rf"stack-oauth-inner-{re.escape(state)}=true; Path=/; "
        r"Expires=(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT; Max-Age=600; HttpOnly",
        cookie,
    )
    assert not set(";=") & set(state)
    pairs = parse_qsl(urlsplit(trip.location).query)
    assert [name for name, _ in pairs] == [
        "client_id",
        "scope",
        "response_type",
        "redirect_uri",
        "code_challenge_method",
        "code_challenge",
        "state",
        "access_type",
        "prompt",
    ]
    query = dict(pairs)
    assert query["scope"] == "user:email repo"
    assert query["redirect_uri"] == f"{stack.base_url}/api/v1/auth/oauth/callback/github"
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert (query["access_type"], query["prompt"]) == ("offline", "consent")


@pytest.mark.parametrize("name", ["stack_response_mode", "hexclave_response_mode"])
def test_json_mode_sets_no_cookie(stack: Stack, name: str) -> None:
    answer = begin(stack, **{name: "json"})
    assert answer.status == 200
    assert list(answer.json) == ["location"]
    assert answer.cookies == []
    check_headers(answer, JSON)


def test_the_authorize_query_is_checked(stack: Stack) -> None:
    check_schema_error(
        begin(stack, redirect_uri="http://a b", state=None, type="other", error_redirect_uri="zz"),
        "GET /api/v1/auth/oauth/authorize/google",
        "query.redirect_uri contains spaces",
        "query.redirect_uri is not a valid URL",
        "query.state must be defined",
        "query.type must be one of the following values: authenticate, link",
        "query.error_redirect_uri is not a valid URL",
    )
    assert begin(stack, anything="else").status == 307


def test_what_upstream_finds_out_too_late(stack: Stack) -> None:
    """7.14 and 7.15: refused before anybody is sent anywhere."""
    check_known(
        begin(stack, scope="admin"), 400, "INVALID_SCOPE", 'The scope "admin" is not a valid OAuth scope for Stack.'
    )
    for changes in ({"response_type": "token"}, {"code_challenge_method": "none"}, {"code_challenge": ""}):
        assert begin(stack, **changes).code == "SCHEMA_ERROR"


def test_the_client_is_checked(stack: Stack) -> None:
    unknown = secrets.token_hex(4)
    words = (
        "The OAuth client ID or secret is invalid. The client ID must be equal to the project ID (potentially with a "
        "hash and a branch ID), and the client secret must be a publishable client key."
    )
    for client_id in (unknown, f"{stack.project_id}#dev"):
        check_known(
            begin(stack, client_id=client_id),
            400,
            "INVALID_OAUTH_CLIENT_ID_OR_SECRET",
            words,
            {"client_id": client_id},
        )
    check_known(
        begin(stack, client_secret="pck_wrong"),
        401,
        "INVALID_PUBLISHABLE_CLIENT_KEY",
        f'The publishable key is not valid for the project "{stack.project_id}". Does the project and/or the key '
        "exist?",
        {"project_id": stack.project_id},
    )
    for fine in ({"client_id": f"{stack.project_id}#main"}, {"client_secret": "__stack_public_client__"}):
        assert begin(stack, **fine).status == 307


def test_the_provider_the_token_and_the_return(stack: Stack) -> None:
    check_known(
        begin(stack, "nonesuch"),
        400,
        "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED",
        "The OAuth provider is not found or not enabled.",
    )
    check_plain(begin(stack, type="link"), 400, "?token= query parameter is required for link type")
    assert begin(stack, type="link", token="x").code == "UNPARSABLE_ACCESS_TOKEN"
    check_known(
        begin(stack, after_callback_redirect_url="https://evil.example/"),
        400,
        "REDIRECT_URL_NOT_WHITELISTED",
        "Redirect URL not whitelisted. Did you forget to add this domain to the trusted domains list on the Stack "
        "Auth dashboard?",
    )
    assert begin(stack, after_callback_redirect_url="http://localhost:9/x").status == 307
    assert begin(stack, redirect_uri="https://evil.example/").status == 307


def test_a_token_of_another_project(stack: Stack, owner: Owner) -> None:
    stranger = owner.internal.person()
    theirs = owner.internal
    path, _ = theirs.authorize_path("google", type="link", token=stranger.access_token)
    assert theirs.call("GET", path, access="").status == 307
    project = replace(owner.project(oauth_providers=[{"id": "google", "type": "shared"}]), client_key="")
    for kind in ("link", "authenticate"):
        path, _ = project.authorize_path(
            "google", type=kind, token=stranger.access_token, client_secret="__stack_public_client__"
        )
        check_plain(
            send(project.base_url, "GET", f"/api/v1{path}"), 403, "The access token is not valid for this project"
        )


def test_a_mobile_application_comes_back_by_its_own_scheme(stack: Stack, providers: Providers) -> None:
    back = "stack-auth-mobile-oauth-url://success"
    trip = stack.start(redirect_uri=back)
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    assert landed.status == 303
    assert landed.location.startswith(f"{back}?code=")
    assert stack.redeem(trip, landed).status == 200
    for other in ("myapp://success", "stack-auth-mobile-oauth-urls://success"):
        wrong = stack.start(redirect_uri=other)
        refused = stack.land(wrong, stack.visit(wrong, providers.newcomer()))
        assert (refused.status, refused.code) == (400, "REDIRECT_URL_NOT_WHITELISTED")


@pytest.mark.parametrize("error", ["access_denied", "consent_required"])
def test_both_words_for_no(stack: Stack, error: str) -> None:
    trip = stack.start()
    path = f"/api/v1/auth/oauth/callback/google?error={error}&state={inner_state(trip.location)}"
    assert query_of(stack.land(trip, path).location)["errorCode"] == "OAUTH_PROVIDER_ACCESS_DENIED"


# --- the callback ----------------------------------------------------------------------------------------


def test_a_whole_sign_in(stack: Stack, providers: Providers) -> None:
    ada = providers.newcomer(name="Ada Newcomer")
    back = RETURN_URL + "?kept=1"
    trip = stack.start(redirect_uri=back + "#fragment", after_callback_redirect_url="http://localhost:3000/after")
    state = inner_state(trip.location)
    landed = stack.land(trip, stack.visit(trip, ada))
    assert (landed.status, landed.json) == (303, {})
    check_headers(landed, JSON, location=landed.location)
    assert landed.cookies == [f"stack-oauth-inner-{state}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]
    code = query_of(landed.location)["code"]
    assert landed.location == f"{back}&code={code}&state=the-apps-own-state"

    answer = stack.redeem(trip, landed, redirect_uri=back)
    body = answer.json
    assert answer.status == 200
    check_headers(answer, JSON, pragma="no-cache")
    access, refresh = body.pop("access_token"), body.pop("refresh_token")
    assert body == {
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "legacy",
        "newUser": True,
        "is_new_user": True,
        "afterCallbackRedirectUrl": "http://localhost:3000/after",
        "after_callback_redirect_url": "http://localhost:3000/after",
    }
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{45}", refresh)
    user = stack.ok("GET", f"/users/{jwt_claims(access)['sub']}")
    assert user["primary_email"] == f"{ada}@corp.example"
    assert (user["primary_email_verified"], user["primary_email_auth_enabled"]) == (True, True)
    assert (user["display_name"], user["has_password"]) == ("Ada Newcomer", False)
    assert [row["id"] for row in user["oauth_providers"]] == ["google"]


def test_the_second_time_it_is_the_same_user(stack: Stack, providers: Providers) -> None:
    ada = providers.newcomer()
    first, told = stack.sign_in(ada)
    again, told_again = stack.sign_in(ada)
    assert (told["is_new_user"], told_again["is_new_user"]) == (True, False)
    assert first.user_id == again.user_id
    assert told_again["after_callback_redirect_url"] is None


def test_an_unknown_state(stack: Stack) -> None:
    for state in ("", "zzz", "A" * 64):
        path = f"/api/v1/auth/oauth/callback/google?code=x&state={state}"
        answer = send(stack.base_url, "GET", path, {"cookie": f"stack-oauth-inner-{state}=true"})
        check_plain(answer, 400, INVALID_STATE)
        assert answer.cookies == []


def test_a_callback_without_its_cookie_spends_nothing(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    path = stack.visit(trip, providers.newcomer())
    for cookie in ("", "false", "TRUE"):
        name = f"stack-oauth-inner-{inner_state(trip.location)}"
        answer = send(stack.base_url, "GET", path, {"cookie": f"{name}={cookie}"} if cookie else {})
        check_plain(answer, 400, NO_COOKIE)
        assert len(answer.cookies) == 1
    assert stack.land(trip, path).status == 303


def test_the_provider_says_no(stack: Stack) -> None:
    trip = stack.start(error_redirect_uri="http://localhost:3000/error")
    path = f"/api/v1/auth/oauth/callback/google?error=access_denied&state={inner_state(trip.location)}"
    landed = stack.land(trip, path)
    assert (landed.status, landed.raw) == (307, b"")
    assert landed.location.startswith(RETURN_URL + "?")
    assert query_of(landed.location) == {
        "error": "server_error",
        "error_description": "The OAuth provider denied access to the user.",
        "errorCode": "OAUTH_PROVIDER_ACCESS_DENIED",
        "message": "The OAuth provider denied access to the user.",
        "details": "{}",
    }
    assert len(landed.cookies) == 1
    check_headers(landed, TEXT, location=landed.location)


def test_errors_go_to_the_error_address_when_the_return_is_not_trusted(stack: Stack, providers: Providers) -> None:
    ada = providers.newcomer()
    both = stack.start(redirect_uri="https://evil.example/x", error_redirect_uri="http://localhost:1/e?a=b")
    landed = stack.land(both, stack.visit(both, ada))
    assert landed.status == 307
    assert landed.location.startswith("http://localhost:1/e?a=b&error=server_error&")
    assert query_of(landed.location)["errorCode"] == "REDIRECT_URL_NOT_WHITELISTED"
    legacy = stack.start(redirect_uri="https://evil.example/x", error_redirect_url="http://localhost:1/e")
    assert stack.land(legacy, stack.visit(legacy, ada)).location.startswith("http://localhost:1/e?")


def test_errors_are_shown_when_nothing_is_trusted(stack: Stack, providers: Providers) -> None:
    trip = stack.start(redirect_uri="https://evil.example/", error_redirect_uri="https://evil.example/e")
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    assert (landed.status, landed.code) == (400, "REDIRECT_URL_NOT_WHITELISTED")
    assert len(landed.cookies) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://evil.example\\@localhost/",
        "http://127.0.0.1.evil.example/",
        "https://evil.example#@localhost",
        "javascript://localhost/%0aalert(1)",
        "//localhost/",
    ],
)
def test_look_alikes_are_not_trusted(stack: Stack, providers: Providers, url: str) -> None:
    path, _ = stack.authorize_path("google", redirect_uri=url)
    browser = Browser()
    answer = browser.take(stack.call("GET", path, access=""))
    if answer.status == 307:
        trip = stack.start(redirect_uri=url)
        landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
        assert (landed.status, landed.code) == (400, "REDIRECT_URL_NOT_WHITELISTED")
    else:
        assert answer.code == "SCHEMA_ERROR"


def test_a_wrong_code_is_never_redirected(stack: Stack) -> None:
    trip = stack.start(error_redirect_uri="http://localhost:3000/error")
    landed = stack.land(trip, f"/api/v1/auth/oauth/callback/google?code=made-up&state={inner_state(trip.location)}")
    check_plain(landed, 400, INVALID_GRANT)
    assert len(landed.cookies) == 1


def test_a_callback_at_another_provider(stack: Stack, providers: Providers) -> None:
    """7.8: the flow knows which provider it went to; the honest way still works afterwards."""
    trip = stack.start()
    path = stack.visit(trip, providers.newcomer())
    wrong = path.replace("/callback/google?", "/callback/github?")
    answer = send(stack.base_url, "GET", wrong, trip.browser.header())
    check_plain(answer, 400, INVALID_GRANT)
    assert stack.land(trip, path).status == 303


def test_a_code_for_another_flow(stack: Stack, providers: Providers) -> None:
    """A code that belongs to somebody else's trip fails PKCE at the provider."""
    mine, theirs = stack.start(), stack.start()
    path = stack.visit(theirs, providers.newcomer())
    swapped = path.replace(inner_state(theirs.location), inner_state(mine.location))
    check_plain(stack.land(mine, swapped), 400, INVALID_GRANT)


def test_a_callback_by_form(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    path, _, form = stack.visit(trip, providers.newcomer()).partition("?")
    headers = trip.browser.header() | {"content-type": "application/x-www-form-urlencoded"}
    # the form comes from another site, so the browser leaves the cookie out, and adds it where it is sent on to
    posted = send(stack.base_url, "POST", path, headers | {"cookie": ""}, form.encode() + b"&more=dropped")
    assert posted.status == 303
    assert posted.location.startswith(f"{path}?")
    assert "more=" not in posted.location
    assert posted.cookies == []
    landed = stack.land(trip, posted.location)
    assert landed.status == 303
    assert stack.redeem(trip, landed).status == 200
    long = send(stack.base_url, "POST", path, headers, b"state=x&user=" + b"a" * 20_000)
    check_plain(long, 400, "The provider's answer is too long.")


def test_a_repeated_callback(stack: Stack, providers: Providers) -> None:
    """7.7: the state works once; the same browser is told the same again, another one nothing."""
    trip = stack.start()
    path = stack.visit(trip, providers.newcomer())
    header = trip.browser.header()
    first = send(stack.base_url, "GET", path, header)
    again = send(stack.base_url, "GET", path, header)
    assert (first.status, again.status, first.location) == (303, 303, again.location)
    check_plain(send(stack.base_url, "GET", path), 400, NO_COOKIE)
    assert stack.redeem(trip, first).status == 200
    check_plain(send(stack.base_url, "GET", path, header), 400, INVALID_STATE)


def test_a_repeated_callback_in_json_mode(stack: Stack, providers: Providers) -> None:
    trip = stack.start(stack_response_mode="json")
    path = stack.visit(trip, providers.newcomer())
    assert send(stack.base_url, "GET", path).status == 303
    check_plain(send(stack.base_url, "GET", path), 400, INVALID_STATE)


# --- the token endpoint ----------------------------------------------------------------------------------


def landed_trip(stack: Stack, persona: str, **changes: str | None) -> tuple[object, Answer]:
    trip = stack.start(**changes)
    return trip, stack.land(trip, stack.visit(trip, persona))


def test_a_code_works_once_and_a_wrong_verifier_spends_nothing(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    for wrong in ("x" * 43, "", None):
        check_known(stack.redeem(trip, landed, code_verifier=wrong), 400, *INVALID_CODE)
    check_known(stack.redeem(trip, landed, code="nonsense"), 400, *INVALID_CODE)
    assert stack.redeem(trip, landed).status == 200
    check_known(stack.redeem(trip, landed), 400, *INVALID_CODE)


def test_a_wrong_redirect_uri_spends_the_code(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    check_plain(
        stack.redeem(trip, landed, redirect_uri=RETURN_URL + "/"),
        400,
        "Invalid redirect URI. Your redirect URI must be the same as the one used to get the authorization code.",
    )
    check_known(stack.redeem(trip, landed), 400, *INVALID_CODE)


def test_a_plain_challenge(stack: Stack, providers: Providers) -> None:
    trip = stack.start(code_challenge="some-code-challenge", code_challenge_method="plain")
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    assert stack.redeem(trip, landed, code_verifier="another-challenge!!").code == INVALID_CODE[0]
    assert stack.redeem(trip, landed, code_verifier="some-code-challenge").status == 200


def test_fifty_redemptions_of_one_code(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    with ThreadPoolExecutor(50) as pool:
        statuses = sorted(pool.map(lambda _: stack.redeem(trip, landed).status, range(50)))
    assert statuses == [200] + [400] * 49


def test_the_client_at_the_token_endpoint(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    for changes in ({"client_id": "nobody"}, {"client_secret": "pck_wrong"}, {"client_id": None}):
        answer = stack.redeem(trip, landed, **changes)
        assert (answer.status, answer.code) == (400, "INVALID_OAUTH_CLIENT_ID_OR_SECRET")
        assert answer.json["details"] == {"client_id": None}
    check_schema_error(
        stack.token(grant_type="password"),
        "POST /api/v1/auth/oauth/token",
        "body.grant_type must be one of the following values: authorization_code, refresh_token",
    )
    assert stack.redeem(trip, landed, client_secret=None, more="keys pass").status == 200


def test_refreshing(stack: Stack) -> None:
    ada = stack.person()
    answer = stack.token(grant_type="refresh_token", refresh_token=ada.refresh_token)
    body = answer.json
    assert answer.status == 200
    check_headers(answer, JSON, pragma="no-cache")
    assert jwt_claims(body.pop("access_token"))["sub"] == ada.user_id
    assert body == {"token_type": "Bearer", "expires_in": 600, "scope": "legacy"}
    lost = (
        "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED",
        "Refresh token not found for this project, or the session has expired/been revoked.",
    )
    check_known(stack.token(grant_type="refresh_token", refresh_token="x" * 45), 401, *lost)
    check_known(stack.token(grant_type="refresh_token"), 401, *lost)
    assert (
        stack.token(grant_type="refresh_token", refresh_token=ada.refresh_token, client_secret=None).code
        == "INVALID_OAUTH_CLIENT_ID_OR_SECRET"
    )
    keyless = stack.token(
        grant_type="refresh_token", refresh_token=ada.refresh_token, client_secret="__stack_public_client__"
    )
    assert keyless.status == 200
    stack.ok("DELETE", "/auth/sessions/current", access="client", token=ada.access_token)
    check_known(stack.token(grant_type="refresh_token", refresh_token=ada.refresh_token), 401, *lost)


# --- whom an account belongs to --------------------------------------------------------------------------


def linked(stack: Stack, person: Person) -> list[tuple[str, bool]]:
    rows = stack.ok("GET", f"/oauth-providers?user_id={person.user_id}")["items"]
    return [(row["provider_config_id"], row["allow_sign_in"]) for row in rows]


def test_a_link_is_made_at_redemption(stack: Stack, providers: Providers) -> None:
    ada, persona = stack.person(), providers.newcomer()
    trip = stack.start("github", type="link", token=ada.access_token)
    landed = stack.land(trip, stack.visit(trip, persona))
    assert landed.status == 303
    assert linked(stack, ada) == []
    answer = stack.redeem(trip, landed)
    assert (answer.status, answer.json["is_new_user"]) == (200, False)
    assert jwt_claims(answer.json["access_token"])["sub"] == ada.user_id
    assert linked(stack, ada) == [("github", True)]
    person, told = stack.sign_in(persona, "github")
    assert (person.user_id, told["is_new_user"]) == (ada.user_id, False)


def test_linking_the_same_again(stack: Stack, providers: Providers) -> None:
    ada, persona = stack.person(), providers.newcomer()
    stack.sign_in(persona, "github", type="link", token=ada.access_token)
    stack.sign_in(persona, "github", type="link", token=ada.access_token)
    assert linked(stack, ada) == [("github", True)]


def test_linking_a_second_account_of_one_provider(stack: Stack, providers: Providers) -> None:
    """7.5: the link obeys the laws too; the second account is connected, the first one signs in."""
    ada = stack.person()
    stack.sign_in(providers.newcomer(), "github", type="link", token=ada.access_token)
    stack.sign_in(providers.newcomer(), "github", type="link", token=ada.access_token)
    assert linked(stack, ada) == [("github", True), ("github", False)]


def test_an_account_of_somebody_else_is_not_linked(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    owner, _ = stack.sign_in(persona, "github")
    thief = stack.person()
    trip = stack.start("github", type="link", token=thief.access_token)
    landed = stack.land(trip, stack.visit(trip, persona))
    assert landed.status == 307
    told = query_of(landed.location)
    assert told["errorCode"] == "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER"
    assert owner.user_id not in landed.location
    assert linked(stack, thief) == []


def test_a_link_that_a_stranger_finishes_links_nothing(stack: Stack, providers: Providers) -> None:
    """7.6: json mode binds no browser, so the victim lands with a code that only the starter's verifier redeems,
    and the starter never sees the code.
    """
    attacker, victim = stack.person(), providers.newcomer()
    trip = stack.start("github", type="link", token=attacker.access_token, stack_response_mode="json")
    path = stack.visit(trip, victim)
    landed = send(stack.base_url, "GET", path)
    assert landed.status == 303
    assert stack.redeem(trip, landed, code_verifier="v" * 43).code == INVALID_CODE[0]
    assert linked(stack, attacker) == []
    assert send(stack.base_url, "GET", path).text == INVALID_STATE
    person, told = stack.sign_in(victim, "github")
    assert told["is_new_user"] is True
    assert person.user_id != attacker.user_id


def test_a_link_whose_asker_signed_out(stack: Stack, providers: Providers) -> None:
    ada = stack.person()
    trip = stack.start("github", type="link", token=ada.access_token)
    landed = stack.land(trip, stack.visit(trip, providers.newcomer()))
    stack.ok("DELETE", "/auth/sessions/current", access="client", token=ada.access_token)
    assert stack.redeem(trip, landed).code == INVALID_CODE[0]
    assert linked(stack, ada) == []
    assert begin(stack, "github", type="link", token=ada.access_token).code == "REFRESH_TOKEN_NOT_FOUND_OR_EXPIRED"


def test_two_links_of_one_account_at_once(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    people = [stack.person() for _ in range(8)]
    trips = [stack.start("github", type="link", token=one.access_token) for one in people]
    landings = [stack.land(trip, stack.visit(trip, persona)) for trip in trips]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(stack.redeem, trips, landings))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert sorted(len(linked(stack, one)) for one in people) == [0] * 7 + [1]


def test_two_first_sign_ins_at_once(stack: Stack, providers: Providers) -> None:
    """7.13: one account that comes for the first time twice is one user."""
    persona = providers.newcomer()
    trips = [stack.start() for _ in range(8)]
    landings = [stack.land(trip, stack.visit(trip, persona)) for trip in trips]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(stack.redeem, trips, landings))
    assert {answer.status for answer in answers} == {200}
    assert len({jwt_claims(answer.json["access_token"])["sub"] for answer in answers}) == 1
    assert sum(answer.json["is_new_user"] for answer in answers) == 1


def test_an_address_that_both_sides_verified_links(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    email = f"{persona}@corp.example"
    ada = stack.person(primary_email=email, primary_email_verified=True, primary_email_auth_enabled=True)
    person, told = stack.sign_in(persona)
    assert (person.user_id, told["is_new_user"]) == (ada.user_id, False)


def test_an_address_that_its_owner_never_verified(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    email = f"{persona}@corp.example"
    stack.person(primary_email=email, primary_email_auth_enabled=True)
    trip = stack.start()
    landed = stack.land(trip, stack.visit(trip, persona))
    told = query_of(landed.location)
    assert landed.status == 307
    assert told["errorCode"] == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
    assert told["message"] == (
        f'This email "({email})" is already used for authentication by another account but the email is not '
        "verified. Please login to your existing account with the method you used to sign up, and then verify your "
        "email to sign in with this login method."
    )
    assert told["details"] == (
        f'{{"type":"email","contact_channel_value":"{email}","would_work_if_email_was_verified":true}}'
    )


def test_an_address_that_the_provider_does_not_vouch_for(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer(email_verified=False)
    email = f"{persona}@corp.example"
    stack.person(primary_email=email, primary_email_verified=True, primary_email_auth_enabled=True)
    trip = stack.start()
    told = query_of(stack.land(trip, stack.visit(trip, persona)).location)
    assert told["errorCode"] == "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE"
    assert '"would_work_if_email_was_verified":false' in told["details"]
    free = providers.newcomer(email_verified=False)
    person, told_new = stack.sign_in(free)
    assert told_new["is_new_user"] is True
    assert stack.ok("GET", f"/users/{person.user_id}")["primary_email_verified"] is False


def test_a_deleted_user_frees_the_account(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    first, _ = stack.sign_in(persona)
    stack.ok("DELETE", f"/users/{first.user_id}")
    second, told = stack.sign_in(persona)
    assert told["is_new_user"] is True
    assert second.user_id != first.user_id


def test_the_provider_is_down(stack: Stack, providers: Providers) -> None:
    trip = stack.start()
    path = stack.visit(trip, providers.newcomer())
    providers.order("/faults", {"provider": "google", "endpoint": "token", "kind": "status", "status": 503, "times": 5})
    try:
        landed = stack.land(trip, path)
    finally:
        providers.order("/faults", {}, "DELETE")
    assert landed.status == 307
    told = query_of(landed.location)
    assert told["errorCode"] == "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE"
    assert told["message"] == "The OAuth provider is temporarily unavailable. Please try signing in again."
