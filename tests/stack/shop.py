"""A project with clients of its own at the emulated providers: `oneself serve` as operators run it, on PostgreSQL."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from oneself.emulator import endpoints_for
from tests.mail.catcher import catching
from tests.postgres_server import free_port
from tests.server_process import cli, serve
from tests.stack.wire import Stack

KEYS = {kind: f"{kind}_" + "0123456789abcdefghjkmnpqrstvwxyz0123456789abc" for kind in ("pck", "ssk", "sak")}
STACK_ID = "0b6f0a5e-6d57-4f5c-b0cd-0d8d4ad0c913"


def configuration(base_url: str, database_url: str, emulator_url: str, mail_port: int) -> str:
    """The text of a configuration file."""
    settings = {
        "base_url": base_url,
        "host": "localhost",
        "port": urlsplit(base_url).port,
        "database_url": database_url,
        "master_keys": f"k1:{b64encode(b'1' * 32).decode()}",
        "stop_seconds": 2,
        "allowed_private_hosts": [urlsplit(emulator_url).netloc],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines += ["[limits]", "starts_per_address = 0", "starts_per_project = 0", "mails_per_address = 0"]
    lines += ["[smtp]", 'host = "127.0.0.1"', f"port = {mail_port}", 'security = "none"', 'sender = "id@shop.example"']
    lines += ["[[projects]]", 'id = "2e0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"', "otp_enabled = true", "[projects.stack]"]
    lines += [f'project_id = "{STACK_ID}"', f'publishable_client_key = "{KEYS["pck"]}"']
    lines += [f'secret_server_key = "{KEYS["ssk"]}"', f'super_secret_admin_key = "{KEYS["sak"]}"']
    for name in ("google", "github", "spotify"):
        lines += [f"[projects.providers.{name}]", 'client_id = "shop"', 'client_secret = "shop-secret"']
        # the emulator stands for the vendor itself, whose word on addresses counts
        lines += ['trusted_email_domains = ["*"]', f"[projects.providers.{name}.endpoints]"]
        lines += [f"{field} = {json.dumps(url)}" for field, url in endpoints_for(name, emulator_url).items()]
    return "\n".join(lines) + "\n"


@contextmanager
def running(folder: Path, database_url: str, emulator_url: str) -> Iterator[Stack]:
    """The server, and its project."""
    base_url = f"http://localhost:{free_port()}"
    file = folder / "oneself.toml"
    with catching() as catcher:
        file.write_text(configuration(base_url, database_url, emulator_url, catcher.port))
        done = cli("migrate", "--config", str(file))
        assert done.returncode == 0, done.stderr
        with serve(file, base_url):
            yield Stack(base_url, STACK_ID, KEYS["pck"], KEYS["ssk"], KEYS["sak"], catcher=catcher)
