"""A thousand readers of one expired token, over four processes that share nothing but the database."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import pytest

from oneself.crypto.seal import generate_line
from oneself.rules.lifetimes import DAY
from tests.crash.lives import Job
from tests.crash.opening import opened_run

PROCESSES = 4
READERS = 250


@pytest.mark.races
async def test_a_thousand_readers_make_one_call_and_get_one_token(migrated_url: str, emulator: str) -> None:
    async with opened_run(migrated_url, generate_line(secrets.token_bytes), emulator, 0) as run:
        world = run.world
        ended = await world.sign_in("github", "ada")
        world.clock.ahead += DAY
        slow: dict[str, Any] = {"provider": "github", "endpoint": "token", "kind": "delay", "seconds": 0.5, "times": 1}
        await world.control("faults", **slow)
        await world.control("counts", "DELETE")
        job = Job(verb="read", user_id=ended.view.user.id, provider="github", readers=READERS, wait_seconds=30)
        began = time.monotonic()
        told = await asyncio.gather(*(run.lives(job) for _ in range(PROCESSES)))
        seconds = time.monotonic() - began
        print(f"{PROCESSES * READERS} readers in {seconds:.2f} s, the provider took 0.50 s of them")
        assert not any(one.fault for one in told), told
        tokens = {one.access_token for one in told}
        assert len(tokens) == 1
        assert " " not in tokens.pop()
        assert (await world.control("counts", "GET"))["github.token.refresh_token"] == 1
