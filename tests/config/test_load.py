"""Settings from a file, the environment and files with secrets; what is wrong is told in words that help."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from oneself.config import Config, ConfigError, load
from oneself.crypto.authority import new_authority

PROJECT = """
[[projects]]
id = "5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "oneself.toml"
    file.write_text(text)
    return file


def problems(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text), environ)
    return str(caught.value)


def test_nothing_at_all_is_the_defaults() -> None:
    assert load(None, {}).port == Config().port == 8000


def test_file_then_environment_then_command_line(tmp_path: Path) -> None:
    file = written(tmp_path, 'port = 1\nhost = "a"\nworkers = 2\n[lifetimes]\nflow = 30')
    config = load(file, {"ONESELF_PORT": "2", "ONESELF_LIFETIMES_GRANT": "40"}, {"workers": 3})
    assert (config.port, config.host, config.workers) == (2, "a", 3)
    assert (config.lifetimes.flow, config.lifetimes.grant) == (30, 40)


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    assert load(None, {"ONESELF_CONFIG": str(written(tmp_path, "port = 7"))}).port == 7


def test_types_in_the_environment_are_those_of_the_setting() -> None:
    config = load(
        None,
        {
            "ONESELF_ALLOW_HTTP": "true",
            "ONESELF_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "ONESELF_SHARED_PROVIDERS_GENERIC_OIDC_CLIENT_ID": "c",
            "ONESELF_SHARED_PROVIDERS_GENERIC_OIDC_ISSUER": "https://sso.example.com",
        },
    )
    assert config.allow_http is True
    assert config.trusted_proxies == ("10.0.0.0/8", "::1")
    assert config.shared_providers["generic_oidc"].issuer == "https://sso.example.com"


def test_authorities_of_ones_own_come_as_text_or_from_a_file(tmp_path: Path) -> None:
    certificate, _ = new_authority(["example.com"], datetime.now(UTC), 1)
    file = tmp_path / "ca.pem"
    file.write_bytes(certificate)
    pem = certificate.decode().strip()
    assert load(None, {"ONESELF_PROVIDER_CA_FILE": str(file)}).provider_ca == pem
    assert load(written(tmp_path, f'provider_ca = """\n{pem}\n"""'), {}).provider_ca.strip() == pem


def test_secrets_come_from_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "ring").write_text("k1:abc\n")
    (tmp_path / "github").write_text("hush\n")
    text = PROJECT + '[projects.providers.github]\nclient_id = "c"\nclient_secret_file = "github"'
    config = load(written(tmp_path, text), {"ONESELF_MASTER_KEYS_FILE": str(tmp_path / "ring")})
    assert config.master_keys.reveal() == "k1:abc"
    assert config.projects[0].providers["github"].client_secret.reveal() == "hush"


def test_the_environment_stands_over_a_secret_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'master_keys_file = "nowhere"')
    assert load(file, {"ONESELF_MASTER_KEYS": "k1:abc"}).master_keys.reveal() == "k1:abc"


