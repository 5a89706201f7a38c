"""Fleets of servers for the tests of this room; those on PostgreSQL are started once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import ENGINES
from tests.postgres_server import Cluster
from tests.processes.fleet import Fleet, emulated, fleet


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The emulated providers' address."""
    with emulated() as address:
        yield address


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, emulator: str) -> Iterator[Fleet]:
    """Three servers on one PostgreSQL database."""
    name = postgres.create_database()
    with fleet(tmp_path_factory.mktemp("three"), postgres.url(name), emulator, 3) as made:
        yield made
    postgres.drop_database(name)


@pytest.fixture(scope="module", params=ENGINES)
def one(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, emulator: str
) -> Iterator[Fleet]:
    """One server, on each engine."""
    folder = tmp_path_factory.mktemp("one")
    name = postgres.create_database()
    url = f"sqlite:///{folder / 'oneself.sqlite3'}" if request.param == "sqlite" else postgres.url(name)
    with fleet(folder, url, emulator, 1) as made:
        yield made
    postgres.drop_database(name)
