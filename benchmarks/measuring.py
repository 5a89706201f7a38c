"""One engine from its counts to its figures: rounds over all operations, each beside its database alone."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from benchmarks import machine, neighbours
from benchmarks.counting import Cost, count
from benchmarks.engines import Engine, now
from benchmarks.http_client import connect
from benchmarks.load import Sample, drive
from benchmarks.neighbours import Neighbours
from benchmarks.operations import WHOLE, Operation, StackAccounts, Stock, StytchSessions, operations
from benchmarks.people import Person, known, personas
from benchmarks.provider import KNOWN, NEW
from benchmarks.reference.scripts import scripts
from benchmarks.rivals.measuring import Beside
from benchmarks.site import Running, Site, serving
from benchmarks.stocking import stock_up
from benchmarks.waiters import Waits

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: seconds, rounds, connections, people."""

    seconds: float
    warm_up: float
    rounds: int
    connections: int
    regulars: int
    others: int
    newcomers: int
    # prepared for each second of a measurement that uses them up; it ends early when they are spent
    trips_per_second: int
    only: str = ""


@dataclass(slots=True)
class Line:
    """One operation's figures; of several rounds, the medians."""

    operation: Operation
    cost: Cost
    samples: list[Sample] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    def of(self, figure: Callable[[Sample], float]) -> float:
        """The median of a figure over the rounds."""
        return median(figure(sample) for sample in self.samples)

    @property
    def kept(self) -> float | None:
        """The part of its database's own rate that the server keeps: the median of the rounds' ratios."""
        if not self.alone:
            return None
        return median(sample.rate / alone for sample, alone in zip(self.samples, self.alone, strict=True))


@dataclass(slots=True)
class Result:
    """One engine's figures. Seconds and bytes."""

    engine: Engine
    lines: list[Line]
    first_answers: list[float] = field(default_factory=list)
    idle_bytes: int = 0
    loaded_bytes: int = 0
    waits: Waits | None = None
    neighbours: Neighbours | None = None
    beside: list[Beside] = field(default_factory=list)


async def measure(engine: Engine, provider_url: str, cores: machine.Cores, plan: Plan, tell: Tell) -> Result:
    """Count, then measure, everything on one engine."""
    people = known(personas(plan.regulars + plan.others, KNOWN))
    newcomers = iter([persona.id for persona in personas(plan.newcomers, NEW)])
    tell(f"{engine.name}: counting statements")
    result = Result(engine, await counted(engine, provider_url, people[:200], newcomers, plan))
    tell(f"{engine.name}: a database with {len(people)} people")
    site = await engine.site(provider_url, people)
    stock = _stock(people, plan.regulars, newcomers)
    for _ in range(3):
        with serving(site, cores) as running:
            result.first_answers.append(running.first_answer)
            await asyncio.sleep(0.5)
            result.idle_bytes = max(result.idle_bytes, machine.resident_bytes(running.pid))
    with serving(site, cores) as running:
        await signing_keys_made(site, stock)
        for number in range(plan.rounds):
            for line, operation in zip(result.lines, _chosen(site, stock, plan), strict=True):
                tell(f"{engine.name}: round {number + 1} of {plan.rounds}: {operation.dialect} {operation.name}")
                line.samples.append(await _sample(site, running, stock, operation, plan))
                if operation.reference:
                    alone = await engine.rate(operation.reference, plan.seconds)
                    line.alone += [alone] if alone is not None else []
        result.loaded_bytes = machine.resident_bytes(running.pid)
        if plan.only in neighbours.NAME:
            tell(f"{engine.name}: {neighbours.NAME}")
            whole = next(each for each in operations(site, stock) if each.name == WHOLE and each.dialect == "Stytch")
            result.neighbours = await neighbours.compared(
                site, plan.rounds, lambda: _sample(site, running, stock, whole, plan)
            )
    return result


def _stock(people: list[Person], regulars: int, newcomers: Iterator[str]) -> Stock:
    return Stock(people[:regulars], iter(people[regulars:]), newcomers)


async def counted(
    engine: Engine, provider_url: str, people: list[Person], newcomers: Iterator[str], plan: Plan
) -> list[Line]:
    """What each operation costs a database of these people, counted by itself. Raises Miscounted where that is not what
    its reference asks.
    """
    stock = _stock(people, len(people) // 2, newcomers)
    async with engine.counted(provider_url, people) as (site, _, log):
        by_name = scripts(site.keys.project_id, now())
        connection = await connect(site.address)
        await asyncio.sleep(1.5)  # by then the server has heard of its own start's changes
        lines = []
        for operation in _chosen(site, stock, plan):
            await _ready(site, stock, operation, 20)
            reference = by_name.get(operation.reference)
            lines.append(Line(operation, await count(connection, operation, log, reference)))
        connection.close()
    return lines


async def signing_keys_made(site: Site, stock: Stock) -> None:
    """A project's RSA key is made at its first use, which takes a second and is no part of any check."""
    connection = await connect(site.address)
    await StytchSessions(site, stock).by_token(connection)
    await StackAccounts(site, stock).refresh(connection)
    connection.close()


def _chosen(site: Site, stock: Stock, plan: Plan) -> list[Operation]:
    return [each for each in operations(site, stock) if plan.only in f"{each.dialect} {each.name}"]


async def _ready(site: Site, stock: Stock, operation: Operation, trips: int) -> None:
    """Prepare what an operation uses up."""
    if operation.needs:
        await stock_up(site, stock, operation.needs, trips)


async def _sample(site: Site, running: Running, stock: Stock, operation: Operation, plan: Plan) -> Sample:
    seconds = plan.warm_up + plan.seconds
    await _ready(site, stock, operation, round(seconds * plan.trips_per_second))
    return await drive(
        site.address,
        operation.once,
        running.cpu_seconds,
        connections=plan.connections,
        warm_up=plan.warm_up,
        seconds=plan.seconds,
    )
