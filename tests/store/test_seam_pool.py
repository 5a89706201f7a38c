"""The pool of connections: few, the last used first, waiters in their order, nothing lost on the
way.
"""

from __future__ import annotations

import asyncio

import pytest

from oneself.faults import Fault, FaultCode
from oneself.store import postgres_pool
from oneself.store.postgres_errors import Lost
from oneself.store.postgres_link import Dialing, Link
from oneself.store.postgres_pool import Pool
from tests.store.conftest import clock


class Raw:
    """Stands in for the driver's connection."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.cut = False

    def add_log_listener(self, listener: object) -> None:
        self.listener = listener

    def is_closed(self) -> bool:
        return self.cut

    def terminate(self) -> None:
        self.cut = True


class Server:
    """Opens links, or refuses to, and remembers."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.down: set[str] = set()
        self.gate: asyncio.Event | None = None

    async def connect(self, _dialing: Dialing, host: str) -> Link:
        if self.gate is not None:
            await self.gate.wait()
        if any(name in host for name in self.down):
            raise Fault(FaultCode.DATABASE_UNAVAILABLE, detail=f"{host} is down")
        self.links.append(Link(Raw(host)))
        return self.links[-1]


@pytest.fixture
def server() -> Server:
    return Server()


def pool_of(server: Server, size: int = 2, wait: float = 1.0, url: str = "postgresql://a/x") -> Pool:
    return Pool(Dialing(url, clock), size, wait, server.connect)


async def test_connections_are_opened_when_needed_and_the_last_used_comes_first(
    server: Server,
) -> None:
    pool = pool_of(server, size=3)
    assert pool.open_links == 0 and pool.take() is None
    first, second = await pool.acquire(), await pool.acquire()
    pool.release(first)
    pool.release(second)
    assert await pool.acquire() is second
    assert pool.take() is first
    assert pool.open_links == 2 and not pool.exhausted


async def test_waiters_are_served_in_their_order(server: Server) -> None:
    pool = pool_of(server, size=1)
    link = await pool.acquire()
    served: list[int] = []

    async def client(number: int) -> None:
        mine = await pool.acquire()
        served.append(number)
        await asyncio.sleep(0)
        pool.release(mine)

    clients = [asyncio.create_task(client(n)) for n in range(20)]
    await asyncio.sleep(0)
    assert pool.exhausted
    pool.release(link)
    await asyncio.gather(*clients)
    assert served == list(range(20))
    assert len(server.links) == 1


async def test_waiting_ends(server: Server) -> None:
    pool = pool_of(server, size=1, wait=0.05)
    link = await pool.acquire()
    with pytest.raises(Fault, match="no connection came free"):
        await pool.acquire()
    pool.release(link)
    assert await pool.acquire() is link


async def test_a_waiter_who_leaves_takes_nothing_along(server: Server) -> None:
    pool = pool_of(server, size=1)
    link = await pool.acquire()
    leaving = asyncio.create_task(pool.acquire())
    staying = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    pool.release(link)  # the link is already on its way to the one who leaves
    leaving.cancel()
    assert await staying is link
    with pytest.raises(asyncio.CancelledError):
        await leaving
    pool.release(link)
    assert pool.open_links == 1 and pool.take() is link


async def test_a_lost_connection_makes_room_for_a_new_one(server: Server) -> None:
    pool = pool_of(server, size=1)
    link = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    link.lost = Lost("cut")
    pool.release(link)
    fresh = await waiting
    assert fresh is not link and link.closed and pool.open_links == 1


async def test_a_server_in_doubt_takes_all_its_connections_along(server: Server) -> None:
    pool = pool_of(server, size=3)
    links = [await pool.acquire() for _ in range(3)]
    pool.release(links[0])
    links[1].lost = Lost("read-only", everywhere=True)
    pool.release(links[1])
    fresh = await pool.acquire()
    assert fresh not in links
    pool.release(links[2])
    assert all(link.closed for link in links)
    pool.release(fresh)
    assert pool.take() is fresh and pool.open_links == 1


async def test_connections_closed_or_idle_for_long_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = pool_of(server)
    link = await pool.acquire()
    pool.release(link)
    link.drop()
    other = await pool.acquire()
    assert other is not link and pool.open_links == 1
    pool.release(other)
    monkeypatch.setattr(postgres_pool, "IDLE_SECONDS", -1.0)
    assert await pool.acquire() is not other
    assert other.closed and pool.open_links == 1


async def test_the_next_host_is_tried_and_then_kept(server: Server) -> None:
    pool = pool_of(server, url="postgresql://u:p@a:1,b:2/x?sslmode=require", size=4)
    server.down = {"@a:1"}
    hosts = [(await pool.acquire()).raw.host for _ in range(2)]
    assert hosts == ["postgresql://u:p@b:2/x?sslmode=require"] * 2
    server.down = {"@b:2"}
    assert (await pool.acquire()).raw.host.startswith("postgresql://u:p@a:1/x")


async def test_nobody_reachable_is_told_to_all_in_line_at_once(server: Server) -> None:
    pool = pool_of(server, size=1, wait=30)
    server.down = {"a"}
    server.gate = asyncio.Event()
    clients = [asyncio.create_task(pool.acquire()) for _ in range(10)]
    await asyncio.sleep(0)
    server.gate.set()
    done = await asyncio.gather(*clients, return_exceptions=True)
    assert all(isinstance(o, Fault) and "is down" in o.detail for o in done)
    server.down = set()
    assert await pool.acquire() is server.links[0]


async def test_a_connection_being_opened_is_not_lost_with_its_caller(server: Server) -> None:
    pool = pool_of(server, size=1)
    server.gate = asyncio.Event()
    leaving = asyncio.create_task(pool.acquire())
    staying = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    server.gate.set()
    assert (await staying) in server.links and pool.open_links == 1


async def test_closing_serves_the_accepted_and_refuses_the_rest(server: Server) -> None:
    pool = pool_of(server, size=1)
    link = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    closing = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    with pytest.raises(Fault, match="closed"):
        await pool.acquire()
    pool.release(link)
    pool.release(await waiting)
    await closing
    assert link.closed and pool.open_links == 0


async def test_closing_does_not_wait_for_ever(server: Server) -> None:
    pool = pool_of(server, size=1, wait=30)
    link = await pool.acquire()
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)
    await pool.close(patience=0.05)
    assert link.closed
    with pytest.raises(Fault, match="closed"):
        await waiting
    pool.release(link)
    assert pool.open_links == 0
