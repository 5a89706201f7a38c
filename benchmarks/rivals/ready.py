"""Makes the rivals' environments, once: their own Python and Node packages, each checked against its hash."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from tests import node_run
from tests.ready import npm

FOLDER = Path(__file__).parent
ENVIRONMENT = FOLDER.parents[1] / ".venv-rivals"
PYTHON = ENVIRONMENT / "bin" / "python"
LOCKS = (FOLDER / "requirements.lock", FOLDER / "package-lock.json")


def node() -> str:
    """The path of a Node that is new enough. Raises NodeMissing, which says what to install."""
    return node_run.find()


def make() -> None:
    """Bring both environments to what their lock files say; takes no time where they are. Raises CalledProcessError."""
    stamp = FOLDER / "node_modules" / ".oneself-stamp"
    wanted = "".join(hashlib.sha256(lock.read_bytes()).hexdigest() for lock in LOCKS) + sys.version
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # The lock file names every package, so that nothing is left to resolve; and of their modules few are ever imported,
    # so that compiling all of them would be a waste.
    venv.EnvBuilder(clear=True, symlinks=True).create(ENVIRONMENT)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-compile")
    command = [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--require-hashes", "-r", str(LOCKS[0])]
    command += quiet
    subprocess.run(command, stdout=sys.stderr, check=True)
    path = f"{Path(node()).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [*npm(node()), "ci", "--loglevel=error"]
    subprocess.run(command, cwd=FOLDER, env={**os.environ, "PATH": path}, stdout=sys.stderr, check=True)
    stamp.write_text(wanted)
