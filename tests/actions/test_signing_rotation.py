"""Signing keys follow one another without a refusal: published before they sign, known long after, made once."""

from __future__ import annotations

import asyncio
import os

import pytest

from oneself.actions import projects as project_verbs
from oneself.actions import signing, signing_rotation
from oneself.actions.projects import Declaration
from oneself.actions.runtime import ProjectDirectory, Runtime, Settings
from oneself.actions.signing import Use
from oneself.crypto import jwt
from oneself.faults import Fault, FaultCode
from oneself.rules.lifetimes import DAY, MINUTE, SECOND
from oneself.store import projects, signing_keys
from oneself.store.database import Row, Tx
from tests.actions.conftest import World

CLAIMS = {"sub": "ada", "exp": 1}
USES: tuple[Use, ...] = ("stytch", "stack", "stack_restricted", "stack_anonymous")


async def kids(rt: Runtime, world: World, use: Use) -> list[str]:
    return [str(key["kid"]) for key in await signing.public_keys(rt, world.project, use)]


def kid_of(token: str) -> str:
    return str(jwt.take_apart(token).header["kid"])


async def another_process(world: World) -> Runtime:
    """The same database and key ring, with a memory of its own."""
    return Runtime(
        db=world.rt.db,
        outbound=world.rt.outbound,
        ring=world.rt.ring,
        clock=world.clock,
        random=os.urandom,
        projects=ProjectDirectory(world.rt.db, world.rt.ring, os.urandom),
        settings=world.rt.settings,
    )


@pytest.mark.parametrize("use", USES)
async def test_a_key_is_published_then_signs_then_retires(world: World, use: Use) -> None:
    rt, project = world.rt, world.project
    first = await signing.sign(rt, project, use, CLAIMS)
    old = kid_of(first)
    signs_at = await signing_rotation.rotate(rt, project.id, use)
    lead = 2 * rt.settings.jwks_seconds * SECOND
    assert signs_at - rt.clock() > lead
    # every process publishes it within a minute, and nobody signs with it yet
    other = await another_process(world)
    world.clock.ahead += MINUTE
    for process in (rt, other):
        published = await kids(process, world, use)
        assert published[1:] == [old]
        assert kid_of(await signing.sign(process, project, use, CLAIMS)) == old
    new = published[0]
    # just before its time, and then within a minute of it
    world.clock.ahead += lead - 10 * SECOND
    assert kid_of(await signing.sign(rt, project, use, CLAIMS)) == old
    world.clock.ahead += MINUTE + 20 * SECOND
    for process in (rt, other):
        assert kid_of(await signing.sign(process, project, use, CLAIMS)) == new
        assert await signing.verify(process, project, use, first) == CLAIMS
        assert await kids(process, world, use) == [new, old]
    # a month later it is published no more, and what it signed still names its session
    world.clock.ahead += 31 * DAY
    assert await kids(rt, world, use) == [new]
    assert await signing.verify(rt, project, use, first) == CLAIMS
    # when no session can be that old, its signature is forgotten
    world.clock.ahead += 366 * DAY
    with pytest.raises(Fault) as refused:
        await signing.verify(rt, project, use, first)
    assert refused.value.code is FaultCode.TOKEN_SIGNATURE_INVALID


async def test_a_retired_key_loses_its_private_half_and_then_its_row(world: World) -> None:
    await signing.sign(world.rt, world.project, "stytch", CLAIMS)
    assert await signing_rotation.rotate(world.rt, world.project.id, "stytch")
    assert await signing_rotation.forget_retired(world.rt) == 0
    world.clock.ahead += 32 * DAY
    assert await signing_rotation.forget_retired(world.rt) == 1
    assert await signing_rotation.forget_retired(world.rt) == 0
    halves = "SELECT length(sealed_private) FROM signing_keys ORDER BY generation"
    lengths = [row[0] for row in await world.rt.db.all(halves)]
    assert (lengths[0], lengths[1] > 0) == (0, True)
    world.clock.ahead += 366 * DAY
    assert await signing_rotation.forget_retired(world.rt) == 1
    assert [row[0] > 0 for row in await world.rt.db.all(halves)] == [True]
    assert kid_of(await signing.sign(world.rt, world.project, "stytch", CLAIMS))


