"""The real server as a process: it announces itself in one line, keeps its data, and ends when told."""

from __future__ import annotations

import signal
import urllib.request
from pathlib import Path

import pytest

from tests import server_process


def test_dev_announces_itself_in_one_line_and_keeps_its_data(tmp_path: Path) -> None:
    with server_process.dev(tmp_path / "data") as server:
        first = server.announced
        assert {"base_url", "project", "emulator_url"} <= first.keys()
        assert {"id", "stytch", "stack"} <= first["project"].keys()
        with urllib.request.urlopen(f"{server.base_url}/health", timeout=10) as answer:
            assert answer.status == 200
        assert server.stdout_lines() == []
        assert server.stop() == 0
    with server_process.dev(tmp_path / "data") as server:
        assert server.announced["project"] == first["project"]


def test_a_killed_server_can_be_started_again(tmp_path: Path) -> None:
    with server_process.dev(tmp_path / "data") as server:
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        server.start()
        assert server.wait_announced()["base_url"]


def test_a_server_that_refuses_to_start_says_why(tmp_path: Path) -> None:
    config = tmp_path / "broken.toml"
    config.write_text("nonsense = true\n")
    with (
        pytest.raises(server_process.ServerFailed, match="nonsense"),
        server_process.serve(config, "http://127.0.0.1:9"),
    ):
        pass
