"""Every method that the vendor's SDKs for backends export is called, by the lists that they give, or named."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
import stytch
from stytch.core.response_base import StytchError

from tests import node_run
from tests.stytch.rig import Rig
from tests.stytch.test_migrate import id_token
from tests.stytch.test_users import phone

IN_SCOPE = ("oauth", "users", "sessions", "passwords")
# Whole products that are no part of this server: their paths are `route_not_found`.
PRODUCTS = {
    *("connected_app", "crypto_wallets", "debug", "fraud", "idp", "impersonation", "m2m", "magic_links", "otps"),
    *("project", "rbac", "totps", "webauthn"),
}
# Passwords are here for coming over and for the vendor's own suites, not as a product.
LEFT_OUT = {"passwords.migrate", "passwords.strength_check"}
# What a client holds that is no product.
PARTS = {"api_base", "fraud_api_base", "sync_client", "async_client", "jwks_client"}

Ask = Callable[..., Awaitable[Any]]


def exported(client: stytch.Client, suffix: str) -> set[str]:
    """The methods of the products in scope, those that wait or those that do not."""
    found = set()
    for product in IN_SCOPE:
        for name, _ in inspect.getmembers(getattr(client, product), callable):
            if not name.startswith("_") and name.endswith("_async") == bool(suffix):
                found.add(f"{product}.{name.removesuffix(suffix)}")
    return found


class Half:
    """One half of the SDK, and what was called of it."""

    def __init__(self, rig: Rig, suffix: str) -> None:
        self.client = rig.fresh_client()  # its connections belong to one event loop
        self.suffix = suffix
        self.called: set[str] = set()

    async def __call__(self, name: str, /, **named: Any) -> Any:
        self.called.add(name)
        product, _, method = name.partition(".")
        answer = getattr(getattr(self.client, product), method + self.suffix)(**named)
        if inspect.isasyncgen(answer):
            return [page async for page in answer]
        return await answer if inspect.isawaitable(answer) else answer


async def refusal(ask: Ask, name: str, /, **named: Any) -> str | None:
    with pytest.raises(StytchError) as caught:
        await ask(name, **named)
    return caught.value.details.error_type


async def everything(ask: Ask, rig: Rig, elsewhere: Rig) -> None:
    """Each method once, in an order in which the earlier ones make what the later ones use."""
    email, other = rig.persona().email, rig.persona().email
    made = await ask("users.create", email=email, external_id=f"x{uuid4().hex}")
    user = {"user_id": made.user_id}
    assert (await ask("users.get", **user)).emails[0].email == email
    assert (await ask("users.update", **user, name={"first_name": "U"})).user.name.first_name == "U"
    wanted = {"operator": "AND", "operands": [{"filter_name": "email_address", "filter_value": [email]}]}
    assert (await ask("users.search", query=wanted)).results_metadata.total == 1
    pages = list(await ask("users.search_all", query=wanted, limit=1))
    assert [each.user_id for page in pages for each in page.results] == [made.user_id]
    assert (await ask("users.delete_external_id", **user)).user.external_id is None
    exchanged = await ask("users.exchange_primary_factor", **user, email_address=other)
    assert exchanged.user.emails[0].email == other
    assert (await ask("users.connected_apps", **user)).connected_apps == []
    assert await refusal(ask, "users.revoke", **user, connected_app_id="x") == "connected_app_not_found"

    tokens = []
    for provider in ("google", "github"):
        ticket = (await ask("oauth.attach", provider=provider, **user)).oauth_attach_token
        token = rig.trip(provider, rig.persona().id, oauth_attach_token=ticket)
        tokens.append(await ask("oauth.authenticate", token=token, session_duration_minutes=60))
    google, github = tokens
    registration = github.oauth_user_registration_id
    unlinked = await ask("users.delete_oauth_registration", oauth_user_registration_id=registration)
    assert [each.provider_type for each in unlinked.user.providers] == ["Google"]
    left = await ask("users.delete_email", email_id=exchanged.user.emails[0].email_id)
    assert [each.email for each in left.user.emails if each.email == other] == []

    shown = await ask("sessions.authenticate", session_token=google.session_token)
    assert shown.session.session_id == google.user_session.session_id
    jwt = shown.session_jwt
    assert (await ask("sessions.authenticate_jwt_local", session_jwt=jwt)).session_id == shown.session.session_id
    assert (await ask("sessions.authenticate_jwt", session_jwt=jwt)).session.user_id == made.user_id
    assert len((await ask("sessions.get", **user)).sessions) == 1
    assert (await ask("sessions.get_jwks", project_id=rig.project_id)).keys[0].kty == "RSA"
    assert (await ask("sessions.revoke", session_jwt=jwt)).status_code == 200
    assert await refusal(ask, "sessions.authenticate", session_token=google.session_token) == "session_not_found"
    over = await ask("sessions.migrate", session_token=id_token(elsewhere, elsewhere.persona()))
    assert over.user_id.startswith("user-test-")
    assert await refusal(ask, "sessions.attest", profile_id="x", token="x") == "product_not_configured"
    foreign = await refusal(ask, "sessions.exchange_access_token", access_token="x")
    assert foreign == "product_not_configured"

    account = {"email": rig.persona().email, "password": "correct horse"}
    owner = await ask("passwords.create", **account)
    assert (await ask("passwords.authenticate", **account)).user_id == owner.user_id
    bare = await ask("users.delete_password", password_id=owner.user.password.password_id)
    assert bare.user.password is None
    called = await ask("users.create", email=rig.persona().email, phone_number=phone())
    quiet = await ask("users.delete_phone_number", phone_id=called.phone_id)
    assert quiet.user.phone_numbers == []
    for name, kind in (
        ("totp", "totp"),
        ("crypto_wallet", "crypto-wallet"),
        ("webauthn_registration", "webauthn-registration"),
        ("biometric_registration", "biometric-registration"),
    ):
        absent = {f"{name}_id": f"{kind}-test-{uuid4()}"}
        assert await refusal(ask, f"users.delete_{name}", **absent) == f"{name}_not_found"
    assert (await ask("users.delete", **user)).user_id == made.user_id


@pytest.mark.parametrize("suffix", ["", "_async"], ids=["synchronous", "asynchronous"])
def test_every_method_of_the_python_sdk_works_or_is_named(minds: dict[str, Rig], suffix: str) -> None:
    async def work() -> Half:
        half = Half(minds["migrating"], suffix)
        await everything(half, minds["migrating"], minds["plain"])
        return half

    half = asyncio.run(work())
    assert half.called | LEFT_OUT == exported(half.client, suffix)
    assert half.called.isdisjoint(LEFT_OUT)


def test_every_product_of_the_python_sdk_is_in_scope_or_named(dev: Rig) -> None:
    held = {name for name in vars(dev.client) if not name.startswith("_")}
    assert held - PARTS == {*IN_SCOPE, *PRODUCTS}


@pytest.mark.node
def test_every_method_of_the_node_sdk_works_or_is_named(minds: dict[str, Rig]) -> None:
    rig, elsewhere = minds["migrating"], minds["plain"]
    said = node_run.run(
        "stytch_methods.mjs",
        send={
            "base_url": rig.base_url,
            "project_id": rig.project_id,
            "secret": rig.secret,
            "emails": [rig.persona().email for _ in range(4)],
            "phone": phone(),
            "trips": [rig.trip("google", rig.persona().id)],
            "migrated": id_token(elsewhere, elsewhere.persona()),
        },
    )
    assert said["unexpected"] == []
    assert set(said["called"]) | {"passwords.migrate", "passwords.strengthCheck"} == set(said["exported"])
    camel = {"".join(part.title() if at else part for at, part in enumerate(name.split("_"))) for name in PRODUCTS}
    assert set(said["products"]) == {*IN_SCOPE, *camel}
