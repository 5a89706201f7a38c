"""Several `oneself serve` processes over one database, as behind one address, and the providers that they call."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import uvicorn

from oneself.app.database import microseconds
from oneself.crypto.seal import generate_line
from oneself.emulator.app import create_emulator
from oneself.emulator.players import endpoints_for
from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from tests.postgres_server import free_port
from tests.server_process import ServerProcess
from tests.stack.wire import Answer, Browser, Stack, query_of, send

LOGIN_URL = "http://localhost:3000/authenticate"
PROJECT_ID = "5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"
STACK_ID = "0b6f0a5e-6d57-4f5c-b0cd-0d8d4ad0c913"
STYTCH_ID = "project-test-7c1f5a7e-4b0d-4f0a-8f43-6c8b4a7a2d10"
STYTCH_SECRET = "secret-test-0123456789abcdef0123456789abcdef"
PUBLIC_TOKEN = "public-token-test-2b0f3b51-7c8e-4a52-9a4b-1f0f6f0e7a11"
CALLBACK_ID = "oauth-callback-test-9f0d7a34-0d0c-4e3e-8a55-3b8a3f6c2e12"
KEYS = {
    "publishable_client_key": "pck_0123456789abcdefghijklmnopqrstuvwxyz0123456789ab",
    "secret_server_key": "ssk_0123456789abcdefghijklmnopqrstuvwxyz0123456789ab",
    "super_secret_admin_key": "sak_0123456789abcdefghijklmnopqrstuvwxyz0123456789ab",
}
PROVIDERS = ("google", "github", "spotify")


@contextmanager
def emulated() -> Iterator[str]:
    """The emulated providers over real HTTP on a free port; their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    app = create_emulator(base, accept_any_client=True)
    settings = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield base
    finally:
        server.should_exit = True
        thread.join(timeout=5)


@dataclass
class Stytch:
    """One project's backend and its people's browsers, raw, at one server."""

    base_url: str

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One call of the backend."""
        pair = base64.b64encode(f"{STYTCH_ID}:{STYTCH_SECRET}".encode()).decode()
        headers = {"authorization": f"Basic {pair}", "content-type": "application/json"}
        raw = None if body is None else json.dumps(body).encode()
        return send(self.base_url, method, f"/v1{path}", headers, raw)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a call that succeeds."""
        answer = self.call(method, path, body)
        assert answer.status in (200, 201), (answer.status, answer.text)
        return answer.json

    def start(self, browser: Browser, provider: str, persona: str, **query: str) -> Answer:
        """The browser's first leg."""
        asked = {"public_token": PUBLIC_TOKEN, "provider_login_hint": persona, **query}
        path = f"/v1/public/oauth/{provider}/start?{urlencode(asked)}"
        return browser.take(send(self.base_url, "GET", path, browser.header()))

    def callback(self, browser: Browser, path: str) -> Answer:
        """The browser comes back from the provider."""
        return browser.take(send(self.base_url, "GET", path, browser.header()))

    def authenticate(self, token: str, **more: Any) -> Answer:
        """Redeem, with a session of an hour."""
        return self.call("POST", "/oauth/authenticate", {"token": token, "session_duration_minutes": 60, **more})

    def grant(self, provider: str, persona: str, **query: str) -> str:
        """A whole trip up to its one-time token."""
        browser = Browser()
        started = self.start(browser, provider, persona, **query)
        assert started.status == 302, (started.status, started.text)
        landed = self.callback(browser, visited(started.location))
        assert landed.status == 302, (landed.status, landed.text)
        return query_of(landed.location)["token"]

    def sign_in(self, provider: str, persona: str) -> Any:
        """A whole trip, redeemed."""
        answer = self.authenticate(self.grant(provider, persona))
        assert answer.status == 200, answer.text
        return answer.json


def visited(location: str) -> str:
    """Let the emulated person answer at the provider; the path of our callback that the browser is sent to."""
    parts = urlsplit(location)
    answer = send(f"{parts.scheme}://{parts.netloc}", "GET", f"{parts.path}?{parts.query}")
    assert answer.status in (302, 303, 307), (answer.status, answer.text)
    back = urlsplit(answer.location)
    return f"{back.path}?{back.query}"


