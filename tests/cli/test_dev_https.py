"""`oneself dev --https`: an authority made once, certificates under it, and everything in the scheme's words."""

from __future__ import annotations

import json
import socket
import ssl
import stat
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import trustme

from oneself.cli.dev import origin
from oneself.cli.dev_folder import CA_NAME, DevFolderUnusable, ProjectKeys
from oneself.cli.dev_keys import open_folder
from oneself.cli.dev_tls import KEY_NAME, SERVER_NAME, open_tls
from oneself.cli.snippets import snippets
from oneself.crypto.authority import read_certificate
from tests import chromium, node_run
from tests.server_process import ServerProcess, cli, dev

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def handshake(server: Path, ca: Path, name: str) -> None:
    """Whether a client that trusts `ca`, strictly, accepts what the server shows, under `name`; raises if not."""
    showing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    showing.load_cert_chain(server)
    asking = ssl.create_default_context(cafile=str(ca))
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = asking.wrap_bio(to_client, to_server, server_hostname=name)
    other = showing.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version()


# --- the folder --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "api.test"])
def test_the_certificate_is_for_every_local_name_and_the_host_given(tmp_path: Path, name: str) -> None:
    made = open_tls(tmp_path, "api.test")
    handshake(made.server, made.ca, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(made.server, made.ca, "example.com")


def test_a_second_start_keeps_all_of_it(tmp_path: Path) -> None:
    open_tls(tmp_path, "localhost", NOW)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert set(before) == {KEY_NAME, CA_NAME, SERVER_NAME}
    open_tls(tmp_path, "localhost", NOW + 300 * DAY)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_certificate_near_its_end_is_made_anew_by_the_same_authority(tmp_path: Path) -> None:
    first = open_tls(tmp_path, "localhost", NOW)
    old = first.server.read_bytes()
    second = open_tls(tmp_path, "localhost", NOW + 340 * DAY)
    assert second.ca_pem == first.ca_pem
    assert second.server.read_bytes() != old
    assert read_certificate(second.server.read_bytes()).not_after > NOW + 700 * DAY


def test_no_browser_finds_it_too_long_lived(tmp_path: Path) -> None:
    shown = read_certificate(open_tls(tmp_path, "localhost", NOW).server.read_bytes())
    assert shown.not_after - (NOW - DAY) <= 398 * DAY


def test_a_server_certificate_ends_no_later_than_its_authority_and_then_both_are_new(tmp_path: Path) -> None:
    first = open_tls(tmp_path, "localhost", NOW)
    end = read_certificate(first.ca_pem.encode()).not_after
    late = open_tls(tmp_path, "localhost", end - 90 * DAY)
    assert late.ca_pem == first.ca_pem
    assert read_certificate(late.server.read_bytes()).not_after == end
    after = open_tls(tmp_path, "localhost", end)
    assert after.ca_pem != first.ca_pem
    assert read_certificate(after.server.read_bytes()).issuer_key_id == read_certificate(after.ca_pem.encode()).key_id


def test_another_local_host_gets_a_certificate_of_the_same_authority(tmp_path: Path) -> None:
    first = open_tls(tmp_path, "localhost")
    second = open_tls(tmp_path, "api.localhost")
    assert second.ca_pem == first.ca_pem
    handshake(second.server, second.ca, "api.localhost")


def test_an_authority_vouches_for_no_name_that_it_was_not_made_for(tmp_path: Path) -> None:
    made = open_tls(tmp_path, "localhost")
    kept = (tmp_path / KEY_NAME).read_bytes()
    # whoever steals the key can make any certificate, and no client takes it
    for name in ("example.com", "localhost.example.com", "10.0.0.1"):
        forged = tmp_path / "forged.pem"
        forged.write_bytes(trustme.CA.from_pem(kept, kept).issue_cert(name).private_key_and_cert_chain_pem.bytes())
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
            handshake(forged, made.ca, name)
    honest = tmp_path / "honest.pem"
    issued = trustme.CA.from_pem(kept, kept).issue_cert("api.localhost")
    honest.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    handshake(honest, made.ca, "api.localhost")


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1"])
def test_another_host_than_it_was_made_for_is_refused_with_a_way_out(tmp_path: Path, host: str) -> None:
    open_tls(tmp_path, "localhost")
    with pytest.raises(DevFolderUnusable, match=f"may not vouch for {host}.*{KEY_NAME}"):
        open_tls(tmp_path, host)
    (tmp_path / KEY_NAME).unlink()
    made = open_tls(tmp_path, host)
    handshake(made.server, made.ca, host)


def test_a_damaged_authority_is_said_and_left_alone_and_a_damaged_certificate_made_anew(tmp_path: Path) -> None:
    made = open_tls(tmp_path, "localhost")
    (tmp_path / SERVER_NAME).write_text("no certificate")
    (tmp_path / CA_NAME).write_text("no certificate either")
    again = open_tls(tmp_path, "localhost")
    assert (again.ca_pem, again.ca.read_text()) == (made.ca_pem, made.ca_pem)
    handshake(again.server, again.ca, "localhost")
    (tmp_path / KEY_NAME).write_text(made.ca_pem)
    with pytest.raises(DevFolderUnusable, match="is damaged"):
        open_tls(tmp_path, "localhost")
    assert (tmp_path / KEY_NAME).read_text() == made.ca_pem


def test_keys_half_written_by_a_start_that_died_are_no_keys(tmp_path: Path) -> None:
    keys = open_folder(tmp_path)
    (tmp_path / ".dev-keys.json.new").write_text('{"half"')
    assert open_folder(tmp_path) == keys


@pytest.mark.parametrize(
    ("scheme", "name", "port", "written"),
    [
        ("https", "localhost", 443, "https://localhost"),
        ("http", "localhost", 80, "http://localhost"),
        ("http", "localhost", 443, "http://localhost:443"),
        ("https", "fd00::1", 8000, "https://[fd00::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(scheme: str, name: str, port: int, written: str) -> None:
    assert origin(scheme, name, port) == written  # type: ignore[arg-type]


# --- the server --------------------------------------------------------------------------------------


def get(server: ServerProcess, path: str, ca: str) -> tuple[int, str]:
    with urllib.request.urlopen(
        server.base_url + path, context=ssl.create_default_context(cafile=ca), timeout=10
    ) as answer:
        return answer.status, answer.read().decode()


def test_everything_follows_the_scheme(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with dev(data, "--https") as server:
        said = server.announced
        port = int(server.base_url.rpartition(":")[2])
        assert server.base_url == f"https://localhost:{port}"
        assert said["emulator_url"] == f"{server.base_url}/emulator"
        assert said["ca_file"] == str(data.resolve() / CA_NAME)
        assert get(server, "/health/ready", said["ca_file"])[0] == 200
        for file in data.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
        _, page = get(server, "/", said["ca_file"])
        assert "Make your clients trust this server" in page
        assert said["ca_key_sha256"] in page.replace("&#43;", "+").replace("&#x2F;", "/")
        assert "http://localhost" not in page.replace("http://localhost:3000", "")
        discovered = json.loads(get(server, "/emulator/oidc/.well-known/openid-configuration", said["ca_file"])[1])
        assert discovered["token_endpoint"].startswith(f"{server.base_url}/emulator/")
        # nobody speaks plain http here
        with socket.create_connection(("localhost", port), timeout=10) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert not plain.recv(16).startswith(b"HTTP/")
        assert server.stderr() == ""
    with dev(data, "--https") as again:
        assert again.announced["ca_key_sha256"] == said["ca_key_sha256"]
        assert get(again, "/health", said["ca_file"])[0] == 200
    with dev(data) as plain_again:
        assert plain_again.base_url.startswith("http://")
        assert "ca_file" not in plain_again.announced


def test_the_snippets_run_as_they_are_printed(tmp_path: Path) -> None:
    with dev(tmp_path / "data", "--https") as server:
        ca = server.announced["ca_file"]
        first, *others = snippets(server.base_url, msgspec.convert(server.announced["project"], ProjectKeys))
        assert "custom_base_url" in first.text
        env = {"SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca}
        made = 'print(client.users.create(email="ada@corp.example").user_id[-36:])'
        making = [sys.executable, "-c", f"{first.text}\n{made}"]
        ran = subprocess.run(making, capture_output=True, text=True, timeout=60, env=env)
        assert ran.returncode == 0, ran.stderr
        user = ran.stdout.split()[-1]
        commands = [[sys.executable, "-c", first.text]]
        for script in others:
            text = script.text.replace('"@stackframe/js"', '"stack-js-stack"')
            commands.append([node_run.find(), "--input-type=module", "-e", f"{text}\nprocess.exit(0);"])
        for command in commands:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=node_run.FOLDER, env=env)
            # one user, with the same UUID in both dialects
            assert user in ran.stdout, ran.stderr


def test_an_authority_that_cannot_be_used_is_told_and_plain_http_still_works(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / KEY_NAME).write_text("no key")
    done = cli("dev", "--https", "--port", "0", "--data", str(data))
    assert done.returncode == 1
    assert f"{KEY_NAME} is damaged" in done.stderr
    assert (data / KEY_NAME).read_text() == "no key"
    with dev(data) as server:
        assert server.base_url.startswith("http://")


@pytest.mark.browser
async def test_a_person_signs_in_and_links_over_https(tmp_path: Path) -> None:
    with dev(tmp_path / "data", "--https") as server:
        key = server.announced["ca_key_sha256"]
        async with chromium.launched(trusted_key=key) as browser, chromium.new_page(browser) as page:
            await page.goto(server.base_url)
            await page.get_by_role("button", name="Sign in with Google").click()
            await page.get_by_role("button", name="Ada Byron").click()
            await page.wait_for_url("**/?notice=created")
            await page.get_by_role("button", name="Link GitHub").click()
            await page.get_by_role("button", name="Grace Hopper").click()
            await page.wait_for_url("**/?notice=linked")
            kept = {each["name"]: each for each in await page.context.cookies()}
            assert set(kept) == {"__Host-oneself-console", "__Host-oneself-console-form"}
            assert all(each["secure"] and each["httpOnly"] for each in kept.values())
            await page.get_by_role("button", name="Sign out").click()
            assert await page.get_by_role("status").inner_text() == "You are signed out."
