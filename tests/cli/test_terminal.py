"""What a person at a terminal sees, and that a program gets the same words without any of the drawing."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.test_importing import people, write
from tests.server_process import cli, environment

RING = "k1:MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
LOOK = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def at_terminal(*arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command whose standard streams are one terminal; its exit code and all that the terminal got."""
    ours, theirs = pty.openpty()
    looks = {"TERM": "xterm-256color", "COLUMNS": "200"}
    unwanted = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    surroundings = {name: value for name, value in environment(env).items() if name not in unwanted} | looks
    command = [sys.executable, "-m", "oneself", *arguments]
    process = subprocess.Popen(command, env=surroundings, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    got = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while piece := os.read(ours, 65_536):
            got += piece
    os.close(ours)
    return process.wait(timeout=60), got.decode().replace("\r\n", "\n")


@pytest.fixture
def env(migrated_sqlite_url: str) -> dict[str, str]:
    """The settings of a database with its schema and a project whose name looks like markup."""
    env = {"ONESELF_DATABASE_URL": migrated_sqlite_url, "ONESELF_MASTER_KEYS": RING}
    assert cli("project", "create", "[bold]Shop[/] :smile:", env=env).returncode == 0
    return env


def test_a_table_is_drawn_for_a_person_and_tabbed_for_a_program() -> None:
    code, drawn = at_terminal("provider", "list")
    plain = cli("provider", "list").stdout
    assert code == 0
    assert LOOK.search(drawn) and "\t" not in drawn
    assert not LOOK.search(plain) and plain.splitlines()[0].startswith("id\tname\tkind")
    shown = {line.split()[0] for line in LOOK.sub("", drawn).splitlines()}
    assert {line.split("\t")[0] for line in plain.splitlines()} <= shown


def test_a_refusal_is_red_for_a_person(tmp_path: Path) -> None:
    words = ("user", "list", "--data", str(tmp_path))
    code, drawn = at_terminal(*words)
    plain = cli(*words)
    assert (code, plain.returncode) == (1, 1)
    assert LOOK.sub("", drawn) == plain.stderr
    assert re.match(r"\x1b\[[0-9;]*31m", drawn)
    assert not LOOK.search(plain.stderr)


def test_names_that_look_like_markup_are_shown_as_they_are(env: dict[str, str]) -> None:
    code, drawn = at_terminal("project", "show", "[bold]Shop[/] :smile:", env=env)
    plain = cli("project", "show", "[bold]Shop[/] :smile:", env=env).stdout
    assert code == 0
    for text in (LOOK.sub("", drawn), plain):
        assert re.search(r"^display_name +\[bold\]Shop\[/\] :smile:$", text, re.MULTILINE)


def test_a_person_sees_how_far_a_work_is_and_a_program_does_not(env: dict[str, str], tmp_path: Path) -> None:
    file = write(tmp_path / "people.json", people(40))
    code, drawn = at_terminal("import", "stack", str(file), "--leave-out", "google", env=env)
    assert code == 0
    assert "importing" in drawn and "40" in LOOK.sub("", drawn)
    again = cli("import", "stack", str(file), "--leave-out", "google", env=env)
    assert (again.returncode, again.stderr) == (0, "")
    assert re.search(r"^users with all of it already +40$", again.stdout, re.MULTILINE)
    code, drawn = at_terminal("export", "stack", "--output", str(tmp_path / "out.json"), env=env)
    assert code == 0
    assert "exporting" in drawn and "40/40" in LOOK.sub("", drawn) and "40 users were exported." in LOOK.sub("", drawn)
    code, drawn = at_terminal("keys", "rotate", env=env)
    assert code == 0
    assert "wrapping keys" in drawn
    code, drawn = at_terminal("keys", "rotate-signing", env=env)
    assert code == 0
    assert "No key signs yet" in drawn
    code, drawn = at_terminal("backup", str(tmp_path / "copy.sqlite3"), env=env)
    assert code == 0
    assert "copying" in drawn and "100%" in LOOK.sub("", drawn)
