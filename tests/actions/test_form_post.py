"""Apple answers by a form that comes from another site: whole trips of a real browser, through both wires."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from oneself.actions import projects
from oneself.actions.runtime import Runtime
from oneself.emulator.players import endpoints_for
from oneself.model import ProjectConfig, ProviderCredentials, Secret
from oneself.wire.stack.app import create_app as stack_app
from oneself.wire.stytch.app import create_app as stytch_app
from tests.actions.conftest import CHALLENGE, LOGIN, SIGNUP, VERIFIER, World
from tests.chromium import launched

BACK = "http://localhost:3000/handler"


@dataclass
class Seen:
    """What the browser asked for on its way home: method, address without its query, and the cookies it sent."""

    method: str
    address: str
    cookie: str


async def with_apple(world: World) -> None:
    """Give the project credentials at the emulated Apple, which wants a secret that is signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    entry = ProviderCredentials(
        config_id="apple",
        provider="apple",
        client_id="com.example.web",
        client_secret=await projects.seal_client_secret(world.rt, world.project.id, "apple", pem),
        endpoints=endpoints_for("apple", world.emulator),
        trusted_email_domains=("*",),
        options={"key_id": "K1", "team_id": "T1"},
    )

    def changed(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, providers=(*config.providers, entry))

    world.project = await projects.change_config(world.rt, world.project, changed)


@asynccontextmanager
async def served(world: World, make: Callable[[Runtime], Any]) -> AsyncIterator[str]:
    """Serve one wire at another site than the emulator's; its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        base_url = f"http://localhost:{listening.getsockname()[1]}"
        settings = dataclasses.replace(world.rt.settings, base_url=base_url)
        world.rt = dataclasses.replace(world.rt, settings=settings)
        app = make(world.rt)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield base_url
        finally:
            server.should_exit = True
            await running


async def travelled(start: str, callback: str, home: tuple[str, ...]) -> tuple[dict[str, list[str]], list[Seen]]:
    """Go from `start` over Apple's page back to the application: what arrives there, and the calls of our callback."""
    seen: list[Seen] = []
    async with launched() as browser:
        page = await browser.new_page()
        arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def note(request: Any) -> None:
            address = request.url.partition("?")[0]
            if address.startswith(callback):
                headers = await request.all_headers()
                seen.append(Seen(request.method, address, headers.get("cookie", "")))
            if address in home and not arrived.done():
                arrived.set_result(request.url)

        page.on("request", note)
        await page.goto(start)
        await page.get_by_role("button", name="Ada Byron").click(no_wait_after=True)
        url = await asyncio.wait_for(arrived, 20)
        # the headers of the last requests are told a moment later
        for _ in range(50):
            if len(seen) == 2:
                break
            await asyncio.sleep(0.1)
    return parse_qs(urlsplit(url).query), seen


def went_round(seen: list[Seen], cookie: str) -> None:
    """The form came without the trip's cookie, and was sent on to a GET that carried it."""
    assert [one.method for one in seen] == ["POST", "GET"], seen
    assert cookie in seen[1].cookie


@pytest.mark.browser
async def test_apple_through_stytchs_dialect(world: World) -> None:
    await with_apple(world)
    async with served(world, stytch_app) as base_url:
        query = {"public_token": world.project.stytch_public_token, "code_challenge": CHALLENGE}
        start = f"{base_url}/v1/public/oauth/apple/start?{urlencode(query)}"
        came, seen = await travelled(start, f"{base_url}/v1/oauth/callback/", (LOGIN, SIGNUP))
    went_round(seen, "oneself-trip-")
    assert "oneself-trip-" not in seen[0].cookie
    ended = await world.redeem(came["token"][0], verifier=Secret(VERIFIER))
    assert ended.created
    assert ended.account.provider == "apple"
    # the name comes once, in the form and nowhere else
    assert ended.view.user.first_name == "Ada"


@pytest.mark.browser
async def test_apple_through_stacks_dialect(world: World) -> None:
    await with_apple(world)
    async with served(world, stack_app) as base_url:
        query = {
            "client_id": world.project.stack_id,
            "client_secret": "__stack_public_client__",
            "redirect_uri": BACK,
            "scope": "legacy",
            "state": "s",
            "grant_type": "authorization_code",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "response_type": "code",
        }
        start = f"{base_url}/api/v1/auth/oauth/authorize/apple?{urlencode(query)}"
        came, seen = await travelled(start, f"{base_url}/api/v1/auth/oauth/callback/apple", (BACK,))
    went_round(seen, "stack-oauth-inner-")
    assert came["state"] == ["s"]
    ended = await world.redeem(came["code"][0], dialect="stack", verifier=Secret(VERIFIER), redirect_uri=BACK)
    assert ended.view.user.first_name == "Ada"
