"""Whether a request costs more among many users: the same operations among a thousand and among as many as wanted."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

import msgspec

from benchmarks import machine
from benchmarks.engines import Engine
from benchmarks.http_client import Connection, request
from benchmarks.load import Sample, check, drive
from benchmarks.measuring import Plan, Tell, signing_keys_made
from benchmarks.operations import WHOLE, Operation, Stock, operations
from benchmarks.people import Person, known, personas
from benchmarks.provider import KNOWN
from benchmarks.site import Running, Site, serving
from benchmarks.trips import basic

FEW = 1_000
"""What the many are held against."""
REGULARS = 400
"""Those of the users whose requests are measured, spread evenly over all."""
BATCH = 10_000
ALLOWED_TIMES = 1.10
"""What is promised: the cost among many users, as a part of the cost among few."""
# Operations of the main table: (dialect, name).
_SAME = (("Stytch", "session check, token"), ("Stack", "list links"), ("Stack", "create a link"), ("Stytch", WHOLE))


@dataclass(slots=True)
class Grown:
    """One operation's samples of each round, among few users and among many."""

    operation: Operation
    few: list[Sample] = field(default_factory=list)
    many: list[Sample] = field(default_factory=list)

    def times(self, figure: Callable[[Sample], float]) -> float:
        """How much larger a figure is among many users: the median of the rounds' ratios."""
        return median(figure(many) / figure(few) for few, many in zip(self.few, self.many, strict=True))


@dataclass(frozen=True, slots=True)
class Growth:
    """What one engine showed, and with how many users."""

    version: str
    users: int
    lines: list[Grown]


async def measure(
    engine: Engine, provider_url: str, cores: machine.Cores, plan: Plan, users: int, tell: Tell
) -> Growth:
    """Stock two databases, then ask the servers on them in turn; which comes first changes with each round."""
    tell(f"{engine.name}: a database with {FEW:,} users")
    few = await _stocked(engine, provider_url, FEW, tell)
    tell(f"{engine.name}: a database with {users:,} users")
    many = await _stocked(engine, provider_url, users, tell)
    with ExitStack() as stack:
        sides = [_Side(stack.enter_context(serving(site, cores)), site, stock, plan) for site, stock in (few, many)]
        for side in sides:
            await signing_keys_made(side.site, side.stock)
        lines = [Grown(each) for each in sides[0].chosen]
        for number in range(plan.rounds):
            for place, line in enumerate(lines):
                tell(f"{engine.name}: round {number + 1} of {plan.rounds}: {_called(line.operation)}")
                for side in sides if number % 2 == 0 else reversed(sides):
                    (line.few if side is sides[0] else line.many).append(await side.sample(place))
    return Growth(engine.version, users, lines)


class _Side:
    """One of the two servers, and what is asked of it."""

    def __init__(self, running: Running, site: Site, stock: Stock, plan: Plan) -> None:
        self.site, self.stock = site, stock
        self._running, self._plan = running, plan
        of_main = [each for each in operations(site, stock) if (each.dialect, each.name) in _SAME]
        self.chosen = [each for each in (*of_main, *directory(site, stock)) if plan.only in _called(each)]

    async def sample(self, place: int) -> Sample:
        """Measure the operation at that place of those chosen."""
        return await drive(
            self.site.address,
            self.chosen[place].once,
            self._running.cpu_seconds,
            connections=self._plan.connections,
            warm_up=self._plan.warm_up,
            seconds=self._plan.seconds,
        )


def directory(site: Site, stock: Stock) -> list[Operation]:
    """Requests about users at large, of the application's server."""
    stytch = {"authorization": basic(site), "content-type": "application/json"}
    stack = {
        "x-stack-access-type": "server",
        "x-stack-project-id": site.keys.stack_id,
        "x-stack-secret-server-key": site.keys.server_key,
    }

    def search(body: object) -> bytes:
        return request("POST", "/v1/users/search", site.host, stytch, msgspec.json.encode(body))

    async def by_address(connection: Connection) -> None:
        person = stock.person()
        one = {"filter_name": "email_address", "filter_value": [person.persona.email]}
        asked = search({"limit": 10, "query": {"operator": "AND", "operands": [one]}})
        check(await connection.send(asked), 200, person.user_id.encode())

    async def first_page(connection: Connection) -> None:
        check(await connection.send(search({"limit": 20})), 200, b'"total":')

    async def listed(connection: Connection) -> None:
        asked = request("GET", "/api/v1/users?limit=20", site.host, stack)
        check(await connection.send(asked), 200, b'"primary_email":"')

    return [
        Operation("search users by address", "Stytch", by_address),
        Operation("search users, first page and total", "Stytch", first_page),
        Operation("list users, first page", "Stack", listed),
    ]


async def _stocked(engine: Engine, provider_url: str, users: int, tell: Tell) -> tuple[Site, Stock]:
    """A database with that many users, of whom the regulars stand evenly among the crowd."""
    regulars = known(personas(REGULARS, KNOWN))
    site = await engine.site(provider_url, [])
    written = 0
    for batch in batches(regulars, users):
        await engine.add(site, batch)
        written += len(batch)
        if written % (10 * BATCH) == 0:
            tell(f"{engine.name}: {written:,} users of {users:,}")
        await asyncio.sleep(0)
    await engine.settle(site)
    return site, Stock(regulars, iter(()), iter(()))


def batches(regulars: list[Person], users: int) -> Iterator[list[Person]]:
    """All users, some at a time: the regulars in even steps, and a crowd that never asks for anything between them."""
    count = max(1, -(-users // BATCH))
    for number in range(count):
        size = users * (number + 1) // count - users * number // count
        share = regulars[len(regulars) * number // count : len(regulars) * (number + 1) // count]
        crowd = known(personas(size - len(share), f"crowd{number}-"))
        yield [*itertools.islice(crowd, len(crowd) // 2), *share, *crowd[len(crowd) // 2 :]]


def _called(operation: Operation) -> str:
    return f"{operation.dialect} {operation.name}"
