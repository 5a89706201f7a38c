"""A served project `internal`, declared with fixed keys, whose users own projects made through the API."""

from __future__ import annotations

import json
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.postgres_server import free_port
from tests.server_process import cli, serve
from tests.stack.wire import Person, Stack

EXAMPLE = Path(__file__).parents[2] / "examples" / "stack-suite.toml"
RING = f"k1:{b64encode(b'1' * 32).decode()}"
# A project of somebody else's: the operator serves it, and it uses the operator's clients.
OUTSIDER = """
[[projects]]
id = "1e0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"
[projects.stack]
project_id = "1b6f0a5e-6d57-4f5c-b0cd-0d8d4ad0c913"
secret_server_key = "ssk_outsider"
[projects.providers.google]
shared = true
"""


def configuration(base_url: str, database_url: str, emulator_url: str) -> str:
    """The example file at other addresses: its test server is the emulator's mock."""
    mock = f"{emulator_url}/mock"
    text = EXAMPLE.read_text()
    replaced = {
        "http://localhost:8114": mock,
        '["localhost:8114"]': json.dumps([urlsplit(mock).netloc]),
        "http://localhost:8102": base_url,
        "port = 8102": f"port = {urlsplit(base_url).port}\nstop_seconds = 2",
        "sqlite:///stack-suite.sqlite3": database_url,
    }
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def running(folder: Path, database_url: str, emulator_url: str) -> Iterator[tuple[Stack, Stack]]:
    """The server of the example file: its project `internal`, and one of somebody else's."""
    base_url = f"http://localhost:{free_port()}"
    text = configuration(base_url, database_url, emulator_url)
    keys = tomllib.loads(text)["projects"][0]["stack"]
    file = folder / "oneself.toml"
    file.write_text(text + OUTSIDER)
    env = {"ONESELF_MASTER_KEYS": RING}
    done = cli("migrate", "--config", str(file), env=env)
    assert done.returncode == 0, done.stderr
    with serve(file, base_url, env=env):
        internal = Stack(
            base_url,
            keys["project_id"],
            keys["publishable_client_key"],
            keys["secret_server_key"],
            keys["super_secret_admin_key"],
        )
        yield internal, Stack(base_url, "1b6f0a5e-6d57-4f5c-b0cd-0d8d4ad0c913", "", "ssk_outsider", "")


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
