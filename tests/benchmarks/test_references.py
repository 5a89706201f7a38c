"""What a database is asked alone is what the server asks of it: else the ratio compares two different things."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.counting import Miscounted, count
from benchmarks.engines import Postgres
from benchmarks.http_client import Connection
from benchmarks.measuring import Plan, counted
from benchmarks.operations import Operation
from benchmarks.people import known, personas
from benchmarks.provider import KNOWN, NEW
from benchmarks.reference.scripts import Call, Script
from benchmarks.site import provider
from tests.benchmarks.test_parts import Log
from tests.postgres_server import Cluster

PLAN = Plan(seconds=1, warm_up=1, rounds=1, connections=1, regulars=100, others=100, newcomers=100, trips_per_second=1)


@pytest.mark.slow
async def test_every_operation_asks_what_its_reference_says(tmp_path: Path, postgres: Cluster) -> None:
    cores = machine.cores()
    newcomers = iter([persona.id for persona in personas(PLAN.newcomers, NEW)])
    with provider(cores, 200, PLAN.newcomers) as url:
        engine = Postgres(tmp_path, cores, postgres)
        lines = await counted(engine, url, known(personas(200, KNOWN)), newcomers, PLAN)
    assert sum(bool(line.operation.reference) for line in lines) > 10
    assert all(line.cost.statements >= 1 for line in lines)


async def test_another_statement_than_the_references_is_noticed() -> None:
    async def once(_connection: Connection) -> None:
        return None

    log = Log(cluster=None, database="", said=("SELECT 1",))  # type: ignore[arg-type]  # nothing of it is asked
    operation = Operation("anything", "", once)
    cost = await count(Connection(), operation, log, Script("same", ((Call("SELECT  1", ()),),)))
    assert cost.statements == 1
    with pytest.raises(Miscounted):
        await count(Connection(), operation, log, Script("other", ((Call("SELECT 2", ()),),)))
    with pytest.raises(Miscounted):
        await count(Connection(), operation, log, Script("twice", ((Call("SELECT 1", ()), Call("SELECT 1", ())),)))
