"""The README's tour: its examples run against a real server, and print what the README says that they print."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Site:
    """A server of the tour: the line that `oneself dev --json` printed, in a file, and what makes clients trust it."""

    dev_json: Path
    trust: dict[str, str]


@pytest.fixture(scope="module", params=["http", "https"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A development server, by either scheme."""
    folder = tmp_path_factory.mktemp("tour")
    with server_process.dev(folder / "data", *(["--https"] if request.param == "https" else [])) as server:
        place = folder / "dev.json"
        place.write_text(json.dumps(server.announced))
        ca = server.announced.get("ca_file")
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        yield Site(place, {name: ca for name in names if ca})


def test_the_tour_with_stytchs_sdk(site: Site) -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "tour_stytch.py"), str(site.dev_json)],
        env=server_process.environment(site.trust),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == printed("python examples/tour_stytch.py dev.json")


def test_the_tour_with_stack_auths_sdk(site: Site) -> None:
    text = (ROOT / "examples" / "tour_stack.mjs").read_text()
    # The lock file has two versions of the SDK, under names of their own.
    text, count = re.subn(r'"@stackframe/js"', '"stack-js-stack"', text)
    assert count == 1
    script = ROOT / "tests" / "node" / "tour_stack.running.mjs"
    script.write_text(text)
    try:
        ran = subprocess.run(
            [node_run.find(), str(script), str(site.dev_json)],
            env=server_process.environment(site.trust),
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        script.unlink()
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == printed("node examples/tour_stack.mjs dev.json")


def test_what_the_readme_names_is_there() -> None:
    for place in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README):
        assert (ROOT / place).exists(), place
