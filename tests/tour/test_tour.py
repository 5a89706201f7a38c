"""The README's tour: its examples run against a real server, and print what the README says that they print."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import node_run, server_process

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def printed(command: str) -> str:
    """What the README says that a command prints: the indented lines behind it."""
    lines = README.partition(f"    $ {command}\n")[2].splitlines()
    said = []
    for line in lines:
        if not line.startswith("    ") or line.startswith("    $"):
            break
        said.append(line[4:])
    assert said, f"the README shows no output of {command}"
    return "\n".join(said)


@pytest.fixture(scope="module")
def dev_json(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The line that `oneself dev --json` printed, in a file."""
    folder = tmp_path_factory.mktemp("tour")
    with server_process.dev(folder / "data") as server:
        place = folder / "dev.json"
        place.write_text(json.dumps(server.announced))
        yield place


def test_the_tour_with_stytchs_sdk(dev_json: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "tour_stytch.py"), str(dev_json)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == printed("python examples/tour_stytch.py dev.json")


def test_the_tour_with_stack_auths_sdk(dev_json: Path) -> None:
    text = (ROOT / "examples" / "tour_stack.mjs").read_text()
    # The lock file has two versions of the SDK, under names of their own.
    text, count = re.subn(r'"@stackframe/js"', '"stack-js-stack"', text)
    assert count == 1
    script = ROOT / "tests" / "node" / "tour_stack.running.mjs"
    script.write_text(text)
    try:
        ran = subprocess.run([node_run.find(), str(script), str(dev_json)], capture_output=True, text=True, timeout=60)
    finally:
        script.unlink()
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == printed("node examples/tour_stack.mjs dev.json")


def test_what_the_readme_names_is_there() -> None:
    for place in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README):
        assert (ROOT / place).exists(), place
