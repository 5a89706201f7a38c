"""The lock files carry hashes and no addresses, and say what pyproject.toml asks for."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.house import lock_files
from tests.house.source import ROOT

PYTHON_LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-test.lock")
RIVALS = ROOT / "benchmarks" / "rivals"
NODE = ROOT / "tests" / "node"
PIN = "idna==3.20 \\\n    --hash=sha256:" + "0" * 64


def wanted(*groups: str) -> set[str]:
    """The names that pyproject.toml asks for: the package's own, and those of the groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = list(project["project"]["dependencies"])
    for group in groups:
        asked += project["dependency-groups"][group]
    return {lock_files.folded(re.split(r"[<>=!~;\[ ]", line)[0]) for line in asked}


@pytest.mark.parametrize(
    "text",
    [
        "idna==3.20",
        "idna>=3",
        f"--index-url https://packages.example\n{PIN}",
        "idna @ https://packages.example/idna.whl",
    ],
)
def test_a_lax_lock_is_seen(text: str) -> None:
    assert list(lock_files.python_findings(text))
    assert list(lock_files.python_findings(PIN)) == []


@pytest.mark.parametrize("name", [*PYTHON_LOCKS, "benchmarks/rivals/requirements.lock"])
def test_python_locks_carry_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    assert lock_files.versions(text)
    assert list(lock_files.python_findings(text)) == []


def test_the_locks_hold_what_the_project_asks_for() -> None:
    run, build, test = (lock_files.versions((ROOT / name).read_text()) for name in PYTHON_LOCKS)
    assert wanted() <= run.keys()
    assert wanted("test", "build") <= test.keys()
    assert (run | build).items() <= test.items()


def test_a_lax_lock_of_npm_is_seen() -> None:
    entry = {"version": "1.0.0", "integrity": "sha512-AA=="}
    good = {"packages": {"": {"name": "x"}, "node_modules/a": entry}}
    assert list(lock_files.node_findings(json.dumps(good))) == []
    unhashed = {"packages": {"node_modules/a": {"version": "1.0.0"}}}
    placed = {"packages": {"node_modules/a": entry | {"resolved": "https://packages.example/a.tgz"}}}
    assert list(lock_files.node_findings(json.dumps(unhashed)))
    assert list(lock_files.node_findings(json.dumps(placed)))


@pytest.mark.parametrize("folder", [NODE, RIVALS], ids=lambda folder: folder.name)
def test_the_locks_of_npm_carry_hashes_and_no_addresses(folder: Path) -> None:
    assert list(lock_files.node_findings((folder / "package-lock.json").read_text())) == []
    assert "omit-lockfile-registry-resolved=true" in (folder / ".npmrc").read_text()


@pytest.mark.parametrize("folder", [NODE, RIVALS], ids=lambda folder: folder.name)
def test_the_locks_of_npm_hold_what_is_asked_for(folder: Path) -> None:
    asked = json.loads((folder / "package.json").read_text())["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert locked[""]["dependencies"] == asked
    assert {f"node_modules/{name}" for name in asked} <= locked.keys()
