"""`oneself serve`: it starts on what is fit and refuses the rest with a reason; several workers share one port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.postgres_server import free_port
from tests.server_process import ServerProcess, cli, serve

RING = f"k1:{b64encode(b'1' * 32).decode()}"
OTHER_RING = f"k1:{b64encode(b'2' * 32).decode()}"
PROJECT = """
[[projects]]
id = "5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"
display_name = "Shop"
"""


class Place:
    """A folder with a configuration that is fit for serving, on a port of its own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self.port = free_port()
        self.base_url = f"http://localhost:{self.port}"
        self.config = self.write()

    def write(self, **changes: object) -> Path:
        """Write the configuration with some settings changed; None leaves one out."""
        fit = {
            "base_url": self.base_url,
            "port": self.port,
            "database_url": self.database_url,
            "master_keys": RING,
            "stop_seconds": 5,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in (fit | changes).items() if value is not None]
        file = self.folder / "oneself.toml"
        file.write_text("\n".join([*lines, PROJECT]))
        return file

    def refused(self, *options: str, env: Mapping[str, str] | None = None) -> str:
        """Start it, expect that it does not, and give what it said."""
        done = cli("serve", "--config", str(self.config), *options, env=env, timeout=30)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        return " ".join(done.stderr.split())


@pytest.fixture
def place(tmp_path: Path, migrated_url: str) -> Place:
    """A place whose database has its schema, once on each engine."""
    return Place(tmp_path, migrated_url)


@pytest.fixture
def on_postgres(tmp_path: Path, migrated_postgres_url: str) -> Place:
    """A place on PostgreSQL with its schema."""
    return Place(tmp_path, migrated_postgres_url)


def health(base_url: str, path: str = "/health") -> str:
    """What the server says of itself, on a fresh connection."""
    with urllib.request.urlopen(base_url + path, timeout=5) as answer:
        status: str = json.load(answer)["status"]
        return status


