"""The rigs themselves: each does what the other tests rely on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from tests import chromium, node_run, postgres_server


def test_engine_url_names_both_engines(engine_url: str) -> None:
    assert engine_url.startswith(("sqlite:///", "postgresql://"))


async def test_statements_are_counted_at_the_server(postgres: postgres_server.Cluster, postgres_url: str) -> None:
    database = postgres_url.rsplit("/", 1)[1]
    connection = await asyncpg.connect(postgres_url)
    mark = postgres.mark()
    async with connection.transaction():
        await connection.execute("CREATE TABLE t (a BIGINT)")
        await connection.fetch("SELECT a\nFROM t\nWHERE a = $1", 1)
    await connection.close()
    assert postgres.statements(database, mark) == [
        "CREATE TABLE t (a BIGINT)",
        "SELECT a\nFROM t\nWHERE a = $1",
    ]
    assert len(postgres.statements(database, mark, transaction_words=True)) == 4


def test_the_wheels_own_server_binaries_run() -> None:
    folder = postgres_server.wheel_binaries()
    assert folder is not None
    with postgres_server.running_cluster(binaries=folder) as cluster:
        assert cluster.sql("SELECT 1") == "1"


def test_binaries_in_a_closed_folder_run(tmp_path: Path) -> None:
    folder = postgres_server.wheel_binaries()
    assert folder is not None
    package = folder.parents[1]
    closed = tmp_path / "closed"
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    closed.chmod(0o700)
    with postgres_server.running_cluster(binaries=closed / folder.relative_to(package.parent)) as cluster:
        assert cluster.sql("SELECT 1") == "1"


def test_a_killed_run_leaves_no_server_behind() -> None:
    script = (
        "import time\nfrom tests.postgres_server import running_cluster\n"
        "with running_cluster() as cluster:\n"
        "    print(cluster.process.pid, cluster.folder, flush=True)\n    time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    server, folder = run.stdout.readline().split()
    run.send_signal(signal.SIGKILL)
    run.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{server}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(folder)
    with pytest.raises(ProcessLookupError):
        os.kill(int(server), 0)


def test_no_binaries_says_what_to_install() -> None:
    with pytest.raises(postgres_server.PostgresMissing, match="install the package"):
        postgres_server.find_binaries([lambda: None])


@pytest.mark.browser
async def test_a_browser_clicks(browser: chromium.Browser) -> None:
    async with chromium.new_page(browser) as page:
        await page.set_content("<button onclick=\"document.title = 'pressed'\">Press</button>")
        await page.get_by_role("button").click()
        assert await page.title() == "pressed"


@pytest.mark.node
def test_every_sdk_loads_under_node() -> None:
    exported = node_run.run("sdks.mjs")
    assert "Client" in exported["stytch"]
    assert "StackServerApp" in exported["stack-js-stack"]
    assert "HexclaveServerApp" in exported["stack-js-hexclave"]
