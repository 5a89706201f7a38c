"""Requests and errors: the order of the checks, bodies, headers, prefixes, and nothing beyond."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.stack.golden import JSON, check_headers, check_json, check_known, check_plain, check_schema_error
from tests.stack.wire import Person, Stack, fresh_email, jwt_claims, send

UNKNOWN = "11111111-1111-4111-8111-111111111111"
HANDOFF = {"redirect_uri": "http://localhost:3000/", "state": "s", "code_challenge": "c" * 43}
DOCS = (
    "\n\nFor more information, see the docs on REST API authentication: "
    "https://docs.stack-auth.com/rest-api/overview#authentication"
)


@pytest.fixture(scope="module")
def ada(stack: Stack) -> Person:
    return stack.person(display_name="Ada")


def get(stack: Stack, headers: dict[str, str], path: str = "/users/me") -> object:
    return send(stack.base_url, "GET", f"/api/v1{path}", headers)


# --- access type, project, keys: each in its place -----------------------------------------------------


@pytest.mark.parametrize(
    "name", ["publishable-client-key", "secret-server-key", "super-secret-admin-key", "admin-access-token"]
)
def test_a_key_without_an_access_type(stack: Stack, name: str) -> None:
    answer = send(stack.base_url, "GET", "/api/v1/users/me", {f"x-stack-{name}": "x"})
    check_known(
        answer,
        400,
        "PROJECT_KEY_WITHOUT_ACCESS_TYPE",
        "Either an API key or an admin access token was provided, but the x-stack-access-type header is missing. "
        "Set it to 'client', 'server', or 'admin' as appropriate.",
    )


def test_no_access_type_at_all(stack: Stack) -> None:
    check_known(
        stack.call("GET", "/users/me", access=""),
        400,
        "ACCESS_TYPE_REQUIRED",
        "You must specify an access level for this Stack project. Make sure project API keys are provided (eg. "
        "x-stack-publishable-client-key) and you set the x-stack-access-type header to 'client', 'server', or "
        "'admin'." + DOCS,
    )


def test_an_access_type_that_is_none(stack: Stack) -> None:
    check_known(
        send(stack.base_url, "GET", "/api/v1/users/me", {"x-stack-access-type": "root"}),
        400,
        "INVALID_ACCESS_TYPE",
        "The x-stack-access-type header must be 'client', 'server', or 'admin', but was 'root'.",
    )


def test_an_access_type_without_a_project(stack: Stack) -> None:
    check_known(
        send(stack.base_url, "GET", "/api/v1/users/me", {"x-stack-access-type": "server"}),
        400,
        "ACCESS_TYPE_WITHOUT_PROJECT_ID",
        "The x-stack-access-type header was 'server', but the x-stack-project-id header was not provided." + DOCS,
        {"request_type": "server"},
    )


@pytest.mark.parametrize("project", [UNKNOWN, "not-even-a-uuid", "internal-not"])
def test_an_unknown_project(stack: Stack, project: str) -> None:
    check_known(
        replace(stack, project_id=project).call("GET", "/users"),
        400,
        "CURRENT_PROJECT_NOT_FOUND",
        f"The current project with ID {project} was not found. Please check the value of the x-stack-project-id "
        "header.",
        {"project_id": project},
    )


def test_wrong_keys(stack: Stack) -> None:
    wrong = replace(stack, client_key="pck_x", server_key="ssk_x", admin_key="sak_x")
    for access, code, words in (
        ("client", "INVALID_PUBLISHABLE_CLIENT_KEY", "publishable key"),
        ("server", "INVALID_SECRET_SERVER_KEY", "secret server key"),
        ("admin", "INVALID_SUPER_SECRET_ADMIN_KEY", "super secret admin key"),
    ):
        check_known(
            wrong.call("GET", "/projects/current", access=access),
            401,
            code,
            f'The {words} is not valid for the project "{stack.project_id}". Does the project and/or the key exist?',
            {"project_id": stack.project_id},
        )


def test_missing_keys(stack: Stack) -> None:
    keyless = replace(stack, client_key="", server_key="", admin_key="")
    check_known(
        keyless.call("GET", "/projects/current", access="server"),
        401,
        "SERVER_AUTHENTICATION_REQUIRED",
        "The secret server key must be provided.",
    )
    check_known(
        keyless.call("GET", "/projects/current", access="admin"),
        401,
        "ADMIN_AUTHENTICATION_REQUIRED",
        "The super secret admin key must be provided.",
    )
    assert keyless.call("GET", "/projects/current", access="client").status == 200
    assert (
        replace(stack, client_key="__stack_public_client__").call("GET", "/projects/current", access="client").status
        == 200
    )


def test_only_the_key_of_the_declared_type_counts(stack: Stack) -> None:
    keyless = replace(stack, client_key="")
    more = {"x-stack-secret-server-key": "ssk_wrong", "x-stack-super-secret-admin-key": "sak_wrong"}
    assert keyless.call("GET", "/projects/current", access="client", headers=more).status == 200
    other = {"x-stack-super-secret-admin-key": stack.admin_key}
    answer = replace(stack, server_key="").call("GET", "/users", access="server", headers=other)
    assert answer.code == "SERVER_AUTHENTICATION_REQUIRED"
    assert replace(stack, server_key=stack.client_key).call("GET", "/users").code == "INVALID_SECRET_SERVER_KEY"


def test_branches(stack: Stack) -> None:
    assert stack.call("GET", "/projects/current", headers={"x-stack-branch-id": "main"}).status == 200
    check_known(
        stack.call("GET", "/projects/current", headers={"x-stack-branch-id": "dev"}),
        400,
        "BRANCH_DOES_NOT_EXIST",
        "The branch with ID dev does not exist.",
        {"branch_id": "dev"},
    )
    wrong_key_first = replace(stack, server_key="x").call("GET", "/users", headers={"x-stack-branch-id": "dev"})
    assert wrong_key_first.code == "INVALID_SECRET_SERVER_KEY"


def test_insufficient_access_type(stack: Stack) -> None:
    check_known(
        stack.call("GET", "/users", access="client"),
        401,
        "INSUFFICIENT_ACCESS_TYPE",
        "The x-stack-access-type header must be 'server' or 'admin', but was 'client'.",
        {"actual_access_type": "client", "allowed_access_types": ["server", "admin"]},
    )


# --- access tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "a.b.c", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30."])
def test_an_unreadable_token_comes_before_project_and_key(stack: Stack, token: str) -> None:
    nowhere = replace(stack, project_id=UNKNOWN, client_key="x")
    check_known(
        nowhere.call("GET", "/users/me", access="client", token=token),
        401,
        "UNPARSABLE_ACCESS_TOKEN",
        "Access token is not parsable.",
    )


def test_a_token_of_another_project_comes_before_project_and_key(stack: Stack, ada: Person) -> None:
    nowhere = replace(stack, project_id=UNKNOWN, client_key="x")
    check_known(
        nowhere.call("GET", "/users/me", access="client", token=ada.access_token),
        401,
        "INVALID_PROJECT_FOR_ACCESS_TOKEN",
        f'Access token not valid for this project. Expected project ID "{UNKNOWN}", but the token is for project ID '
        f'"{stack.project_id}".',
        {"expected_project_id": UNKNOWN, "actual_project_id": stack.project_id},
    )


def test_a_token_with_one_letter_changed(stack: Stack, ada: Person) -> None:
    head, body, signature = ada.access_token.split(".")
    changed = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    answer = stack.call("GET", "/users/me", access="client", token=f"{head}.{body}.{changed}")
    assert answer.code == "UNPARSABLE_ACCESS_TOKEN"


def test_the_exact_claims(stack: Stack, ada: Person) -> None:
    claims = jwt_claims(ada.access_token)
    assert claims.pop("exp") - claims["iat"] == 600
    assert claims.pop("iat") > 1_600_000_000
    assert isinstance(claims.pop("refresh_token_id"), str)
    assert claims.pop("signed_up_at") > 1_600_000_000
    assert claims == {
        "iss": f"{stack.base_url}/api/v1/projects/{stack.project_id}",
        "aud": stack.project_id,
        "sub": ada.user_id,
        "project_id": stack.project_id,
        "branch_id": "main",
        "role": "authenticated",
        "name": "Ada",
        "email": ada.email,
        "email_verified": False,
        "selected_team_id": None,
        "is_anonymous": False,
        "is_restricted": False,
        "restricted_reason": None,
        "requires_totp_mfa": False,
    }


def test_a_token_outlives_its_session_for_plain_reads(stack: Stack) -> None:
    person = stack.person()
    assert stack.call("DELETE", "/auth/sessions/current", {}, access="client", token=person.access_token).status == 200
    assert stack.call("GET", "/users/me", access="client", token=person.access_token).status == 200


def test_a_token_of_a_deleted_user_is_no_user(stack: Stack) -> None:
    person = stack.person()
    stack.ok("DELETE", f"/users/{person.user_id}")
    answer = stack.call("GET", "/users/me", access="client", token=person.access_token)
    check_known(
        answer,
        400,
        "CANNOT_GET_OWN_USER_WITHOUT_USER",
        "You have specified 'me' as a userId, but did not provide authentication for a user.",
    )


def test_a_token_of_a_deleted_user_is_no_user_anywhere(internal: Stack) -> None:
    """Each call is refused as it is without a token."""
    team = internal.ok("POST", "/teams", {"display_name": "T"})
    person = internal.person()
    internal.ok("DELETE", f"/users/{person.user_id}")
    for method, path, body in (
        ("GET", "/users/me", None),
        ("PATCH", "/users/me", {"primary_email": fresh_email()}),
        ("GET", "/oauth-providers?user_id=me", None),
        ("PATCH", f"/oauth-providers/me/{UNKNOWN}", {}),
        ("DELETE", f"/oauth-providers/me/{UNKNOWN}", None),
        ("GET", "/connected-accounts/me", None),
        ("POST", "/connected-accounts/me/google/access-token", {}),
        ("GET", "/contact-channels?user_id=me", None),
        ("GET", "/auth/sessions?user_id=me", None),
        ("GET", "/teams?user_id=me", None),
        ("POST", "/auth/password/set", {"password": "correct horse"}),
        ("POST", "/auth/oauth/cross-domain/authorize", HANDOFF),
        ("POST", "/internal/projects", {"display_name": "x", "owner_team_id": team["id"]}),
        ("GET", "/internal/projects", None),
    ):
        refresh = {"x-stack-refresh-token": person.refresh_token}
        gone = internal.call(method, path, body, access="client", token=person.access_token, headers=refresh)
        nobody = internal.call(method, path, body, access="client", headers=refresh)
        assert (gone.status, gone.json) == (nobody.status, nobody.json), path
        assert gone.code in ("CANNOT_GET_OWN_USER_WITHOUT_USER", "USER_AUTHENTICATION_REQUIRED"), path


# --- headers ---------------------------------------------------------------------------------------------


def test_both_header_prefixes_and_both_versions(stack: Stack, ada: Person) -> None:
    for prefix in ("x-stack-", "x-hexclave-", "X-Stack-", "X-HEXCLAVE-"):
        for version in ("v1", "latest"):
            other = replace(stack, prefix=prefix, version=version)
            answer = other.call("GET", "/users/me", access="client", token=ada.access_token)
            assert (answer.status, answer.json["id"]) == (200, ada.user_id)


def test_an_overridden_status(stack: Stack) -> None:
    answer = stack.call("GET", "/users", access="client", headers={"x-stack-override-error-status": "true"})
    assert (answer.status, answer.code) == (200, "INSUFFICIENT_ACCESS_TYPE")
    check_headers(answer, JSON, x_stack_known_error="INSUFFICIENT_ACCESS_TYPE", x_stack_actual_status="401")
    fine = stack.call("GET", "/projects/current", headers={"x-stack-override-error-status": "true"})
    check_headers(fine, JSON)


@pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/nowhere", "/api/latest/auth/oauth/token"])
def test_options(stack: Stack, path: str) -> None:
    answer = send(stack.base_url, "OPTIONS", path, {"origin": "https://app.example"})
    assert (answer.status, answer.raw) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_unknown_routes_and_methods(stack: Stack) -> None:
    for path in ("/api/v1/nowhere", "/api/v1", "/api/v1/users/me/", "/api/v9/users"):
        answer = send(stack.base_url, "GET", path)
        assert (answer.status, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8"), path
    answer = send(stack.base_url, "PUT", "/api/v1/users")
    assert (answer.status, answer.headers["content-type"]) == (405, "text/plain; charset=utf-8")


# --- bodies and queries ----------------------------------------------------------------------------------


def test_broken_json_comes_before_everything(stack: Stack) -> None:
    for body in (b"{", b"", b"[1", b"\xff", b'"\\ud800"', b"[" * 100_000):
        answer = send(stack.base_url, "POST", "/api/v1/users", {"content-type": "application/json"}, body)
        check_known(answer, 400, "BODY_PARSING_ERROR", "Invalid JSON in request body")


def test_an_unknown_content_type(stack: Stack) -> None:
    answer = send(stack.base_url, "POST", "/api/v1/users", {"content-type": "text/html; charset=utf-8"}, b"x")
    check_known(answer, 400, "BODY_PARSING_ERROR", "Unknown content type in request body: text/html")


def test_a_form_and_a_missing_body(stack: Stack) -> None:
    headers = stack.headers("server")
    form = headers | {"content-type": "application/x-www-form-urlencoded"}
    answer = send(stack.base_url, "POST", "/api/v1/users", form, b"display_name=A&display_name=B")
    assert (answer.status, answer.json["display_name"]) == (201, "B")
    check_schema_error(
        send(stack.base_url, "POST", "/api/v1/users", headers), "POST /api/v1/users", "body must be defined"
    )
    text = headers | {"content-type": "text/plain"}
    check_schema_error(
        send(stack.base_url, "POST", "/api/latest/users", text, b"hey"),
        "POST /api/latest/users",
        'body must be a `object` type, but the final value was: `"hey"`.',
    )


def test_a_huge_body(stack: Stack) -> None:
    body = json.dumps({"display_name": "x" * 10_000_000}).encode()
    headers = stack.headers("server") | {"content-type": "application/json"}
    answer = send(stack.base_url, "POST", "/api/v1/users", headers, body)
    assert (answer.status, answer.text) == (413, "Request body too large")


def test_every_problem_is_named(stack: Stack) -> None:
    check_schema_error(
        stack.call(
            "POST", "/oauth-providers?x=1&y=2", {"allow_sign_in": "maybe", "email": "e", "zz": 1, "user_id": "u"}
        ),
        "POST /api/v1/oauth-providers",
        "query contains unknown properties: x, y",
        "body.user_id must be a valid UUID",
        "body.provider_config_id must be defined",
        'body.allow_sign_in must be a `boolean` type, but the final value was: `"maybe"`.',
        "body.allow_connected_accounts must be defined",
        "body.account_id must be defined",
        "body.email must be a valid email",
        "body contains unknown properties: zz",
    )


def test_me_without_a_user_beats_other_problems(stack: Stack) -> None:
    answer = stack.call("POST", "/oauth-providers", {"user_id": "me", "zz": 1})
    assert answer.code == "CANNOT_GET_OWN_USER_WITHOUT_USER"


def test_the_last_of_a_repeated_parameter_counts(stack: Stack, ada: Person) -> None:
    path = f"/oauth-providers?user_id=nonsense&user_id={ada.user_id}"
    check_json(stack.call("GET", path), 200, {"items": [], "is_paginated": False})


def test_a_raw_segment_keeps_its_slash(stack: Stack, ada: Person) -> None:
    account = "a/b%c d"
    body = {
        "user_id": ada.user_id,
        "provider_config_id": "github",
        "account_id": account,
        "allow_sign_in": False,
        "allow_connected_accounts": True,
    }
    stack.ok("POST", "/oauth-providers", body)
    path = f"/connected-accounts/{ada.user_id}/github/a%2Fb%25c%20d/access-token"
    assert stack.call("POST", path, {}).code == "OAUTH_CONNECTION_DOES_NOT_HAVE_REQUIRED_SCOPE"
    other = f"/connected-accounts/{ada.user_id}/github/a%2Fb/access-token"
    assert stack.call("POST", other, {}).code == "OAUTH_CONNECTION_NOT_CONNECTED_TO_USER"


def test_null_characters_are_refused(stack: Stack) -> None:
    answer = stack.call("POST", "/users", {"display_name": "a\0b", "client_metadata": {"k": ["\0"]}})
    check_schema_error(
        answer,
        "POST /api/v1/users",
        "body.display_name must not contain null characters",
        "body.client_metadata must not contain null characters",
    )


def test_plain_errors_have_no_code(stack: Stack) -> None:
    answer = stack.call("DELETE", f"/auth/sessions/{UNKNOWN}?user_id={UNKNOWN}")
    check_plain(answer, 404, "Session not found.")


def test_what_is_nested_too_deep_is_no_json(stack: Stack) -> None:
    for depth, status in ((60, 201), (70, 400), (900, 400)):
        body = b'{"client_metadata": ' + b"[" * depth + b"]" * depth + b"}"
        headers = stack.headers("server") | {"content-type": "application/json"}
        assert send(stack.base_url, "POST", "/api/v1/users", headers, body).status == status


def test_an_empty_segment_names_nothing(stack: Stack) -> None:
    for path in ("/api/v1/auth/oauth/callback/?code=x&state=y", "/api/v1/users/", "/api/v1/connected-accounts/"):
        assert send(stack.base_url, "GET", path, stack.headers("server")).status == 404
