"""The other servers of the benchmark: each starts, signs somebody in, knows the session; its statements are seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.counting import PostgresLog
from benchmarks.http_client import connect, request
from benchmarks.load import WrongAnswer
from benchmarks.provider import KNOWN
from benchmarks.rivals import ready
from benchmarks.rivals.measuring import CHECK, LINK, WHOLE, counted, running, their_operations
from benchmarks.rivals.node_rivals import OnNode
from benchmarks.rivals.pocketbase import Printed
from benchmarks.rivals.rival import SERVER_KEY, Place, Rival, sign_in
from benchmarks.rivals.servers import RIVALS, on
from benchmarks.site import free_port, provider
from tests.postgres_server import Cluster

# Statements of each operation, in the versions that the lock files name.
COSTS = {
    "PocketBase": {CHECK: 2, WHOLE: 6, LINK: 4},
    "fastapi-users": {CHECK: 2, WHOLE: 4},
    "Better Auth": {CHECK: 2, WHOLE: 8, LINK: 1},
    "Auth.js": {CHECK: 2, WHOLE: 3, LINK: 1},
    "django-allauth": {CHECK: 2, WHOLE: 21},
}


@pytest.fixture(scope="module")
def provider_url() -> Iterator[str]:
    """The provider that all of them ask, and their packages, which are installed at the first run."""
    ready.make()
    with provider(machine.cores(), 200, 0) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIVALS, ids=lambda kind: kind.name)
async def test_a_rival_signs_in_and_its_statements_are_counted(
    kind: type[Rival], tmp_path: Path, postgres: Cluster, provider_url: str
) -> None:
    database = postgres.create_database(log_statements=True)
    place = Place(free_port(), provider_url, postgres.url(database), tmp_path)
    rival = kind(place)
    with running(rival, place, machine.cores(), counted=True):
        connection, at_provider = await connect(("127.0.0.1", place.port)), await connect(address(provider_url))
        credential = await sign_in(rival, connection, at_provider, f"{KNOWN}150")
        await rival.check(connection, credential)
        with pytest.raises(WrongAnswer):
            await rival.check(connection, credential[:-8])
        if isinstance(rival, OnNode):  # whose links are made at a route of ours, which is to ask for its key
            asked = request("POST", "/links", rival.host, {"x-server-key": SERVER_KEY.upper()}, b"{}")
            assert (await connection.send(asked)).status == 401
        connection.close()
        chosen = await their_operations(rival, place, people=3)
        log = PostgresLog(postgres, database) if kind.database == "PostgreSQL" else Printed(place.output)
        lines = await counted(kind.name, kind.database, ("127.0.0.1", place.port), chosen, log)
    assert {operation: line.cost.statements for (_, _, operation), line in lines.items()} == COSTS[kind.name]


def address(url: str) -> tuple[str, int]:
    """Where to connect to for an address of this machine."""
    return "127.0.0.1", int(url.rpartition(":")[2])


def test_the_rivals_are_those_on_the_kinds_of_database_that_are_measured() -> None:
    assert [kind.name for kind in on("SQLite")] == ["PocketBase"]
    assert on("PostgreSQL") == [kind for kind in RIVALS if kind.name != "PocketBase"]
    assert on("PostgreSQL", "SQLite") == list(RIVALS)


def test_printed_statements_are_read_from_a_mark_on(tmp_path: Path) -> None:
    log = Printed(tmp_path / "output")
    log.file.write_text("Server started\n[0.00ms] SELECT 1\n")
    mark = log.mark()
    assert log.since(0) == ["SELECT 1"]
    with log.file.open("a") as output:
        output.write("[12.50ms] SELECT 2\nINFO GET /api/health\n[0.00ms] INSERT INTO a VALUES (1)\n")
    assert log.since(mark) == ["SELECT 2", "INSERT INTO a VALUES (1)"]
