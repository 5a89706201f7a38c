"""Opens the ground of a run: one project, and the core that judges; it is never killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from oneself.actions import projects
from oneself.store.migrate import migrate
from oneself.store.opening import open_database
from tests.actions.conftest import Clock, World, declaration
from tests.crash.lives import Ground, runtime
from tests.crash.running import Run
from tests.crash.zygote import zygote


@asynccontextmanager
async def opened_run(database_url: str, master_keys: str, emulator: str, seed: int) -> AsyncIterator[Run]:
    """A run on a database without rows; the schema is made where there is none."""
    clock = Clock()
    db = await open_database(database_url, clock, clock_limit=None)
    await migrate(db)
    ground = Ground(database_url, master_keys, emulator, "")
    rt = runtime(ground, db, clock=clock)
    created = await projects.create(rt, declaration(emulator))
    ground = Ground(database_url, master_keys, emulator, created.project.id)
    async with aiohttp.ClientSession() as http:
        await http.post(f"{emulator}/_control/reset")
        with zygote() as forks:
            yield Run(World(rt, created.project, emulator, clock, None, http), ground, seed, forks)
    await rt.outbound.close()
    await db.close()
