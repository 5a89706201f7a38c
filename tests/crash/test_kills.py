"""A seeded sample of the long run (`python3 tasks.py crash`): processes die at every named point and at random."""

from __future__ import annotations

import secrets

import pytest

from oneself.crypto.seal import generate_line
from tests.crash.opening import opened_run

KILLS = 40


@pytest.mark.races
async def test_a_kill_loses_nothing_and_repeats_nothing(migrated_url: str, emulator: str) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    async with opened_run(migrated_url, generate_line(secrets.token_bytes), emulator, seed) as run:
        await run.go(KILLS)
        assert run.kills >= KILLS
