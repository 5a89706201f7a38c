"""The vendor's SDKs by their documented options, which take https alone, against `oneself dev --https`."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import stytch

from tests import chromium, node_run
from tests.server_process import ServerProcess, dev, environment
from tests.stytch import over_https
from tests.stytch.rig import Rig
from tests.stytch.test_browser_sdk import APPLICATION, application, ask, travel
from tests.stytch.test_ruby import bytes_of

CUSTOM = "{customBaseUrl: api}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One `oneself dev --https` for the tests of this file."""
    with dev(tmp_path_factory.mktemp("https") / "data", "--https") as running:
        yield running


@pytest.fixture(scope="module")
def rig(server: ServerProcess) -> Rig:
    return Rig.of(server.announced)


def run_application(rig: Rig, trust: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The application of `over_https.py` in a process of its own, with variables that say whom it trusts."""
    told = {
        "base_url": rig.base_url,
        "project_id": rig.project_id,
        "secret": rig.secret,
        "public_token": rig.public_token,
        "first": "grace",
        "second": "linus",
    }
    plain = {name: text for name, text in environment().items() if name not in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")}
    return subprocess.run(
        [sys.executable, str(Path(over_https.__file__))],
        input=json.dumps(told),
        env={**plain, **trust},
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_the_python_sdk_by_custom_base_url_sync_and_async(server: ServerProcess, rig: Rig) -> None:
    ca = server.announced["ca_file"]
    done = run_application(rig, {"SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca})
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["sync"] == {"same": True, "providers": ["Google", "oidc"], "session": True}
    assert said["async"] == {"same": True, "providers": ["Google", "Github"]}


def test_the_python_sdk_trusts_nobody_unasked(rig: Rig) -> None:
    done = run_application(rig, {})
    assert done.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


def test_why_it_takes_https(rig: Rig) -> None:
    with pytest.raises(ValueError, match="HTTPS"):
        stytch.Client(rig.project_id, rig.secret, custom_base_url=rig.base_url.replace("https", "http"))


@pytest.mark.node
def test_the_node_sdk_by_custom_base_url(server: ServerProcess, rig: Rig) -> None:
    told = {
        "base_url": rig.base_url,
        "plain_url": rig.base_url.replace("https", "http"),
        "project_id": rig.project_id,
        "secret": rig.secret,
        "public_token": rig.public_token,
        "person": "ada",
    }
    said = node_run.run("stytch_https.mjs", env={"NODE_EXTRA_CA_CERTS": server.announced["ca_file"]}, send=told)
    assert "HTTPS" in said["refused"]
    assert all(name.startswith("__Secure-oneself-trip") for name in said["cookies"])
    assert (said["same"], said["local"]) == (True, True)
    assert said["providers"] == ["Google", "Github"]
    with pytest.raises(node_run.NodeFailed, match="fetch failed"):
        node_run.run("stytch_https.mjs", env={"NODE_EXTRA_CA_CERTS": ""}, send=told)


def test_the_requests_of_the_ruby_sdk_over_tls(server: ServerProcess, rig: Rig) -> None:
    address = urlsplit(rig.base_url)
    context = ssl.create_default_context(cafile=server.announced["ca_file"])
    line = HTTPSConnection(address.hostname or "", address.port, context=context, timeout=20)
    line.connect()
    assert line.sock is not None
    with line.sock as sent:
        sent.sendall(bytes_of(rig, "GET", f"/v1/sessions/jwks/{rig.project_id}"))
        read = b""
        while chunk := sent.recv(65_536):
            read += chunk
    head, _, body = read.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body)["keys"][0]["kty"] == "RSA"


@pytest.mark.browser
async def test_the_browser_sdk_by_custom_base_url(server: ServerProcess, rig: Rig) -> None:
    """The SDK drops the port, so Chromium is told where port 443 of this host is."""
    here = f"127.0.0.1:{urlsplit(rig.base_url).port}"
    asked: list[str] = []
    with application(rig, CUSTOM) as served:
        hosts = {"localhost:3000": served, "localhost:443": here}
        async with (
            chromium.launched(hosts, server.announced["ca_key_sha256"]) as browser,
            chromium.new_page(browser) as page,
        ):
            page.on("request", lambda sent: asked.append(sent.url))
            await page.goto(APPLICATION)
            await page.wait_for_function("window.client !== undefined")
            made: Any = (await travel(page, "google", "theo"))["ok"]
            assert made["session"]["authentication_factors"][0]["delivery_method"] == "oauth_google"
            ticket = (await ask(page, "client.oauth.attach('github')"))["ok"]["oauth_attach_token"]
            linked = await travel(page, "github", "theo", f"oauth_attach_token: '{ticket}'")
            assert linked["ok"]["user_id"] == made["user_id"]
            trips = await page.context.cookies(f"{rig.base_url}/v1/public/oauth/google/start")
            ledger = [each for each in trips if each["name"].startswith("__Secure-oneself-trips")]
            assert [each["secure"] for each in ledger] == [True]
            assert (await ask(page, "client.session.revoke()"))["ok"]["status_code"] == 200
    assert any(url.startswith("https://localhost/sdk/v1/") for url in asked)
    assert any(url.startswith("https://localhost/v1/public/oauth/google/start?") for url in asked)


@pytest.mark.browser
async def test_a_browser_that_was_not_told_stays_away(rig: Rig) -> None:
    async with chromium.launched() as browser, chromium.new_page(browser) as page:
        with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(rig.base_url)
