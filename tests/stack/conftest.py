"""One real server with its emulated providers for all tests of this wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import server_process
from tests.stack import owners
from tests.stack.wire import Providers, Stack


@pytest.fixture(scope="session")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server_process.ServerProcess]:
    """`oneself dev`, running for the whole session."""
    with server_process.dev(tmp_path_factory.mktemp("stack") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def announced(dev_server: server_process.ServerProcess) -> dict[str, Any]:
    return dev_server.announced


@pytest.fixture(scope="session")
def stack(announced: dict[str, Any]) -> Stack:
    """The development project, by Stack's names and keys."""
    side = announced["project"]["stack"]
    return Stack(
        announced["base_url"].rstrip("/"),
        side["project_id"],
        side["publishable_client_key"],
        side["secret_server_key"],
        side["super_secret_admin_key"],
    )


@pytest.fixture(scope="session")
def providers(announced: dict[str, Any]) -> Providers:
    """The emulated providers."""
    return Providers(announced["emulator_url"].rstrip("/"))


@pytest.fixture(scope="session")
def internal(tmp_path_factory: pytest.TempPathFactory, announced: dict[str, Any]) -> Iterator[Stack]:
    """The project `internal` of a second server, which the same emulated providers serve."""
    with owners.running(tmp_path_factory.mktemp("internal"), announced["emulator_url"].rstrip("/")) as stack:
        yield stack


@pytest.fixture
def owner(internal: Stack) -> owners.Owner:
    """Somebody new who can own projects."""
    return owners.owner(internal)
