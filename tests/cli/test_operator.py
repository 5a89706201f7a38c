"""What an operator asks: migrate, projects, users, keys, settings, doctor."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from oneself.config import load, settings
from tests.mail.catcher import Catcher, catching
from tests.server_process import cli, dev

RING = f"k1:{b64encode(b'1' * 32).decode()}"


def variables(database_url: str) -> dict[str, str]:
    """The settings of one database, as variables."""
    return {
        "ONESELF_DATABASE_URL": database_url,
        "ONESELF_MASTER_KEYS": RING,
        "ONESELF_BASE_URL": "http://localhost:8000",
    }


@pytest.fixture
def env(engine_url: str) -> dict[str, str]:
    """The settings of an empty database, once on each engine."""
    return variables(engine_url)


@pytest.fixture
def migrated(migrated_url: str) -> dict[str, str]:
    """The settings of a database with its schema, once on each engine."""
    return variables(migrated_url)


def test_migrating_twice_is_once(env: dict[str, str]) -> None:
    assert cli("migrate", "--check", env=env).returncode == 1
    first = cli("migrate", env=env)
    assert first.returncode == 0, first.stderr
    assert "The schema is at step" in first.stdout
    again = cli("migrate", env=env)
    assert again.returncode == 0
    assert "done" not in again.stderr
    assert cli("migrate", "--check", env=env).returncode == 0


def test_migrating_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    done = cli("migrate", "--config", str(tmp_path / "empty.toml"))
    assert done.returncode == 1
    assert "database_url" in done.stderr


def test_a_project_is_made_listed_and_shown(migrated: dict[str, str]) -> None:
    made = json.loads(cli("project", "create", "Shop", "--environment", "live", "--json", env=migrated).stdout)
    assert made["stytch"]["secret"].startswith("secret-live-")
    assert made["stack"]["secret_server_key"].startswith("ssk_")
    listed = json.loads(cli("project", "list", "--json", env=migrated).stdout)["projects"]
    assert [one["id"] for one in listed] == [made["id"]]
    for name in (made["id"], made["stytch"]["project_id"], made["stack"]["project_id"], "Shop"):
        shown = cli("project", "show", name, "--json", env=migrated)
        assert json.loads(shown.stdout)["id"] == made["id"]
        # keys are told once, when they are made
        assert made["stytch"]["secret"] not in shown.stdout
    assert made["id"] in cli("project", "list", env=migrated).stdout
    assert made["stytch"]["public_token"] in cli("project", "show", "Shop", env=migrated).stdout


def test_a_project_that_is_not_there_is_said(migrated: dict[str, str]) -> None:
    done = cli("project", "show", "Shop", env=migrated)
    assert done.returncode == 1
    assert "no project is called 'Shop'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_project_is_deleted_only_on_purpose_and_its_key_with_it(migrated: dict[str, str], tmp_path: Path) -> None:
    for name in ("Shop", "Other"):
        assert cli("project", "create", name, env=migrated).returncode == 0
    asked = cli("project", "delete", "Shop", env=migrated)
    assert asked.returncode == 1
    assert "Delete Shop" in asked.stderr
    assert len(json.loads(cli("project", "list", "--json", env=migrated).stdout)["projects"]) == 2
    keys = json.loads(cli("keys", "status", "--json", env=migrated).stdout)["master_keys"][0]["data_keys"]
    assert keys == 2
    done = cli("project", "delete", "Shop", "--yes", env=migrated)
    assert (done.returncode, "is deleted" in done.stdout) == (0, True), done.stderr
    assert "Shop" not in cli("project", "list", env=migrated).stdout
    assert json.loads(cli("keys", "status", "--json", env=migrated).stdout)["master_keys"][0]["data_keys"] == 1
    again = cli("project", "delete", "Shop", "--yes", env=migrated)
    assert (again.returncode, "no project is called 'Shop'" in again.stderr) == (1, True)
    other = json.loads(cli("project", "list", "--json", env=migrated).stdout)["projects"][0]["id"]
    file = tmp_path / "oneself.toml"
    file.write_text(f'[[projects]]\nid = "{other}"\ndisplay_name = "Other"\n')
    kept = cli("project", "delete", "Other", "--yes", "--config", str(file), env=migrated)
    assert (kept.returncode, "settings file declares it" in kept.stderr) == (1, True)


def test_two_projects_of_one_name_are_told_apart_by_id(migrated: dict[str, str]) -> None:
    for _ in range(2):
        assert cli("project", "create", "Shop", env=migrated).returncode == 0
    done = cli("project", "show", "Shop", env=migrated)
    assert done.returncode == 1
    assert "2 projects are called 'Shop'" in done.stderr
    assert "There are 2 projects" in cli("user", "list", env=migrated).stderr


def test_users_are_listed_and_shown_with_why(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with dev(data) as server:
        _sign_in(server.base_url, "ada")
        # beside the server that serves the file
        listed = json.loads(cli("user", "list", "--json", "--data", str(data)).stdout)["users"]
    assert [account["provider"] for user in listed for account in user["accounts"]] == ["google"]
    user_id = listed[0]["id"]
    shown = json.loads(cli("user", "show", user_id, "--json", "--data", str(data)).stdout)
    assert [entry["reason"] for entry in shown["history"]] == ["new_account"]
    for name in (user_id, f"user-test-{user_id}"):
        assert listed[0]["accounts"][0]["subject"] in cli("user", "show", name, "--data", str(data)).stdout
    assert user_id in cli("user", "list", "--data", str(data)).stdout
    assert cli("user", "list", "--text", "nobody", "--json", "--data", str(data)).stdout == '{"users":[]}\n'


def _sign_in(base_url: str, persona: str) -> None:
    """Sign in on the page as a persona of the emulated Google, without a browser."""
    jar = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(jar, _Stay)
    page = opener.open(base_url + "/").read().decode()
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    form = urllib.parse.urlencode({"form_token": token[1], "intent": "sign_in", "provider": "google"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": base_url}
    location = opener.open(urllib.request.Request(f"{base_url}/console/start", form.encode(), headers)).headers[
        "location"
    ]
    back = opener.open(f"{location}&login_hint={persona}").headers["location"]
    assert opener.open(back).headers["location"] == "/?notice=created"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Gives redirects as they are."""

    def http_error_302(self, req, fp, code, msg, headers):  # type: ignore[no-untyped-def]
        return fp

    http_error_303 = http_error_307 = http_error_302