@dataclass
class Fleet:
    """Servers over one database. Each listens on a port of its own; the public address is none of theirs."""

    folder: Path
    database_url: str
    emulator: str
    master_keys: str = field(default_factory=lambda: generate_line(secrets.token_bytes))
    display_name: str = "Shop"
    settings: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    # where mail goes; 0 is nowhere, and then nobody signs in by mail
    mail_port: int = 0
    servers: list[ServerProcess] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """The settings file of all servers."""
        return self.folder / "oneself.toml"

    def write(self) -> None:
        """Write the settings as they are now; servers that run do not read them again."""
        base: dict[str, Any] = {
            "base_url": "http://id.localhost:8000",
            "database_url": self.database_url,
            "master_keys": self.master_keys,
            "allowed_private_hosts": [urlsplit(self.emulator).netloc],
            "stop_seconds": 3,
        } | self.settings
        lines = [f"{name} = {json.dumps(value)}" for name, value in base.items()]
        lines += ["[limits]", "starts_per_address = 1000000", "starts_per_project = 1000000"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in self.limits.items()]
        if self.mail_port:
            lines += ["[smtp]", 'host = "127.0.0.1"', f"port = {self.mail_port}"]
            lines += ['security = "none"', 'sender = "id@oneself.example"']
        lines += ["[[projects]]", f'id = "{PROJECT_ID}"', f"display_name = {json.dumps(self.display_name)}"]
        lines += ["otp_enabled = true"] if self.mail_port else []
        lines += ["[[projects.redirect_urls]]", f'url = "{LOGIN_URL}"', "default = true"]
        lines += ["[projects.stytch]", f'project_id = "{STYTCH_ID}"', f'secret = "{STYTCH_SECRET}"']
        lines += [f'public_token = "{PUBLIC_TOKEN}"', f'callback_id = "{CALLBACK_ID}"']
        lines += ["[projects.stack]", f'project_id = "{STACK_ID}"']
        lines += [f'{name} = "{key}"' for name, key in KEYS.items()]
        for name in PROVIDERS:
            endpoints = ", ".join(f'{k} = "{v}"' for k, v in endpoints_for(name, self.emulator).items())
            # GitHub's tokens expire for its Apps, whose client ids begin so
            client_id = "Iv1.test" if name == "github" else f"{name}-client"
            lines += [f"[projects.providers.{name}]", f'client_id = "{client_id}"', f'client_secret = "{name}-secret"']
            lines += [f"endpoints = {{ {endpoints} }}", 'trusted_email_domains = ["*"]']
        self.config.write_text("\n".join(lines) + "\n")

    def migrate(self) -> None:
        """Write the settings, and make the schema where it is missing."""
        self.write()
        asyncio.run(migrated(self.database_url))

    def launch(self, *options: str) -> ServerProcess:
        """Start one more server, without waiting for it."""
        port = free_port()
        server = ServerProcess(
            ["serve", "--config", str(self.config), "--port", str(port), *options],
            self.folder / f"server-{len(self.servers)}.log",
        )
        self.servers.append(server)
        self.ports.append(port)
        server.start()
        return server

    def ready(self) -> None:
        """Wait until all servers that run answer."""
        for server, port in zip(self.servers, self.ports, strict=True):
            if server.process is not None:
                server.wait_answering(f"http://localhost:{port}", "/health/ready")

    def start(self, count: int, *options: str) -> None:
        """Start that many servers and wait until all answer."""
        for _ in range(count):
            self.launch(*options)
        self.ready()

    def restart(self, number: int, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop one server (SIGKILL: as a crash would) and start it again on its port."""
        self.servers[number].stop(how)
        self.servers[number].start()
        self.ready()

    def stop(self) -> None:
        """Stop them all."""
        for server in self.servers:
            server.stop()

    def stytch(self, number: int = 0) -> Stytch:
        """Stytch's dialect at one server."""
        return Stytch(self.servers[number].base_url)

    def stack(self, number: int = 0) -> Stack:
        """Stack's dialect at one server."""
        return Stack(
            self.servers[number].base_url,
            STACK_ID,
            KEYS["publishable_client_key"],
            KEYS["secret_server_key"],
            KEYS["super_secret_admin_key"],
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Change the emulated world, or ask it."""
        raw = None if body is None else json.dumps(body).encode()
        answer = send(self.emulator, method, f"/_control/{path}", {"content-type": "application/json"}, raw)
        assert answer.status == 200, answer.text
        return answer.json

    def newcomer(self, **fields: Any) -> str:
        """Somebody at the providers whom nobody met before; the persona's name."""
        name = f"p{secrets.token_hex(6)}"
        made = {"id": name, "name": f"Per {name}", "email": f"{name}@people.example"}
        self.control("POST", "personas", made | fields)
        return name

    def logs(self) -> str:
        """What all servers wrote."""
        return "\n".join(server.stderr() for server in self.servers)


@contextmanager
def fleet(
    folder: Path,
    database_url: str,
    emulator: str,
    count: int,
    options: Sequence[str] = (),
    limits: Mapping[str, Any] | None = None,
    mail_port: int = 0,
    **settings: Any,
) -> Iterator[Fleet]:
    """A fleet of `count` servers that answer, on a database that may be empty yet; stopped in the end."""
    made = Fleet(folder, database_url, emulator, settings=settings, limits=dict(limits or {}), mail_port=mail_port)
    made.migrate()
    try:
        made.start(count, *options)
        yield made
    finally:
        made.stop()


async def migrated(url: str) -> None:
    """Make the schema where it is missing."""
    db = await open_database(url, microseconds)
    await migrate(db)
    await db.close()


def token_of(landed: Answer) -> str:
    """The one-time token in the URL that the browser is sent back to."""
    return dict(parse_qsl(urlsplit(landed.location).query))["token"]
