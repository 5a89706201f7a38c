"""Users through the vendor's Python SDK and raw: create, read, change, delete, and their parts."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.stytch.rig import Rig, refused


def test_a_user_is_created_read_changed_and_deleted(dev: Rig) -> None:
    email = dev.persona().email
    made = dev.client.users.create(
        email=email,
        phone_number=phone(),
        name={"first_name": "Ada", "last_name": "Byron"},
        trusted_metadata={"plan": "gold"},
        untrusted_metadata={"theme": "dark"},
        create_user_as_pending=True,
        roles=[],
    )
    assert (made.status_code, made.status) == (201, "pending")
    assert made.email_id == made.user.emails[0].email_id
    assert made.phone_id == made.user.phone_numbers[0].phone_id
    found = dev.client.users.get(made.user_id)
    assert found.emails[0].email == email
    assert found.trusted_metadata == {"plan": "gold"}
    changed = dev.client.users.update(
        made.user_id,
        name={"first_name": "Augusta"},
        trusted_metadata={"plan": None, "level": 3},
        external_id=f"ext-{uuid4().hex}",
    )
    assert changed.user.name is not None
    assert (changed.user.name.first_name, changed.user.name.last_name) == ("Augusta", "Byron")
    assert changed.user.trusted_metadata == {"level": 3}
    assert changed.user.untrusted_metadata == {"theme": "dark"}
    assert dev.client.users.delete(made.user_id).user_id == made.user_id
    assert refused(dev.client.users.get, made.user_id) == (404, "user_not_found")
    assert refused(dev.client.users.delete, made.user_id) == (404, "user_not_found")


def test_the_asynchronous_half_of_the_sdk_works_as_well(dev: Rig) -> None:
    async def work() -> str:
        client = dev.fresh_client()  # its connections belong to one event loop
        made = await client.users.create_async(email=dev.persona().email)
        found = await client.users.get_async(made.user_id)
        await client.users.delete_async(made.user_id)
        return found.user_id

    assert asyncio.run(work()).startswith("user-test-")


@pytest.mark.parametrize("form", ["ext|{}", "{}", "customer.{}", "A_{}-test"])
def test_an_external_id_stands_wherever_a_user_id_does(dev: Rig, form: str) -> None:
    name = form.format(uuid4())  # an application's own ids are UUIDs more often than not
    made = dev.client.users.create(email=dev.persona().email, external_id=name)
    assert dev.client.users.get(name).user_id == made.user_id
    assert dev.client.users.update(name, name={"first_name": "E"}).user_id == made.user_id
    assert dev.client.sessions.get(name).sessions == []
    assert dev.client.oauth.attach("google", user_id=name).oauth_attach_token
    assert dev.client.users.connected_apps(name).connected_apps == []
    bare = dev.client.users.delete_external_id(name)
    assert (bare.user_id, bare.user.external_id) == (made.user_id, None)
    assert refused(dev.client.users.get, name) == (404, "user_not_found")


def test_a_get_has_the_user_at_its_top_level(dev: Rig) -> None:
    made = dev.client.users.create(email=dev.persona().email)
    body = dev.call("GET", f"/v1/users/{made.user_id}?user_id={made.user_id}").json
    assert "user" not in body
    assert body["user_id"] == made.user_id
    assert body["status_code"] == 200
    assert body["request_id"].startswith("request-id-test-")


def test_an_unlinked_account_is_gone_and_the_last_way_in_stays(dev: Rig) -> None:
    person = dev.persona(emails={"github": "", "google": ""}, email="")
    user = dev.client.users.create(phone_number=phone())
    tokens = []
    for provider in ("google", "github"):
        ticket = dev.client.oauth.attach(provider, user_id=user.user_id).oauth_attach_token
        tokens.append(dev.trip(provider, person.id, oauth_attach_token=ticket))
    google, github = [dev.client.oauth.authenticate(token, session_duration_minutes=60) for token in tokens]
    left = dev.client.users.delete_oauth_registration(google.oauth_user_registration_id)
    assert [each.provider_type for each in left.user.providers] == ["Github"]
    # the session that rested on the account alone has ended, the other one lives
    assert refused(dev.client.sessions.authenticate, session_token=google.session_token) == (404, "session_not_found")
    assert dev.client.sessions.authenticate(session_token=github.session_token).session_jwt
    assert refused(dev.client.users.delete_oauth_registration, google.oauth_user_registration_id) == (
        404,
        "oauth_user_registration_not_found",
    )
    assert refused(dev.client.users.delete_oauth_registration, github.oauth_user_registration_id) == (
        400,
        "cannot_delete_last_primary_factor",
    )


def test_an_address_and_a_number_are_taken_off(dev: Rig) -> None:
    made = dev.sign_in("google", dev.persona())
    left = dev.client.users.delete_email(made.user.emails[0].email_id)
    assert left.user.emails == []
    assert refused(dev.client.users.delete_email, made.user.emails[0].email_id) == (
        404,
        "email_not_found",
    )
    other = dev.client.users.create(email=dev.persona().email, phone_number=phone())
    left_phone = dev.client.users.delete_phone_number(other.phone_id)
    assert left_phone.user.phone_numbers == []
    assert refused(dev.client.users.delete_phone_number, other.phone_id) == (
        404,
        "phone_number_not_found",
    )
    assert refused(dev.client.users.delete_email, other.email_id) == (
        400,
        "cannot_delete_last_primary_factor",
    )


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        ({}, "invalid_create_user_request"),
        ({"email": ""}, "invalid_create_user_request"),
        ({"email": "nonsense"}, "invalid_email"),
        ({"email": "a b@c.example"}, "invalid_email"),
        ({"email": "x" * 300 + "@c.example"}, "invalid_email"),
        ({"phone_number": "555"}, "invalid_phone_number"),
        ({"email": 5}, "invalid_argument"),
        ({"email": "a@b.example", "roles": ["admin"]}, "invalid_rbac_role_assignment"),
        ({"email": "a@b.example", "external_id": "a b"}, "invalid_user_external_id"),
        ({"email": "a@b.example", "external_id": ""}, "invalid_user_external_id"),
        ({"email": "a@b.example", "external_id": "user-test-1"}, "invalid_user_external_id"),
        ({"email": "a@b.example", "trusted_metadata": {"a": "x" * 4096}}, "metadata_too_large"),
        (
            {"email": "a@b.example", "untrusted_metadata": {f"k{n}": n for n in range(21)}},
            "metadata_too_many_keys",
        ),
        ({"email": "a@b.example", "name": "Ada"}, "invalid_argument"),
    ],
)
def test_a_user_that_cannot_be_is_refused_and_not_made(dev: Rig, body: dict[str, Any], error_type: str) -> None:
    reply = dev.call("POST", "/v1/users", body)
    assert (reply.status, reply.json["error_type"]) == (400, error_type)
    if "email" in body:
        wanted = {"filter_name": "email_address", "filter_value": [str(body["email"])]}
        found = dev.call("POST", "/v1/users/search", {"query": {"operator": "AND", "operands": [wanted]}})
        assert found.json["results"] == []


def test_what_is_unique_is_taken_once(dev: Rig) -> None:
    email, number, name = dev.persona().email, phone(), f"ext-{uuid4().hex}"
    dev.client.users.create(email=email, phone_number=number, external_id=name)
    assert refused(dev.client.users.create, email=email.upper()) == (400, "duplicate_email")
    assert refused(dev.client.users.create, phone_number=number) == (400, "duplicate_phone_number")
    assert refused(dev.client.users.create, email=dev.persona().email, external_id=name) == (
        400,
        "duplicate_user_external_id",
    )
    other = dev.client.users.create(email=dev.persona().email)
    assert refused(dev.client.users.update, other.user_id, external_id=name) == (
        400,
        "duplicate_user_external_id",
    )


def test_metadata_has_bounds_after_the_merge_as_well(dev: Rig) -> None:
    made = dev.client.users.create(email=dev.persona().email, untrusted_metadata={f"k{n}": n for n in range(20)})
    assert refused(dev.client.users.update, made.user_id, untrusted_metadata={"more": 1}) == (
        400,
        "metadata_too_many_keys",
    )
    swapped = dev.client.users.update(made.user_id, untrusted_metadata={"more": 1, "k0": None})
    assert swapped.user.untrusted_metadata is not None
    assert len(swapped.user.untrusted_metadata) == 20
    assert refused(dev.client.users.update, made.user_id, trusted_metadata={"a": "x" * 5000}) == (
        400,
        "metadata_too_large",
    )


@pytest.mark.parametrize(
    ("path", "error_type"),
    [
        ("/v1/users/user-test-2", "invalid_user_id"),
        ("/v1/users/session-test-11111111-1111-4111-8111-111111111111", "invalid_user_id"),
        ("/v1/users/a%00b", "invalid_user_id"),
        ("/v1/users/a%2Fb", "invalid_user_id"),
        ("/v1/sessions?user_id=", "invalid_user_id"),
        ("/v1/sessions", "invalid_user_id"),
    ],
)
def test_an_id_of_the_wrong_kind_is_a_typed_400(dev: Rig, path: str, error_type: str) -> None:
    reply = dev.call("GET", path)
    assert (reply.status, reply.json["error_type"]) == (400, error_type)


@pytest.mark.parametrize(
    ("method", "path", "error_type"),
    [
        ("GET", "/v1/users/nope", "user_not_found"),
        ("GET", "/v1/users/user-test-{absent}", "user_not_found"),
        ("GET", "/v1/users/user-live-{absent}", "user_not_found"),
        ("PUT", "/v1/users/user-test-{absent}", "user_not_found"),
        ("DELETE", "/v1/users/user-test-{absent}", "user_not_found"),
        ("DELETE", "/v1/users/user-test-{absent}/external_id", "user_not_found"),
        ("GET", "/v1/users/user-test-{absent}/connected_apps", "user_not_found"),
        ("GET", "/v1/sessions?user_id=user-test-{absent}", "user_not_found"),
        ("DELETE", "/v1/users/oauth/oauth-user-test-{absent}", "oauth_user_registration_not_found"),
        ("DELETE", "/v1/users/emails/email-test-{absent}", "email_not_found"),
        ("DELETE", "/v1/users/phone_numbers/phone-number-test-{absent}", "phone_number_not_found"),
    ],
)
def test_what_is_not_there_is_a_typed_404(dev: Rig, method: str, path: str, error_type: str) -> None:
    reply = dev.call(method, path.format(absent=uuid4()), {} if method == "PUT" else None)
    assert (reply.status, reply.json["error_type"]) == (404, error_type)


def test_the_things_of_one_project_are_not_there_for_another(minds: dict[str, Rig]) -> None:
    plain, other = minds["plain"], minds["other"]
    made = plain.sign_in("google", plain.persona())
    user = made.user_id
    mine = f"/v1/users/{user}"
    tried: list[tuple[str, str, Any, str]] = [
        ("GET", mine, None, "user_not_found"),
        ("PUT", mine, {"name": {"first_name": "X"}}, "user_not_found"),
        ("DELETE", mine, None, "user_not_found"),
        ("DELETE", f"{mine}/external_id", None, "user_not_found"),
        ("GET", f"{mine}/connected_apps", None, "user_not_found"),
        ("POST", f"{mine}/connected_apps/x/revoke", {}, "user_not_found"),
        ("GET", f"/v1/sessions?user_id={user}", None, "user_not_found"),
        (
            "DELETE",
            f"/v1/users/oauth/{made.oauth_user_registration_id}",
            None,
            "oauth_user_registration_not_found",
        ),
        ("DELETE", f"/v1/users/emails/{made.user.emails[0].email_id}", None, "email_not_found"),
        (
            "POST",
            "/v1/sessions/revoke",
            {"session_id": made.user_session.session_id},
            "session_not_found",
        ),
        (
            "POST",
            "/v1/sessions/authenticate",
            {"session_token": made.session_token},
            "session_not_found",
        ),
        ("POST", "/v1/oauth/attach", {"provider": "google", "user_id": user}, "user_not_found"),
    ]
    for method, path, body, error_type in tried:
        reply = other.call(method, path, body)
        assert (reply.status, reply.json["error_type"]) == (404, error_type), path
    assert plain.client.sessions.authenticate(session_token=made.session_token).user == made.user


def phone() -> str:
    return f"+1{uuid4().int % 10**10:010d}"
