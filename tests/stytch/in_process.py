"""This dialect on a runtime in the test's own process, over any database and with a clock to turn."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from oneself.actions import projects
from oneself.actions.projects import Declaration, DeclaredProvider
from oneself.actions.runtime import Runtime
from oneself.app.opening import opened_runtime
from oneself.config import Config
from oneself.model import ProjectConfig, ProviderCredentials, RedirectUrl, Secret
from oneself.wire.http import Reply, Request
from oneself.wire.stytch.dispatch import Pipeline
from oneself.wire.stytch.routes import ROUTES

_KEY = "test:" + base64.b64encode(b"k" * 32).decode()
WANTED = Declaration(
    display_name="In process",
    providers=tuple(
        DeclaredProvider(
            credentials=ProviderCredentials(config_id=name, provider=name, client_id="x"), client_secret="y"
        )
        for name in ("github", "linkedin")
    ),
    config=ProjectConfig(redirect_urls=(RedirectUrl(url="http://localhost:3000/", default=True),)),
)


@dataclass
class Clock:
    """A clock that goes as the machine's does, with what a test adds."""

    base: Any
    added: int = 0

    def __call__(self) -> int:
        """Microseconds since 1970."""
        return int(self.base()) + self.added

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self.added += seconds * 1_000_000

    def to_next_minute(self) -> None:
        """Begin a minute, so that what is counted by the minute is counted in one."""
        self.added += 60_000_000 - self() % 60_000_000


@dataclass
class Face:
    """One project of this dialect, called without HTTP."""

    rt: Runtime
    clock: Clock
    pipeline: Pipeline
    project_id: str
    secret: str
    public_token: str

    async def get(
        self,
        template: str,
        query: str,
        peer: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
        **params: str,
    ) -> Reply:
        """One navigation of a browser."""
        route = next(each for each in ROUTES if (each.method, each.template) == ("GET", template))
        path = template.format(**params)
        return await self.pipeline(route, Request("GET", path, query, headers or {}, b"", peer, params), 200)

    async def call(self, method: str, template: str, body: object = None, **params: str) -> Any:
        """One operation as the backend calls it: its status and its JSON."""
        route = next(each for each in ROUTES if (each.method, each.template) == (method, template))
        pair = base64.b64encode(f"{self.project_id}:{self.secret}".encode()).decode()
        data = b"" if body is None else json.dumps(body).encode()
        query = "&".join(f"{name}={value}" for name, value in params.items())
        request = Request(
            method, template.format(**params), query, {"authorization": f"Basic {pair}"}, data, "127.0.0.1", params
        )
        reply = await self.pipeline(route, request, 200)
        return reply.status, json.loads(reply.body)


@asynccontextmanager
async def face_on(url: str, **settings: Any) -> AsyncIterator[Face]:
    """A fresh project with one provider on the database at `url`, with the schema; `settings` are the runtime's."""
    config = Config(base_url="http://localhost:8000", database_url=Secret(url), master_keys=Secret(_KEY))
    async with opened_runtime(config) as opened:
        clock = Clock(opened.clock)
        rt = replace(opened, clock=clock, settings=replace(opened.settings, **settings))
        made = await projects.create(rt, WANTED)
        yield Face(
            rt, clock, Pipeline(rt), made.project.stytch_id, made.keys.stytch_secret, made.project.stytch_public_token
        )
