"""Names whose server never answers, and those that people sign in with beside them."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from oneself.upstream.resolver import MOST_KNOWN, THREADS, ThreadResolver


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Let names that begin with `dead` hang to the end of the test; which of them are being asked for."""
    asked: set[str] = set()
    end = threading.Event()

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        if host.startswith("dead"):
            asked.add(host)
            end.wait(60)
            raise OSError("no such name")
        if host.startswith("none"):
            raise OSError("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]

    monkeypatch.setattr("oneself.upstream.resolver.socket.getaddrinfo", getaddrinfo)
    yield asked
    end.set()


async def test_a_name_that_was_found_before_is_found_beside_any_number_of_dead_ones(dead: set[str]) -> None:
    resolver = ThreadResolver()
    first = await resolver.resolve("vendor.example", 443)
    stuck = [asyncio.create_task(resolver.resolve(f"dead{n}.example", 443)) for n in range(4 * THREADS)]
    await asyncio.sleep(0)
    for _ in range(5):
        assert await resolver.resolve("vendor.example", 443) == first
    # a new name waits behind the dead ones, and no more of them are asked for than there are threads
    late = asyncio.create_task(resolver.resolve("new.example", 443))
    await asyncio.sleep(0)
    assert not late.done()
    assert len(dead) <= THREADS
    assert not any(task.done() for task in stuck)
    for task in (*stuck, late):
        task.cancel()
    await resolver.close()


async def test_a_name_that_is_lost_is_no_longer_known(dead: set[str]) -> None:
    resolver = ThreadResolver()
    for n in range(MOST_KNOWN + 10):
        resolver._known[f"kept{n}.example"] = None
    resolver._known["none.example"] = None
    with pytest.raises(OSError, match="no such name"):
        await resolver.resolve("none.example", 443)
    assert "none.example" not in resolver._known
    await resolver.resolve("vendor.example", 443)
    assert "vendor.example" in resolver._known
    await resolver.close()
