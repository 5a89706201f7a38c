"""Fleets of servers for the tests of this room; those on PostgreSQL are started once for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

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
def three(
    tmp_path_factory: pytest.TempPathFactory, postgres: Cluster, postgres_template: str, emulator: str
) -> Iterator[Fleet]:
    """Three servers on one PostgreSQL database."""
    name = postgres.create_database(postgres_template)
    with fleet(tmp_path_factory.mktemp("three"), postgres.url(name), emulator, 3) as made:
        yield made
    postgres.drop_database(name)


@pytest.fixture(scope="module", params=ENGINES)
def one(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Cluster,
    postgres_template: str,
    sqlite_template: Path,
    emulator: str,
) -> Iterator[Fleet]:
    """One server, on each engine."""
    folder = tmp_path_factory.mktemp("one")
    name = postgres.create_database(postgres_template)
    url = postgres.url(name)
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(sqlite_template, folder)}"
    with fleet(folder, url, emulator, 1) as made:
        yield made
    postgres.drop_database(name)
