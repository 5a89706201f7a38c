"""Sign-in on a device: id_tokens that the emulated providers gave an app, redeemed from a ticket or from nothing."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest

from oneself.actions import attach, history, native, projects
from oneself.actions.attach import AttachAsker
from oneself.actions.native import APPS, NativeRequest
from oneself.actions.redeem import Redeemed
from oneself.faults import Fault, FaultCode
from oneself.model import ProjectConfig, ProviderCredentials, Secret
from tests.actions.conftest import WISH, World, session_ref
from tests.actions.test_counts import holds
from tests.actions.test_races import outcomes

APP = "com.example.app"


async def id_token(world: World, persona: str = "ada", client: str = APP, **asked: str) -> Secret:
    """What the device gets: the emulated Google's id_token for the app's own client id."""
    redirect = "http://localhost:3000/app"
    query = {
        "client_id": client,
        "redirect_uri": redirect,
        "response_type": "code",
        "scope": "openid email profile",
        "login_hint": persona,
    } | asked
    google = f"{world.emulator}/google"
    async with world.http.get(f"{google}/o/oauth2/v2/auth?{urlencode(query)}", allow_redirects=False) as answer:
        code = dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": client}
    async with world.http.post(f"{google}/token", data=form | {"client_secret": "x"}) as answer:
        return Secret((await answer.json())["id_token"])


async def sign_in(world: World, token: Secret, **wanted: Any) -> Redeemed:
    values: dict[str, Any] = {"dialect": "stytch", "config_id": "google", "session": WISH} | wanted
    return await native.redeem(world.rt, world.project, NativeRequest(id_token=token, **values))


async def refused(world: World, token: Secret, **wanted: Any) -> FaultCode:
    with pytest.raises(Fault) as caught:
        await sign_in(world, token, **wanted)
    return caught.value.code


async def configured(world: World, **changes: Any) -> None:
    """Change the project's Google credentials."""

    def changed(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, providers=tuple(_changed(one, changes) for one in config.providers))

    world.project = await projects.change_config(world.rt, world.project, changed)


def _changed(one: ProviderCredentials, changes: dict[str, Any]) -> ProviderCredentials:
    return msgspec.structs.replace(one, **changes) if one.config_id == "google" else one


@pytest.fixture
async def app(world: World) -> World:
    """A project that names its app."""
    await configured(world, options={APPS: f"{APP} another.app"})
    return world


async def test_a_new_person_signs_up_on_a_device_and_is_the_same_in_a_browser(app: World) -> None:
    async with app.count() as counts:
        made = await sign_in(app, await id_token(app, nonce="n-1"), nonce=Secret("n-1"))
    # the redeem of a new user, without a grant to take and without tokens to keep
    holds(counts, 7, 1)
    assert made.created
    assert made.session is not None
    assert [email.address for email in made.view.emails] == ["ada@corp.example"]
    again = await sign_in(app, await id_token(app))
    assert (again.created, again.view.user.id) == (False, made.view.user.id)
    browser = await app.sign_in("google", "ada")
    assert (browser.created, browser.account.id) == (False, made.account.id)
    entries = await history.of_user(app.rt, app.project, made.view.user.id, 9)
    assert "native.sign_in" in {entry.action for entry in entries}


async def test_a_token_of_the_web_client_counts_where_the_wire_says_so(app: World) -> None:
    token = await id_token(app, client="google-client")
    assert await refused(app, token, web_client=False) is FaultCode.ID_TOKEN_INVALID
    assert (await sign_in(app, token)).created


async def test_a_nonce_is_held_against_the_token(app: World) -> None:
    hashed = await id_token(app, nonce=hashlib.sha256(b"secret").hexdigest())
    assert (await sign_in(app, hashed, nonce=Secret("secret"))).created
    bound = await id_token(app, nonce="n-1")
    assert await refused(app, bound, nonce=Secret("n-2")) is FaultCode.ID_TOKEN_INVALID
    assert await refused(app, bound) is FaultCode.ID_TOKEN_INVALID
    assert not (await sign_in(app, bound, nonce_needed=False)).created
    assert await refused(app, await id_token(app), nonce=Secret("n-1")) is FaultCode.ID_TOKEN_INVALID


