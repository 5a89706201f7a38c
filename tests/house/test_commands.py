"""The commands that the texts name exist, CI runs what the README says, and tasks.py knows when it is done."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tasks
from tests.house.source import ROOT, texts

NAMED = re.compile(r"python3 tasks\.py (?!COMMAND)([a-z]+)")
README_COMMANDS = ("python3 tasks.py dev", "python3 tasks.py test")


def test_every_command_that_a_text_names_exists() -> None:
    named = {word for file, text in texts() if file.suffix in (".md", "") for word in NAMED.findall(text)}
    assert {"dev", "test", "lint", "types"} <= named <= tasks.COMMANDS.keys()
    assert tasks.COMMANDS.keys() == set(re.findall(r"^  (\w+)", tasks.USAGE, re.MULTILINE))


def test_ci_runs_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text()
    script = ROOT / ".ci" / "run"
    lines = script.read_text().splitlines()
    assert all(command in readme for command in README_COMMANDS)
    assert lines[-1] == README_COMMANDS[1]
    assert {"python3 tasks.py lint", "python3 tasks.py types"} <= set(lines)
    assert "set -euo pipefail" in lines
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["fly"], 2), (["--help"], 0)])
def test_usage_leaves_standard_output_clean(arguments: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "tasks.py", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("usage: python3 tasks.py")


def test_an_environment_is_made_again_only_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"requirements.lock": tasks.digest(ROOT / "requirements.lock")}
    monkeypatch.setattr(tasks, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(tasks, "PYTHON", Path(sys.executable))
    assert not tasks.has(wanted)
    tasks.STAMP.write_text("broken")
    assert not tasks.has(wanted)
    good = tasks.identity() | wanted
    tasks.STAMP.write_text(json.dumps(good))
    assert tasks.has(wanted)
    for key in good:
        tasks.STAMP.write_text(json.dumps(good | {key: "other"}))
        assert not tasks.has(wanted)


def test_the_test_environment_covers_the_servers() -> None:
    assert set(tasks.RUN) <= set(tasks.COVERS[tasks.TEST])


def test_an_old_python_is_told_before_anything_else() -> None:
    text = (ROOT / "tasks.py").read_text()
    assert "Python 3.11 or newer" in text.split("import contextlib")[0]
    # Only syntax that old versions of Python 3 know, or they would tell of a syntax error instead.
    ast.parse(text, feature_version=(3, 7))
