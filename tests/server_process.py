"""Runs the real server as a process of its own: `oneself dev` or `oneself serve`."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ServerFailed(RuntimeError):
    """The process ended, or did not answer in time; carries its standard error."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of the server's, then `extra`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ONESELF_")}
    plain["PYTHONPATH"] = str(ROOT / "src")
    plain["PYTHONUNBUFFERED"] = "1"
    return plain | dict(extra or {})


def cli(
    *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run one command of the operator's to its end; the caller judges its code and output."""
    return subprocess.run(
        [sys.executable, "-m", "oneself", *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
    )


def _die_with_parent() -> None:
    """In the child: end when the test run is killed, so that no server outlives it (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class ServerProcess:
    """One server: its base URL, its process, and what it wrote on standard error."""

    def __init__(self, arguments: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.arguments = list(arguments)
        self.log = log
        self.env = dict(env or {})
        self.base_url = ""
        self.announced: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def start(self) -> None:
        """Start the process; `wait_announced` or `wait_answering` tells when it is ready."""
        self._lines = queue.Queue()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "oneself", *self.arguments],
                env=environment(self.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # its workers are stopped with it, as one group
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - see the function
            )
        assert self.process.stdout is not None
        threading.Thread(target=self._collect, args=(self.process.stdout,), daemon=True).start()

    def wait_announced(self, seconds: float = START_SECONDS) -> dict[str, Any]:
        """Wait for the one JSON line that `dev --json` prints when ready, and take its base URL."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                self.announced = json.loads(self._lines.get(timeout=0.05))
                self.base_url = self.announced["base_url"].rstrip("/")
                return self.announced
            self._check_alive()
        raise ServerFailed(f"no JSON line within {seconds} s\n{self.stderr()}")

    def wait_answering(self, base_url: str, path: str = "/", seconds: float = START_SECONDS) -> None:
        """Wait until the server answers a GET of `path` with anything below 500."""
        self.base_url = base_url.rstrip("/")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._check_alive()
            try:
                with urllib.request.urlopen(self.base_url + path, timeout=5) as answer:
                    if answer.status < 500:
                        return
            except urllib.error.HTTPError as refused:
                if refused.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise ServerFailed(f"no answer at {self.base_url}{path} within {seconds} s\n{self.stderr()}")

    def stdout_lines(self) -> list[str]:
        """The lines that came on standard output and that nobody took yet."""
        taken = []
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(self._lines.get_nowait())
        return taken

    def stderr(self) -> str:
        """All that the process wrote on standard error so far, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process and its workers (SIGTERM asks, SIGKILL does not); gives the exit code."""
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)
        try:
            code = self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            code = self.process.wait()
        self.process = None
        return code

    def _check_alive(self) -> None:
        if self.process is None or self.process.poll() is not None:
            code = self.process.returncode if self.process else "none"
            raise ServerFailed(f"the server ended with {code}\n{self.stderr()}")

    def _collect(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line.rstrip("\n"))


@contextmanager
def dev(data: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """`oneself dev --json` on a free port with its data in `data`, ready; stopped in the end."""
    data.mkdir(parents=True, exist_ok=True)
    arguments = ["dev", "--json", "--port", "0", "--data", str(data), *options]
    server = ServerProcess(arguments, data.parent / f"{data.name}.stderr", env)
    server.start()
    try:
        server.wait_announced()
        yield server
    finally:
        server.stop()


@contextmanager
def serve(config: Path, base_url: str, *options: str, env: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """`oneself serve --config`, answering at `base_url`; stopped in the end."""
    arguments = ["serve", "--config", str(config), *options]
    server = ServerProcess(arguments, config.parent / f"{config.name}.stderr", env)
    server.start()
    try:
        server.wait_answering(base_url)
        yield server
    finally:
        server.stop()
