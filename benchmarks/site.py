"""What is measured: one project's settings, the server as `oneself serve` runs it, and its provider beside it."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks import machine
from benchmarks.people import PROVIDER
from oneself.crypto import opaque
from oneself.emulator import endpoints_for
from tests.server_process import ROOT, cli, environment

START_SECONDS = 60.0
RETURN_URL = "http://localhost:3000/authenticate"
# A second provider of the project, at an address where nobody answers, if anybody listens at all.
SILENT_PROVIDER = "spotify"


def free_port() -> int:
    """A port of the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Keys:
    """The ids and keys of the one project."""

    project_id: str = field(default_factory=lambda: str(uuid4()))
    stytch_id: str = field(default_factory=lambda: f"project-test-{uuid4()}")
    stytch_secret: str = field(default_factory=lambda: opaque.stytch_secret("test", os.urandom))
    public_token: str = field(default_factory=lambda: opaque.public_token("test", os.urandom))
    callback_id: str = field(default_factory=lambda: f"oauth-callback-test-{uuid4()}")
    stack_id: str = field(default_factory=lambda: str(uuid4()))
    client_key: str = field(default_factory=lambda: opaque.prefixed_key("pck_", os.urandom))
    server_key: str = field(default_factory=lambda: opaque.prefixed_key("ssk_", os.urandom))
    admin_key: str = field(default_factory=lambda: opaque.prefixed_key("sak_", os.urandom))
    master_key: str = field(default_factory=lambda: f"bench1:{b64encode(secrets.token_bytes(32)).decode()}")


@dataclass(frozen=True, slots=True)
class Site:
    """One server to be measured: its address, settings' file and keys, its provider's address and its database's."""

    port: int
    config: Path
    keys: Keys
    provider_url: str
    database_url: str
    silent_port: int = field(default_factory=free_port)

    @property
    def address(self) -> tuple[str, int]:
        """Where to connect to."""
        return "127.0.0.1", self.port

    @property
    def host(self) -> str:
        """What stands in the host header."""
        return f"localhost:{self.port}"

    @property
    def provider_address(self) -> tuple[str, int]:
        """Where to connect to for the provider."""
        parts = urlsplit(self.provider_url)
        return "127.0.0.1", parts.port or 80


def prepare(folder: Path, database_url: str, provider_url: str) -> Site:
    """Write the settings into `folder` and bring the database's schema up."""
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(free_port(), folder / "oneself.toml", Keys(), provider_url, database_url)
    site.config.touch(0o600)
    site.config.write_text(_settings(site))
    done = cli("migrate", "--config", str(site.config))
    if done.returncode != 0:
        raise RuntimeError(f"the schema could not be made:\n{done.stderr}")
    return site


def _settings(site: Site) -> str:
    keys = site.keys
    endpoints = "\n".join(f'{name} = "{url}"' for name, url in endpoints_for(PROVIDER, site.provider_url).items())
    return f"""
base_url = "http://{site.host}"
host = "127.0.0.1"
port = {site.port}
database_url = "{site.database_url}"
master_keys = "{keys.master_key}"
allowed_private_hosts = ["{urlsplit(site.provider_url).netloc}", "127.0.0.1:{site.silent_port}"]
log_level = "warning"

[lifetimes]
access_token = 86400
flow = 3600
grant = 3600

[limits]
starts_per_address = 10000000
starts_per_project = 10000000

[[projects]]
id = "{keys.project_id}"
display_name = "Benchmark"
environment = "test"

[projects.stytch]
project_id = "{keys.stytch_id}"
secret = "{keys.stytch_secret}"
public_token = "{keys.public_token}"
callback_id = "{keys.callback_id}"

[projects.stack]
project_id = "{keys.stack_id}"
publishable_client_key = "{keys.client_key}"
secret_server_key = "{keys.server_key}"
super_secret_admin_key = "{keys.admin_key}"

[[projects.redirect_urls]]
url = "{RETURN_URL}"
default = true

[projects.providers.{PROVIDER}]
client_id = "benchmark"
client_secret = "benchmark-secret"
trusted_email_domains = ["*"]

[projects.providers.{PROVIDER}.endpoints]
{endpoints}

[projects.providers.{SILENT_PROVIDER}]
client_id = "benchmark"
client_secret = "benchmark-secret"
endpoints = {{ token = "http://127.0.0.1:{site.silent_port}/token" }}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: its process, the seconds until its first answer, its memory then, in bytes."""

    pid: int
    first_answer: float
    idle_bytes: int

    def cpu_seconds(self) -> float:
        """Processor time of the server and its workers so far."""
        return machine.cpu_seconds(self.pid)


@contextlib.contextmanager
def serving(site: Site, cores: machine.Cores, command: Sequence[str] = ()) -> Iterator[Running]:
    """Run the server on its core; `command`, for Python, takes the place of `-m oneself serve`."""
    words = [sys.executable, *(command or ("-m", "oneself", "serve", "--config", str(site.config)))]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(site.config.with_suffix(".log").open("ab"))
        with machine.pinned(cores.server):
            began = time.monotonic()
            process = _started(stack, words, stderr=log)
        first = _first_answer(process, site, began)
        yield Running(process.pid, first, machine.resident_bytes(process.pid))


def _started(stack: contextlib.ExitStack, command: list[str], **more: Any) -> subprocess.Popen[bytes]:
    """Start a process that ends, politely, when the stack unwinds."""
    process = subprocess.Popen(
        command, env=environment(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **more
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def _first_answer(process: subprocess.Popen[bytes], site: Site, began: float) -> float:
    """Ask every few milliseconds, cheaply, until the server answers; gives the seconds since `began`."""
    question = f"GET /health HTTP/1.1\r\nhost: {site.host}\r\nconnection: close\r\n\r\n".encode()
    while process.poll() is None and time.monotonic() < began + START_SECONDS:
        with contextlib.suppress(OSError), socket.create_connection(site.address, timeout=5) as one:
            one.sendall(question)
            if one.recv(12).endswith(b" 200"):
                return time.monotonic() - began
        time.sleep(0.005)
    raise RuntimeError(f"the server did not answer:\n{site.config.with_suffix('.log').read_text()}")


@contextlib.contextmanager
def provider(cores: machine.Cores, known: int, new: int) -> Iterator[str]:
    """Run the emulated provider on the others' core; gives its address."""
    with contextlib.ExitStack() as stack, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        url = f"http://localhost:{listening.getsockname()[1]}"
        command = [sys.executable, "-m", "benchmarks.provider", str(listening.fileno()), url, str(known), str(new)]
        with machine.pinned(*cores.others):
            _started(stack, command, pass_fds=[listening.fileno()])
        yield url
