"""A served project `internal`, declared with fixed keys, whose users own projects made through the API."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from oneself.emulator import endpoints_for
from tests.postgres_server import free_port
from tests.server_process import cli, serve
from tests.stack.wire import Person, Stack

KEYS = {kind: f"{kind}_" + "0123456789abcdefghjkmnpqrstvwxyz0123456789abc" for kind in ("pck", "ssk", "sak")}
SHARED = ("google", "github", "spotify")


def configuration(base_url: str, port: int, folder: Path, emulator_url: str, **more: Any) -> str:
    """The text of a configuration file."""
    host = emulator_url.partition("://")[2].partition("/")[0]
    settings = {
        "base_url": base_url,
        "port": port,
        "database_url": f"sqlite:///{folder / 'stack.sqlite3'}",
        "master_keys": f"k1:{b64encode(b'1' * 32).decode()}",
        "stop_seconds": 2,
        "allow_shared_tokens": True,
        "allowed_private_hosts": [host],
        **more,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    for name in SHARED:
        lines += [f"[shared_providers.{name}]", 'client_id = "shared"', 'client_secret = "shared-secret"']
        lines += [f"[shared_providers.{name}.endpoints]"]
        lines += [f"{field} = {json.dumps(url)}" for field, url in endpoints_for(name, emulator_url).items()]
    lines += [
        "[[projects]]",
        'id = "0e0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"',
        'display_name = "Stack Dashboard"',
        "first_party = true",
        "otp_enabled = true",
        "personal_team_on_sign_up = true",
        "client_team_creation = true",
        "[projects.stack]",
        'project_id = "internal"',
        f'publishable_client_key = "{KEYS["pck"]}"',
        f'secret_server_key = "{KEYS["ssk"]}"',
        f'super_secret_admin_key = "{KEYS["sak"]}"',
    ]
    for name in SHARED:
        lines += [f"[projects.providers.{name}]", "shared = true"]
    return "\n".join(lines) + "\n"


@contextmanager
def running(folder: Path, emulator_url: str) -> Iterator[Stack]:
    """The server, and its project `internal`."""
    port = free_port()
    base_url = f"http://localhost:{port}"
    file = folder / "oneself.toml"
    file.write_text(configuration(base_url, port, folder, emulator_url))
    done = cli("migrate", "--config", str(file))
    assert done.returncode == 0, done.stderr
    with serve(file, base_url):
        yield Stack(base_url, "internal", KEYS["pck"], KEYS["ssk"], KEYS["sak"])


@dataclass
class Owner:
    """A user of `internal` with a team of its own."""

    internal: Stack
    person: Person
    team_id: str

    def create(self, **fields: Any) -> tuple[OwnedStack, Any]:
        """Make a project: how to speak to it, and what its making answered."""
        body = {"display_name": "Made", "owner_team_id": self.team_id, **fields}
        made = self.internal.ok("POST", "/internal/projects", body, access="client", token=self.person.access_token)
        return OwnedStack(self.internal.base_url, made["id"], "", "", "", owner=self), made

    def project(self, **config: Any) -> OwnedStack:
        """Make a project with these settings."""
        return self.create(config=config)[0]


@dataclass
class OwnedStack(Stack):
    """A project without keys, spoken to with its owner's access token."""

    owner: Owner | None = None

    def headers(self, access: str, token: str = "") -> dict[str, str]:
        assert self.owner is not None
        given = {"x-stack-admin-access-token": self.owner.person.access_token}
        return super().headers(access, token) | given

    def configure(self, **changes: Any) -> None:
        """Override configuration keys at the environment level; double underscores are dots."""
        flat = {key.replace("__", "."): value for key, value in changes.items()}
        body = {"config_override_string": json.dumps(flat)}
        self.ok("PATCH", "/internal/config/override/environment", body, access="admin")


def owner(internal: Stack) -> Owner:
    """Somebody new who can own projects."""
    person = internal.person(primary_email_verified=True)
    me = internal.ok("GET", "/users/me", access="client", token=person.access_token)
    return Owner(internal, replace(person), me["selected_team_id"])
