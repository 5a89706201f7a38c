"""Real servers with emulated providers for all tests of this wire, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import server_process
from tests.conftest import ENGINES
from tests.stack import owners, shop
from tests.stack.wire import Providers, Stack


@pytest.fixture(scope="session")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server_process.ServerProcess]:
    """`oneself dev`, running for the whole session: the emulated providers, and a project on SQLite."""
    with server_process.dev(tmp_path_factory.mktemp("stack") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def announced(dev_server: server_process.ServerProcess) -> dict[str, Any]:
    return dev_server.announced


@pytest.fixture(scope="session")
def providers(announced: dict[str, Any]) -> Providers:
    """The emulated providers."""
    return Providers(announced["emulator_url"].rstrip("/"))


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which database is below the servers."""
    return str(request.param)


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, engine: str, announced: dict[str, Any], providers: Providers, tmp_path_factory: Any
) -> Iterator[Stack]:
    """A project with clients of its own at the providers: the development one on SQLite, a served one on PostgreSQL."""
    if engine == "sqlite":
        side = announced["project"]["stack"]
        yield Stack(
            announced["base_url"].rstrip("/"),
            side["project_id"],
            side["publishable_client_key"],
            side["secret_server_key"],
            side["super_secret_admin_key"],
        )
        return
    with shop.running(tmp_path_factory.mktemp("shop"), _postgres(request), providers.url) as served:
        yield served


@pytest.fixture(scope="session")
def suite(
    request: pytest.FixtureRequest, engine: str, providers: Providers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, Stack]]:
    """The server of `examples/stack-suite.toml`, with the emulator's mock for its test server."""
    folder: Path = tmp_path_factory.mktemp("suite")
    url = f"sqlite:///{folder / 'suite.sqlite3'}" if engine == "sqlite" else _postgres(request)
    with owners.running(folder, url, providers.url) as projects:
        yield projects


@pytest.fixture(scope="session")
def internal(suite: tuple[Stack, Stack]) -> Stack:
    """The project `internal`."""
    return suite[0]


@pytest.fixture(scope="session")
def outsider(suite: tuple[Stack, Stack]) -> Stack:
    """A project on the same server that is not the operator's own."""
    return suite[1]


@pytest.fixture
def owner(internal: Stack) -> owners.Owner:
    """Somebody new who can own projects."""
    return owners.owner(internal)


def _postgres(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; the cluster is started only where it is asked for."""
    cluster = request.getfixturevalue("postgres")
    return str(cluster.url(cluster.create_database()))
