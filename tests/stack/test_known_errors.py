"""Known errors whole, as the catalogue of the contract has them: those that no other file here provokes; and that each
row of the catalogue is held whole somewhere.
"""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oneself.wire.stack.catalogue import CATALOGUE
from oneself.wire.stack.times import iso
from tests.stack import golden
from tests.stack.golden import TEXT, check_headers, check_known
from tests.stack.in_process import Face, answer_of, face_on
from tests.stack.owners import Owner
from tests.stack.test_counts import AUTHORIZE
from tests.stack.wire import Answer, Person, Providers, Stack, fresh_email, jwt_claims, query_of

PASSWORD = "correct horse battery"
UNKNOWN = "11111111-1111-4111-8111-111111111111"
SIGN_UP_CLOSED = "Creation of new accounts is not enabled for this project. Please ask the project owner to enable it."
IN_USE = "The OAuth connection is already connected to another user."
AWAY = "The OAuth provider is temporarily unavailable. Please try signing in again."


@pytest.fixture
def ada(stack: Stack) -> Person:
    return stack.person()


def as_client(stack: Stack, person: Person, method: str, path: str, body: Any = None) -> Answer:
    return stack.call(method, path, body, access="client", token=person.access_token)


# --- passwords and sign-up -------------------------------------------------------------------------------


def test_passwords_switched_off(owner: Owner) -> None:
    project = owner.project(credential_enabled=False)
    person = project.person()
    words = (400, "PASSWORD_AUTHENTICATION_NOT_ENABLED", "Password authentication is not enabled for this project.")
    email = {"email": fresh_email(), "password": PASSWORD}
    for path, body in (
        ("sign-up", email),
        ("sign-in", email),
        ("update", {"old_password": PASSWORD, "new_password": PASSWORD}),
        ("set", {"password": PASSWORD}),
    ):
        check_known(as_client(project, person, "POST", f"/auth/password/{path}", body), *words)
    project.configure(auth__password__allowSignIn=True)
    assert as_client(project, person, "POST", "/auth/password/set", {"password": PASSWORD}).status == 200


def test_a_password_that_is_not_there_or_another(stack: Stack, ada: Person) -> None:
    path, body = "/auth/password/update", {"old_password": PASSWORD, "new_password": "another good one"}
    check_known(
        as_client(stack, ada, "POST", path, body),
        400,
        "USER_DOES_NOT_HAVE_PASSWORD",
        "This user does not have password authentication enabled.",
    )
    assert as_client(stack, ada, "POST", "/auth/password/set", {"password": PASSWORD}).status == 200
    check_known(
        as_client(stack, ada, "POST", path, body | {"old_password": "not this one"}),
        400,
        "PASSWORD_CONFIRMATION_MISMATCH",
        "Passwords do not match.",
    )
    assert as_client(stack, ada, "POST", path, body).status == 200


def test_sign_up_switched_off(owner: Owner) -> None:
    project = owner.project(sign_up_enabled=False)
    body = {"email": fresh_email(), "password": PASSWORD}
    for path, sent in (("/auth/password/sign-up", body), ("/auth/anonymous/sign-up", None)):
        check_known(project.call("POST", path, sent, access="client"), 400, "SIGN_UP_NOT_ENABLED", SIGN_UP_CLOSED)
    project.configure(auth__allowSignUp=True)
    assert project.call("POST", "/auth/password/sign-up", body, access="client").status == 200


# --- teams -----------------------------------------------------------------------------------------------


def test_teams_that_are_not_there_for_somebody(internal: Stack) -> None:
    team = internal.ok("POST", "/teams", {"display_name": "T"})
    stranger = internal.person()
    path = f"/teams/{team['id']}"
    for method, body in (("GET", None), ("PATCH", {"display_name": "U"}), ("DELETE", None)):
        check_known(
            as_client(internal, stranger, method, path, body),
            404,
            "TEAM_NOT_FOUND",
            f"Team {team['id']} not found.",
            {"team_id": team["id"]},
        )
        answer = internal.call(method, f"/teams/{UNKNOWN}", body)
        check_known(answer, 404, "TEAM_NOT_FOUND", f"Team {UNKNOWN} not found.", {"team_id": UNKNOWN})
    membership = f"/team-memberships/{team['id']}/{stranger.user_id}"
    assert internal.call("POST", membership).status == 201
    check_known(
        internal.call("POST", membership), 409, "TEAM_MEMBERSHIP_ALREADY_EXISTS", "Team membership already exists."
    )
    assert as_client(internal, stranger, "GET", path).status == 200


