"""A server as an operator runs it: `oneself serve` on either database, two projects that know both dialects, and the
emulated providers in a process of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from oneself.emulator import endpoints_for
from tests import server_process
from tests.fuzz.sending import Line, Sent
from tests.postgres_server import free_port

APP = "http://localhost:3000"
LOGIN_URL = f"{APP}/authenticate"
RETURN_URL = f"{APP}/handler/oauth-callback"
PROVIDERS = ("google", "github", "spotify", "apple")
# What the project's own app is called at providers.
DEVICE_APP = "com.example.app"
RING = f"k1:{b64encode(b'fuzz' * 8).decode()}"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Keys:
    """The ids and keys of one project in both dialects."""

    name: str

    def _uuid(self, what: str) -> str:
        """A version 4 UUID that is the same in every run."""
        digits = uuid5(NAMESPACE_URL, f"{self.name}/{what}").hex
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    @property
    def id(self) -> str:
        return self._uuid("id")

    @property
    def stytch_id(self) -> str:
        return f"project-test-{self._uuid('stytch')}"

    @property
    def secret(self) -> str:
        return f"secret-test-{self.name:x<36}"

    @property
    def public_token(self) -> str:
        return f"public-token-test-{self._uuid('public')}"

    @property
    def callback_id(self) -> str:
        return f"oauth-callback-test-{self._uuid('callback')}"

    @property
    def stack_id(self) -> str:
        return "internal" if self.name == "internal" else self._uuid("stack")

    @property
    def client_key(self) -> str:
        return f"pck_{self.name:0<45}"

    @property
    def server_key(self) -> str:
        return f"ssk_{self.name:0<45}"

    @property
    def admin_key(self) -> str:
        return f"sak_{self.name:0<45}"


OURS, THEIRS, INTERNAL = Keys("ours"), Keys("theirs"), Keys("internal")
PROJECTS = (OURS, THEIRS, INTERNAL)


@dataclass
class Standing:
    """A running server: where it is, its configuration, and what it wrote to its log."""

    base_url: str
    emulator_url: str
    database_url: str
    config: Path
    process: server_process.ServerProcess
    _read: int = 0

    def line(self) -> Line:
        return Line(self.base_url)

    def tracebacks(self) -> str:
        """What came into the log since the last call, where an error that nobody expected is in it."""
        log = self.process.stderr()
        fresh, self._read = log[self._read :], len(log)
        return fresh[-4000:] if "Traceback" in fresh else ""


@contextmanager
def standing(folder: Path, database_url: str) -> Iterator[Standing]:
    """Migrate the database, start the emulator and the server, and stop both in the end."""
    emulator_port, port = free_port(), free_port()
    emulator_url = f"http://127.0.0.1:{emulator_port}"
    base_url = f"http://localhost:{port}"
    config = folder / "oneself.toml"
    config.write_text(_settings(base_url, port, database_url, emulator_url))
    done = server_process.cli("migrate", "--config", str(config))
    assert done.returncode == 0, done.stderr
    with _emulator(emulator_url, folder / "emulator.stderr"), server_process.serve(config, base_url) as process:
        yield Standing(base_url, emulator_url, database_url, config, process)


@contextmanager
def _emulator(url: str, log: Path) -> Iterator[None]:
    with log.open("ab") as opened:
        process = subprocess.Popen(
            [sys.executable, "-m", "oneself.emulator", "--port", url.rpartition(":")[2], "--base-url", url],
            env=server_process.environment(),
            cwd=server_process.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=opened,
            stderr=opened,
        )
    try:
        _wait(url, process, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if Line(url).send(Sent("GET", "/")).status < 500:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the emulator did not start: {log.read_text()}")


def _settings(base_url: str, port: int, database_url: str, emulator_url: str) -> str:
    head = {
        "base_url": base_url,
        "port": port,
        "database_url": database_url,
        "master_keys": RING,
        "allowed_private_hosts": [emulator_url.partition("://")[2]],
        "log_level": "warning",
        "stop_seconds": 2,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in head.items()]
    lines += ["[limits]", "starts_per_address = 1000000", "starts_per_project = 1000000", "mails_per_address = 0"]
    lines += ["passwords_per_account = 0", "passwords_per_address = 0"]
    # nobody listens there: letters wait in the outbox, where honest people find them
    lines += [
        "[smtp]",
        'host = "127.0.0.1"',
        f"port = {free_port()}",
        'security = "none"',
        'sender = "id@fuzz.example"',
    ]
    for keys in PROJECTS:
        lines += _project(keys, emulator_url)
    return "\n".join(lines) + "\n"


def _project(keys: Keys, emulator_url: str) -> list[str]:
    lines = [
        "[[projects]]",
        f'id = "{keys.id}"',
        f'display_name = "{keys.name}"',
        f'authorized_origins = ["{APP}"]',
        "client_user_deletion = true",
        "client_team_creation = true",
        'migrate_sessions_from = "google"',
        "otp_enabled = true",
        "[projects.stytch]",
        f'project_id = "{keys.stytch_id}"',
        f'secret = "{keys.secret}"',
        f'public_token = "{keys.public_token}"',
        f'callback_id = "{keys.callback_id}"',
        "[projects.stack]",
        f'project_id = "{keys.stack_id}"',
        f'publishable_client_key = "{keys.client_key}"',
        f'secret_server_key = "{keys.server_key}"',
        f'super_secret_admin_key = "{keys.admin_key}"',
        "[[projects.redirect_urls]]",
        f'url = "{LOGIN_URL}"',
        "default = true",
    ]
    for name in PROVIDERS:
        endpoints = ", ".join(f'{place} = "{url}"' for place, url in endpoints_for(name, emulator_url).items())
        lines += [
            f"[projects.providers.{name}]",
            'client_id = "oneself-fuzz"',
            'client_secret = "fuzz-client-secret"',
            f"endpoints = {{ {endpoints} }}",
            'trusted_email_domains = ["*"]',
            f'options = {{ native_client_ids = "{DEVICE_APP}" }}',
        ]
    return lines
