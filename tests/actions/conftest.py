"""A whole core without a wire: a runtime on each engine, a project, and a browser of few words."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import uvicorn

from oneself.actions import callback, projects, redeem, start
from oneself.actions.callback import CallbackRequest, Landing
from oneself.actions.projects import Declaration, DeclaredProvider
from oneself.actions.redeem import Redeemed, RedeemRequest
from oneself.actions.runtime import ProjectDirectory, Runtime, Settings
from oneself.actions.start import Started, StartRequest
from oneself.crypto import pkce
from oneself.crypto.seal import KeyRing, generate_line
from oneself.emulator.app import create_emulator
from oneself.emulator.players import endpoints_for
from oneself.model import (
    Policy,
    Project,
    ProjectConfig,
    ProviderCredentials,
    RedirectUrl,
    Secret,
    SessionRef,
    TrustedDomain,
)
from oneself.rules.lifetimes import DAY
from oneself.steps.sessions import SessionWish
from oneself.store.database import Database
from oneself.store.opening import open_database
from oneself.upstream.http import Outbound
from tests.postgres_server import Cluster
from tests.store.counting import Counts, counted

LOGIN = "http://localhost:3000/authenticate"
SIGNUP = "http://localhost:3000/welcome"
VERIFIER = "v" * 43
CHALLENGE = pkce.challenge_s256(VERIFIER)
WISH = SessionWish(kind="stytch", lifetime=DAY)


@dataclass
class Clock:
    """The machine's clock, which a test may push forward."""

    ahead: int = 0

    def __call__(self) -> int:
        return time.time_ns() // 1000 + self.ahead


@dataclass
class World:
    """Everything that a test of the core needs, and the trips that most of them make."""

    rt: Runtime
    project: Project
    emulator: str
    clock: Clock
    cluster: Cluster | None
    http: aiohttp.ClientSession = field(repr=False)

    def count(self) -> AbstractAsyncContextManager[Counts]:
        """Count statements and commits at the database itself."""
        return counted(self.rt.db, self.cluster)

    async def begin(self, provider: str = "google", persona: str = "ada", **wanted: Any) -> Started:
        """Start a trip as an application of Stytch's dialect would, unless told otherwise."""
        request: dict[str, Any] = {
            "dialect": "stytch",
            "config_id": provider,
            "callback_url": "http://localhost:8000/callback",
            "check_urls": True,
            "extra_params": {"login_hint": persona},
        } | wanted
        return await start.begin(self.rt, self.project, StartRequest(**request))

    async def visit(self, location: str) -> dict[str, str]:
        """Let the emulated person answer; what the provider sends back to our callback URI."""
        async with self.http.get(location, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def land(self, started: Started, params: dict[str, str], **came: Any) -> Landing:
        """Come back to our callback with the browser's cookie."""
        values = {"dialect": "stytch", "state": started.state, "params": params, "cookie": started.cookie} | came
        return await callback.finish(self.rt, CallbackRequest(**values))

    async def grant(self, provider: str = "google", persona: str = "ada", **wanted: Any) -> str:
        """A whole trip up to its grant."""
        started = await self.begin(provider, persona, **wanted)
        landing = await self.land(started, await self.visit(started.location), dialect=wanted.get("dialect", "stytch"))
        if landing.fault:
            raise landing.fault
        return landing.grant

    async def redeem(self, grant: str, **wanted: Any) -> Redeemed:
        """Redeem a grant for a session of a day."""
        values: dict[str, Any] = {"dialect": "stytch", "grant": Secret(grant), "session": WISH} | wanted
        return await redeem.redeem(self.rt, self.project, RedeemRequest(**values))

    async def sign_in(self, provider: str = "google", persona: str = "ada", **wanted: Any) -> Redeemed:
        """A whole trip, redeemed."""
        return await self.redeem(await self.grant(provider, persona, **wanted))

    async def control(self, path: str, method: str = "POST", **body: Any) -> Any:
        """Tell the emulator something, or ask it."""
        async with self.http.request(method, f"{self.emulator}/_control/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def with_policy(self, dialect: str = "stytch", **changes: Any) -> None:
        """Change the project's policy for a dialect."""
        change = projects.change_config

        def changed(config: ProjectConfig) -> ProjectConfig:
            policies = {**config.policies, dialect: Policy(**changes)}
            values = {name: getattr(config, name) for name in config.__struct_fields__}
            return ProjectConfig(**(values | {"policies": policies}))

        self.project = await change(self.rt, self.project, changed)


def session_ref(redeemed: Redeemed) -> SessionRef:
    """The session that a redeem opened."""
    assert redeemed.session_token is not None
    return SessionRef(token=redeemed.session_token)


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The emulated providers, served over real HTTP on a free port; their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    app = create_emulator(base, accept_any_client=True)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield base
    server.should_exit = True
    thread.join(timeout=5)


def declaration(emulator: str) -> Declaration:
    """A project with emulated providers, allowed return URIs and trusted domains."""
    providers = []
    for provider in ("google", "github", "spotify", "generic_oidc", "gitlab", "yahoo", "facebook"):
        issuer = f"{emulator}/oidc" if provider == "generic_oidc" else ""
        endpoints = {} if issuer else endpoints_for(provider, emulator)
        credentials = ProviderCredentials(
            config_id=provider,
            provider=provider,
            client_id="Iv1.test" if provider == "github" else f"{provider}-client",
            issuer=issuer,
            endpoints=endpoints,
            # Not the vendor's own host: without this its word on addresses counts for nothing.
            trusted_email_domains=() if provider == "generic_oidc" else ("*",),
        )
        providers.append(DeclaredProvider(credentials=credentials, client_secret=f"{provider}-secret"))
    config = ProjectConfig(
        redirect_urls=(
            RedirectUrl(url=LOGIN, signup=False, default=True),
            RedirectUrl(url=SIGNUP, login=False, default=True),
        ),
        trusted_domains=(TrustedDomain(base_url="https://app.example"),),
    )
    return Declaration(display_name="Test", providers=tuple(providers), config=config)


async def opened_runtime(db: Database, clock: Clock, ring: KeyRing, emulator: str, **settings: Any) -> Runtime:
    """A runtime over an open database."""
    host = urlsplit(emulator).netloc
    return Runtime(
        db=db,
        outbound=Outbound(frozenset({host}), clock=clock),
        ring=ring,
        clock=clock,
        random=os.urandom,
        projects=ProjectDirectory(db, ring, os.urandom),
        settings=Settings(base_url="http://localhost:8000", **settings),
    )


@pytest.fixture
async def world(migrated_url: str, emulator: str, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A core with a project, on each engine."""
    clock = Clock()
    db = await open_database(migrated_url, clock, clock_limit=None)
    cluster = request.getfixturevalue("postgres") if db.engine == "postgresql" else None
    rt = await opened_runtime(db, clock, KeyRing.parse(generate_line(os.urandom), os.urandom), emulator)
    created = await projects.create(rt, declaration(emulator))
    async with aiohttp.ClientSession() as http:
        await http.post(f"{emulator}/_control/reset")
        yield World(rt, created.project, emulator, clock, cluster, http)
    await rt.outbound.close()
    await db.close()