def test_secrets_do_not_show() -> None:
    config = load(None, {"ONESELF_MASTER_KEYS": "k1:hush", "ONESELF_SMTP_PASSWORD": "hush"})
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "`prot` is not a setting. Did you mean `port`?"),
        ("[lifetimes]\nflows = 1", "`lifetimes.flows` is not a setting. Did you mean `flow`?"),
        ("qqqqq = 1", "`oneself settings` lists all there are"),
        ('port = "x"', "`port` must be a whole number from 0 to 65535"),
        ("port = 65536", "`port` must be a whole number from 0 to 65535"),
        ("port = true", "`port` must be a whole number"),
        ("allow_http = 1", "`allow_http` must be true or false"),
        ("base_url = 1", "`base_url` must be a text"),
        ('access_log = "all"', '`access_log` must be one of "off", "path", "full"'),
        ('trusted_proxies = "10.0.0.1"', "`trusted_proxies` must be a list of texts"),
        ('trusted_proxies = ["x"]', "'x' is no address or network"),
        ('provider_ca = "x"', "`provider_ca` holds no certificates"),
        ('provider_ca = "ä"', "`provider_ca` holds no certificates"),
        ("lifetimes = 3", "`lifetimes` must be a table of settings"),
        ("[lifetimes]\nflow = 0", "`lifetimes.flow` must be a whole number from 1"),
        ("projects = 3", "`projects` must be a list of tables, each begun by [[projects]]"),
        ("[projects]\nid = 1", "must be a list of tables"),
        ("shared_providers = 3", "must be a table of tables, each begun by [shared_providers.<name>]"),
        ("[[projects]]", "`projects[0].id` is missing"),
        (PROJECT + "[projects.policies.stich]", "`projects[0].policies.stich` is not known. Did you mean `stytch`?"),
        ('master_keys = "a"\nmaster_keys_file = "b"', "stands beside `master_keys`"),
        ('master_keys_file = "nowhere"', "cannot be read (No such file or directory)"),
        ("master_keys_file = 3", "must be the path of a file"),
        ('port_file = "x"', "`port_file` is not a setting"),
        ('base_url = "https://a.example/b"', "must be https://a.example, without a slash at its end"),
        ('base_url = "https://a.example/"', "must be https://a.example, without a slash"),
        ('base_url = "https://u:p@a.example"', "must be https://a.example,"),
        ('base_url = "ftp://a.example"', "is no http or https URL"),
        ('base_url = "https://[::1"', "is no URL"),
        ('database_url = "mysql://x"', "must begin with postgresql:// or sqlite:///"),
        ("[lifetimes]\nsigning_key = 86399", "every key stays known for a year"),
        ('[smtp]\nhost = "a"', "`smtp.sender` is missing"),
        ('[smtp]\nhost = "a"\nsender = "Shop"', "`smtp.sender` is no address"),
        ('[shared_providers.generic_oidc]\nclient_id = "x"', "issuer` is missing"),
        ('[[projects]]\nid = "X"', "`id` must be a UUID"),
        (PROJECT + "[projects.providers.google]", "`client_id` is missing"),
        (PROJECT + "[projects.providers.google]\nshared = true", "there is no [shared_providers.google]"),
        (PROJECT + '[projects.providers.google]\nshared = true\nclient_id = "x"', "has a client of its own"),
        (PROJECT + '[projects.providers.oidc]\nclient_id = "x"', "`issuer` is missing"),
        (PROJECT + '[projects.stack]\nproject_id = "x"', "must be a UUID in small letters, or internal"),
        (
            PROJECT + '[projects.stytch]\nproject_id = "project-live-5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"',
            "must be project-test-<uuid>",
        ),
        (PROJECT + '[[projects.redirect_urls]]\nurl = "x"', "'x' is no URL"),
        (PROJECT + 'migrate_sessions_from = "sso"', "there is no [projects.providers.sso]"),
        (PROJECT + PROJECT, "is also that of projects[0]"),
        ("port = 1\nport = 2", "is not valid TOML"),
        ("port = ", "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_the_key_and_the_fix(tmp_path: Path, text: str, said: str) -> None:
    told = problems(tmp_path, text)
    assert said in told
    assert str(tmp_path / "oneself.toml") in told


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ONESELF_PROT", "1", "ONESELF_PROT: is not a setting. Did you mean `ONESELF_PORT`?"),
        ("ONESELF_PORT", "x", "ONESELF_PORT: must be a whole number"),
        ("ONESELF_PORT_FILE", "/nowhere/at/all", "ONESELF_PORT_FILE names /nowhere/at/all, which cannot be read"),
        ("ONESELF_PROJECTS", "x", "ONESELF_PROJECTS: is not a setting"),
        ("ONESELF_LIFETIMES", "x", "ONESELF_LIFETIMES: is not a setting"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {name: value})
    assert said in str(caught.value)


def test_a_variable_and_its_file_do_not_stand_together() -> None:
    with pytest.raises(ConfigError, match="Keep one of the two"):
        load(None, {"ONESELF_PORT": "1", "ONESELF_PORT_FILE": "/dev/null"})


def test_other_peoples_variables_are_nobodys_business() -> None:
    assert load(None, {"PORT": "x", "ONESELFISH": "y"}).port == 8000


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    told = problems(tmp_path, 'prot = 1\nworkers = 0\n[smtp]\nprot = "x"', ONESELF_HOSTS="x")
    assert len(told.splitlines()) == 4


def test_a_missing_or_unreadable_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b'host = "\xff"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "latin.toml", {})


def test_the_value_of_a_secret_is_never_told(tmp_path: Path) -> None:
    told = problems(tmp_path, 'database_url = "mysql://user:hush@host/x"\n[smtp]\nhost="x"\npassword="hush"')
    assert "hush" not in told


def test_internal_is_an_id_of_stacks_own(tmp_path: Path) -> None:
    text = PROJECT + '[projects.stack]\nproject_id = "internal"\nsecret_server_key = "any text at all"'
    side = load(written(tmp_path, text), {}).projects[0].stack
    assert side is not None
    assert (side.project_id, side.secret_server_key.reveal()) == ("internal", "any text at all")
