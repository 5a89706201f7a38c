"""A broken provider harms only its own logins: what is counted is what others finish while it holds on to its own."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import os
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from oneself.actions import access_token
from oneself.crypto.seal import KeyRing, generate_line
from oneself.faults import Fault, FaultCode
from oneself.providers.registry import get
from oneself.store.opening import open_database
from oneself.upstream.http import Outbound
from oneself.upstream.limits import Limits
from tests.actions.conftest import Clock, opened_runtime
from tests.actions.test_matrix import Stage, told
from tests.upstream.scripted import Answer, redirects, says, scripted, squeezed, until
from tests.upstream.signing import jwks, p256, rsa

AT_ONCE, WAITING = 32, 256


@pytest.fixture
async def pair(migrated_url: str) -> AsyncIterator[tuple[Stage, Stage]]:
    """A provider that will be broken and one that works, at hosts of their own, in one core."""
    clock = Clock()
    async with scripted() as bad, scripted() as good:
        db = await open_database(migrated_url, clock, clock_limit=None)
        rt = await opened_runtime(db, clock, KeyRing.parse(generate_line(os.urandom), os.urandom), bad.base)
        limits = Limits(deadline=120.0, at_once=AT_ONCE, waiting=WAITING)
        rt = dataclasses.replace(rt, outbound=Outbound(frozenset({"127.0.0.1"}), clock=clock, limits=limits))
        stages = []
        for server, name in ((bad, "google"), (good, "github")):
            server.answers["/jwks"] = says(jwks(rsa(), p256("key-2")))
            stage = Stage(rt, clock, server, get(name), told(get(name)), None)  # type: ignore[arg-type]
            await stage.another_project()
            stages.append(stage)
        yield stages[0], stages[1]
        await rt.outbound.close()
        await db.close()


class Held:
    """An answer that comes when it is let go, and how many wait for it."""

    def __init__(self, then: Answer) -> None:
        self.waiting = 0
        self._then = then
        self._go = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.waiting += 1
        await self._go.wait()
        return await self._then(request)

    def let_go(self) -> None:
        self._go.set()


async def a_login(stage: Stage) -> str:
    return (await stage.trip()).view.user.id


async def test_a_provider_that_hangs_holds_up_nobody_elses_logins(pair: tuple[Stage, Stage]) -> None:
    bad, good = pair
    held = Held(says({"error": "invalid_grant"}, 400))
    started = [await bad.begin() for _ in range(100)]
    bad.server.answers["/token"] = held
    stuck = [asyncio.create_task(bad.land(one, code="c")) for one in started]
    await until(lambda: held.waiting == AT_ONCE)
    # 32 are at the provider, 68 wait for their turn there; none of them holds a connection of the database
    users = {await a_login(good) for _ in range(20)}
    assert len(users) == 1
    assert (held.waiting, sum(task.done() for task in stuck)) == (AT_ONCE, 0)
    held.let_go()
    for landing in await asyncio.gather(*stuck):
        assert landing.fault is not None and landing.fault.code is FaultCode.PROVIDER_GRANT_INVALID
    assert await a_login(bad), "and its own go on as soon as it answers again"


async def test_more_than_may_wait_are_told_at_once(pair: tuple[Stage, Stage]) -> None:
    bad, good = pair
    held = Held(says({"error": "invalid_grant"}, 400))
    started = [await bad.begin() for _ in range(AT_ONCE + WAITING + 40)]
    bad.server.answers["/token"] = held
    stuck = [asyncio.create_task(bad.land(one, code="c")) for one in started]
    await until(lambda: sum(task.done() for task in stuck) == 40 and held.waiting == AT_ONCE)
    refused = [task.result().fault for task in stuck if task.done()]
    assert len(refused) == 40
    assert {fault.code for fault in refused if fault} == {FaultCode.PROVIDER_UNAVAILABLE}
    assert await a_login(good)
    held.let_go()
    await asyncio.gather(*stuck)


async def test_refreshes_that_hang_hold_up_nobody_elses(pair: tuple[Stage, Stage]) -> None:
    bad, good = pair
    people = {}
    for stage in pair:
        account = copy.deepcopy(stage.account)
        account["token"]["expires_in"] = 60
        people[stage.provider.id] = (await stage.trip(account=account)).view.user.id
    bad.clock.ahead += 120 * 1_000_000
    held = Held(says({"access_token": "late", "expires_in": 3600}))
    bad.server.answers["/token"] = held
    good.server.answers["/token"] = says({"access_token": "new", "expires_in": 3600, "refresh_token": "rt-1"})
    asks = [access_token.fresh(bad.rt, bad.project, people["google"], "google") for _ in range(50)]
    stuck = [asyncio.create_task(one) for one in asks]
    await until(lambda: held.waiting == 1)
    served = await access_token.fresh(good.rt, good.project, people["github"], "github")
    assert served.access_token == "new"
    assert (held.waiting, sum(task.done() for task in stuck)) == (1, 0)
    held.let_go()
    assert {tokens.access_token for tokens in await asyncio.gather(*stuck)} == {"late"}


@pytest.mark.parametrize(
    "lie",
    [
        says({"access_token": "x" * 17_000, "token_type": "Bearer"}),
        squeezed(b'{"access_token":"' + b"a" * 8_000_000 + b'"}'),
        redirects("/token"),
        says([1] * 100_000),
    ],
)
async def test_a_provider_that_lies_spoils_nobody_elses_logins(pair: tuple[Stage, Stage], lie: Answer) -> None:
    bad, good = pair
    started = [await bad.begin() for _ in range(20)]
    bad.server.answers["/token"] = lie
    lands = asyncio.gather(*(bad.land(one, code="c") for one in started))
    assert len({await a_login(good) for _ in range(5)}) == 1
    for landing in await lands:
        assert isinstance(landing.fault, Fault)
        assert landing.fault.code is FaultCode.PROVIDER_REPLY_INVALID
    assert await a_login(bad)
