"""The Dockerfile and compose.yaml say what is true: read here, and played with real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from oneself.cli import main
from oneself.config import settings
from tests import postgres_server, server_process
from tests.house import container_files as reading
from tests.house.source import ROOT

LOCKS = {file.name for file in ROOT.glob("requirements*.lock")}
FILE = reading.dockerfile((ROOT / "Dockerfile").read_text())
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)["services"]
OURS = ("migrate", "server")
GIVEN = {"POSTGRES_PASSWORD": "aB3", "ONESELF_MASTER_KEYS": "k1:AAAA"}
KNOWN = {setting.variable for setting in settings() if setting.variable} | {"ONESELF_CONFIG"}


def known_setting(name: str) -> bool:
    """Whether the configuration reads this variable, directly or as the path of a file."""
    return name in KNOWN or name.removesuffix("_FILE") in KNOWN


def parses(words: list[str]) -> bool:
    """Whether the CLI knows this command with these options; nothing is run."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group):
        name = rest.pop(0) if rest else ""
        inner = command.get_command(click.Context(command), name)
        if inner is None:
            return False
        command = inner
    try:
        command.make_context("oneself", rest)
    except click.UsageError:
        return False
    return True


def test_a_command_that_the_cli_does_not_know_is_seen() -> None:
    assert not parses(["launch"])
    assert not parses(["serve", "--sideways"])
    assert not parses([])


def test_the_image_starts_with_a_command_of_the_cli() -> None:
    assert reading.one(FILE, "ENTRYPOINT").listed == ["oneself"]
    assert parses(reading.one(FILE, "CMD").listed)


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip install uvicorn",
        "RUN pip install -r requirements.lock",
        "RUN pip install --require-hashes -r other.lock",
        "RUN pip install --no-deps .",
        "RUN curl -o uv.sh uv.example",
        "RUN pip install --require-hashes --index-url https://packages.example -r requirements.lock",
    ],
)
def test_an_unpinned_install_is_seen(line: str) -> None:
    assert list(reading.install_findings(reading.dockerfile(f"FROM base\n{line}"), LOCKS))


def test_the_image_installs_only_what_the_lock_files_pin() -> None:
    assert list(reading.install_findings(FILE, LOCKS)) == []


def test_an_image_that_runs_as_root_is_seen() -> None:
    for tail in ("", "USER root", "USER 0", "USER oneself\nUSER 0:0"):
        assert list(reading.account_findings(reading.dockerfile(f"FROM base\n{tail}")))


def test_the_image_does_not_run_as_root() -> None:
    assert list(reading.account_findings(FILE)) == []


def test_what_the_image_copies_is_there_and_let_in() -> None:
    rules = (ROOT / ".dockerignore").read_text()
    copied = reading.copied(FILE)
    assert {"requirements.lock", "src"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists() or reading.ignored(name, rules)] == []
    for secret in (".env", ".git", ".venv", "oneself.sqlite3", "tests"):
        assert reading.ignored(secret, rules)


def test_the_images_variables_and_ports_agree() -> None:
    variables = reading.environment(FILE)
    assert [name for name in variables if name.startswith("ONESELF_") and not known_setting(name)] == []
    assert not known_setting("ONESELF_PROT")
    assert reading.one(FILE, "EXPOSE").rest == variables["ONESELF_PORT"]
    assert f"127.0.0.1:{variables['ONESELF_PORT']}/" in reading.one(FILE, "HEALTHCHECK").rest


@pytest.mark.parametrize("name", OURS)
def test_compose_runs_commands_and_settings_that_exist(name: str) -> None:
    assert parses(SERVICES[name]["command"])
    assert [key for key in SERVICES[name]["environment"] if not known_setting(key)] == []


def test_compose_leaves_no_variable_silently_empty() -> None:
    assert reading.unguarded("${A} ${B:-b} ${C:?c}") == ["A"]
    assert reading.unguarded(COMPOSE_TEXT) == []
    with pytest.raises(KeyError):
        reading.interpolated(SERVICES["server"]["environment"]["ONESELF_MASTER_KEYS"], {})


def test_compose_points_the_server_at_its_own_database() -> None:
    address = urlsplit(reading.interpolated(SERVICES["server"]["environment"]["ONESELF_DATABASE_URL"], GIVEN))
    made = SERVICES["database"]["environment"]
    assert address.hostname in SERVICES
    assert (address.username, address.path) == (made["POSTGRES_USER"], "/" + made["POSTGRES_DB"])
    assert address.password == reading.interpolated(made["POSTGRES_PASSWORD"], GIVEN)


def test_compose_migrates_before_it_serves() -> None:
    waits = reading.order(SERVICES)
    assert waits["migrate"] == {"database": "service_healthy"}
    assert waits["server"] == {"migrate": "service_completed_successfully"}
    assert "healthcheck" in SERVICES["database"]


def test_compose_publishes_the_port_that_the_image_exposes() -> None:
    (published,) = SERVICES["server"]["ports"]
    assert published.split(":")[-1] == reading.one(FILE, "EXPOSE").rest
    base = reading.interpolated(SERVICES["server"]["environment"]["ONESELF_BASE_URL"], GIVEN)
    assert urlsplit(base).port == int(published.split(":")[-2])


def test_the_file_with_the_secrets_stays_out_of_the_repository() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_compose_played_with_processes(postgres: postgres_server.Cluster, postgres_url: str, tmp_path: Path) -> None:
    """Make the keys, migrate and serve as compose.yaml says; only the host names are this machine's."""
    made = server_process.cli("keys", "generate")
    given = {"POSTGRES_PASSWORD": "unused", "ONESELF_MASTER_KEYS": made.stdout.strip()}
    port = postgres_server.free_port()
    raw = SERVICES["server"]["environment"] | reading.environment(FILE)
    env = {key: reading.interpolated(text, given) for key, text in raw.items() if key.startswith("ONESELF_")}
    env |= {"ONESELF_DATABASE_URL": postgres_url, "ONESELF_PORT": str(port), "ONESELF_HOST": "127.0.0.1"}
    env["ONESELF_BASE_URL"] = f"http://localhost:{port}"
    check = [text.replace(":8000", f":{port}") for text in reading.one(FILE, "HEALTHCHECK").listed]

    migrated = server_process.cli(*SERVICES["migrate"]["command"], env=env)
    assert migrated.returncode == 0, migrated.stderr
    created = server_process.cli("project", "create", "--json", "Played", env=env)
    assert created.returncode == 0, created.stderr
    server = server_process.ServerProcess(SERVICES["server"]["command"], tmp_path / "stderr", env)
    server.start()
    try:
        server.wait_answering(env["ONESELF_BASE_URL"])
        assert subprocess.run([sys.executable, *check[1:]], capture_output=True).returncode == 0
    finally:
        assert server.stop() == 0
    assert subprocess.run([sys.executable, *check[1:]], capture_output=True).returncode != 0
    listed = server_process.cli("project", "list", "--json", env=env)
    assert json.loads(created.stdout)["id"] in listed.stdout
