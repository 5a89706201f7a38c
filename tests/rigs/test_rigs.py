"""The rigs themselves: each does what the other tests rely on."""

from __future__ import annotations

import asyncpg
import pytest

from tests import chromium, node_run, postgres_server


def test_engine_url_names_both_engines(engine_url: str) -> None:
    assert engine_url.startswith(("sqlite:///", "postgresql://"))


async def test_statements_are_counted_at_the_server(
    postgres: postgres_server.Cluster, postgres_url: str
) -> None:
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
