"""Keys that many ask for at once are made once, and what is remembered of a token never outlives its keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from oneself.actions import signing
from oneself.faults import Fault, FaultCode
from oneself.rules.lifetimes import MINUTE
from tests.actions.conftest import World

CLAIMS = {"sub": "ada", "exp": 1}


async def test_a_key_that_many_ask_for_is_made_once(world: World) -> None:
    asked = (signing.sign(world.rt, world.project, "stytch", CLAIMS) for _ in range(8))
    tokens = await asyncio.gather(*asked)
    assert len(set(tokens)) == 1
    assert len(await signing.public_keys(world.rt, world.project, "stytch")) == 1


async def test_whoever_leaves_takes_nobody_along(world: World) -> None:
    first, second = (asyncio.create_task(signing.sign(world.rt, world.project, "stack", CLAIMS)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).count(".") == 2


async def test_a_token_is_known_again_and_a_changed_one_is_not(world: World) -> None:
    token = await signing.sign(world.rt, world.project, "stack", CLAIMS)
    for _ in range(2):
        assert await signing.verify(world.rt, world.project, "stack", token) == CLAIMS
    head, payload, signature = token.split(".")
    with pytest.raises(Fault) as refused:
        await signing.verify(world.rt, world.project, "stack", f"{head}.{payload}.{signature[:-4]}AAAA")
    assert refused.value.code is FaultCode.TOKEN_SIGNATURE_INVALID


async def test_a_known_token_is_of_one_use_alone(world: World) -> None:
    token = await signing.sign(world.rt, world.project, "stack", CLAIMS)
    assert await signing.verify(world.rt, world.project, "stack", token) == CLAIMS
    with pytest.raises(Fault):
        await signing.verify(world.rt, world.project, "stack_anonymous", token)


async def test_a_known_token_falls_with_its_key(world: World) -> None:
    """Once the process has read that the key is gone, having seen the token before helps nobody."""
    token = await signing.sign(world.rt, world.project, "stack", CLAIMS)
    assert await signing.verify(world.rt, world.project, "stack", token) == CLAIMS
    known = world.rt.signers[world.project.id, "stack"]
    world.rt.signers[world.project.id, "stack"] = replace(known, verifying={}, stored=[])
    with pytest.raises(Fault):
        await signing.verify(world.rt, world.project, "stack", token)


async def test_keys_that_did_not_change_are_not_opened_again(world: World) -> None:
    token = await signing.sign(world.rt, world.project, "stytch", CLAIMS)
    known = world.rt.signers[world.project.id, "stytch"]
    world.clock.ahead += 2 * MINUTE
    assert await signing.verify(world.rt, world.project, "stytch", token) == CLAIMS
    again = world.rt.signers[world.project.id, "stytch"]
    assert again.signer is known.signer
    assert again.read_at > known.read_at
