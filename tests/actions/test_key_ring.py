"""The key ring's rotation: online, in batches, resumed after a stop, and old keys really go."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from oneself.actions import access_token, key_ring, projects
from oneself.actions.runtime import Point, ProjectDirectory, Runtime
from oneself.crypto.seal import KeyRing, generate_line
from oneself.faults import Fault, FaultCode
from oneself.steps.sharing import Flights, Turns
from tests.actions.conftest import World, declaration

PROJECTS = 5
OLD, NEW = (generate_line(os.urandom) for _ in range(2))


def with_ring(world: World, *lines: str) -> Runtime:
    """A process with these master keys that has read nothing yet."""
    ring = KeyRing.parse("\n".join(lines), os.urandom)
    directory = ProjectDirectory(world.rt.db, ring, os.urandom)
    return replace(world.rt, ring=ring, projects=directory, refreshes=Flights(), reads=Turns())


async def rotating(world: World) -> tuple[Runtime, Runtime, list[str]]:
    """A server from before the rotation, the command that rotates, and the ids of projects under the old key."""
    before = with_ring(world, OLD, NEW)
    ids = [(await projects.create(before, declaration(world.emulator))).project.id for _ in range(PROJECTS)]
    (found,) = await world.rt.db.all("SELECT count(*) FROM data_keys")
    assert found[0] == PROJECTS + 1
    # the world's own project is under a key of its own, which nobody here has
    await projects.delete(world.rt, world.project)
    return before, with_ring(world, NEW, OLD), ids


async def test_a_rotation_that_was_stopped_goes_on_and_the_old_key_may_go(world: World) -> None:
    before, command, ids = await rotating(world)

    class Stopped(BaseException):
        """Stands for a kill."""

    def stop(point: Point) -> None:
        if point == "rewrap.batch_stored":
            raise Stopped

    with pytest.raises(Stopped):
        await key_ring.rewrap(replace(command, reached=stop), lambda *_: None, batch=2)
    assert [(use.data_keys, use.removable) for use in await key_ring.status(command)] == [(2, False), (3, False)]
    for project_id in ids:
        # a server that has both keys opens every project meanwhile, whatever it read before
        await with_ring(world, OLD, NEW).projects.data_key(project_id)
        await before.projects.data_key(project_id)

    heard: list[tuple[int, int]] = []
    assert await key_ring.rewrap(command, lambda *said: heard.append(said), batch=2) == 3
    assert heard == [(2, 5), (4, 5), (5, 5)]
    assert await key_ring.rewrap(command, lambda *_: None) == 0
    assert [(use.data_keys, use.removable) for use in await key_ring.status(command)] == [(5, False), (0, True)]
    for project_id in ids:
        await with_ring(world, NEW).projects.data_key(project_id)
        with pytest.raises(Fault) as missing:
            await with_ring(world, OLD).projects.data_key(project_id)
        assert missing.value.code is FaultCode.MASTER_KEY_MISSING


async def test_what_was_sealed_before_opens_after_and_trips_hold_their_key(world: World) -> None:
    before, command, ids = await rotating(world)
    project = await projects.by_id(before, ids[0])
    assert project is not None
    old = replace(world, rt=before, project=project)
    ended = await old.sign_in("github", "ada")
    started = await old.begin("google", "grace")
    params = await old.visit(started.location)
    await key_ring.rewrap(command, lambda *_: None)
    # the trip that began under the old key still hangs on it, and ends under the new ring
    assert [use.open_trips for use in await key_ring.status(command)] == [0, 1]
    after = replace(world, rt=with_ring(world, NEW, OLD), project=project)
    landing = await after.land(started, params)
    assert landing.fault is None
    assert (await after.redeem(landing.grant)).created
    assert [use.removable for use in await key_ring.status(command)] == [False, True]
    kept = await access_token.fresh(with_ring(world, NEW), project, ended.view.user.id, "github")
    assert kept.access_token == ended.tokens.access_token


async def test_a_key_that_is_missing_is_named(world: World) -> None:
    await rotating(world)
    gone = OLD.partition(":")[0]
    assert await key_ring.lacking(with_ring(world, NEW)) == {gone: PROJECTS}
    with pytest.raises(Fault) as missing:
        await key_ring.rewrap(with_ring(world, NEW), lambda *_: None)
    assert missing.value.code is FaultCode.MASTER_KEY_MISSING
    assert missing.value.facts["key_id"] == gone
