#!/usr/bin/env python3
"""The project's commands for a machine with nothing but Python: `python3 tasks.py dev`, `test`...

Each command first brings `.venv` up to what the lock files say, which takes no time when it already
is. Progress goes to standard error, so that a command's own standard output stays clean.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is what this line is for
    found = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(f"oneself needs Python 3.11 or newer; this is {found} ({sys.executable})")
if sys.platform == "win32":
    sys.exit("oneself runs on Linux and macOS; on Windows use it inside WSL")

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "oneself-stamp.json"
# What an environment is made from: to run the server, and to test it (which has everything).
RUN = ("requirements.lock", "requirements-build.lock")
TEST = ("requirements-test.lock",)
COVERS = {TEST: (*TEST, *RUN), RUN: RUN}
# The other servers of the benchmark have environments of their own.
RIVALS = "benchmarks/rivals"
NODE_FOLDERS = ("tests/node", RIVALS)
# All tests side by side, more than there are cores, for they wait a lot: each process takes whole files, in the order
# of tests/conftest.py, and has databases and servers of its own.
SIDE_BY_SIDE = ("--numprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder")
# Settings of the caller's Python or pip that would send an install somewhere else.
MISLEADING = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
# Settings that would make each of the many processes of a test run compile every module again.
SLOWING = ("PYTHONDONTWRITEBYTECODE",)

USAGE = """usage: python3 tasks.py COMMAND [ARGUMENTS]

  dev [OPTIONS]    start a development server (the options of `oneself dev`)
  test [OPTIONS]   run all tests, side by side, or those that the options of pytest choose
  lint             check style and format
  types            check types
  bench [OPTIONS]  run the benchmarks
  crash [OPTIONS]  kill processes at every named point (--seed N --kills 1000 --servers 40)
  lock             resolve the lock files again (needs `uv` and `npm`)"""


def main(arguments: list[str]) -> int:
    """Run the command that the first argument names; gives its exit code."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        print(USAGE, file=sys.stderr)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    os.chdir(ROOT)
    for name in (*MISLEADING, *SLOWING):
        os.environ.pop(name, None)
    return command(arguments[1:])


def dev(arguments: list[str]) -> int:
    """Start `oneself dev` in this process's place."""
    prepare(RUN)
    become("-m", "oneself", "dev", *arguments)


def test(arguments: list[str]) -> int:
    """Run the tests in this process's place, after what they need beside Python is here too."""
    prepare(TEST)
    run("-m", "tests.ready")
    become("-m", "pytest", *(arguments or SIDE_BY_SIDE))


def lint(arguments: list[str]) -> int:
    """Check style, then format; the first that fails decides."""
    prepare(TEST)
    return run("-m", "ruff", "check", *arguments, ".") or run("-m", "ruff", "format", "--check", *arguments, ".")


def types(arguments: list[str]) -> int:
    """Check types strictly, over the package, the tests and this file."""
    prepare(TEST)
    return run("-m", "mypy", *arguments)


def bench(arguments: list[str]) -> int:
    """Run the benchmarks in this process's place."""
    prepare(TEST)
    become("-m", "benchmarks", *arguments)


def crash(arguments: list[str]) -> int:
    """Kill processes and hold what they acknowledged against what is left, in this process's place."""
    prepare(TEST)
    become("-m", "tests.crash", *arguments)


def lock(arguments: list[str]) -> int:
    """Resolve every lock file again: hashes for all supported Pythons, and no host's address."""
    uv = shutil.which("uv") or fail("uv is missing: python3 -m pip install uv")
    npm = shutil.which("npm") or fail("npm is missing: install the package 'npm'")
    style = ("--universal", "--python-version", "3.11", "--generate-hashes", "--quiet")
    clean = ("--no-emit-index-url", "--no-annotate", "--no-header", *arguments)
    groups = ("--group", "test", "--group", "build", "-c", "requirements.lock")
    for output, sources in (
        ("requirements.lock", ("pyproject.toml",)),
        ("requirements-build.lock", ("--group", "build")),
        ("requirements-test.lock", ("pyproject.toml", *groups)),
        (f"{RIVALS}/requirements.lock", (f"{RIVALS}/requirements.in",)),
    ):
        subprocess.run([uv, "pip", "compile", *style, *clean, *sources, "-o", output], check=True)
    for place in NODE_FOLDERS:
        lock_node(npm, ROOT / place)
    return 0


