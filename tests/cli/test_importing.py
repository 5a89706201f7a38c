"""`oneself import` and `oneself export` as an operator runs them: beside servers, killed on the way, twice."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest

from oneself.config import load
from tests.cli.test_serve import PROJECT, Place
from tests.server_process import ROOT, cli, dev, environment, serve

GOOGLE = """
[projects.providers.google]
client_id = "google-client"
client_secret = "google-secret"
"""


@pytest.fixture
def place(tmp_path: Path, migrated_url: str) -> Place:
    """A place whose database has its schema and one project with Google, once on each engine."""
    made = Place(tmp_path, migrated_url)
    settings = made.config.read_text().replace(PROJECT, "")
    # its TOML tables end the project's own lines, so what belongs there goes in front
    keys = cli("keys", "generate", "--project").stdout.replace("[[projects]]", '[[projects]]\ndisplay_name = "Shop"')
    made.config.write_text(settings + keys + GOOGLE)
    with serve(made.config, made.base_url):
        pass  # the project is declared at the first start
    return made


def people(count: int) -> list[dict[str, Any]]:
    """So many users as Stack's `GET /users` has them, each with an account and tokens."""
    return [
        {
            "id": str(uuid.UUID(int=(4 << 76) | (2 << 62) | n)),
            "primary_email": f"p{n}@corp.example",
            "primary_email_verified": True,
            "primary_email_auth_enabled": True,
            "display_name": f"Person {n}",
            "signed_up_at_millis": 1_700_000_000_000 + n,
            "oauth_providers": [
                {
                    "id": "google",
                    "account_id": f"g-{n}",
                    "access_tokens": [{"access_token": f"secret-at-{n}", "scopes": ["openid"]}],
                    "refresh_tokens": [{"refresh_token": f"secret-rt-{n}", "scopes": ["openid"]}],
                }
            ],
        }
        for n in range(count)
    ]


def write(file: Path, rows: list[Any]) -> Path:
    """Rows as JSON lines; a text is written as it is."""
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return file


def imported(place: Place, file: Path, *options: str, source: str = "stack") -> dict[str, Any]:
    """What an import reports as JSON."""
    done = cli("import", source, str(file), "--json", "--config", str(place.config), *options)
    assert "Traceback" not in done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if report["refused"] else 0), done.stderr
    return report


