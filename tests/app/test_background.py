"""Sweeping and hearing of changes, on each engine."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from oneself import background
from oneself.actions import projects, sessions, signing, signing_rotation, start, users
from oneself.actions.projects import Declaration, DeclaredProvider
from oneself.actions.runtime import ProjectDirectory, Runtime
from oneself.actions.sessions import SessionWish
from oneself.app.opening import opened_runtime
from oneself.config import Config
from oneself.faults import Fault, FaultCode
from oneself.model import Project, ProviderCredentials, Secret, SessionRef
from oneself.store import projects as project_store

GOOGLE = ProviderCredentials(config_id="google", provider="google", client_id="c")
WANTED = Declaration(display_name="Shop", providers=(DeclaredProvider(credentials=GOOGLE, client_secret="s"),))


@pytest.fixture
def config(migrated_url: str) -> Config:
    ring = f"k1:{b64encode(b'1' * 32).decode()}"
    return Config(base_url="http://localhost:1", database_url=Secret(migrated_url), master_keys=Secret(ring))


@pytest.fixture
async def rt(config: Config) -> AsyncIterator[Runtime]:
    async with opened_runtime(config, serving=False) as opened:
        yield opened


async def begun(rt: Runtime, project: Project) -> None:
    """Begin a trip that nobody finishes."""
    wanted = start.StartRequest(dialect="console", config_id="google", callback_url="http://localhost:1/c")
    await start.begin(rt, project, wanted)


async def test_what_ended_long_ago_is_swept_and_nothing_else(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    project = (await projects.create(rt, WANTED)).project
    for _ in range(3):
        await begun(rt, project)
    user = (await users.create(rt, project, users.NewUser(email="ada@corp.example"))).user
    wish = SessionWish(kind="stytch", lifetime=3_600_000_000)
    session = await sessions.create(rt, project, user.id, wish)
    assert await background.sweep(rt) == 0
    # as if all that were longer ago than it stays; more batches than one
    monkeypatch.setattr(background, "BATCH", 2)
    monkeypatch.setattr(background, "FLOWS_STAY_MICROS", -1_000_000_000_000)
    assert await background.sweep(rt) == 3
    await sessions.authenticate(rt, project, "stytch", SessionRef(token=session.token))
    monkeypatch.setattr(background, "SESSIONS_STAY_MICROS", -1_000_000_000_000)
    assert await background.sweep(rt) == 1


async def test_a_change_by_another_process_is_heard(
    rt: Runtime, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = (await projects.create(rt, WANTED)).project
    assert await projects.by_id(rt, project.id) is not None
    monkeypatch.setattr(background, "POLL_SECONDS", 0.01)
    working = asyncio.create_task(background.run(rt))
    try:
        async with opened_runtime(config, serving=False) as other:
            theirs = await projects.by_id(other, project.id)
            assert theirs is not None
            await projects.change_config(
                other, theirs, lambda config: msgspec.structs.replace(config, allow_localhost=False)
            )
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not (await _read(rt, project)).config.allow_localhost:
                break
        assert not (await _read(rt, project)).config.allow_localhost
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _read(rt: Runtime, project: Project) -> Project:
    found = await projects.by_id(rt, project.id)
    assert found is not None
    return found


async def test_the_schedule_puts_new_keys_behind_tokens(rt: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    project = (await projects.create(rt, WANTED)).project
    for use in ("stytch", "stack"):
        await signing.sign(rt, project, use, {"sub": "ada"})
    monkeypatch.setattr(background, "ROTATE_SECONDS", 0.01)
    aged = replace(rt, settings=replace(rt.settings, signing_key_seconds=1))
    working = asyncio.create_task(background.run(aged))
    try:
        for _ in range(1000):
            await asyncio.sleep(0.01)
            coming = {use.use: use.coming for use in await signing_rotation.status(rt)}
            if coming == {"stytch": 1, "stack": 1}:
                break
        assert coming == {"stytch": 1, "stack": 1}
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def test_a_project_that_was_deleted_elsewhere_is_forgotten_with_its_key(
    rt: Runtime, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    # more rounds than one, and a round that is not full
    monkeypatch.setattr(project_store, "PRESENT_AT_ONCE", 2)
    monkeypatch.setattr(project_store, "PRESENT", "SELECT id FROM projects WHERE id IN ($1, $2)")
    made = [(await projects.create(rt, WANTED)).project for _ in range(3)]
    other = ProjectDirectory(rt.db, rt.ring, os.urandom)
    for project in made:
        assert await other.by(project_store.BY_STACK_ID, project.stack_id)
        assert (await other.data_key(project.id)).id
    await projects.delete(rt, made[1])
    for _ in range(2):
        await other.poll()
    with pytest.raises(Fault) as gone:
        await other.data_key(made[1].id)
    assert gone.value.code is FaultCode.PROJECT_UNKNOWN
    assert await other.by(project_store.BY_STACK_ID, made[1].stack_id) is None
    for project in (made[0], made[2]):
        assert await other.by(project_store.BY_STACK_ID, project.stack_id)
        assert (await other.data_key(project.id)).id
