"""The ASGI app of the whole server: each face behind its path, opened and closed with the lifespan."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import msgspec

from oneself import __version__, background
from oneself.actions import renewing, sessions
from oneself.actions.runtime import Runtime
from oneself.app.database import StartRefused
from oneself.app.metrics import PATH, Metrics, Place
from oneself.app.opening import declare_projects, opened_runtime
from oneself.asgi.connection import Asgi, Receive, Scope, Send
from oneself.config import Config
from oneself.faults import Fault
from oneself.store.migrate import schema_status
from oneself.upstream.loading import load
from oneself.wire.console.app import create_app as create_console
from oneself.wire.console.dev import DevPage
from oneself.wire.stack.app import create_app as create_stack
from oneself.wire.stack.description import description as stack_description
from oneself.wire.stytch.app import create_app as create_stytch
from oneself.wire.stytch.app import description as stytch_description

EMULATOR_PATH = "/emulator"
_DESCRIPTIONS: Mapping[str, Callable[[Runtime], Mapping[str, Any]]] = {
    "/openapi/stytch.json": stytch_description,
    "/openapi/stack.json": stack_description,
}


class House:
    """The ASGI app of the whole server. Its lifespan opens everything and closes it again.

    With `dev` the schema is brought up at start and the page that signs in is shown; `emulator`, if any, is served
    under `/emulator`. `place` is this worker's among several.
    """

    def __init__(
        self,
        config: Config,
        dev: DevPage | None = None,
        place: Place | None = None,
        *,
        emulator: Asgi | None = None,
    ) -> None:
        self.config = config
        self._place = place
        self._dev = dev
        self._emulator = emulator
        self._faces: tuple[tuple[str, Asgi], ...] = ()
        self._rt: Runtime | None = None
        # why the lifespan did not start, for whoever runs the app
        self.refusal = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._face_of(scope["path"])(scope, receive, send)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Runtime]:
        """Open the database and all that rests on it, declare the projects, work in the background; close in the end.

        Raises StartRefused.
        """
        async with opened_runtime(self.config, upgrade=self._dev is not None, keep_mail=self._dev is not None) as rt:
            await declare_projects(rt, self.config)
            metrics = Metrics(rt, self.config.metrics_token, self._place) if self.config.metrics_token else None
            self._faces = self._built(rt, metrics)
            self._rt = rt
            workers = [asyncio.create_task(background.run(rt))]
            if self._dev is None:
                # in the background, so that neither the first answer nor the first sign-in waits for it
                workers.append(asyncio.create_task(asyncio.to_thread(load)))
            if metrics is not None:
                workers.append(asyncio.create_task(metrics.keep_leaving()))
            try:
                yield rt
            finally:
                for worker in workers:
                    worker.cancel()
                    with suppress(asyncio.CancelledError):
                        await worker
                await renewing.settle(rt)
                with suppress(Fault):
                    await sessions.write_seen(rt)
                if metrics is not None:
                    metrics.leave()
                self._faces = ()
                self._rt = None

    def _built(self, rt: Runtime, metrics: Metrics | None) -> tuple[tuple[str, Asgi], ...]:
        stytch, stack = create_stytch(rt), create_stack(rt)
        faces: list[tuple[str, Asgi]] = [
            ("/api/", stack),
            ("/v1/", stytch),
            ("/sdk/", stytch),
            ("/openapi/", self._description),
            ("/health", self._health),
        ]
        if metrics is not None:
            faces.append((PATH, metrics))
        if self._emulator:
            faces.append((f"{EMULATOR_PATH}/", self._emulator))
        faces.append(("/", create_console(rt, self._dev)))
        return tuple(faces)

    def _face_of(self, path: str) -> Asgi:
        for prefix, face in self._faces:
            if path.startswith(prefix):
                return face
        # the last face answers for every path, also for the star of `OPTIONS *`
        return self._faces[-1][1] if self._faces else self._not_open

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.opened())
            except StartRefused as refused:
                self.refusal = str(refused)
                await send({"type": "lifespan.startup.failed", "message": self.refusal})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _description(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """`/openapi/stytch.json` and `/openapi/stack.json`: what each dialect can be asked."""
        describe = _DESCRIPTIONS.get(scope["path"])
        if describe is None or self._rt is None:
            await _answer(send, 404, {"status": "not found"})
        else:
            await _answer(send, 200, describe(self._rt))

    async def _health(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """`/health` says that the process answers, `/health/ready` that the database does too."""
        status, said = 200, {"status": "ok", "version": __version__}
        if scope["path"] == "/health/ready" and self._rt is not None:
            try:
                await schema_status(self._rt.db)
            except Fault:
                status, said = 503, {"status": "no database", "version": __version__}
        elif scope["path"] != "/health":
            status, said = 404, {"status": "not found", "version": __version__}
        await _answer(send, status, said)

    async def _not_open(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await _answer(send, 503, {"status": "starting"})


async def _answer(send: Send, status: int, said: Mapping[str, Any]) -> None:
    body = msgspec.json.encode(said)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
