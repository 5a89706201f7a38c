"""Preparing, outside of any measurement, what an operation uses up: trips that are brought to where it takes over."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from benchmarks.http_client import Connection, connect
from benchmarks.operations import Needs, StackAccounts, Stock, StytchSessions
from benchmarks.site import Site
from benchmarks.trips import StytchTrips, Trip

AT_ONCE = 16

Step = Callable[[Connection, Connection], Awaitable[None]]


async def stock_up(site: Site, stock: Stock, needs: Needs, count: int) -> None:
    """Make sure that the stock holds `count` of what is needed, or as many as there can be."""
    present = len(getattr(stock, needs))
    if needs in ("jwts", "access_tokens", "connected"):
        count = len(stock.regulars) // 2
    await _together(site, _steps(site, stock)[needs], count - present)


def _steps(site: Site, stock: Stock) -> dict[Needs, Step]:
    trips = StytchTrips(site)
    sessions, accounts = StytchSessions(site, stock), StackAccounts(site, stock)

    async def sent(connection: Connection, at_provider: Connection, name: str) -> Trip:
        return await trips.authorize(at_provider, await trips.start(connection, name))

    async def authorized(connection: Connection, at_provider: Connection) -> None:
        stock.authorized.append(await sent(connection, at_provider, stock.person().persona.id))

    async def landed(connection: Connection, at_provider: Connection) -> None:
        trip = await sent(connection, at_provider, stock.person().persona.id)
        stock.landed.append(await trips.land(connection, trip))

    async def landed_new(connection: Connection, at_provider: Connection) -> None:
        name = next(stock.newcomers, None)
        if name is not None:
            trip = await sent(connection, at_provider, name)
            stock.landed_new.append(await trips.land(connection, trip))

    async def jwts(connection: Connection, _at_provider: Connection) -> None:
        await sessions.keep_jwt(connection)

    async def access_tokens(connection: Connection, _at_provider: Connection) -> None:
        await accounts.keep_access_token(connection)

    async def connected(connection: Connection, at_provider: Connection) -> None:
        person = stock.person()
        trip = await sent(connection, at_provider, person.persona.id)
        await trips.redeem(connection, await trips.land(connection, trip))
        stock.connected.append(person.user_id)

    return {
        "connected": connected,
        "authorized": authorized,
        "landed": landed,
        "landed_new": landed_new,
        "jwts": jwts,
        "access_tokens": access_tokens,
    }


async def _together(site: Site, step: Step, count: int) -> None:
    """Take a step that many times, over a few connections."""
    left = iter(range(count))

    async def worker(connection: Connection, at_provider: Connection) -> None:
        for _ in left:
            await step(connection, at_provider)

    async with AsyncExitStack() as opened:
        pairs: list[tuple[Connection, Connection]] = []
        for _ in range(min(AT_ONCE, max(0, count))):
            pair = await connect(site.address), await connect(site.provider_address)
            for connection in pair:
                opened.callback(connection.close)
            pairs.append(pair)
        async with asyncio.TaskGroup() as group:
            for pair in pairs:
                group.create_task(worker(*pair))