def exported(place: Place, *options: str, target: str = "stack") -> str:
    """What an export writes on standard output."""
    done = cli("export", target, "--config", str(place.config), *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_is_tried_imported_and_imported_again(place: Place, tmp_path: Path) -> None:
    file = write(tmp_path / "users.jsonl", [*people(3), "{broken", {"id": "no uuid"}, *people(1)])
    names = ("rows", "created", "unchanged", "refused", "accounts", "token_sets")
    dry = imported(place, file, "--dry-run")
    assert dry["dry_run"] is True
    assert exported(place) == ""
    refused_file = tmp_path / "refused.jsonl"
    done = imported(place, file, "--refused", str(refused_file))
    assert [done[name] for name in names] == [6, 3, 1, 2, 3, 3]
    assert [row["line"] for row in done["refused_rows"]] == [4, 5]
    assert [json.loads(line) for line in refused_file.read_text().splitlines()] == done["refused_rows"]
    assert all(row["reason"] and row["what_to_do"] for row in done["refused_rows"])
    again = imported(place, file)
    assert [again[name] for name in names] == [6, 0, 4, 2, 0, 0]
    assert len(exported(place).splitlines()) == 3


def test_the_report_is_readable(place: Place, tmp_path: Path) -> None:
    rows: list[Any] = [*people(3), *[f"{{broken {n}" for n in range(25)]]
    rows[0]["password_hash"] = "$2y$04$abcdefghijklmnopqrstuuqREtd3VJD2QVZbuFskFSLk6eRIrQoOS"
    rows[1]["password_hash"] = "$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$" + "A" * 43
    rows[2]["password_hash"] = "md5:0123"
    rows.append(people(4)[3] | {"password_hash": rows[0]["password_hash"].replace("$04$", "$31$")})
    file = write(tmp_path / "users.jsonl", rows)
    done = cli("import", "stack", str(file), "--dry-run", "--config", str(place.config))
    assert done.returncode == 1
    assert "line 4: it is no valid JSON. Correct the row" in done.stdout
    assert re.search(r"password hashes would be taken +2 \(1 bcrypt, 1 scrypt\)", done.stdout)
    assert "not taken: 1 × password hash of a kind that is not argon2, bcrypt or scrypt" in done.stdout
    assert "and 6 more; --refused FILE writes them all." in done.stdout
    assert "Nothing was written." in done.stdout
    assert "secret-" not in done.stdout + done.stderr
    (refused,) = imported(place, write(file, rows[-1:]), "--dry-run")["refused_rows"]
    assert refused["reason"] == "its password hash has a bcrypt cost above 15"
    assert "sets a new password" in refused["what_to_do"]


def test_an_import_that_was_killed_goes_on_where_it_was(place: Place, tmp_path: Path) -> None:
    rows = people(2000)
    # broken rows on the way tell how far an import has come
    marked: list[Any] = list(rows)
    for at in (900, 600, 300):
        marked.insert(at, "{broken")
    file = write(tmp_path / "users.jsonl", marked)
    for deaths in range(1, 4):
        told = tmp_path / f"refused-{deaths}.jsonl"
        command = [sys.executable, "-m", "oneself", "import", "stack", str(file), "--refused", str(told)]
        process = subprocess.Popen([*command, "--config", str(place.config)], env=environment())
        while not told.exists() or told.read_bytes().count(b"\n") < deaths:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        here = [json.loads(line) for line in exported(place).splitlines()]
        assert 300 * deaths - 1 <= len(here) < 2000
        # nobody is there by half
        assert all(user["oauth_providers"] and user["primary_email"] for user in here)
    report = imported(place, file)
    assert (report["created"], report["unchanged"], report["refused"]) == (2000 - len(here), len(here), 3)
    assert (report["accounts"], report["token_sets"]) == (2000 - len(here), 2000 - len(here))
    assert [json.loads(line)["id"] for line in exported(place).splitlines()] == [row["id"] for row in rows]
    assert imported(place, file)["unchanged"] == 2000


def test_an_import_runs_beside_a_server_that_serves(place: Place, tmp_path: Path) -> None:
    rows = people(600)
    file = write(tmp_path / "users.jsonl", rows)
    project = load(place.config, {}).projects[0]
    assert project.stytch is not None
    pair = f"{project.stytch.project_id}:{project.stytch.secret.reveal()}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(), "Content-Type": "application/json"}
    with serve(place.config, place.base_url):
        command = [sys.executable, "-m", "oneself", "import", "stack", str(file), "--json"]
        process = subprocess.Popen(
            [*command, "--config", str(place.config)], env=environment(), stdout=subprocess.PIPE, text=True
        )
        made = 0
        while process.poll() is None:
            body = json.dumps({"email": f"beside{made}@corp.example"}).encode()
            request = urllib.request.Request(f"{place.base_url}/v1/users", body, headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.status == 201
            made += 1
        assert process.stdout is not None
        report = json.loads(process.stdout.read())
        process.stdout.close()
        assert (report["created"], report["refused"]) == (600, 0)
        # what was imported is served at once
        user = urllib.request.Request(
            f"{place.base_url}/v1/users/user-{project.environment}-{rows[7]['id']}", headers=headers
        )
        with urllib.request.urlopen(user, timeout=30) as answer:
            assert json.load(answer)["emails"][0]["email"] == "p7@corp.example"
    assert made
    assert len(exported(place).splitlines()) == 600 + made


def test_tokens_leave_only_into_a_file_for_ones_own_eyes(place: Place, tmp_path: Path) -> None:
    imported(place, write(tmp_path / "users.jsonl", people(3)))
    asked = ("export", "stack", "--config", str(place.config), "--with-tokens")
    nowhere = cli(*asked)
    assert nowhere.returncode == 1
    assert "name a new file with --output" in nowhere.stderr
    assert "secret-" not in nowhere.stdout
    there = tmp_path / "there"
    there.write_text("mine")
    taken = cli(*asked, "--output", str(there))
    assert taken.returncode == 1
    assert there.read_text() == "mine"
    for target in ("stack", "stytch", "csv"):
        assert "secret-" not in exported(place, target=target)
        file = tmp_path / f"export.{target}"
        old = os.umask(0)
        try:
            done = cli("export", target, "--config", str(place.config), "--with-tokens", "--output", str(file))
        finally:
            os.umask(old)
        assert done.returncode == 0, done.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert all(f"secret-rt-{n}" in file.read_text() for n in range(3))
        assert "whoever reads it can act for these users" in " ".join(done.stderr.split())
        assert "secret-" not in done.stdout + done.stderr
        assert imported(place, file, source=target)["unchanged"] == 3
    assert [left.name for left in tmp_path.iterdir() if "partial" in left.name] == []


def test_an_export_that_fails_leaves_no_file(place: Place, tmp_path: Path) -> None:
    done = cli("export", "stack", "--project", "nobody", "--output", str(tmp_path / "x"), "--config", str(place.config))
    assert done.returncode == 1
    assert not (tmp_path / "x").exists()
    done = cli("export", "stack", "--output", str(tmp_path / "no" / "x"), "--config", str(place.config))
    assert done.returncode == 1
    assert "The file cannot be written." in done.stderr


def test_ids_of_the_other_environment_are_taken_when_the_operator_says_so(place: Place, tmp_path: Path) -> None:
    environment_ = load(place.config, {}).projects[0].environment
    other = "test" if environment_ == "live" else "live"
    user_id = people(1)[0]["id"]
    file = write(tmp_path / "users.json", [{"user_id": f"user-{other}-{user_id}", "emails": []}])
    (refused,) = imported(place, file, source="stytch")["refused_rows"]
    assert refused["reason"] == f"user_id belongs to the environment {other}, and the project is of {environment_}"
    assert imported(place, file, "--any-environment", source="stytch")["created"] == 1
    assert json.loads(exported(place, target="stytch"))["user_id"] == f"user-{environment_}-{user_id}"


def test_the_documentations_script_for_stytch_gives_a_file_that_is_taken(tmp_path: Path) -> None:
    """The vendor's own SDK pages through a server, and what it gives is imported somewhere else."""
    script = (ROOT / "docs" / "importing.md").read_text().partition("```python\n")[2].partition("```")[0]
    made = tmp_path / "there"
    with dev(tmp_path / "here") as here, dev(made):
        keys = here.announced["project"]["stytch"]
        client = f'stytch.Client("{keys["project_id"]}", "{keys["secret"]}", environment="{here.base_url}")'
        script, count = re.subn(r"stytch\.Client\(.*\)", client, script)
        assert count == 1
        rows = [
            {"id": user["id"], "primary_email": user["primary_email"], "oauth_providers": user["oauth_providers"]}
            for user in people(3)
        ]
        file = write(tmp_path / "users.jsonl", rows)
        assert cli("import", "stack", str(file), "--data", str(tmp_path / "here")).returncode == 0
        ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        done = cli("import", "stytch", str(file), "--json", "--data", str(made))
        report = json.loads(done.stdout)
    assert (report["created"], report["accounts"], report["refused_rows"]) == (3, 3, [])
