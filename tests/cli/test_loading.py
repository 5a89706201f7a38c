"""Commands load when they are called, and nothing loads that a command does not need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from oneself.cli import main
from oneself.cli.loading import LoadingGroup
from tests.server_process import cli, environment

# What takes longest to load, and what it is for.
HEAVY = {
    "aiohttp": "calls to providers",
    "aiosmtplib": "mail",
    "asyncpg": "PostgreSQL",
    "jinja2": "pages and letters",
    "joserfc": "tokens of others",
    "prometheus_client": "metrics",
    "rich": "a person at a terminal",
    "trustme": "TLS in development",
    "uvicorn": "serving",
}


def groups(group: LoadingGroup) -> Iterator[LoadingGroup]:
    """A group, and those in it."""
    yield group
    context = click.Context(group)
    for name in group.list_commands(context):
        inner = group.get_command(context, name)
        if isinstance(inner, LoadingGroup):
            yield from groups(inner)


def loaded_by(*arguments: str, env: dict[str, str] | None = None, code: int = 0) -> set[str]:
    """Which of the heavy packages one command loads, in a process of its own that ends with `code`."""
    script = """
import sys
from oneself.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment(env), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == code, done.stderr
    return HEAVY.keys() & set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("group", list(groups(main)), ids=lambda group: str(group.name))
def test_a_group_says_of_its_commands_what_they_say_themselves(group: LoadingGroup) -> None:
    context = click.Context(group)
    names = group.list_commands(context)
    loaded = {name: command for name in names if (command := group.get_command(context, name)) is not None}
    assert names and loaded.keys() == set(names)
    for width in (60, 80, 200):
        ours, clicks = click.HelpFormatter(max_width=width), click.HelpFormatter(max_width=width)
        group.format_commands(context, ours)
        click.Group(commands=loaded).format_commands(context, clicks)
        assert ours.getvalue() == clicks.getvalue()


def test_what_is_no_command_is_refused() -> None:
    for words in (["launch"], ["keys", "melt"]):
        done = cli(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"No such command '{words[-1]}'" in done.stderr
    assert cli("keys", "generate").returncode == 0


@pytest.mark.parametrize(
    "words", ["--help", "keys --help", "keys generate", "keys generate --project", "provider list", "settings"]
)
def test_what_needs_no_server_loads_nothing_heavy(words: str) -> None:
    assert loaded_by(*words.split()) == set()


def test_a_command_loads_what_its_database_and_its_work_need(engine_url: str, tmp_path: Path) -> None:
    ring = cli("keys", "generate").stdout.strip()
    env = {"ONESELF_DATABASE_URL": engine_url, "ONESELF_MASTER_KEYS": ring}
    driver = {"asyncpg"} if engine_url.startswith("postgresql") else set()
    assert loaded_by("migrate", env=env) == driver
    assert loaded_by("project", "create", "Shop", env=env) == driver
    assert loaded_by("user", "list", env=env) == driver
    assert loaded_by("keys", "status", env=env) == driver
    mail = {"ONESELF_SMTP_HOST": "127.0.0.1", "ONESELF_SMTP_PORT": "9", "ONESELF_SMTP_SENDER": "a@shop.example"}
    assert loaded_by("doctor", env=env | mail, code=1) >= driver | {"aiosmtplib"}
