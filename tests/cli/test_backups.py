"""`oneself backup` and `oneself restore`: a copy taken under load is whole, and nothing works twice after it."""

from __future__ import annotations

import base64
import json
import sqlite3
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from oneself.config import StytchSide, load
from tests.cli.test_importing import GOOGLE, imported, people, write
from tests.cli.test_serve import PROJECT, Place
from tests.postgres_server import Cluster
from tests.server_process import cli, environment, serve

RETURN_URL = """
[[projects.redirect_urls]]
url = "http://localhost:3000/authenticate"
default = true
"""


def made(place: Place) -> Place:
    """The place with one project that has Google."""
    settings = place.config.read_text().replace(PROJECT, "")
    keys = cli("keys", "generate", "--project").stdout.replace("[[projects]]", '[[projects]]\ndisplay_name = "Shop"')
    place.config.write_text(settings + keys + GOOGLE + RETURN_URL)
    return place


@pytest.fixture
def place(tmp_path: Path, migrated_sqlite_url: str) -> Place:
    """A place on SQLite with a project and three users, who have tokens."""
    found = made(Place(tmp_path, migrated_sqlite_url))
    with serve(found.config, found.base_url):
        pass
    imported(found, write(tmp_path / "users.jsonl", people(3)))
    return found


def ran(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the operator's on this place."""
    done = cli(*arguments, "--config", str(place.config))
    assert "Traceback" not in done.stderr, done.stderr
    return done


def refused(place: Place, *arguments: str) -> str:
    """What a command says that does nothing."""
    done = ran(place, *arguments)
    assert done.returncode == 1, done.stdout
    return " ".join(done.stderr.split())


def told(place: Place, *arguments: str) -> Any:
    """What a command prints as JSON."""
    done = ran(place, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def database(place: Place) -> Path:
    """The place's SQLite file."""
    return Path(place.database_url.removeprefix("sqlite:///"))


def rows(file: Path, sql: str) -> list[Any]:
    """What a statement finds in a SQLite file."""
    with closing(sqlite3.connect(file)) as opened:
        return opened.execute(sql).fetchall()


def set_epoch(place: Place, epoch: int) -> None:
    """Write the epoch beside the key ring."""
    lines = [line for line in place.config.read_text().splitlines() if not line.startswith("epoch")]
    place.config.write_text("\n".join([f"epoch = {epoch}", *lines]))


def test_a_backup_under_load_is_one_moment_and_opens(place: Place, tmp_path: Path) -> None:
    """Users come in beside the copying, each with an address and an account in one transaction: all of one, or none."""
    file = write(tmp_path / "more.jsonl", people(20_000))
    command = [sys.executable, "-m", "oneself", "import", "stack", str(file), "--config", str(place.config)]
    copies = [tmp_path / f"copy-{number}.sqlite3" for number in range(3)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    try:
        proofs = []
        for copy in copies:
            assert process.poll() is None, "nothing comes in any more"
            proofs.append(told(place, "backup", str(copy))["holds"])
    finally:
        process.terminate()
        process.wait()
    assert proofs[0]["users"] <= proofs[1]["users"] <= proofs[2]["users"]
    assert proofs[0]["users"] < 20_000
    for copy, proof in zip(copies, proofs, strict=True):
        assert proof["users"] == proof["accounts"] == proof["token_sets"] >= 3
        assert proof["client_secrets"] == 1
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
        assert rows(copy, "SELECT count(*) FROM emails") == [(proof["users"],)]
        assert told(place, "restore", str(copy), "--check") == proof
    assert [left.name for left in tmp_path.iterdir() if "partial" in left.name] == []


def test_a_copy_is_not_served_before_it_is_restored(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    told(place, "backup", str(copy))
    there = database(place)
    there.unlink()
    copy.rename(there)
    assert "nobody has restored it" in refused(place, "serve")
    assert "nobody has restored it" in " ".join(ran(place, "doctor").stdout.split())
    assert told(place, "restore", "--after")["epoch"] == 1
    assert "its epoch is 1 now" in refused(place, "serve")
    set_epoch(place, 1)
    with serve(place.config, place.base_url):
        pass


def test_a_restore_voids_what_works_once_and_begins_an_epoch(place: Place, tmp_path: Path) -> None:
    user = people(1)[0]["id"]
    with serve(place.config, place.base_url) as server:
        ticket = attach(place, server.base_url, user)
        copy = tmp_path / "copy.sqlite3"
        told(place, "backup", str(copy))
        assert begun(place, server.base_url, ticket) == 302
        # spent, and so not to be used again
        assert begun(place, server.base_url, ticket) == 400
        spare = attach(place, server.base_url, user)
        assert "is being served" in refused(place, "restore", str(copy), "--replace")
        assert "is being served" in refused(place, "restore", "--after")
    assert "--replace puts the backup in the place" in refused(place, "restore", str(copy))
    restored = told(place, "restore", str(copy), "--replace")
    assert restored["epoch"] == 1
    assert restored["voided"] == {
        "flows": 1,
        "codes": 0,
        "letters": 0,
        "candidates": 0,
        "sessions": 0,
        "doubtful_grants": 3,
    }
    aside = database(place).with_name(f"{database(place).name}.before-epoch-1")
    assert rows(aside, "SELECT count(*) FROM users") == [(3,)]
    assert "its epoch is 1 now" in refused(place, "serve")
    set_epoch(place, 1)
    with serve(place.config, place.base_url) as server:
        # neither what was spent since the backup, nor what was made since
        assert begun(place, server.base_url, ticket) == 400
        assert begun(place, server.base_url, spare) == 400
        # and the honest twin
        assert begun(place, server.base_url, attach(place, server.base_url, user)) == 302
    shown = rows(database(place), "SELECT action, reason FROM audit WHERE action = 'server.restore'")
    assert shown == [("server.restore", "epoch_1")]
    # a backup of before that restore, put back by hand and with its mark taken away, is of an older epoch
    database(place).unlink()
    database(place).write_bytes(copy.read_bytes())
    with closing(sqlite3.connect(database(place))) as opened:
        opened.execute("UPDATE restore_state SET is_copy = FALSE")
        opened.commit()
    assert "is of the epoch 0, and `epoch` beside the key ring is 1" in refused(place, "serve")
    assert told(place, "restore", "--after")["epoch"] == 2


def side(place: Place) -> StytchSide:
    """The project's ids and keys in Stytch's dialect."""
    found = load(place.config, {}).projects[0].stytch
    assert found is not None
    return found


def attach(place: Place, base_url: str, user_id: str) -> str:
    """A fresh attach token for a user."""
    project = side(place)
    pair = f"{project.project_id}:{project.secret.reveal()}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(), "Content-Type": "application/json"}
    body = json.dumps({"provider": "google", "user_id": f"user-live-{user_id}"}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{base_url}/v1/oauth/attach", body, headers)) as answer:
        token: str = json.load(answer)["oauth_attach_token"]
        return token


class _Stay(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as the answer."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def begun(place: Place, base_url: str, ticket: str) -> int:
    """The status of a start with an attach token."""
    query = f"public_token={side(place).public_token}&oauth_attach_token={ticket}"
    try:
        return int(urllib.request.build_opener(_Stay).open(f"{base_url}/v1/public/oauth/google/start?{query}").status)
    except urllib.error.HTTPError as answer:
        return answer.code


def test_sessions_end_where_the_operator_says_so(place: Place) -> None:
    with closing(sqlite3.connect(database(place))) as opened:
        opened.execute(
            "INSERT INTO sessions SELECT project_id, 's', id, 'stytch', x'00', 1, 1, 9000000000000000, '[]', '{}', '',"
            " '', FALSE FROM users LIMIT 1"
        )
        opened.commit()
    assert told(place, "restore", "--after")["voided"]["sessions"] == 0
    assert rows(database(place), "SELECT count(*) FROM sessions") == [(1,)]
    assert told(place, "restore", "--after", "--end-sessions")["voided"]["sessions"] == 1
    assert rows(database(place), "SELECT epoch FROM restore_state") == [(2,)]


def test_what_is_no_backup_is_refused_and_nothing_is_left(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    told(place, "backup", str(copy))
    assert "Nothing is written over" in refused(place, "backup", str(copy))
    text = tmp_path / "text"
    text.write_text("no database at all, " * 500)
    assert "file is not a database" in refused(place, "restore", str(text), "--check")
    damaged = tmp_path / "damaged"
    content = bytearray(copy.read_bytes())
    content[8_192 : 8_192 + 4_096] = b"\xff" * 4_096
    damaged.write_bytes(content)
    assert "The database could not be copied." in refused(place, "restore", str(damaged), "--replace")
    other = Place(tmp_path, place.database_url)
    other.config = tmp_path / "other.toml"
    lines = place.config.read_text().replace("k1:MTEx", "k1:MTIx")
    other.config.write_text(lines)
    assert refused(other, "restore", str(copy), "--check")
    assert "What is to be restored?" in refused(place, "restore")
    assert "What is to be restored?" in refused(place, "restore", str(copy), "--after")
    assert rows(database(place), "SELECT count(*) FROM users") == [(3,)]
    assert [left.name for left in tmp_path.iterdir() if "partial" in left.name] == []


def binary(postgres: Cluster, name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools."""
    subprocess.run([postgres.binaries / name, *arguments], check=True, capture_output=True, timeout=60)


def test_postgresqls_own_copy_is_finished_by_a_command(
    tmp_path: Path, postgres: Cluster, migrated_postgres_url: str
) -> None:
    place = made(Place(tmp_path, migrated_postgres_url))
    with serve(place.config, place.base_url):
        pass
    imported(place, write(tmp_path / "users.jsonl", people(3)))
    assert "pg_dump" in refused(place, "backup", str(tmp_path / "copy"))
    dump = tmp_path / "dump.sql"
    writing = threading.Thread(target=imported, args=(place, write(tmp_path / "more.jsonl", people(600))))
    writing.start()
    binary(postgres, "pg_dump", "--dbname", migrated_postgres_url, "--file", str(dump))
    writing.join()
    name = postgres.create_database()
    try:
        place.config.write_text(place.config.read_text().replace(migrated_postgres_url, postgres.url(name)))
        binary(postgres, "psql", "--quiet", "--dbname", postgres.url(name), "--file", str(dump))
        proof = told(place, "restore", "--check")
        assert proof["users"] == proof["accounts"] == proof["token_sets"] >= 3
        restored = told(place, "restore", "--after")
        assert (restored["epoch"], restored["voided"]["doubtful_grants"]) == (1, proof["token_sets"])
        assert "its epoch is 1 now" in refused(place, "serve")
        set_epoch(place, 1)
        with serve(place.config, place.base_url):
            pass
    finally:
        postgres.drop_database(name)