async def test_several_at_once_make_one_rotation(world: World) -> None:
    """Each with a connection of its own, on the schedule and by command, all at the same time."""
    await signing.sign(world.rt, world.project, "stytch", CLAIMS)
    await signing.sign(world.rt, world.project, "stack", CLAIMS)
    world.clock.ahead += 181 * DAY
    processes = [await another_process(world) for _ in range(4)]
    scheduled = [signing_rotation.rotate_due(each) for each in processes]
    commanded = [signing_rotation.rotate(each, world.project.id, "stytch") for each in processes]
    made = await asyncio.gather(*scheduled)
    times = await asyncio.gather(*commanded)
    assert sum(made) == 2
    assert len(set(times)) == 1
    for use in ("stytch", "stack"):
        assert len(await kids(await another_process(world), world, use)) == 2
    assert await signing_rotation.rotate_due(world.rt) == 0


async def test_the_schedule_asks_for_nothing_before_its_time(world: World) -> None:
    await signing.sign(world.rt, world.project, "stytch", CLAIMS)
    world.clock.ahead += 179 * DAY
    async with world.count() as counts:
        assert await signing_rotation.rotate_due(world.rt) == 0
    assert len(counts.statements) == 1, counts
    world.clock.ahead += 2 * DAY
    assert await signing_rotation.rotate_due(world.rt) == 1
    assert await signing_rotation.rotate_due(world.rt) == 0


async def test_one_projects_trouble_stops_no_other(world: World) -> None:
    other = (await project_verbs.create(world.rt, Declaration(display_name="Other"))).project
    for project in (world.project, other):
        await signing.sign(world.rt, project, "stytch", CLAIMS)

    async def spoil(tx: Tx) -> None:
        await tx.run("UPDATE data_keys SET wrapped = $2 WHERE project_id = $1", other.id, b"no key at all")

    await world.rt.db.write(spoil)
    world.clock.ahead += 181 * DAY
    process = await another_process(world)
    assert await signing_rotation.rotate_due(process) == 1
    assert await signing_rotation.rotate_due(process) == 0
    assert len(await kids(process, world, "stytch")) == 2


async def test_no_schedule_rotates_nothing(world: World) -> None:
    never = Runtime(
        db=world.rt.db,
        outbound=world.rt.outbound,
        ring=world.rt.ring,
        clock=world.clock,
        random=os.urandom,
        projects=world.rt.projects,
        settings=Settings(base_url="http://localhost:8000", signing_key_seconds=0),
    )
    await signing.sign(never, world.project, "stytch", CLAIMS)
    world.clock.ahead += 3_650 * DAY
    assert await signing_rotation.rotate_due(never) == 0


async def test_a_leaked_key_is_believed_no_more_by_anybody(world: World) -> None:
    rt, project = world.rt, world.project
    other = await another_process(world)
    theirs = await other.projects.by(projects.BY_ID, project.id)
    assert theirs is not None
    token = await signing.sign(rt, project, "stytch", CLAIMS)
    assert await signing.verify(other, theirs, "stytch", token) == CLAIMS
    assert await signing_rotation.replace(rt, project.id, "stytch") is True
    fresh = await rt.projects.by(projects.BY_ID, project.id)
    assert fresh is not None
    with pytest.raises(Fault):
        await signing.verify(rt, fresh, "stytch", token)
    # the other process hears of it with its next poll
    await other.projects.poll()
    theirs = await other.projects.by(projects.BY_ID, project.id)
    assert theirs is not None
    with pytest.raises(Fault):
        await signing.verify(other, theirs, "stytch", token)
    again = await signing.sign(other, theirs, "stytch", CLAIMS)
    assert await signing.verify(rt, fresh, "stytch", again) == CLAIMS
    assert len(await kids(rt, world, "stytch")) == 1


async def test_a_use_without_a_key_has_nothing_to_rotate(world: World) -> None:
    assert await signing_rotation.rotate(world.rt, world.project.id, "stytch") == 0
    assert await signing_rotation.replace(world.rt, world.project.id, "stytch") is False
    assert await signing_rotation.places(world.rt, None) == []


async def test_the_schedule_has_an_index(world: World) -> None:
    """Every server asks every ten seconds, whatever the number of projects."""
    if world.rt.db.engine == "sqlite":
        rows = await world.rt.db.all(f"EXPLAIN QUERY PLAN {signing_keys.NEWEST_SINCE}", 1, 1)
    else:

        async def explained(tx: Tx) -> list[Row]:
            await tx.run("SET LOCAL enable_seqscan = off")
            return await tx.all(f"EXPLAIN {signing_keys.NEWEST_SINCE.replace('$1', '1').replace('$2', '1')}")

        rows = await world.rt.db.write(explained)
    assert "signing_keys_due" in "\n".join(str(tuple(row)) for row in rows)
