"""The two databases under the same measurements: where they are, how they are seeded, counted, and asked alone."""

import contextlib
import itertools
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from benchmarks import machine
from benchmarks.counting import PostgresLog, SqliteTrace
from benchmarks.people import Person, rows
from benchmarks.reference import pgbench, sqlite_loop
from benchmarks.reference.scripts import KEY
from benchmarks.site import Running, Site, prepare, serving
from tests.postgres_server import Cluster, running_cluster
from tests.server_process import ROOT, environment

# As a database is run that must lose nothing: every commit is on the disk before it is answered.
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "shared_buffers": "256MB"}
CONNECTIONS = 6
"""The server's default of connections to PostgreSQL; its load tool gets as many."""


class Engine(Protocol):
    """What the measurements ask of a database."""

    name: str
    version: str
    tool: str

    def empty(self) -> str:
        """The address of a new database without anything in it."""
        ...

    async def site(self, provider_url: str, people: list[Person]) -> Site:
        """A fresh database that knows these people, and the settings of a server on it."""
        ...

    async def add(self, site: Site, people: list[Person]) -> None:
        """Write down more people whom the server knows."""
        ...

    async def settle(self, site: Site) -> None:
        """Let the planner learn what was written."""
        ...

    def counted(
        self, provider_url: str, people: list[Person]
    ) -> contextlib.AbstractAsyncContextManager[tuple[Site, Running, PostgresLog | SqliteTrace]]:
        """A running server whose database tells what it does."""
        ...

    async def rate(self, name: str, seconds: float) -> float | None:
        """What the database gives a script by itself, in runs a second; None where there is no tool for it."""
        ...


def now() -> int:
    """The time in microseconds."""
    return time.time_ns() // 1_000


@dataclass
class Sqlite:
    """SQLite, in files of its own."""

    folder: Path
    cores: machine.Cores
    group: int
    name: str = "SQLite"
    version: str = field(default_factory=lambda: f"SQLite {sqlite3.sqlite_version}")
    tool: str = "a loop of the standard library's sqlite3, {group} to a commit"
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _alone: tuple[Path, str] | None = None

    def __post_init__(self) -> None:
        self.tool = self.tool.format(group=self.group)
        self._first_key = KEY * 2

    def empty(self) -> str:
        """See Engine."""
        return f"sqlite:///{self.folder}/empty-{next(self._numbers)}.sqlite3"

    async def site(self, provider_url: str, people: list[Person]) -> Site:
        """See Engine."""
        folder = self.folder / f"sqlite-{next(self._numbers)}"
        folder.mkdir(parents=True)
        file = folder / "oneself.sqlite3"
        site = prepare(folder, f"sqlite:///{file}", provider_url)
        with serving(site, self.cores):  # its first start declares the project, whose people follow
            pass
        await self.add(site, people)
        await self.settle(site)
        return site

    async def add(self, site: Site, people: list[Person]) -> None:
        """See Engine."""
        with contextlib.closing(sqlite_loop.opened(_file(site))) as connection:
            sqlite_loop.write(connection, rows(site.keys.project_id, people, now()))

    async def settle(self, site: Site) -> None:
        """Nothing: its planner believes what the schema says, as in any database of ours."""

    @contextlib.asynccontextmanager
    async def counted(
        self, provider_url: str, people: list[Person]
    ) -> AsyncIterator[tuple[Site, Running, PostgresLog | SqliteTrace]]:
        """See Engine."""
        site = await self.site(provider_url, people)
        trace = site.config.with_name("trace")
        trace.touch()
        with serving(site, self.cores, ["-m", "benchmarks.traced", str(site.config), str(trace)]) as running:
            yield site, running, SqliteTrace(trace)

    async def rate(self, name: str, seconds: float) -> float | None:
        """See Engine."""
        if self._alone is None:
            site = await self.site("http://localhost:9", [])
            file = _file(site)
            sqlite_loop.seed(file, site.keys.project_id)
            self._alone = file, site.keys.project_id
        file, project_id = self._alone
        command = [sys.executable, "-m", "benchmarks.reference.sqlite_loop", str(file), project_id]
        command += [name, str(seconds), str(self.group), str(self._first_key)]
        self._first_key += 10**9
        return float(_said(command, self.cores.server))


def _file(site: Site) -> Path:
    return Path(site.database_url.removeprefix("sqlite:///"))


def _said(command: list[str], core: int) -> str:
    """What a command printed that ran on that core. Raises RuntimeError with its complaint."""
    with machine.pinned(core):
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[2]} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


@dataclass
class Postgres:
    """PostgreSQL, in a throwaway cluster on the others' core."""

    folder: Path
    cores: machine.Cores
    cluster: Cluster
    name: str = "PostgreSQL"
    version: str = ""
    tool: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _alone: pgbench.Pgbench | None = None

    def __post_init__(self) -> None:
        self.version = self.cluster.version()
        self._pgbench = pgbench.find(self.cluster.binaries)
        self.tool = f"pgbench -M prepared, {CONNECTIONS} connections" if self._pgbench else "no pgbench here"

    def empty(self) -> str:
        """See Engine."""
        return self.cluster.url(self.cluster.create_database())

    async def site(self, provider_url: str, people: list[Person]) -> Site:
        """See Engine."""
        return (await self._site(provider_url, people, log_statements=False))[0]

    async def _site(self, provider_url: str, people: list[Person], *, log_statements: bool) -> tuple[Site, str]:
        database = self.cluster.create_database(log_statements=log_statements)
        folder = self.folder / f"postgresql-{next(self._numbers)}"
        site = prepare(folder, self.cluster.url(database), provider_url)
        with serving(site, self.cores):
            pass
        await self.add(site, people)
        await self.settle(site)
        return site, database

    async def add(self, site: Site, people: list[Person]) -> None:
        """See Engine."""
        async with _connected(site.database_url) as connection:
            await pgbench.write(connection, list(rows(site.keys.project_id, people, now())))

    async def settle(self, site: Site) -> None:
        """See Engine."""
        async with _connected(site.database_url) as connection:
            await connection.execute("VACUUM ANALYZE")

    @contextlib.asynccontextmanager
    async def counted(
        self, provider_url: str, people: list[Person]
    ) -> AsyncIterator[tuple[Site, Running, PostgresLog | SqliteTrace]]:
        """See Engine."""
        site, database = await self._site(provider_url, people, log_statements=True)
        with serving(site, self.cores) as running:
            yield site, running, PostgresLog(self.cluster, database)

    async def rate(self, name: str, seconds: float) -> float | None:
        """See Engine."""
        if self._pgbench is None:
            return None
        if self._alone is None:
            site, database = await self._site("http://localhost:9", [], log_statements=False)
            url = self.cluster.url(database)
            folder = site.config.parent
            self._alone = pgbench.Pgbench(
                self._pgbench, url, site.keys.project_id, now(), self.cores, CONNECTIONS, folder
            )
            await self._alone.seed()
        return await self._alone.rate(name, seconds)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.contextmanager
def opened(name: str, folder: Path, cores: machine.Cores, group: int) -> Iterator[Engine]:
    """One engine by its name, `sqlite` or `postgresql`."""
    if name == "sqlite":
        yield Sqlite(folder, cores, group)
        return
    with machine.pinned(*cores.others):
        stack = contextlib.ExitStack()
        cluster = stack.enter_context(running_cluster(DURABLE))
    with stack:
        yield Postgres(folder, cores, cluster)