# --- accounts and their providers ------------------------------------------------------------------------


def test_an_account_that_is_somebodys_at_the_callback_and_at_redemption(stack: Stack, providers: Providers) -> None:
    """Who comes first is told a code; who comes second too, when the account was still free; it decides at the end."""
    persona = providers.newcomer()
    first, second, third = stack.person(), stack.person(), stack.person()
    trips = [stack.start("github", type="link", token=one.access_token) for one in (first, second, third)]
    landings = [stack.land(trip, stack.visit(trip, persona)) for trip in trips[:2]]
    assert stack.redeem(trips[0], landings[0]).status == 200
    code = "OAUTH_CONNECTION_ALREADY_CONNECTED_TO_ANOTHER_USER"
    check_known(stack.redeem(trips[1], landings[1]), 409, code, IN_USE)
    landed = stack.land(trips[2], stack.visit(trips[2], persona))
    assert landed.status == 307
    assert query_of(landed.location) == {
        "error": "server_error",
        "error_description": IN_USE,
        "errorCode": code,
        "message": IN_USE,
        "details": "{}",
    }
    check_headers(landed, TEXT, location=landed.location)


def test_a_provider_that_is_away_when_a_token_is_wanted(stack: Stack, providers: Providers) -> None:
    persona = providers.newcomer()
    providers.order(f"/personas/{persona}", {"answers": {"google": {"token": {"expires_in": 1}}}}, "PATCH")
    person, _ = stack.sign_in(persona)
    providers.order(f"/personas/{persona}", {"answers": {}}, "PATCH")
    path = "/connected-accounts/me/google/access-token"
    providers.order("/faults", {"provider": "google", "endpoint": "token", "kind": "server_error", "times": 10})
    try:
        # an access token that lives a second is fresh for half of it
        answer = as_client(stack, person, "POST", path, {})
        while answer.status == 201:
            answer = as_client(stack, person, "POST", path, {})
    finally:
        providers.order("/faults", {}, "DELETE")
    seconds = answer.headers["retry-after"]
    assert seconds.isdigit()
    body = {"code": "OAUTH_PROVIDER_TEMPORARILY_UNAVAILABLE", "error": AWAY}
    golden.check_json(answer, 503, body, x_stack_known_error=body["code"], retry_after=seconds)


def test_wrong_client_credentials_at_the_provider(owner: Owner, providers: Providers) -> None:
    """The operator's own mistake, told in plain text and not to the application."""
    project = owner.project(oauth_providers=[{"id": "google", "type": "shared"}])
    keyless = replace(project, client_key="__stack_public_client__")
    trip = keyless.start("google")
    path = keyless.visit(trip, providers.newcomer())
    wrong = {"kind": "oauth_error", "error": "invalid_client", "times": 1}
    providers.order("/faults", {"provider": "mock", "endpoint": "token", **wrong})
    try:
        landed = keyless.land(trip, path)
    finally:
        providers.order("/faults", {}, "DELETE")
    golden.check_plain(
        landed,
        400,
        "Invalid client credentials for this OAuth provider. Please ensure the configuration in the Stack Auth "
        "dashboard is correct.",
    )
    assert len(landed.cookies) == 1


# --- what time does --------------------------------------------------------------------------------------


async def test_an_expired_access_token_and_an_expired_admin_access_token(migrated_url: str) -> None:
    async with face_on(migrated_url, stack_id="internal") as face:
        person = await face.person()
        exp = jwt_claims(person["access_token"])["exp"]
        face.clock.forward(601)
        check_known(
            answer_of(await face.reply("GET", "/users/me", access="client", token=person["access_token"])),
            401,
            "ACCESS_TOKEN_EXPIRED",
            f"Access token has expired. Please refresh it and try again. (The access token expired at {iso(exp * 1000)}"
            f".) Project ID: internal. User ID: {person['id']}. Refresh token ID: "
            f"{jwt_claims(person['access_token'])['refresh_token_id']}.\n\nDebug info: Most likely, you fetched the "
            "access token before it expired (for example, in a server component, pre-rendered page, or on page load), "
            "but then didn't refresh it before it expired. If this is the case, and you're using the SDK, make sure "
            "you call getAccessToken() every time you need to use the access token. If you're not using the SDK, make "
            "sure you refresh the access token with the refresh endpoint.",
            {
                "expired_at_millis": exp * 1000,
                "project_id": "internal",
                "user_id": person["id"],
                "refresh_token_id": jwt_claims(person["access_token"])["refresh_token_id"],
            },
        )
        headers = {"x-stack-admin-access-token": person["access_token"]}
        check_known(
            answer_of(await face.reply("GET", "/projects/current", access="admin", key=False, headers=headers)),
            401,
            "ADMIN_ACCESS_TOKEN_EXPIRED",
            f"Admin access token has expired. Please refresh it and try again. (The access token expired at "
            f"{iso(exp * 1000)}.)",
            {"expired_at_millis": exp * 1000},
        )