async def test_a_token_for_somebody_elses_app_is_refused(app: World) -> None:
    assert await refused(app, await id_token(app, client="com.evil.app")) is FaultCode.ID_TOKEN_INVALID
    good = (await id_token(app)).reveal()
    assert await refused(app, Secret(good[:-8] + "AAAAAAAA")) is FaultCode.ID_TOKEN_INVALID
    assert await refused(app, Secret("a.b.c")) is FaultCode.ID_TOKEN_INVALID
    app.clock.ahead = 2 * 3600 * 1_000_000
    assert await refused(app, Secret(good)) is FaultCode.ID_TOKEN_INVALID


async def test_without_an_app_and_without_sign_in(world: World) -> None:
    token = await id_token(world)
    assert await refused(world, token, web_client=False) is FaultCode.PROVIDER_NOT_NATIVE
    assert await refused(world, token, config_id="github") is FaultCode.PROVIDER_NOT_NATIVE
    assert await refused(world, token, config_id="apple") is FaultCode.PROVIDER_NOT_CONFIGURED
    await configured(world, allow_sign_in=False, options={APPS: APP})
    assert await refused(world, token) is FaultCode.PROVIDER_NOT_ENABLED


async def test_a_ticket_links_to_its_user_once(app: World) -> None:
    ada = await app.sign_in("github", "ada")
    asker = AttachAsker(session=session_ref(ada))
    ticket = await attach.reserve(app.rt, app.project, "google", asker)
    token = await id_token(app, "grace")
    # somebody who found the ticket has no session of ada's
    assert await refused(app, token, ticket=ticket) is FaultCode.ATTACH_PROOF_MISSING
    assert await refused(app, token, ticket=ticket, join=session_ref(ada)) is FaultCode.TICKET_INVALID
    ticket = await attach.reserve(app.rt, app.project, "google", asker)
    linked = await sign_in(app, token, ticket=ticket, join=session_ref(ada))
    assert linked.view.user.id == ada.view.user.id
    assert not linked.created
    assert await refused(app, token, ticket=ticket, join=session_ref(ada)) is FaultCode.TICKET_INVALID
    other = await attach.reserve(app.rt, app.project, "spotify", asker)
    assert await refused(app, token, ticket=other, join=session_ref(ada)) is FaultCode.TICKET_INVALID
    assert await refused(app, token, ticket=Secret("no-ticket")) is FaultCode.TICKET_INVALID


async def test_one_new_person_with_many_tokens_at_once_is_one_user(app: World) -> None:
    """A device that tries again, and a backend that brings sessions over, may do so all at the same time."""
    tokens = [await id_token(app, "grace") for _ in range(8)]
    made = await asyncio.gather(*(sign_in(app, token) for token in tokens))
    assert len({one.view.user.id for one in made}) == 1
    assert [one.created for one in made].count(True) == 1
    assert len({one.account.id for one in made}) == 1


async def test_one_ticket_used_many_times_at_once_links_once(app: World) -> None:
    ada = await app.sign_in("github", "ada")
    ticket = await attach.reserve(app.rt, app.project, "google", AttachAsker(user_id=ada.view.user.id))
    await app.control("personas", id="hopper", name="Another One", email="hopper@corp.example")
    tokens = [await id_token(app, persona) for persona in ("grace", "hopper") for _ in range(4)]
    linked, codes = await outcomes([sign_in(app, token, ticket=ticket) for token in tokens])
    assert [one.view.user.id for one in linked] == [ada.view.user.id]
    assert codes == [FaultCode.TICKET_INVALID] * (len(tokens) - 1)
