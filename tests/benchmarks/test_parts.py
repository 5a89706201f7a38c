"""What the benchmark reads and counts: answers whole or in chunks, and commits whatever their words' case."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from benchmarks.counting import Cost, PostgresLog, count
from benchmarks.http_client import Answer, Connection, connect, request
from benchmarks.load import Sample, WrongAnswer, check, drive
from benchmarks.operations import Operation
from benchmarks.peers import best
from benchmarks.rivals.measuring import Beside
from benchmarks.rivals.table import rates, rows

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwhat"
CHUNKS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nwh\r\n2\r\nat\r\n0\r\n\r\n"


async def answered(said: bytes) -> Answer:
    """What the client makes of an answer that comes a few bytes at a time."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for start in range(0, len(said), 3):
            writer.write(said[start : start + 3])
            await writer.drain()
            await asyncio.sleep(0)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        connection = await connect(server.sockets[0].getsockname()[:2])
        try:
            return await connection.send(request("GET", "/", "localhost"))
        finally:
            connection.close()


@pytest.mark.parametrize("said", [WHOLE, CHUNKS], ids=["whole", "chunks"])
async def test_an_answer_is_read_to_its_end(said: bytes) -> None:
    answer = await answered(said)
    assert answer.status == 200
    assert answer.whole == b"what"
    check(answer, 200, b"at")
    with pytest.raises(WrongAnswer):
        check(answer, 200, b"nothing of this")


async def test_a_rate_rests_on_more_than_one_answer() -> None:
    async def slow(_connection: Connection) -> None:
        await asyncio.sleep(0.02)

    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()[:2]
        sample = await drive(address, slow, lambda: 0.0, connections=8, warm_up=0.0, seconds=0.001)
    assert sample.count >= 8


@dataclass(frozen=True, slots=True)
class Log(PostgresLog):
    """A log that was written elsewhere."""

    said: tuple[str, ...] = ()

    def mark(self) -> int:
        return 0

    def since(self, mark: int) -> list[str]:
        return list(self.said) * 12


@pytest.mark.parametrize(
    ("said", "statements", "commits"),
    [
        (("SELECT 1",), 1, 0),
        (("select 1",), 1, 0),
        (("begin", "select 1", "commit"), 1, 0),
        (("begin", "update a set b = 1", "commit"), 1, 1),
        (("BEGIN", "SELECT 1", "INSERT INTO a VALUES (1)", "COMMIT"), 2, 1),
        (("insert into a values (1)", "delete from a"), 2, 2),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, tuple) else str(value),
)
async def test_statements_and_commits_are_counted_in_any_case(
    said: tuple[str, ...], statements: int, commits: int
) -> None:
    async def once(_connection: Connection) -> None:
        return None

    log = Log(cluster=None, database="", said=said)  # type: ignore[arg-type]  # nothing of it is asked
    cost = await count(Connection(), Operation("anything", "", once), log, None)
    assert (cost.statements, cost.commits) == (statements, commits)


def beside(server: str, database: str, rate: int, cpu_seconds: float) -> Beside:
    """A server's line, of one round of a second."""
    sample = Sample(1.0, cpu_seconds, [0.001] * rate)
    return Beside(server, database, "whole sign-in, known account", Cost(1, 0), [sample])


MEASURED = [
    beside("oneself", "PostgreSQL", 300, 0.1),
    beside("oneself", "SQLite", 600, 0.1),
    beside("inside", "SQLite", 100, 0.5),
    beside("beside", "PostgreSQL", 200, 0.2),
]


def test_the_table_says_by_how_much_ours_is_faster_on_the_same_kind_of_database() -> None:
    cells = [(row[1:4], row[-2:]) for row in rows(MEASURED)]
    assert cells == [
        (("oneself", "PostgreSQL", "300"), ("", "")),
        (("oneself", "SQLite", "600"), ("", "")),
        (("inside", "SQLite", "100"), ("6.0", "30.0")),
        (("beside", "PostgreSQL", "200"), ("1.5", "3.0")),
    ]


def test_ours_on_sqlite_is_held_against_those_with_sqlite_inside_and_ours_on_postgresql_against_all() -> None:
    assert rates("whole sign-in", "SQLite", MEASURED) == {"inside": 100.0}
    assert rates("whole sign-in", "PostgreSQL", MEASURED) == {"inside": 100.0, "beside": 200.0}
    assert rates("session check", "SQLite", MEASURED) == {}


def test_the_fastest_peer_is_one_that_was_measured_where_any_was() -> None:
    assert best("whole sign-in", {}) == ("PocketBase, quoted", 358)
    assert best("whole sign-in", {"Better Auth": 100.0, "fastapi-users": 10.0}) == ("Better Auth, measured", 100.0)
    assert best("create a link", {}) == ("Better Auth, quoted", 1746)
    assert best("nothing of theirs", {}) is None
