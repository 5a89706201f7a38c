"""What is sealed in the vault opens in its own row alone: whoever swaps, flips or brings another key gets nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from oneself.actions import access_token
from oneself.actions.runtime import ProjectDirectory
from oneself.crypto.seal import KeyRing, generate_line
from oneself.faults import Fault, FaultCode
from oneself.store.database import Row, Tx, Value
from tests.actions.conftest import World

# A set with more scopes, and the same account's set of a plain sign-in.
WIDE, PLAIN = ("repo",), ()
Spoil = Callable[[World], Coroutine[Any, Any, None]]


async def rows(world: World) -> list[Row]:
    """Every sealed set: account, scopes, sealed bytes, those with `repo` first."""
    found = await world.rt.db.all("SELECT account_id, scopes, sealed FROM token_sets")
    held = [(row[0], row[1], bytes(row[2])) for row in found]
    return sorted(held, key=lambda row: "repo" not in row[1].split())


async def put(world: World, sql: str, *args: Value) -> None:
    """Write what only a thief with the database's password can write."""

    async def work(tx: Tx) -> int:
        return await tx.run(sql, *args)

    assert await world.rt.db.write(work) == 1


async def swap_within_the_account(world: World) -> None:
    """The wide set's bytes into the plain set's row: another scope, the same person."""
    account = await world.rt.db.one("SELECT account_id FROM token_sets GROUP BY account_id HAVING count(*) = 2")
    assert account is not None
    wide, plain = [row for row in await rows(world) if row[0] == account[0]]
    sql = "UPDATE token_sets SET sealed = $3 WHERE account_id = $1 AND scopes = $2"
    await put(world, sql, plain[0], plain[1], wide[2])
    await put(world, sql, wide[0], wide[1], plain[2])


async def swap_between_users(world: World) -> None:
    """Two people's bytes of one provider and the same scopes, each into the other's row."""
    _, one, other = await rows(world)
    assert one[1] == other[1]
    sql = "UPDATE token_sets SET sealed = $3 WHERE account_id = $1 AND scopes = $2"
    await put(world, sql, one[0], one[1], other[2])
    await put(world, sql, other[0], other[1], one[2])


async def flip_a_bit(world: World) -> None:
    """One bit of every set's ciphertext."""
    for account_id, scopes, sealed in await rows(world):
        flipped = sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]
        sql = "UPDATE token_sets SET sealed = $3 WHERE account_id = $1 AND scopes = $2"
        await put(world, sql, account_id, scopes, flipped)


async def read(world: World, user_id: str, scopes: tuple[str, ...]) -> str:
    """The access token, as an application asks for it."""
    return (await access_token.fresh(world.rt, world.project, user_id, "github", scopes=scopes)).access_token


@pytest.mark.parametrize(
    ("spoil", "whose"),
    [(swap_within_the_account, {"ada"}), (swap_between_users, {"grace"}), (flip_a_bit, {"ada", "grace"})],
)
async def test_what_was_moved_or_changed_does_not_open(world: World, spoil: Spoil, whose: set[str]) -> None:
    theirs = await world.sign_in("github", "grace")
    await world.sign_in("github", "ada")
    wide = await world.sign_in("github", "ada", scopes=WIDE)
    wanted = {"ada": (wide, WIDE), "grace": (theirs, PLAIN)}
    for ended, scopes in wanted.values():
        assert await read(world, ended.view.user.id, scopes) == ended.tokens.access_token
    await spoil(world)
    for name, (ended, scopes) in wanted.items():
        try:
            found = await read(world, ended.view.user.id, scopes)
        except Fault as fault:
            assert fault.code is FaultCode.SEAL_BROKEN
            assert name in whose
        else:
            assert name not in whose
            assert found == ended.tokens.access_token


async def test_another_key_under_the_same_name_opens_nothing(world: World) -> None:
    ended = await world.sign_in("github", "ada")
    user_id = ended.view.user.id
    name = world.rt.ring.active_id
    forged = KeyRing.parse(f"{name}:{generate_line(os.urandom).partition(':')[2]}", os.urandom)
    for ring, opens in ((forged, False), (world.rt.ring, True)):
        directory = ProjectDirectory(world.rt.db, ring, os.urandom)
        rt = replace(world.rt, ring=ring, projects=directory, clients={})
        try:
            found = await access_token.fresh(rt, world.project, user_id, "github")
        except Fault as fault:
            assert not opens
            assert fault.code is FaultCode.SEAL_BROKEN
        else:
            assert opens
            assert found.access_token == ended.tokens.access_token