def children(pid: int) -> list[int]:
    """The processes that a process has made."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_the_honest_twin_serves(place: Place) -> None:
    with serve(place.config, place.base_url) as server:
        assert health(place.base_url) == "ok"
        assert health(place.base_url, "/health/ready") == "ok"
        with urllib.request.urlopen(place.base_url, timeout=5) as answer:
            page = answer.read().decode()
        assert "Oneself is running" in page
        assert "Sign in" not in page
        assert server.stop(signal.SIGTERM) == 0


def test_declared_projects_are_there_and_declaring_twice_changes_nothing(place: Place) -> None:
    for _ in range(2):
        with serve(place.config, place.base_url):
            shown = cli("project", "show", "Shop", "--json", "--config", str(place.config))
            assert json.loads(shown.stdout)["id"] == "5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"
    listed = cli("project", "list", "--json", "--config", str(place.config))
    assert len(json.loads(listed.stdout)["projects"]) == 1


def test_an_unmigrated_database_is_refused(tmp_path: Path, engine_url: str) -> None:
    said = Place(tmp_path, engine_url).refused()
    assert "has no schema yet: run `oneself migrate`" in said


def test_an_unreachable_database_is_refused(tmp_path: Path) -> None:
    port = free_port()
    said = Place(tmp_path, f"postgresql://oneself:hush-hush@127.0.0.1:{port}/x").refused()
    assert "The database cannot be used" in said
    assert f"See that it runs at 127.0.0.1:{port}" in said
    assert "hush-hush" not in said


def test_an_impossible_file_is_refused(tmp_path: Path) -> None:
    said = Place(tmp_path, f"sqlite:///{tmp_path}/none/at/all.sqlite3").refused()
    assert "The database cannot be used" in said
    assert "See that the folder" in said


def test_another_master_key_than_the_databases_is_refused(place: Place) -> None:
    with serve(place.config, place.base_url):
        pass
    place.write(master_keys=OTHER_RING)
    assert "sealed under another master key" in place.refused()
    place.write(master_keys=RING.replace("k1", "k2"))
    assert "sealed under another master key" in place.refused()
    # rotated rightly, the old key still there
    place.write(master_keys=f"{OTHER_RING.replace('k1', 'k2')}, {RING}")
    with serve(place.config, place.base_url):
        assert health(place.base_url) == "ok"


def test_another_master_key_is_refused_though_nothing_is_declared(place: Place) -> None:
    assert cli("project", "create", "Undeclared", "--config", str(place.config)).returncode == 0
    place.write(master_keys=OTHER_RING)
    place.config.write_text(place.config.read_text().replace(PROJECT, ""))
    assert "The project Undeclared is sealed under another master key" in place.refused()


def test_master_keys_that_are_none_are_refused(place: Place) -> None:
    place.write(master_keys="k1:short")
    said = place.refused()
    assert "entry 1 is not a new id and 32 bytes in base64" in said
    assert "short" not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"master_keys": None}, "No master key"),
        ({"master_keys": f"dev-{RING}"}, "a key that `oneself dev` made"),
        ({"base_url": "http://id.example.com"}, "is http and not localhost"),
        ({"base_url": None}, "No `base_url`"),
        ({"access_log": "full"}, "writes the codes and tokens"),
        ({"prot": 1}, "Did you mean `port`?"),
    ],
)
def test_unsafe_settings_are_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    made = Place(tmp_path, f"sqlite:///{tmp_path}/x.sqlite3")
    made.write(**changes)
    assert said in made.refused()


def test_several_workers_on_sqlite_are_refused(tmp_path: Path) -> None:
    made = Place(tmp_path, f"sqlite:///{tmp_path}/x.sqlite3")
    assert "SQLite, which bears one process" in made.refused("--workers", "2")


def test_a_second_server_on_one_sqlite_file_is_refused(tmp_path: Path, migrated_sqlite_url: str) -> None:
    made = Place(tmp_path, migrated_sqlite_url)
    with serve(made.config, made.base_url):
        assert "is served by another process" in made.refused("--port", "0")


def test_a_taken_port_is_refused(place: Place) -> None:
    with serve(place.config, place.base_url):
        other = cli("serve", "--config", str(place.config), timeout=30)
    assert other.returncode == 1
    assert "is taken by another process" in other.stderr or "is served by another process" in other.stderr


def test_the_environment_alone_is_enough(tmp_path: Path, sqlite_url: str) -> None:
    port = free_port()
    (tmp_path / "ring").write_text(RING)
    env = {
        "ONESELF_BASE_URL": f"http://localhost:{port}",
        "ONESELF_PORT": str(port),
        "ONESELF_DATABASE_URL": sqlite_url,
        "ONESELF_MASTER_KEYS_FILE": str(tmp_path / "ring"),
    }
    assert cli("migrate", env=env).returncode == 0
    server = ServerProcess(["serve"], tmp_path / "stderr", env)
    server.start()
    try:
        server.wait_answering(env["ONESELF_BASE_URL"], "/health")
    finally:
        assert server.stop() == 0


# --- several workers ---------------------------------------------------------------------------------------


def test_a_dead_worker_is_replaced_and_nobody_is_refused(on_postgres: Place) -> None:
    with serve(on_postgres.config, on_postgres.base_url, "--workers", "2") as server:
        assert server.process is not None
        parent = server.process.pid
        wait_for(lambda: len(children(parent)) == 2)
        before = children(parent)
        os.kill(before[0], signal.SIGKILL)
        for _ in range(20):
            assert health(on_postgres.base_url, "/health/ready") == "ok"
        wait_for(lambda: len(children(parent)) == 2 and before[0] not in children(parent))
        assert f"worker {before[0]} ended (signal 9)" in server.stderr()
        assert server.stop(signal.SIGTERM) == 0


def test_workers_do_not_outlive_their_parent(on_postgres: Place) -> None:
    with serve(on_postgres.config, on_postgres.base_url, "--workers", "2") as server:
        assert server.process is not None
        parent = server.process.pid
        wait_for(lambda: len(children(parent)) == 2)
        wait_for(lambda: server.stderr().count("answers") == 2)
        workers = children(parent)
        os.kill(parent, signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{pid}/task").exists() and alive(pid) for pid in workers))


def alive(pid: int) -> bool:
    """Whether a process runs and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_told_to_stop_the_parent_alone_stops_all_in_peace(on_postgres: Place) -> None:
    with serve(on_postgres.config, on_postgres.base_url, "--workers", "2") as server:
        assert server.process is not None
        parent = server.process.pid
        wait_for(lambda: len(children(parent)) == 2)
        workers = children(parent)
        os.kill(parent, signal.SIGTERM)
        assert server.process.wait(timeout=10) == 0
        assert not any(alive(pid) for pid in workers)
        server.process = None


def test_a_request_that_runs_is_finished_before_the_stop(place: Place) -> None:
    with serve(place.config, place.base_url) as server:
        assert server.process is not None
        connection = http.client.HTTPConnection("localhost", place.port, timeout=10)
        connection.putrequest("POST", "/v1/users")
        connection.putheader("Content-Length", "2")
        connection.endheaders()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.send(b"{}")
        assert connection.getresponse().status == 401
        assert server.process.wait(timeout=10) == 0
        server.process = None


def test_the_access_log_holds_paths_without_queries(place: Place) -> None:
    place.write(access_log="path", log_format="json")
    with serve(place.config, place.base_url) as server:
        urllib.request.urlopen(f"{place.base_url}/health?code=hush", timeout=5).close()
        wait_for(lambda: "/health" in server.stderr())
        assert "hush" not in server.stderr()
        assert all(line.startswith(("{", "Oneself serves")) for line in server.stderr().splitlines())