def test_a_user_that_is_not_there_is_said(tmp_path: Path) -> None:
    with dev(tmp_path / "data"):
        pass
    done = cli("user", "show", "5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "no such user" in done.stderr
    assert "user list" in done.stderr


def test_a_project_without_a_name_is_refused(migrated: dict[str, str]) -> None:
    assert cli("user", "list", env=migrated).stderr.startswith("There is no project yet.")
    for name in ("", "  "):
        done = cli("project", "create", name, env=migrated)
        assert done.returncode == 1
        assert "needs a name" in done.stderr
    assert json.loads(cli("project", "list", "--json", env=migrated).stdout) == {"projects": []}


def test_a_configuration_and_a_folder_at_once_are_refused(tmp_path: Path) -> None:
    done = cli("user", "list", "--config", str(tmp_path / "a.toml"), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "Give one of the two" in done.stderr


@pytest.mark.parametrize("https", [False, True])
def test_a_doctor_finds_a_running_development_server_well(tmp_path: Path, https: bool) -> None:
    data = tmp_path / "data"
    with dev(data, *(["--https"] if https else [])):
        well = cli("doctor", "--json", "--data", str(data))
        assert json.loads(well.stdout)["ok"], well.stdout
    stopped = cli("doctor", "--json", "--data", str(data))
    red = [finding["name"] for finding in json.loads(stopped.stdout)["findings"] if not finding["ok"]]
    assert (stopped.returncode, red) == (1, ["project Development, oidc"])


def test_what_a_project_has_is_shown_under_headings(tmp_path: Path) -> None:
    with dev(tmp_path / "data"):
        pass
    shown = cli("project", "show", "Development", "--data", str(tmp_path / "data")).stdout
    assert "config_id\tprovider\tclient_id" in shown
    assert "google\tgoogle\toneself-dev" in shown
    assert "kind\tends_in" in shown


def test_a_folder_that_dev_never_made_is_said(tmp_path: Path) -> None:
    done = cli("user", "list", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "is no folder of `oneself dev`" in done.stderr


def test_a_master_key_is_made_that_serves() -> None:
    told = cli("keys", "generate").stdout.strip()
    name, _, key = told.partition(":")
    assert re.fullmatch(r"k\d{8}-[0-9a-f]{6}", name)
    assert len(b64decode(key, validate=True)) == 32
    assert json.loads(cli("keys", "generate", "--json").stdout)["master_key"] != told


def test_a_projects_keys_are_made_as_the_file_takes_them(tmp_path: Path) -> None:
    file = tmp_path / "oneself.toml"
    file.write_text(cli("keys", "generate", "--project").stdout)
    project = load(file, {}).projects[0]
    assert project.stytch is not None
    assert project.stytch.project_id.startswith("project-live-")
    told = json.loads(cli("keys", "generate", "--project", "--environment", "test", "--json").stdout)
    assert told["stytch"]["secret"].startswith("secret-test-")


def test_all_settings_are_listed() -> None:
    told = cli("settings").stdout
    assert all(setting.path in told for setting in settings())


def test_the_doctor_finds_a_healthy_server_healthy(migrated: dict[str, str]) -> None:
    assert cli("project", "create", "Shop", env=migrated).returncode == 0
    done = cli("doctor", env=migrated)
    assert done.returncode == 0, done.stdout
    assert "✘" not in done.stdout
    told = json.loads(cli("doctor", "--json", env=migrated).stdout)
    assert told["ok"] is True
    names = {one["name"] for one in told["findings"]}
    assert names >= {"settings", "database", "schema", "master keys"}
    # SQLite has no clock of its own
    assert ("clock" in names) == migrated["ONESELF_DATABASE_URL"].startswith("postgresql")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ONESELF_MASTER_KEYS": f"k1:{b64encode(b'2' * 32).decode()}"}, "add the master key that it was made with"),
        ({"ONESELF_BASE_URL": "http://id.example.com"}, "is http and not localhost"),
        ({"ONESELF_ACCESS_LOG": "full"}, "writes the codes and tokens"),
        ({"ONESELF_MASTER_KEYS": "k1:x"}, "is not a new id and 32 bytes"),
    ],
)
def test_the_doctor_says_what_to_do(
    tmp_path: Path, migrated_sqlite_url: str, changes: dict[str, str], said: str
) -> None:
    env = variables(migrated_sqlite_url) | {"ONESELF_BASE_URL": "http://localhost:1"}
    assert cli("project", "create", "Shop", env=env).returncode == 0
    done = cli("doctor", env=env | changes)
    assert done.returncode == 1
    assert "✘" in done.stdout
    assert said in done.stdout


def test_the_doctor_tries_the_mail_server_and_sends_nothing(migrated: dict[str, str]) -> None:
    users = {"oneself": "password"}
    with catching(Catcher(users=users)) as catcher:
        smtp = {
            "ONESELF_SMTP_HOST": "127.0.0.1",
            "ONESELF_SMTP_PORT": str(catcher.port),
            "ONESELF_SMTP_SECURITY": "none",
            "ONESELF_SMTP_SENDER": "id@oneself.example",
            "ONESELF_SMTP_USER": "oneself",
            "ONESELF_SMTP_PASSWORD": "password",
        }
        done = cli("doctor", env=migrated | smtp)
        assert done.returncode == 0, done.stdout
        assert f"127.0.0.1:{catcher.port} takes mail from id@oneself.example" in done.stdout
        assert catcher.caught == []
        wrong = cli("doctor", env=migrated | smtp | {"ONESELF_SMTP_PASSWORD": "guessed"})
        assert wrong.returncode == 1
        assert "does not take the user and password (535); look at `smtp`" in wrong.stdout
        assert "guessed" not in wrong.stdout + wrong.stderr
        unprotected = cli("doctor", env=migrated | smtp | {"ONESELF_SMTP_SECURITY": "starttls"})
        assert unprotected.returncode == 1
    away = cli("doctor", env=migrated | smtp)
    assert away.returncode == 1
    assert "no connection to the mail server" in away.stdout


def test_the_doctor_sees_a_missing_schema(env: dict[str, str]) -> None:
    done = cli("doctor", env=env)
    assert done.returncode == 1
    assert "run `oneself migrate`" in done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "",
        "dev",
        "serve",
        "migrate",
        "doctor",
        "project",
        "project create",
        "user show",
        "keys generate",
        "import",
        "export",
        "backup",
        "restore",
    ],
)
def test_every_command_helps(command: str) -> None:
    done = cli(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage: oneself" in done.stdout


def test_a_wrong_option_is_a_usage_error() -> None:
    assert cli("serve", "--prot", "1").returncode == 2


def test_it_runs_as_a_module_and_tells_its_version() -> None:
    assert cli("--version").stdout.startswith("oneself, version ")
