"""A scripted provider, an outbound client that may call it, and a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from oneself.upstream.http import Outbound
from oneself.upstream.limits import Limits
from tests.upstream.scripted import Scripted, scripted

NOW = 1_790_000_000_000_000


class Clock:
    """Microseconds that only move when told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted() as running:
        yield running


@pytest.fixture
async def outbound(server: Scripted, clock: Callable[[], int]) -> AsyncIterator[Outbound]:
    client = Outbound(frozenset({server.host}), clock=clock, limits=Limits(deadline=5.0))
    yield client
    await client.close()


@pytest.fixture
async def hasty(server: Scripted, clock: Callable[[], int]) -> AsyncIterator[Outbound]:
    client = Outbound(frozenset({server.host}), clock=clock, limits=Limits(deadline=0.3))
    yield client
    await client.close()
