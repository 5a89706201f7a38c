"""This dialect on a runtime in the test's own process, over any database and with a clock to turn."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from oneself.actions import projects
from oneself.actions.projects import Declaration, DeclaredProvider, Keys
from oneself.actions.runtime import Runtime
from oneself.app.opening import opened_runtime
from oneself.config import Config
from oneself.model import ProjectConfig, ProviderCredentials, Secret
from oneself.wire.http import Reply, Request
from oneself.wire.stack.dispatch import dispatcher
from oneself.wire.stack.operation import Operation, under
from oneself.wire.stack.routes import OPERATIONS
from tests.stack.wire import Answer

_KEY = "test:" + base64.b64encode(b"k" * 32).decode()
_NAMES = {
    "client": "publishable-client-key",
    "server": "secret-server-key",
    "admin": "super-secret-admin-key",
}


@dataclass
class Clock:
    """A clock that goes as the machine's does, with what a test adds."""

    base: Any
    added: int = 0

    def __call__(self) -> int:
        return int(self.base()) + self.added

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.added += int(seconds * 1_000_000)


@dataclass
class Face:
    """One project of this dialect, called without HTTP."""

    rt: Runtime
    clock: Clock
    project_id: str
    keys: Keys

    async def reply(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        access: str = "server",
        token: str = "",
        key: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call; `key` False sends none."""
        path, _, query = path.partition("?")
        route, params = found(method, path)
        sent: dict[str, str] = {}
        if access:
            sent = {"x-stack-access-type": access, "x-stack-project-id": self.project_id}
            secret = {
                "client": self.keys.stack_client,
                "server": self.keys.stack_server,
                "admin": self.keys.stack_admin,
            }
            if key:
                sent[f"x-stack-{_NAMES[access]}"] = secret[access]
        if token:
            sent |= {"x-stack-access-token": token, "x-stack-allow-anonymous-user": "true"}
        data = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            sent["content-type"] = "application/json"
        request = Request(method, f"/api/v1{path}", query, sent | dict(headers or {}), data, "127.0.0.1", params)
        return await dispatcher(self.rt)(under("/api/v1", route), request, 200)

    async def call(self, method: str, path: str, body: object = None, **how: Any) -> tuple[int, Any]:
        """One call: its status and its JSON."""
        reply = await self.reply(method, path, body, **how)
        return reply.status, json.loads(reply.body)

    async def person(self) -> dict[str, str]:
        """A new user with a session: id, access token, refresh token."""
        _, user = await self.call("POST", "/users", {})
        _, tokens = await self.call("POST", "/auth/sessions", {"user_id": user["id"]})
        return {"id": user["id"], **tokens}


def found(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation of a path, and its decoded segments; literal segments go before open ones."""
    segments = path.split("/")
    fitting = []
    for route in OPERATIONS:
        template = route.template.split("/")
        if route.method == method and len(template) == len(segments):
            pairs = list(zip(template, segments, strict=True))
            if all(part.startswith("{") or part == segment for part, segment in pairs):
                params = {part[1:-1]: unquote(segment) for part, segment in pairs if part.startswith("{")}
                fitting.append((len(params), route, params))
    _, route, params = min(fitting, key=lambda one: one[0])
    return route, params


def answer_of(reply: Reply) -> Answer:
    """A reply as it would have come over HTTP."""
    pairs = [*reply.headers, *((name.decode(), value.decode()) for name, value in reply.fixed)]
    pairs += [("content-type", reply.content_type), ("content-length", str(len(reply.body))), ("date", "now")]
    cookies = [value for name, value in pairs if name == "set-cookie"]
    return Answer(reply.status, {n: v for n, v in pairs if n != "set-cookie"}, cookies, reply.body)


@asynccontextmanager
async def face_on(
    url: str, config: ProjectConfig | None = None, stack_id: str = "", **settings: Any
) -> AsyncIterator[Face]:
    """A fresh project with one provider on the database at `url`, with the schema; `settings` are the runtime's."""
    wanted = Declaration(
        display_name="In process",
        stack_id=stack_id,
        providers=(
            DeclaredProvider(
                credentials=ProviderCredentials(config_id="github", provider="github", client_id="x"),
                client_secret="y",
            ),
        ),
        config=config or ProjectConfig(),
    )
    config_of_server = Config(base_url="http://localhost:8000", database_url=Secret(url), master_keys=Secret(_KEY))
    async with opened_runtime(config_of_server) as opened:
        clock = Clock(opened.clock)
        rt = replace(opened, clock=clock, settings=replace(opened.settings, **settings))
        made = await projects.create(rt, wanted)
        yield Face(rt, clock, made.project.stack_id, made.keys)
