"""Measures the rivals and this server in alternating rounds: one core each time, and one database server for all."""

import asyncio
import contextlib
import itertools
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from benchmarks import machine
from benchmarks.counting import Cost, PostgresLog, count
from benchmarks.engines import Postgres
from benchmarks.http_client import Broken, Connection, connect
from benchmarks.load import Once, Sample, drive
from benchmarks.operations import Operation, Stock, operations
from benchmarks.people import Person, known, personas
from benchmarks.provider import KNOWN
from benchmarks.rivals import ready
from benchmarks.rivals.servers import RIVALS, Place, Rival, sign_in
from benchmarks.site import Running, free_port, serving
from tests.server_process import ROOT, environment

CHECK, WHOLE = "session check", "whole sign-in, known account"
# Which of our operations stands beside which of theirs.
OURS = {CHECK: "Stytch: session check, token", WHOLE: "Stytch: whole sign-in, known account"}
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
    address: tuple[str, int]
    cpu_seconds: Callable[[], float]
    operations: dict[str, Once]


async def measure(
    engine: Postgres, provider_url: str, cores: machine.Cores, pace: Pace, tell: Callable[[str], None]
) -> list[Beside]:
    """Count and measure every contender; ours first in each round. Raises WrongAnswer where one answers badly."""
    tell("rivals: their environments")
    ready.make()
    lines: dict[tuple[str, str], Beside] = {}
    async with contextlib.AsyncExitStack() as stack:
        contenders = [await stack.enter_async_context(_ours(engine, provider_url, cores, lines))]
        for kind in RIVALS:
            tell(f"rivals: counting {kind.name}")
            contenders.append(await stack.enter_async_context(_rival(kind, engine, provider_url, cores, lines)))
        for number in range(pace.rounds):
            for one, operation in itertools.product(contenders, (CHECK, WHOLE)):
                tell(f"rivals: round {number + 1} of {pace.rounds}: {one.name} {operation}")
                sample = await drive(
                    one.address,
                    one.operations[operation],
                    one.cpu_seconds,
                    connections=pace.connections,
                    warm_up=pace.warm_up,
                    seconds=pace.seconds,
                )
                lines[one.name, operation].samples.append(sample)
    return list(lines.values())


@contextlib.asynccontextmanager
async def _ours(
    engine: Postgres, provider_url: str, cores: machine.Cores, lines: dict[tuple[str, str], Beside]
) -> AsyncIterator[Contender]:
    people = known(personas(PEOPLE * 2, KNOWN))
    async with engine.counted(provider_url, people) as (site, _, log):
        await asyncio.sleep(1.5)  # by then the server has heard of its own start's changes
        chosen = _our_operations({f"{each.dialect}: {each.name}": each for each in operations(site, _stock(people))})
        await _count("oneself", site.address, chosen, log, lines)
    site = await engine.site(provider_url, people)
    with serving(site, cores) as running:
        chosen = _our_operations({f"{each.dialect}: {each.name}": each for each in operations(site, _stock(people))})
        yield Contender("oneself", site.address, running.cpu_seconds, chosen)


def _our_operations(by_name: dict[str, Operation]) -> dict[str, Once]:
    return {theirs: by_name[ours].once for theirs, ours in OURS.items()}


def _stock(people: list[Person]) -> Stock:
    return Stock(people, iter(()), iter(()))


@contextlib.asynccontextmanager
async def _rival(
    kind: type[Rival],
    engine: Postgres,
    provider_url: str,
    cores: machine.Cores,
    lines: dict[tuple[str, str], Beside],
) -> AsyncIterator[Contender]:
    place = Place(free_port(), provider_url)
    database = engine.cluster.create_database(log_statements=True)
    command = kind.command(place, engine.cluster.url(database))
    with _running(command, place, cores):
        chosen = await _their_operations(kind(place), place)
        await _count(kind.name, ("127.0.0.1", place.port), chosen, PostgresLog(engine.cluster, database), lines)
    engine.cluster.sql(f'ALTER DATABASE "{database}" RESET log_statement')
    engine.cluster.sql("VACUUM ANALYZE", database)
    with _running(command, place, cores) as running:
        chosen = await _their_operations(kind(place), place)
        yield Contender(kind.name, ("127.0.0.1", place.port), running.cpu_seconds, chosen)


async def _their_operations(rival: Rival, place: Place) -> dict[str, Once]:
    """Sign everybody in once, so that all are known and have a session; then both operations take them in turn."""
    names = [persona.id for persona in personas(PEOPLE, KNOWN)]
    at_provider = ("127.0.0.1", int(place.provider_url.rpartition(":")[2]))
    connection, provider = await connect(("127.0.0.1", place.port)), await connect(at_provider)
    credentials = itertools.cycle([await sign_in(rival, connection, provider, name) for name in names])
    persona, idle = itertools.cycle(names), [provider]
    connection.close()

    async def check(connection: Connection) -> None:
        await rival.check(connection, next(credentials))

    async def whole(connection: Connection) -> None:
        provider = idle.pop() if idle else await connect(at_provider)
        await sign_in(rival, connection, provider, next(persona))
        idle.append(provider)

    return {CHECK: check, WHOLE: whole}


async def _count(
    name: str,
    address: tuple[str, int],
    chosen: dict[str, Once],
    log: object,
    lines: dict[tuple[str, str], Beside],
) -> None:
    if not isinstance(log, PostgresLog):
        raise TypeError("rivals are counted on PostgreSQL")
    connection = await connect(address)
    for operation, once in chosen.items():
        cost = await count(connection, Operation(operation, name, once), log, None)
        lines[name, operation] = Beside(name, operation, cost)
    connection.close()


@contextlib.contextmanager
def _running(command: list[str], place: Place, cores: machine.Cores) -> Iterator[Running]:
    """Run a rival on the server's core until it is left."""
    with machine.pinned(cores.server):
        more = {"PYTHONPATH": "", "NODE_ENV": "production"}
        process = subprocess.Popen(
            command, env=environment(more), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
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