def lock_node(npm: str, folder: Path) -> None:
    """Resolve the lock file of one folder of Node's packages again."""
    subprocess.run([npm, "install", "--package-lock-only"], cwd=folder, check=True)
    file = folder / "package-lock.json"
    tree = json.loads(file.read_text())
    for package in tree["packages"].values():
        package.pop("funding", None)  # only addresses
    file.write_text(json.dumps(tree, indent=2) + "\n")


def prepare(locks: tuple[str, ...]) -> None:
    """Bring `.venv` to what these lock files say; when it is there already, only a file is read."""
    wanted = {name: digest(ROOT / name) for name in COVERS[locks]}
    with one_at_a_time():
        if has(wanted):
            return
        make_environment()
        tell(f"installing what {locks[0]} pins, each file checked against its hash")
        requirements = [part for name in locks for part in ("-r", name)]
        pip("install", "--require-hashes", *requirements)
        pip("install", "--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
        STAMP.write_text(json.dumps(identity() | wanted, indent=2) + "\n")
        tell("environment ready")


def has(wanted: dict[str, str]) -> bool:
    """Whether the environment was made here, by this Python, from these files."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    return PYTHON.exists() and (identity() | wanted).items() <= stamp.items()


def identity() -> dict[str, str]:
    """What ties an environment to its place: a moved folder or another Python makes it anew."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return {"root": str(ROOT), "python": version, "pyproject.toml": digest(ROOT / "pyproject.toml")}


def digest(file: Path) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def make_environment() -> None:
    """Make `.venv` where there is none that runs, or one of another Python."""
    if PYTHON.exists():
        version = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
        told = subprocess.run([PYTHON, "-c", version], capture_output=True, text=True, check=False)
        if told.stdout.strip() == identity()["python"]:
            return
        tell("making .venv anew: it belongs to another Python")
    if importlib.util.find_spec("ensurepip") is None and importlib.util.find_spec("pip") is None:
        fail(
            "this Python can make no environments: install the package 'python3-venv' "
            "(apt-get install python3-venv), then try again"
        )
    tell("making the environment in .venv (once; half a minute or so)")
    # pip comes with the environment where Python ships it, else the machine's own pip is used.
    with_pip = importlib.util.find_spec("ensurepip") is not None
    venv.EnvBuilder(clear=True, with_pip=with_pip, symlinks=True).create(ENVIRONMENT)


def pip(*arguments: str) -> None:
    """Run pip on the environment, its output on standard error; a failure ends the program."""
    if next(ENVIRONMENT.glob("lib/python*/site-packages/pip"), None):
        command = [str(PYTHON), "-m", "pip"]
    else:
        command = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run([*command, *arguments, *options], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        fail("pip could not install; its last lines above say why")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep two commands started together from building one environment at the same time."""
    with Path(__file__).open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(*arguments: str) -> int:
    """Run the environment's Python to its end; gives its exit code."""
    return subprocess.run([str(PYTHON), *arguments], check=False).returncode


def become(*arguments: str) -> NoReturn:
    """Turn this process into the environment's Python: signals and exit codes are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(PYTHON, [str(PYTHON), *arguments])


def tell(line: str) -> None:
    """Say what is going on."""
    print(f"oneself: {line}", file=sys.stderr, flush=True)


def fail(line: str) -> NoReturn:
    """Say in one line what is wrong and what to do, and end."""
    sys.exit(f"oneself: {line}")


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    command.__name__: command for command in (dev, test, lint, types, bench, crash, lock)
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
