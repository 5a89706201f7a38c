"""Measures the rivals and this server in alternating rounds: one core each time, one PostgreSQL for all who use it."""

import asyncio
import contextlib
import itertools
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.counting import Cost, Log, PostgresLog, count
from benchmarks.engines import Engine, Postgres
from benchmarks.http_client import Broken, Connection, connect
from benchmarks.load import Once, Sample, drive
from benchmarks.operations import Operation, Stock, operations
from benchmarks.people import Person, known, personas
from benchmarks.provider import KNOWN
from benchmarks.rivals import ready, servers
from benchmarks.rivals.pocketbase import Printed
from benchmarks.rivals.rival import Place, Rival, sign_in
from benchmarks.site import Running, free_port, serving
from tests.server_process import ROOT, environment

CHECK, WHOLE, LINK = "session check", "whole sign-in, known account", "create a link"
# Which of our operations stands beside which of theirs.
OURS = {
    CHECK: "Stytch: session check, token",
    WHOLE: "Stytch: whole sign-in, known account",
    LINK: "Stack: create a link",
}
PEOPLE = 100
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long and how often each is measured, in seconds and rounds, over how many connections."""

    seconds: float
    warm_up: float
    rounds: int
    connections: int


@dataclass(slots=True)
class Beside:
    """One server's figures for one operation; of several rounds, the medians."""

    server: str
    database: str
    operation: str
    cost: Cost
    samples: list[Sample] = field(default_factory=list)

    def of(self, figure: Callable[[Sample], float]) -> float:
        """The median of a figure over the rounds."""
        return median(figure(sample) for sample in self.samples)


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server that takes part: its address, its processor time so far, and its operations by name."""

    name: str
    database: str
    address: tuple[str, int]
    cpu_seconds: Callable[[], float]
    operations: dict[str, Once]


# By the server, its database and the operation: ours takes part once on each database.
Lines = dict[tuple[str, str, str], Beside]


async def measure(
    engines: Sequence[Engine], provider_url: str, cores: machine.Cores, pace: Pace, tell: Callable[[str], None]
) -> list[Beside]:
    """Count and measure ours on each of these databases, then the rivals on the same kinds; ours first in each round.

    Raises WrongAnswer where one answers badly.
    """
    tell("rivals: their environments")
    ready.make()
    lines: Lines = {}
    async with contextlib.AsyncExitStack() as stack:
        contenders = []
        for engine in engines:
            tell(f"rivals: counting oneself on {engine.name}")
            contenders.append(await stack.enter_async_context(_ours(engine, provider_url, cores, lines)))
        by_name = {engine.name: engine for engine in engines}
        for kind in servers.on(*by_name):
            tell(f"rivals: counting {kind.name}")
            entered = _rival(kind, by_name[kind.database], provider_url, cores, lines)
            contenders.append(await stack.enter_async_context(entered))
        for number in range(pace.rounds):
            for operation, one in itertools.product(OURS, contenders):
                if operation not in one.operations:
                    continue
                tell(f"rivals: round {number + 1} of {pace.rounds}: {one.name} on {one.database}, {operation}")
                sample = await drive(
                    one.address,
                    one.operations[operation],
                    one.cpu_seconds,
                    connections=pace.connections,
                    warm_up=pace.warm_up,
                    seconds=pace.seconds,
                )
                lines[one.name, one.database, operation].samples.append(sample)
    return list(lines.values())


@contextlib.asynccontextmanager
async def _ours(engine: Engine, provider_url: str, cores: machine.Cores, lines: Lines) -> AsyncIterator[Contender]:
    people = known(personas(PEOPLE * 2, KNOWN))
    async with engine.counted(provider_url, people) as (site, _, log):
        await asyncio.sleep(1.5)  # by then the server has heard of its own start's changes
        chosen = _our_operations({f"{each.dialect}: {each.name}": each for each in operations(site, _stock(people))})
        await _signed_in(site.address, chosen, len(people))
        lines |= await counted("oneself", engine.name, site.address, chosen, log)
    site = await engine.site(provider_url, people)
    with serving(site, cores) as running:
        chosen = _our_operations({f"{each.dialect}: {each.name}": each for each in operations(site, _stock(people))})
        await _signed_in(site.address, chosen, len(people))
        yield Contender("oneself", engine.name, site.address, running.cpu_seconds, chosen)


async def _signed_in(address: tuple[str, int], chosen: dict[str, Once], people: int) -> None:
    """Sign everybody in once, as the rivals' people are, and check a session.

    The provider gives a refresh token at a person's first consent only, and the trips after it ask one statement more,
    for the one that is kept; and a project's RSA key is made at its first use, which is no part of any check.
    """
    connection = await connect(address)
    for _ in range(people):
        await chosen[WHOLE](connection)
    await chosen[CHECK](connection)
    connection.close()


def _our_operations(by_name: dict[str, Operation]) -> dict[str, Once]:
    return {theirs: by_name[ours].once for theirs, ours in OURS.items()}


def _stock(people: list[Person]) -> Stock:
    return Stock(people, iter(()), iter(()))


@contextlib.asynccontextmanager
async def _rival(
    kind: type[Rival], engine: Engine, provider_url: str, cores: machine.Cores, lines: Lines
) -> AsyncIterator[Contender]:
    # On SQLite the program has its database inside, and prints what it asks of it.
    cluster = engine.cluster if isinstance(engine, Postgres) else None
    database = cluster.create_database(log_statements=True) if cluster else ""
    with tempfile.TemporaryDirectory(prefix="oneself-rival-") as folder:
        place = Place(free_port(), provider_url, cluster.url(database) if cluster else "", Path(folder))
        address = "127.0.0.1", place.port
        rival = kind(place)
        with running(rival, place, cores, counted=True):
            log = PostgresLog(cluster, database) if cluster else Printed(place.output)
            chosen = await their_operations(rival, place)
            lines |= await counted(kind.name, kind.database, address, chosen, log)
        if cluster:
            cluster.sql(f'ALTER DATABASE "{database}" RESET log_statement')
            cluster.sql("VACUUM ANALYZE", database)
        with running(rival, place, cores) as process:
            chosen = await their_operations(rival, place)
            yield Contender(kind.name, kind.database, address, process.cpu_seconds, chosen)


async def their_operations(rival: Rival, place: Place, people: int = PEOPLE) -> dict[str, Once]:
    """Sign everybody in once, so that all are known and have a session; the operations take them in turn."""
    names = [persona.id for persona in personas(people, KNOWN)]
    at_provider = ("127.0.0.1", int(place.provider_url.rpartition(":")[2]))
    connection, provider = await connect(("127.0.0.1", place.port)), await connect(at_provider)
    known_by = [await sign_in(rival, connection, provider, name) for name in names]
    link = await rival.linking(connection, known_by)
    connection.close()
    credentials, persona, idle = itertools.cycle(known_by), itertools.cycle(names), [provider]

    async def check(connection: Connection) -> None:
        await rival.check(connection, next(credentials))

    async def whole(connection: Connection) -> None:
        provider = idle.pop() if idle else await connect(at_provider)
        await sign_in(rival, connection, provider, next(persona))
        idle.append(provider)

    return {CHECK: check, WHOLE: whole, **({LINK: link} if link else {})}


async def counted(name: str, database: str, address: tuple[str, int], chosen: dict[str, Once], log: Log) -> Lines:
    """What each of a server's operations costs its database."""
    connection = await connect(address)
    lines = {}
    for operation, once in chosen.items():
        cost = await count(connection, Operation(operation, name, once), log, None)
        lines[name, database, operation] = Beside(name, database, operation, cost)
    connection.close()
    return lines


@contextlib.contextmanager
def running(rival: Rival, place: Place, cores: machine.Cores, *, counted: bool = False) -> Iterator[Running]:
    """Run a rival on the server's core until it is left; what it prints is kept in its folder."""
    command = rival.command(counted=counted)
    with machine.pinned(cores.server), place.output.open("ab") as output:
        more = {"PYTHONPATH": "", "NODE_ENV": "production", "PROVIDER": place.provider_url}
        process = subprocess.Popen(command, env=environment(more), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output)
    try:
        first = _first_answer(process, command, place)
        yield Running(process.pid, first, machine.resident_bytes(process.pid))
    finally:
        process.terminate()
        process.wait()


def _first_answer(process: subprocess.Popen[bytes], command: list[str], place: Place) -> float:
    """Wait until somebody listens there; gives the seconds it took. Raises Broken."""
    began = time.monotonic()
    while process.poll() is None and time.monotonic() < began + START_SECONDS:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", place.port), timeout=5):
            return time.monotonic() - began
        time.sleep(0.05)
    raise Broken(f"{command[1]} did not come up")
