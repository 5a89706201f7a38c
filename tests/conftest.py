"""What every test may ask for: databases of both engines, a browser; and nothing is skipped."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from tests import chromium, postgres_server

# How fast a machine draws examples says nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

ENGINES = ("sqlite", "postgresql")
# The rooms whose tests start servers and browsers, the longest first.
LONG_ROOMS = ("fuzz", "cli", "stack", "processes", "benchmarks", "actions", "console", "emulator", "stytch", "crash")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: side by side, a long file that comes last would have the machine to itself."""
    places = {room: place for place, room in enumerate(LONG_ROOMS)}
    items.sort(key=lambda item: places.get(item.path.parent.name, len(places)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure: what a test needs is installed, or the run says so."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not run ({report.longrepr}); nothing here is skipped"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was not collected ({report.longrepr})"
    return report


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Cluster]:
    """One throwaway PostgreSQL server for the whole run, started at the first test that asks."""
    with postgres_server.running_cluster() as cluster:
        yield cluster


@pytest.fixture
def postgres_url(postgres: postgres_server.Cluster) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this test's own, its statements logged."""
    name = postgres.create_database(log_statements=True)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file of this test's own; the file does not exist yet."""
    return f"sqlite:///{tmp_path / 'oneself.sqlite3'}"


@pytest.fixture(params=ENGINES)
def engine_url(request: pytest.FixtureRequest) -> str:
    """An empty database's address, once on each engine; a test that takes it holds on both."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


async def _migrated(url: str) -> None:
    db = await open_database(url, lambda: time.time_ns() // 1000)
    await migrate(db)
    await db.close()


def _with_schema(url: str) -> None:
    """Make this release's schema in an empty database, whether or not the caller's thread runs a loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _migrated(url)).result()


@pytest.fixture(scope="session")
def postgres_template(postgres: postgres_server.Cluster) -> str:
    """The name of a PostgreSQL database with this release's schema and no rows, for others to be copied from."""
    name = postgres.create_database()
    _with_schema(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with this release's schema and no rows, for others to be copied from."""
    file = tmp_path_factory.mktemp("template") / "schema.sqlite3"
    _with_schema(f"sqlite:///{file}")
    return file


@pytest.fixture
def migrated_postgres_url(postgres: postgres_server.Cluster, postgres_template: str) -> Iterator[str]:
    """The address of a PostgreSQL database of this test's own with the schema, its statements logged."""
    name = postgres.create_database(postgres_template, log_statements=True)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def migrated_sqlite_url(sqlite_url: str, sqlite_template: Path) -> str:
    """The address of a SQLite file of this test's own with the schema."""
    shutil.copyfile(sqlite_template, sqlite_url.removeprefix("sqlite:///"))
    return sqlite_url


@pytest.fixture(params=ENGINES)
def migrated_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with the schema and no rows, once on each engine: what a test begins with that is not
    about migrating.
    """
    url: str = request.getfixturevalue(f"migrated_{'sqlite' if request.param == 'sqlite' else 'postgres'}_url")
    return url


@pytest.fixture
async def browser() -> AsyncIterator[chromium.Browser]:
    """A fresh headless Chromium with no history and no cookies, closed after the test."""
    async with chromium.launched() as opened:
        yield opened
