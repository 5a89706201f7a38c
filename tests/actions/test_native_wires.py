"""Sign-in on a device through both wires: Google's tokens in Stytch's dialect, Apple's in Stack's."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oneself.actions import attach, projects
from oneself.actions.attach import AttachAsker
from oneself.actions.native import APPS
from oneself.emulator.players import endpoints_for
from oneself.model import ProjectConfig, ProviderCredentials, Secret
from oneself.providers import registry
from oneself.upstream.client import resolve
from oneself.upstream.tokens import exchange_code
from oneself.wire.http import Reply, Request
from oneself.wire.stack.dispatch import dispatcher
from oneself.wire.stack.routes import routes
from oneself.wire.stytch.dispatch import Pipeline
from oneself.wire.stytch.routes import ROUTES
from tests.actions.conftest import World, session_ref
from tests.actions.test_native import APP, configured, id_token
from tests.stack.golden import ALWAYS, JSON

GOOGLE = "/sdk/v1/oauth/google/id_token/authenticate"
APPLE = "/api/v1/auth/oauth/callback/apple/native"
REDIRECT = "https://app.example/callback"


async def google(world: World, session: str = "", **body: Any) -> tuple[int, dict[str, Any]]:
    """The call of Stytch's mobile SDK: its status, and its data or its error."""
    route = next(one for one in ROUTES if one.template == GOOGLE)
    public = world.project.stytch_public_token
    pair = base64.b64encode(f"{public}:{session or public}".encode()).decode()
    headers = {"authorization": f"Basic {pair}"}
    raw = json.dumps({"session_duration_minutes": 60, **body}).encode()
    reply = await Pipeline(world.rt)(route, Request("POST", GOOGLE, "", headers, raw, "127.0.0.1", {}), 200)
    told = json.loads(reply.body)
    return reply.status, told.get("data", told)


async def apple(world: World, **body: Any) -> tuple[int, dict[str, Any]]:
    """The call of Stack's app: its status and its body."""
    reply = await apple_reply(world, **body)
    return reply.status, json.loads(reply.body)


async def apple_reply(world: World, **body: Any) -> Reply:
    """The same call's whole answer."""
    route = next(one for one in routes() if one.template == APPLE)
    headers = {
        "x-stack-access-type": "client",
        "x-stack-project-id": world.project.stack_id,
        "content-type": "application/json",
    }
    raw = json.dumps(body).encode()
    return await dispatcher(world.rt)(route, Request("POST", APPLE, "", headers, raw, "127.0.0.1", {}), 200)


async def with_apple(world: World, **changes: Any) -> None:
    """Give the project credentials at Apple."""
    wanted: dict[str, Any] = {
        "config_id": "apple",
        "provider": "apple",
        "client_id": "com.example.web",
        "endpoints": endpoints_for("apple", world.emulator),
        "trusted_email_domains": ("*",),
        "options": {APPS: APP},
    }
    entry = ProviderCredentials(**(wanted | changes))

    def changed(config: ProjectConfig) -> ProjectConfig:
        others = tuple(one for one in config.providers if one.config_id != "apple")
        return msgspec.structs.replace(config, providers=(*others, entry))

    world.project = await projects.change_config(world.rt, world.project, changed)


