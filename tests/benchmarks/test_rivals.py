"""The other servers of the benchmark: each starts, signs somebody in, knows the session; its statements are seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.counting import PostgresLog
from benchmarks.http_client import connect
from benchmarks.load import WrongAnswer
from benchmarks.provider import KNOWN
from benchmarks.rivals import ready
from benchmarks.rivals.measuring import CHECK, LINK, WHOLE, counted, running, their_operations
from benchmarks.rivals.pocketbase import Printed
from benchmarks.rivals.rival import Place, Rival, sign_in
from benchmarks.rivals.servers import RIVALS
from benchmarks.site import free_port, provider
from tests.postgres_server import Cluster

# Statements of each operation, in the versions that the lock files name.
COSTS = {
    "PocketBase": {CHECK: 2, WHOLE: 6, LINK: 4},
    "fastapi-users": {CHECK: 2, WHOLE: 4},
    "Better Auth": {CHECK: 2, WHOLE: 8, LINK: 1},
}


@pytest.fixture(scope="module", autouse=True)
def environments() -> None:
    """Their packages, which are installed at the first run."""
    ready.make()


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIVALS, ids=lambda kind: kind.name)
async def test_a_rival_signs_in_and_its_statements_are_counted(
    kind: type[Rival], tmp_path: Path, postgres: Cluster
) -> None:
    database = postgres.create_database(log_statements=True)
    cores = machine.cores()
    with provider(cores, 200, 0) as url:
        place = Place(free_port(), url, postgres.url(database), tmp_path)
        rival = kind(place)
        with running(rival, place, cores, counted=True):
            connection, at_provider = await connect(("127.0.0.1", place.port)), await connect(address(url))
            credential = await sign_in(rival, connection, at_provider, f"{KNOWN}150")
            await rival.check(connection, credential)
            with pytest.raises(WrongAnswer):
                await rival.check(connection, credential[:-8])
            connection.close()
            chosen = await their_operations(rival, place, people=3)
            log = rival.log(PostgresLog(postgres, database))
            lines = await counted(kind.name, kind.database, ("127.0.0.1", place.port), chosen, log)
    assert {operation: line.cost.statements for (_, operation), line in lines.items()} == COSTS[kind.name]


def address(url: str) -> tuple[str, int]:
    """Where to connect to for an address of this machine."""
    return "127.0.0.1", int(url.rpartition(":")[2])


def test_printed_statements_are_read_from_a_mark_on(tmp_path: Path) -> None:
    log = Printed(tmp_path / "output")
    log.file.write_text("Server started\n[0.00ms] SELECT 1\n")
    mark = log.mark()
    assert log.since(0) == ["SELECT 1"]
    with log.file.open("a") as output:
        output.write("[12.50ms] SELECT 2\nINFO GET /api/health\n[0.00ms] INSERT INTO a VALUES (1)\n")
    assert log.since(mark) == ["SELECT 2", "INSERT INTO a VALUES (1)"]
