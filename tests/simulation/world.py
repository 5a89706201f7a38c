"""What surrounds the vault in a simulation: a database, a provider, and processes that can be cut off."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar, cast

import msgspec

from oneself.faults import Fault, FaultCode
from oneself.store.database import Load, Row, Value
from oneself.store.retrying import TRIES, Again
from oneself.store.statements import for_sqlite
from oneself.upstream.limits import DEFAULT_LIMITS
from oneself.upstream.reply import Reply

T = TypeVar("T")

SUSPENDED_SECONDS = 40.0


class Died(BaseException):
    """A process ends at a named point; what its transaction did is undone."""


class Process:
    """One process of the simulation. After `die` nothing of it goes on: its next await never ends.

    Each step is noted in `schedule` by the process's `name`: their order is the interleaving.
    """

    def __init__(self, chance: Random, name: str = "", schedule: list[str] | None = None) -> None:
        self.chance = chance
        self.dead = False
        self._name = name
        self._schedule = [] if schedule is None else schedule

    async def step(self, longest: float) -> None:
        """Let some virtual time pass, up to `longest` seconds; whoever is dead stays here for ever."""
        await asyncio.sleep(self.chance.random() * longest)
        self._schedule.append(self._name)
        if self.dead:
            await asyncio.sleep(10**9)


@dataclass
class _Tx:
    connection: sqlite3.Connection
    now: int

    async def all(self, sql: str, *args: Value) -> list[Row]:
        return list(self.connection.execute(for_sqlite(sql), args).fetchall())

    async def one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.all(sql, *args)
        return rows[0] if rows else None

    async def run(self, sql: str, *args: Value) -> int:
        return self.connection.execute(for_sqlite(sql), args).rowcount

    async def many(self, sql: str, rows: Sequence[Sequence[Value]]) -> None:
        self.connection.executemany(for_sqlite(sql), rows)


@dataclass
class SimDatabase:
    """The database as one process sees it: every statement takes time, and a transaction is atomic."""

    connection: sqlite3.Connection
    process: Process
    clock: Callable[[], int]
    engine: str = "sqlite"
    clock_difference: int | None = None

    def load(self) -> Load:
        """Nobody asks."""
        return Load(0, 0, 0, 0, 0, 0)

    async def open(self) -> None:
        """The connection is open already."""

    async def close(self) -> None:
        """The connection is the simulation's."""

    async def all(self, sql: str, *args: Value) -> list[Row]:
        """Read."""
        await self.process.step(0.01)
        rows = await _Tx(self.connection, self.clock()).all(sql, *args)
        await self.process.step(0.01)
        return rows

    async def one(self, sql: str, *args: Value) -> Row | None:
        """Read one row."""
        rows = await self.all(sql, *args)
        return rows[0] if rows else None

    async def batch_one(self, sql: str, *args: Value) -> Row | None:
        """Read one row."""
        return await self.one(sql, *args)

    async def change(self, sql: str, *args: Value) -> Row | None:
        """Write one statement."""
        return await self.write(lambda tx: tx.one(sql, *args))

    async def write(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run a closure as one transaction; it never waits, so nobody comes between. It is made again when it asks."""
        for _ in range(TRIES):
            await self.process.step(0.02)
            self.connection.execute("BEGIN")
            try:
                value = await work(_Tx(self.connection, self.clock()))
            except BaseException as wrong:
                self.connection.execute("ROLLBACK")
                if not isinstance(wrong, Again):
                    raise
            else:
                self.connection.execute("COMMIT")
                await self.process.step(0.02)
                return value
        raise Fault(FaultCode.DATABASE_CONTENDED, "others were faster")


@dataclass
class SimProvider:
    """A provider whose refresh tokens work once, and whose wires lose what they like to lose. It keeps one grant of a
    person: a new consent ends the older one. `suspends` is how often the process that asked is stopped with the answer
    in its hands, for longer than any lease.
    """

    chance: Random
    loses: float
    suspends: float = 0.0
    alive: str = "rt-0"
    spent: set[str] = field(default_factory=set)
    access: set[str] = field(default_factory=set)
    calls: int = 0
    replayed: int = 0
    ended: set[str] = field(default_factory=set)
    met_ended: int = 0
    callers: list[Process] = field(default_factory=list)
    most_callers: int = 0

    def serve(self, token: str) -> Reply:
        """Trade a refresh token; one that was traded before is refused, and counted."""
        self.calls += 1
        if token in self.ended:
            self.met_ended += 1
            return _reply(400, {"error": "invalid_grant"})
        if token != self.alive:
            self.replayed += 1
            return _reply(400, {"error": "invalid_grant"})
        access = self._issue()
        return _reply(200, {"access_token": access, "refresh_token": self.alive, "expires_in": 3600})

    def consent(self) -> tuple[str, str]:
        """The person signs in again: a new grant, access and refresh token, and the end of all older ones."""
        self.calls += 1
        self.ended |= {self.alive, *self.spent}
        access = self._issue()
        return access, self.alive

    def _issue(self) -> str:
        self.spent.add(self.alive)
        self.alive = f"rt-{self.calls}"
        access = f"at-{self.calls}"
        self.access = {access}
        return access


@dataclass
class SimOutbound:
    """The way out of one process."""

    provider: SimProvider
    process: Process
    clock: Callable[[], int]
    limits: Any = DEFAULT_LIMITS
    shelf: Any = None

    async def send(self, _method: str, _url: str, **said: Any) -> Reply:
        """Send: the request may be lost, the answer may be lost, the provider may be down."""
        form = cast(dict[str, str], said["form"])
        provider = self.provider
        provider.callers = [one for one in (*provider.callers, self.process) if not one.dead]
        provider.most_callers = max(provider.most_callers, len(provider.callers))
        try:
            await self.process.step(1.0)
            luck = provider.chance.random()
            if luck < provider.loses:
                raise Fault(FaultCode.PROVIDER_UNAVAILABLE, "not connected", sent=False)
            if luck < 2 * provider.loses:
                return _reply(503, {})
            reply = provider.serve(form["refresh_token"])
        finally:
            provider.callers = [one for one in provider.callers if one is not self.process]
        await self.process.step(1.0)
        if provider.chance.random() < provider.suspends:
            await asyncio.sleep(SUSPENDED_SECONDS)
        if provider.chance.random() < provider.loses:
            raise Fault(FaultCode.PROVIDER_UNAVAILABLE, "reset", sent=True)
        return reply


def _reply(status: int, body: dict[str, Any]) -> Reply:
    return Reply(status, "application/json", msgspec.json.encode(body), None)
