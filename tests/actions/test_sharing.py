"""What many ask for at once is done once, and nobody is told what was seen before he asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from oneself.faults import Fault, FaultCode
from oneself.steps.sharing import Flights, Turns


class Shelf:
    """Something to look at, slowly, and to do something with; how often each was done."""

    def __init__(self) -> None:
        self.value, self.looks, self.acts = "first", 0, 0
        self.seen, self.done = asyncio.Event(), asyncio.Event()

    async def work(self, looked: Callable[[], None]) -> str:
        self.looks += 1
        value = self.value
        await self.seen.wait()
        looked()
        self.acts += 1
        await self.done.wait()
        return value


async def asked(turns: Turns[str], shelf: Shelf, many: int = 1, key: str = "key") -> list[asyncio.Task[str]]:
    """So many who ask, and have got as far as they get."""
    tasks = [asyncio.create_task(turns.share(key, shelf.work)) for _ in range(many)]
    await settled()
    return tasks


async def settled() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_comes_during_a_look_shares_the_next_one() -> None:
    turns, shelf = Turns[str](), Shelf()
    first = await asked(turns, shelf)
    shelf.value = "second"
    others = await asked(turns, shelf, 100)
    assert shelf.looks == 1
    shelf.seen.set()
    shelf.done.set()
    assert [await one for one in first] == ["first"]
    # they asked after the change, so none of them is told what was there before it
    assert {await one for one in others} == {"second"}
    assert (shelf.looks, shelf.acts) == (2, 2)


async def test_who_comes_after_the_look_does_not_wait_for_what_follows_it() -> None:
    turns, shelf = Turns[str](), Shelf()
    shelf.seen.set()
    first = await asked(turns, shelf)
    shelf.value = "second"
    second = await asked(turns, shelf)
    assert (shelf.looks, shelf.acts) == (2, 2)
    shelf.done.set()
    assert [await first[0], await second[0]] == ["first", "second"]


async def test_whoever_comes_at_whatever_moment_is_answered() -> None:
    turns, shelf = Turns[str](), Shelf()
    shelf.done.set()
    tasks: list[asyncio.Task[str]] = []
    for step in range(40):
        tasks.append(asyncio.create_task(turns.share("key", shelf.work)))
        if step == 10:
            shelf.seen.set()
        await asyncio.sleep(0)
    assert await asyncio.wait_for(asyncio.gather(*tasks), 5) == ["first"] * 40
    assert shelf.looks < 40


async def test_one_thing_does_not_wait_for_another() -> None:
    turns, shelf = Turns[str](), Shelf()
    tasks = [*await asked(turns, shelf), *await asked(turns, shelf, key="another")]
    assert shelf.looks == 2
    shelf.seen.set()
    shelf.done.set()
    assert await asyncio.gather(*tasks) == ["first", "first"]


@pytest.mark.parametrize("leaves", [0, 1])
async def test_who_goes_away_takes_nothing_from_the_others(leaves: int) -> None:
    turns, shelf = Turns[str](), Shelf()
    tasks = await asked(turns, shelf, 3)  # the first one looks, the others wait for the next look
    tasks[leaves].cancel()
    await settled()
    shelf.seen.set()
    shelf.done.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended.pop(leaves), asyncio.CancelledError)
    assert ended == ["first", "first"]


async def test_what_nobody_waits_for_any_more_does_not_begin() -> None:
    """As at a stop: the readers are cancelled, and what is settled then must stay so."""
    turns, shelf = Turns[str](), Shelf()
    for task in await asked(turns, shelf, 3):
        task.cancel()
    await turns.settle()
    await settled()
    assert (shelf.looks, len(turns)) == (1, 0)
    # whoever comes then is answered, and what has begun for others is waited for
    first, second = await asked(turns, shelf, 2)
    shelf.seen.set()
    await settled()
    assert (shelf.looks, len(turns)) == (3, 1)
    second.cancel()
    asyncio.get_running_loop().call_later(0.01, shelf.done.set)
    await turns.settle()
    assert (shelf.acts, len(turns)) == (2, 0)
    assert await first == "first"


async def test_a_refusal_is_told_to_those_who_share_it_and_to_nobody_later() -> None:
    turns, shelf = Turns[str](), Shelf()
    refusals = 0

    async def refuse(looked: Callable[[], None]) -> str:
        nonlocal refusals
        refusals += 1
        await shelf.seen.wait()
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")

    tasks = [asyncio.create_task(turns.share("key", refuse)) for _ in range(3)]
    await settled()
    shelf.seen.set()
    shelf.done.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in ended] == [Fault] * 3
    assert refusals == 2
    assert await turns.share("key", shelf.work) == "first"


async def test_a_flight_is_one_for_all_who_come_before_it_lands() -> None:
    flights, shelf = Flights[str](), Shelf()
    shelf.seen.set()
    tasks = [asyncio.create_task(flights.join("key", lambda: shelf.work(lambda: None))) for _ in range(3)]
    await settled()
    tasks[0].cancel()
    assert (shelf.looks, len(flights)) == (1, 1)
    shelf.done.set()
    await flights.settle()
    assert len(flights) == 0
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended[0], asyncio.CancelledError)
    assert ended[1:] == ["first", "first"]
    assert await flights.join("key", lambda: shelf.work(lambda: None)) == "first"
    assert shelf.looks == 2
