"""What changes in a project while somebody is at the provider: the callback decides on what is there by then."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.stack.golden import TEXT, check_headers, check_known
from tests.stack.owners import OwnedStack, Owner
from tests.stack.test_projects import keyed, make_keys
from tests.stack.wire import RETURN_URL, Answer, Providers, Trip, query_of

KEY_NEEDED = (
    "Publishable client keys are required for this project. Create one in Project Keys, or disable this requirement "
    "there to allow keyless client access."
)


@pytest.fixture
def project(owner: Owner) -> OwnedStack:
    return owner.project(oauth_providers=[{"id": "google", "type": "shared"}])


def told(landed: Answer, code: str, words: str, details: Any) -> None:
    """The known error went to the application, whole."""
    assert landed.status == 307
    assert landed.location.startswith(RETURN_URL + "?")
    assert query_of(landed.location) == {
        "error": "server_error",
        "error_description": words,
        "errorCode": code,
        "message": words,
        "details": json.dumps(details, separators=(",", ":")),
    }
    assert len(landed.cookies) == 1
    check_headers(landed, TEXT, location=landed.location)


def away(project: OwnedStack, providers: Providers, key: str = "__stack_public_client__") -> tuple[Any, Trip, str]:
    """Somebody who has signed in at the provider and is about to come back."""
    speaking = replace(project, client_key=key)
    trip = speaking.start("google")
    return speaking, trip, speaking.visit(trip, providers.newcomer())


def test_the_key_was_revoked(project: OwnedStack, providers: Providers) -> None:
    keys = make_keys(project)
    kept = keyed(project, make_keys(project))
    lost, trip, path = away(project, providers, keys["publishable_client_key"])
    _, twin, twin_path = away(project, providers, kept.client_key)
    project.ok("PATCH", f"/internal/api-keys/{keys['id']}", {"revoked": True}, access="admin")
    told(
        lost.land(trip, path),
        "INVALID_PUBLISHABLE_CLIENT_KEY",
        f'The publishable key is not valid for the project "{project.project_id}". Does the project and/or the key '
        "exist?",
        {"project_id": project.project_id},
    )
    assert kept.redeem(twin, kept.land(twin, twin_path)).status == 200


def test_a_key_is_asked_for_by_now(project: OwnedStack, providers: Providers) -> None:
    kept = keyed(project, make_keys(project))
    keyless, trip, path = away(project, providers)
    _, twin, twin_path = away(project, providers, kept.client_key)
    required = {"config_override_string": json.dumps({"project.requirePublishableClientKey": True})}
    project.ok("PATCH", "/internal/config/override/project", required, access="admin")
    details = {"project_id": project.project_id}
    told(keyless.land(trip, path), "PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT", KEY_NEEDED, details)
    assert kept.redeem(twin, kept.land(twin, twin_path)).status == 200


def test_the_provider_is_gone(project: OwnedStack, providers: Providers) -> None:
    words = "The OAuth provider is not found or not enabled."
    keyless, trip, path = away(project, providers)
    project.ok("PATCH", "/internal/projects/current", {"config": {"oauth_providers": []}}, access="admin")
    told(keyless.land(trip, path), "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED", words, {})


def test_the_provider_may_not_sign_in_any_more(project: OwnedStack, providers: Providers) -> None:
    words = "The OAuth provider is not found or not enabled."
    keyless, trip, path = away(project, providers)
    project.configure(auth__oauth__providers__google__allowSignIn=False)
    told(keyless.land(trip, path), "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED", words, {})
    project.configure(auth__oauth__providers__google__allowSignIn=True)
    again, trip, path = away(project, providers)
    assert again.redeem(trip, again.land(trip, path)).status == 200


def test_the_return_is_not_trusted_any_more(project: OwnedStack, providers: Providers) -> None:
    keyless, trip, path = away(project, providers)
    project.configure(domains__allowLocalhost=False)
    landed = keyless.land(trip, path)
    check_known(
        replace(landed, cookies=[]),
        400,
        "REDIRECT_URL_NOT_WHITELISTED",
        "Redirect URL not whitelisted. Did you forget to add this domain to the trusted domains list on the Stack "
        "Auth dashboard?",
    )
    assert len(landed.cookies) == 1


def test_the_address_is_somebodys_by_now(project: OwnedStack, providers: Providers) -> None:
    """The decision is made again at redemption, on what is there by then; the code is spent."""
    keyless = replace(project, client_key="__stack_public_client__")
    trip, persona = keyless.start("google"), providers.newcomer()
    landed = keyless.land(trip, keyless.visit(trip, persona))
    assert landed.status == 303
    email = f"{persona}@corp.example"
    project.ok("POST", "/users", {"primary_email": email, "primary_email_auth_enabled": True})
    check_known(
        keyless.redeem(trip, landed),
        409,
        "CONTACT_CHANNEL_ALREADY_USED_FOR_AUTH_BY_SOMEONE_ELSE",
        f'This email "({email})" is already used for authentication by another account but the email is not verified. '
        "Please login to your existing account with the method you used to sign up, and then verify your email to sign "
        "in with this login method.",
        {"type": "email", "contact_channel_value": email, "would_work_if_email_was_verified": True},
    )
    assert keyless.redeem(trip, landed).code == "INVALID_AUTHORIZATION_CODE"