async def test_a_trip_that_took_too_long(migrated_url: str) -> None:
    async with face_on(migrated_url) as face:
        landed = await timed_out(face, "")
        words = "The OAuth flow has timed out. Please sign in again."
        assert landed.status == 307
        assert query_of(landed.location) == {
            "error": "server_error",
            "error_description": words,
            "errorCode": "OUTER_OAUTH_TIMEOUT",
            "message": words,
            "details": "{}",
        }
        check_headers(landed, TEXT, location=landed.location)
        nowhere = await timed_out(face, "https://evil.example/")
        assert len(nowhere.cookies) == 1
        nowhere.cookies.clear()
        check_known(nowhere, 408, "OUTER_OAUTH_TIMEOUT", words)


async def timed_out(face: Face, redirect_uri: str) -> Answer:
    """Come back from a trip eleven minutes after it began."""
    path = AUTHORIZE.replace("PROJECT", face.project_id)
    if redirect_uri:
        path = path.replace("http://localhost:3000/", redirect_uri)
    started = answer_of(await face.reply("GET", path, access=""))
    cookie = started.cookies[0].partition(";")[0]
    state = cookie.partition("=")[0].removeprefix("stack-oauth-inner-")
    face.clock.forward(660)
    back = f"/auth/oauth/callback/github?code=x&state={state}"
    return answer_of(await face.reply("GET", back, access="", headers={"cookie": cookie}))


# --- Apple on a device -----------------------------------------------------------------------------------


def test_apple_where_it_cannot_be(owner: Owner) -> None:
    apple = {"id": "apple", "type": "standard", "client_id": "com.example.web", "client_secret": "s"}
    path, body = "/auth/oauth/callback/apple/native", {"id_token": "a.b.c"}
    without = owner.project()
    check_known(
        without.call("POST", path, body, access="client"),
        400,
        "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED",
        "The OAuth provider is not found or not enabled.",
    )
    unnamed = owner.project(oauth_providers=[apple])
    check_known(
        unnamed.call("POST", path, body, access="client"),
        400,
        "APPLE_BUNDLE_ID_NOT_CONFIGURED",
        "Apple Sign In is enabled, but no Bundle IDs are configured. Please add your app's Bundle ID in the Stack Auth "
        "dashboard under OAuth Providers > Apple > Apple Bundle IDs.",
    )
    named = owner.project(oauth_providers=[apple | {"apple_bundle_ids": ["com.example.app"]}])
    # no key of Apple's is fetched for what cannot be a token of its own
    other = {"iss": "https://evil.example", "aud": "com.example.app", "sub": "1", "exp": 4_000_000_000, "iat": 1}
    forged = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "k"}, other)) + ".c2ln"
    for token in ("a.b.c", "", "x", "e30.e30.e30", forged):
        check_known(
            named.call("POST", path, {"id_token": token}, access="client"),
            400,
            "INVALID_APPLE_CREDENTIALS",
            "The Apple Sign In credentials could not be verified. Please try signing in again.",
        )


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# --- and every row ---------------------------------------------------------------------------------------

# Functions that hold an error whole: its status, its words, its details, every header.
HOLDING = {"check_known", "told", "check_schema_error", "check_json", "check_headers"}


def test_every_row_of_the_catalogue_is_held_whole_somewhere() -> None:
    held = {code for file in Path(__file__).parent.glob("test_*.py") for code in _held(ast.parse(file.read_text()))}
    # a check of its own for the errors that name every problem of a request
    held.add("SCHEMA_ERROR")
    assert {row.code for row in CATALOGUE.values()} - held == set()


def _held(tree: ast.Module) -> Iterator[str]:
    """The texts in each test function that holds something whole, and in the constants of the file that it names."""
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or not function.name.startswith("test_"):
            continue
        nodes = list(ast.walk(function))
        if not any(_name(node.func) in HOLDING for node in nodes if isinstance(node, ast.Call)):
            continue
        named = [constants[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in constants]
        for node in [*nodes, *(part for value in named for part in ast.walk(value))]:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
