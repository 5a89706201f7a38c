"""`oneself dev`: one command sets up and runs; started again it keeps keys and data."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oneself.cli.dev_folder import ProjectKeys
from oneself.cli.dev_keys import open_folder
from oneself.cli.snippets import snippets
from tests import node_run, server_process
from tests.server_process import ServerFailed, ServerProcess, cli, dev


def stytch(server: ServerProcess, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call of Stytch's backend API with the announced keys."""
    keys = server.announced["project"]["stytch"]
    credentials = base64.b64encode(f"{keys['project_id']}:{keys['secret']}".encode()).decode()
    request = urllib.request.Request(
        server.base_url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        read: dict[str, Any] = json.load(answer)
        return read


def test_one_json_line_says_everything(tmp_path: Path) -> None:
    with dev(tmp_path / "data") as server:
        said = server.announced
        assert server.base_url == f"http://localhost:{server.base_url.rpartition(':')[2]}"
        assert said["emulator_url"] == f"{server.base_url}/emulator"
        assert set(said["project"]) == {"id", "stytch", "stack"}
        assert set(said["project"]["stytch"]) == {"project_id", "secret", "public_token"}
        assert set(said["project"]["stack"]) == {
            "project_id",
            "publishable_client_key",
            "secret_server_key",
            "super_secret_admin_key",
        }
        with urllib.request.urlopen(f"{server.base_url}/health/ready", timeout=5) as answer:
            assert json.load(answer)["status"] == "ok"
        assert server.stdout_lines() == []
        # every address of localhost, since a client may try any first
        port = int(server.base_url.rpartition(":")[2])
        for _, _, _, _, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
            with socket.create_connection((str(address[0]), port), timeout=5):
                pass


def test_started_again_it_keeps_keys_and_data(tmp_path: Path) -> None:
    with dev(tmp_path / "data") as first:
        made = stytch(first, "POST", "/v1/users", {"email": "ada@corp.example"})
    with dev(tmp_path / "data") as second:
        assert second.announced["project"] == first.announced["project"]
        assert stytch(second, "GET", f"/v1/users/{made['user_id']}")["user_id"] == made["user_id"]


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    with dev(tmp_path / "data"):
        folder = tmp_path / "data"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_the_log_holds_no_secret(tmp_path: Path) -> None:
    with dev(tmp_path / "data") as server:
        stytch(server, "POST", "/v1/users", {"email": "ada@corp.example"})
        keys = json.loads((tmp_path / "data" / "dev-keys.json").read_text())
    for secret in (keys["master_keys"], keys["project"]["stytch"]["secret"], keys["client_secret"]):
        assert secret not in server.stderr()


def test_it_stops_in_peace(tmp_path: Path) -> None:
    with dev(tmp_path / "data") as server:
        assert server.stop(signal.SIGTERM) == 0
    with dev(tmp_path / "data") as server:
        assert server.stop(signal.SIGINT) == 0


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = cli("dev", "--port", port, "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"port {port} on localhost is taken" in done.stderr
    assert "--port" in done.stderr
    assert done.stdout == ""


def test_the_emulator_alone_says_when_it_cannot_listen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = cli("emulator", "--port", port)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert done.stdout == ""
    assert cli("emulator", "--host", "nowhere.invalid").returncode == 1


def test_the_emulator_alone_answers_where_it_says(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ServerProcess(["emulator", "--port", str(port)], tmp_path / "stderr")
    server.start()
    try:
        server.wait_answering(f"http://127.0.0.1:{port}")
        assert server.stdout_lines() == [f"Emulated providers: http://127.0.0.1:{port}/"]
    finally:
        server.stop()


@pytest.mark.parametrize("port", ["99999", "-1", "abc"])
def test_a_port_that_cannot_be_is_said(tmp_path: Path, port: str) -> None:
    done = cli("dev", "--port", port, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "Invalid value for '--port'" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_served_already_is_said(tmp_path: Path) -> None:
    with dev(tmp_path / "data"):
        done = cli("dev", "--port", "0", "--data", str(tmp_path / "data"), timeout=20)
    assert done.returncode == 1
    assert "is served by another process" in done.stderr


def start_status(server: ServerProcess, landing: str) -> int:
    """What a start of Stytch's dialect that ends at `landing` is answered with."""
    token = server.announced["project"]["stytch"]["public_token"]
    query = urllib.parse.urlencode(
        {"public_token": token, "login_redirect_url": landing, "signup_redirect_url": landing}
    )
    address = urllib.parse.urlsplit(server.base_url)
    line = http.client.HTTPConnection(address.netloc, timeout=10)
    line.request("GET", f"/v1/public/oauth/google/start?{query}")
    with line.getresponse() as answer:
        return answer.status


def test_people_come_back_to_the_urls_that_are_named(tmp_path: Path) -> None:
    mine = "http://localhost:5173/welcome"
    with dev(tmp_path / "data") as server:
        assert start_status(server, "http://localhost:3000/authenticate") == 302
        assert start_status(server, mine) == 400
    with dev(tmp_path / "data", "--app", mine, "--app", "https://app.test/") as server:
        assert start_status(server, "http://localhost:3000/authenticate") == 302
        assert start_status(server, mine) == 302
        assert start_status(server, "https://app.test/") == 302
        assert start_status(server, "http://localhost:5173/elsewhere") == 400


@pytest.mark.parametrize("url", ["localhost:5173", "/welcome", "ftp://x/", "http://", "http://[x"])
def test_half_a_url_is_refused(tmp_path: Path, url: str) -> None:
    done = cli("dev", "--app", url, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "is no whole URL" in done.stderr


def test_a_folder_of_before_gets_the_key_that_it_lacks(tmp_path: Path) -> None:
    first = open_folder(tmp_path)
    file = tmp_path / "dev-keys.json"
    old = json.loads(file.read_text())
    assert old.pop("signing_key").startswith("-----BEGIN PRIVATE KEY-----")
    file.write_text(json.dumps(old))
    again = open_folder(tmp_path)
    assert again.project == first.project
    assert again.signing_key != first.signing_key
    assert open_folder(tmp_path) == again


def test_an_address_that_others_reach_is_warned_of(tmp_path: Path) -> None:
    with dev(tmp_path / "all", "--host", "0.0.0.0") as server:
        assert "can read every key" in server.stderr()
        assert server.base_url.startswith("http://localhost:")
    with dev(tmp_path / "local", "--host", "127.0.0.1") as server:
        assert server.stderr() == ""


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = cli("dev", "--port", "0", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "is a file" in done.stderr


def test_damaged_keys_are_said_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dev-keys.json").write_text("{")
    done = cli("dev", "--port", "0", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "is damaged" in done.stderr
    assert (tmp_path / "data" / "dev-keys.json").read_text() == "{"


@pytest.fixture
def shown(tmp_path: Path) -> str:
    """What a person sees on standard output, and the server that says it, stopped again."""
    server = ServerProcess(["dev", "--port", "0", "--data", str(tmp_path / "data")], tmp_path / "stderr")
    server.start()
    lines: list[str] = []
    try:
        while not any("Ctrl+C" in line for line in lines):
            lines.append(server._lines.get(timeout=server_process.START_SECONDS))
    finally:
        server.stop()
    return "\n".join(lines)


def test_a_person_reads_urls_keys_and_snippets(shown: str, tmp_path: Path) -> None:
    keys = json.loads((tmp_path / "data" / "dev-keys.json").read_text())["project"]
    for text in (*keys["stytch"].values(), *keys["stack"].values(), "/emulator/", "/openapi/stytch.json"):
        assert text in shown
    for title in ("Python, stytch", "Node, stytch", "Node, @stackframe/js"):
        assert title in shown


def test_the_snippets_run_as_they_are_printed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with dev(data) as server:
        # one user, with the same UUID in both dialects
        user = stytch(server, "POST", "/v1/users", {"email": "ada@corp.example"})["user_id"][-36:]
        page = urllib.request.urlopen(f"{server.base_url}/", timeout=5).read().decode()
        first, *others = snippets(server.base_url, msgspec.convert(server.announced["project"], ProjectKeys))
        assert page.count("<details open") + page.count("<details>") == 1 + len(others)
        done = subprocess.run([sys.executable, "-c", first.text], capture_output=True, text=True, timeout=30)
        assert user in done.stdout, done.stderr
        for script in others:
            # the tests have two releases of this package and so call one by another name
            text = script.text.replace('"@stackframe/js"', '"stack-js-stack"')
            command = [node_run.find(), "--input-type=module", "-e", f"{text}\nprocess.exit(0);"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=node_run.FOLDER)
            assert user in done.stdout, done.stderr


def test_a_server_that_cannot_start_prints_no_json(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "oneself.sqlite3").write_text("no database at all, but long enough to be read as one" * 100)
    with pytest.raises(ServerFailed), dev(tmp_path / "data"):
        pass