async def apple_token(world: World, persona: str = "ada", client: str = APP, **asked: str) -> str:
    """What the emulated Apple gives an app of that bundle id."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    credentials = ProviderCredentials(
        config_id="apple",
        provider="apple",
        client_id=client,
        endpoints=endpoints_for("apple", world.emulator),
        options={"key_id": "K1", "team_id": "T1"},
    )
    whole = resolve(registry.get("apple"), credentials, Secret(pem))
    query = {
        "client_id": client,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "response_mode": "form_post",
        "scope": "email",
        "login_hint": persona,
    } | asked
    async with world.http.get(f"{whole.address('authorization')}?{urlencode(query)}") as answer:
        page = await answer.text()
    code = re.search(r'name="code" value="([^"]+)"', page)
    assert code is not None, page
    return (await exchange_code(world.rt.outbound, whole, html.unescape(code[1]), REDIRECT, None)).text("id_token")


async def test_google_in_stytchs_dialect(world: World) -> None:
    await configured(world, options={APPS: APP})
    token = (await id_token(world, nonce="n")).reveal()
    status, made = await google(world, id_token=token, nonce="n")
    assert status == 200, made
    assert made["user_created"] is True
    assert made["provider_type"] == "Google"
    assert made["session"]["user_id"] == made["user"]["user_id"] == made["user_id"]
    assert made["session_token"]
    assert made["session_jwt"].count(".") == 2
    assert [one["email"] for one in made["user"]["emails"]] == ["ada@corp.example"]
    assert (await google(world, id_token=token, nonce="n"))[1]["user_created"] is False
    status, refused = await google(world, id_token=token, nonce="other")
    assert (status, refused["error_type"]) == (400, "oauth_invalid_id_token")
    status, refused = await google(world, id_token=token, nonce="n", oauth_attach_token="x")
    assert (status, refused["error_type"]) == (400, "invalid_oauth_attach_token")


async def test_google_attached_to_who_is_signed_in(world: World) -> None:
    ada = await world.sign_in("github", "ada")
    ref = session_ref(ada)
    assert ref.token is not None
    ticket = await attach.reserve(world.rt, world.project, "google", AttachAsker(session=ref))
    token = (await id_token(world, "grace", client="google-client")).reveal()
    status, linked = await google(world, session=ref.token.reveal(), id_token=token, oauth_attach_token=ticket.reveal())
    assert status == 200, linked
    assert linked["user_id"].endswith(ada.view.user.id)
    assert linked["user_created"] is False
    assert len(linked["user"]["providers"]) == 2


async def test_apple_in_stacks_dialect(world: World) -> None:
    await with_apple(world)
    token = await apple_token(world, nonce="n")
    status, made = await apple(world, id_token=token)
    assert status == 200, made
    assert set(made) == {"access_token", "refresh_token", "user_id", "is_new_user"}
    assert made["is_new_user"] is True
    again = await apple(world, id_token=await apple_token(world), extra="passes")
    assert (again[1]["user_id"], again[1]["is_new_user"]) == (made["user_id"], False)
    assert (await apple(world, id_token=token, nonce="n"))[0] == 200
    whole = await apple_reply(world, id_token=token)
    named = [name for name, _ in whole.headers] + [name.decode() for name, _ in whole.fixed]
    assert whole.content_type == JSON
    assert sorted(named) == sorted({*ALWAYS, "access-control-allow-headers", "x-stack-request-id"})
    assert (await apple(world, id_token=token, nonce="m"))[1]["code"] == "INVALID_APPLE_CREDENTIALS"


@pytest.mark.parametrize("bad", ["", "x", "a.b.c", "e30.e30.e30", "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.c2ln"])
async def test_what_is_no_token_of_apples(world: World, bad: str) -> None:
    await with_apple(world)
    before = await keys_asked_for(world)
    status, refused = await apple(world, id_token=bad)
    assert (status, refused["code"]) == (400, "INVALID_APPLE_CREDENTIALS")
    assert await keys_asked_for(world) == before


async def keys_asked_for(world: World) -> int:
    """How often Apple's keys were fetched."""
    async with world.http.get(f"{world.emulator}/_control/counts") as answer:
        return int((await answer.json()).get("apple.jwks", 0))


async def test_apple_where_it_cannot_be(world: World) -> None:
    token = await apple_token(world, client="com.example.web")
    assert (await apple(world, id_token=token))[1]["code"] == "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"
    await with_apple(world, options={})
    assert (await apple(world, id_token=token))[1]["code"] == "APPLE_BUNDLE_ID_NOT_CONFIGURED"
    await with_apple(world)
    # made for the web client, which is none of the project's apps
    assert (await apple(world, id_token=token))[1]["code"] == "INVALID_APPLE_CREDENTIALS"
    await with_apple(world, allow_sign_in=False)
    assert (await apple(world, id_token=token))[1]["code"] == "OAUTH_PROVIDER_NOT_FOUND_OR_NOT_ENABLED"
    assert (await apple(world))[1]["code"] == "SCHEMA_ERROR"
