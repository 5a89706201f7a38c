"""At the first sign-in with its password an old hash is replaced, never over a password that was changed meanwhile."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from argon2 import low_level

from oneself.actions import history, importing, mailing, passwords, sessions, users
from oneself.actions.importing import ImportWish
from oneself.actions.runtime import Runtime
from oneself.actions.users import UserChanges
from oneself.crypto.ids import new_uuid
from oneself.crypto.passwords import hash_password, needs_rehash, verify_password
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, EmailRecord, Secret, User, UserRecord
from oneself.steps.hashing import HashingPool
from oneself.store.database import StatementFailed
from tests.actions.conftest import WISH, World
from tests.actions.test_importing import ARGON2, BCRYPT, PASSWORD, SCRYPT
from tests.actions.test_stale_sessions import interrupted

ADDRESS = "ada@corp.example"
NEW = "an entirely new password"
NEW_HASH = hash_password(NEW, os.urandom)


def argon2id(passes: int, lanes: int) -> str:
    """The hash of the password with today's memory and this much work."""
    made = low_level.hash_secret(PASSWORD.encode(), os.urandom(16), passes, 19_456, lanes, 32, low_level.Type.ID)
    return made.decode()


WEAKER, TODAYS, STRONGER = argon2id(1, 1), hash_password(PASSWORD, os.urandom), argon2id(3, 4)


async def ada(world: World, hashed: str = BCRYPT, address: str = ADDRESS) -> str:
    """Somebody who came out of a file with this hash; the id."""
    row = UserRecord(
        id=new_uuid(os.urandom),
        emails=(EmailRecord(address=address, verified=True, is_primary=True),),
        password_hash=hashed,
    )
    report = await importing.run(world.rt, world.project, [(1, row, 0)], ImportWish(source="csv"))
    assert report.created == sum(report.password_hashes.values()) == 1
    return row.id


async def now(world: World, user_id: str) -> User:
    """The user as it is kept."""
    return (await users.read(world.rt, world.project, user_id)).user


async def signs_in(
    world: World,
    password: str = PASSWORD,
    address: str = ADDRESS,
    dialect: Dialect = "stytch",
    rt: Runtime | None = None,
) -> str:
    """A whole sign-in with a password; the user's id."""
    rt = rt or world.rt
    view = await passwords.check(rt, world.project, address, Secret(password), dialect)
    made = await sessions.create(rt, world.project, view.user.id, WISH, "password", actor="self", checked=view)
    return made.view.user.id


async def deeds(world: World, user_id: str) -> list[tuple[str, str, str, str, str]]:
    """What the audit tells of a user's password, newest first."""
    told = await history.of_user(world.rt, world.project, user_id, 100)
    return [
        (entry.action, entry.decision, entry.reason, entry.actor, entry.dialect)
        for entry in told
        if entry.action.startswith("password")
    ]


@pytest.mark.parametrize("dialect", ["stytch", "stack"])
@pytest.mark.parametrize(
    ("hashed", "kind"),
    [
        (BCRYPT, "bcrypt"),
        (SCRYPT, "scrypt"),
        (ARGON2, "argon2i"),
        (WEAKER, "argon2id"),
    ],
    # a salt of its own in a test's name would make it another test in each process
    ids=("bcrypt", "scrypt", "argon2i", "weaker"),
)
async def test_an_old_hash_is_replaced_at_the_first_sign_in(
    world: World, hashed: str, kind: str, dialect: Dialect
) -> None:
    user_id = await ada(world, hashed)
    before = await now(world, user_id)
    assert await signs_in(world, dialect=dialect) == user_id
    after = await now(world, user_id)
    assert after.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not needs_rehash(after.password_hash)
    assert verify_password(after.password_hash, PASSWORD)
    # the password is the same one: whatever goes by its id or by the epoch goes on
    assert (after.password_id, after.security_epoch) == (before.password_id, before.security_epoch)
    # once for the hash and once for the session: whoever read the user before either reads it again
    assert after.version == before.version + 2
    assert await deeds(world, user_id) == [("password.rehash", "rehashed", f"was_{kind}", "self", dialect)]
    # and it stays, also at the next one
    assert await signs_in(world, dialect=dialect) == user_id
    assert (await now(world, user_id)).password_hash == after.password_hash
    assert len(await deeds(world, user_id)) == 1


@pytest.mark.parametrize("hashed", [TODAYS, STRONGER], ids=("todays", "stronger"))
async def test_a_hash_that_is_good_enough_stays(world: World, hashed: str) -> None:
    user_id = await ada(world, hashed)
    assert await signs_in(world) == user_id
    assert (await now(world, user_id)).password_hash == hashed
    assert await deeds(world, user_id) == []


async def test_nobody_is_told_and_no_session_ends(world: World) -> None:
    rt = dataclasses.replace(world.rt, settings=dataclasses.replace(world.rt.settings, keep_mail=True))
    user_id = await ada(world)
    old = await sessions.create(rt, world.project, user_id, WISH)
    await signs_in(world, rt=rt)
    assert not needs_rehash((await now(world, user_id)).password_hash)
    assert old.session.id in {one.id for one in await sessions.list_for_user(rt, world.project, user_id)}
    assert await mailing.newest(rt) == []
    # the same runtime tells of a password that a person, or a server, changes
    await users.change(rt, world.project, user_id, UserChanges(password_hash=NEW_HASH))
    assert [letter.kind for letter in await mailing.newest(rt)] == ["password_changed"]
    assert await sessions.list_for_user(rt, world.project, user_id) == []


async def test_a_wrong_password_and_a_disabled_user_leave_the_hash_as_it_is(world: World) -> None:
    user_id = await ada(world)
    for wrong in (PASSWORD + "!", "", PASSWORD + "\0", "\ud800"):
        with pytest.raises(Fault) as refused:
            await signs_in(world, wrong)
        assert refused.value.code is FaultCode.PASSWORD_WRONG
    await users.change(world.rt, world.project, user_id, UserChanges(status="disabled"))
    with pytest.raises(Fault) as refused:
        await signs_in(world)
    assert refused.value.code is FaultCode.USER_UNAVAILABLE
    assert (await now(world, user_id)).password_hash == BCRYPT
    await users.change(world.rt, world.project, user_id, UserChanges(status="active"))
    assert await signs_in(world) == user_id
    assert (await now(world, user_id)).password_hash != BCRYPT


async def test_what_a_sign_in_costs(world: World) -> None:
    """The promise for passwords, and what an old hash costs on top, once."""
    await ada(world)
    await ada(world, TODAYS, "today@corp.example")
    await signs_in(world, address="today@corp.example")
    costs = []
    for address in ("today@corp.example", ADDRESS, ADDRESS):
        async with world.count() as counts:
            await signs_in(world, address=address)
        costs.append((len(counts.statements), counts.commits))
    assert costs == [(6, 1), (8, 2), (6, 1)]


class Failing:
    """A database whose first write fails in a given way."""

    def __init__(self, inner: Any, error: Exception) -> None:
        self._inner = inner
        self._error: Exception | None = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """The write, unless it is the first one."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        return await self._inner.write(work)


@pytest.mark.parametrize(
    "error",
    [
        Fault(FaultCode.DATABASE_CONTENDED, "others stood in the way"),
        Fault(FaultCode.DATABASE_UNAVAILABLE, "away"),
        StatementFailed("a bug of ours"),
    ],
    ids=("contended", "unavailable", "bug"),
)
async def test_a_hash_that_cannot_be_replaced_keeps_nobody_out(
    world: World, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    user_id = await ada(world)
    failing: Any = Failing(world.rt.db, error)
    with caplog.at_level("INFO", "oneself.passwords"):
        assert await signs_in(world, rt=dataclasses.replace(world.rt, db=failing)) == user_id
    assert (await now(world, user_id)).password_hash == BCRYPT
    assert len(caplog.records) == 1
    assert PASSWORD not in caplog.text
    assert BCRYPT not in caplog.text
    # the next one tries again
    assert await signs_in(world) == user_id
    assert not needs_rehash((await now(world, user_id)).password_hash)


class Busy(HashingPool):
    """A pool that verifies, and has no room for new hashes."""

    async def hash(self, password: str, random: Callable[[int], bytes]) -> str:
        """Refuse."""
        raise Fault(FaultCode.LIMIT_REACHED, "too many passwords at once", retry_after=1)


async def test_where_the_pool_is_full_the_hash_waits_for_the_next_sign_in(world: World) -> None:
    user_id = await ada(world)
    assert await signs_in(world, rt=dataclasses.replace(world.rt, hashing=Busy())) == user_id
    assert (await now(world, user_id)).password_hash == BCRYPT
    assert await signs_in(world) == user_id
    assert (await now(world, user_id)).password_hash != BCRYPT


async def test_old_hashes_are_verified_in_the_bounded_pool() -> None:
    pool = HashingPool(threads=1, most_waiting=0)
    for hashed in (BCRYPT, SCRYPT, ARGON2):
        first, second = await asyncio.gather(
            pool.verify(hashed, PASSWORD), pool.verify(hashed, PASSWORD), return_exceptions=True
        )
        assert first is True
        assert isinstance(second, Fault)
        assert second.code is FaultCode.LIMIT_REACHED
        assert await pool.verify(hashed, PASSWORD)


@pytest.mark.parametrize("to", [NEW_HASH, ""], ids=("another", "none"))
async def test_a_password_that_was_changed_meanwhile_is_not_written_over(world: World, to: str) -> None:
    user_id = await ada(world)

    async def change() -> None:
        await users.change(world.rt, world.project, user_id, UserChanges(password_hash=to))

    # overtaken between the check and the new hash: the right password of before opens nothing any more
    with pytest.raises(Fault) as refused:
        await signs_in(world, rt=interrupted(world, change))
    assert refused.value.code is FaultCode.PASSWORD_WRONG
    assert (await now(world, user_id)).password_hash == to
    assert await deeds(world, user_id) == []
    if to:
        assert await signs_in(world, NEW) == user_id


async def test_a_hash_that_was_replaced_meanwhile_keeps_nobody_out(world: World) -> None:
    """Somebody signs in from two places at once: the second one's hash comes too late, its password is right."""
    user_id = await ada(world)

    async def other() -> None:
        await signs_in(world)

    assert await signs_in(world, rt=interrupted(world, other)) == user_id
    assert len(await sessions.list_for_user(world.rt, world.project, user_id)) == 2
    assert len(await deeds(world, user_id)) == 1


async def test_many_first_sign_ins_at_once_are_all_let_in(world: World) -> None:
    user_id = await ada(world)
    assert await asyncio.gather(*(signs_in(world) for _ in range(12))) == [user_id] * 12
    assert not needs_rehash((await now(world, user_id)).password_hash)
    assert len(await deeds(world, user_id)) == 1


async def test_first_sign_ins_against_a_change_of_the_password(world: World) -> None:
    """Whoever comes first: in the end the new password opens, the old one does not, and a refusal is the only other
    answer.
    """
    let_in = refused = 0
    for n in range(6):
        address = f"p{n}@corp.example"
        user_id = await ada(world, address=address)

        async def change(user_id: str = user_id, pauses: int = n) -> None:
            for _ in range(pauses):
                await asyncio.sleep(0.01)
            await users.change(world.rt, world.project, user_id, UserChanges(password_hash=NEW_HASH))

        ended = await asyncio.gather(
            change(), *(signs_in(world, address=address) for _ in range(3)), return_exceptions=True
        )
        for one in ended[1:]:
            if isinstance(one, Fault):
                assert one.code is FaultCode.PASSWORD_WRONG
                refused += 1
            else:
                assert one == user_id
                let_in += 1
        assert ended[0] is None
        assert (await now(world, user_id)).password_hash == NEW_HASH
        with pytest.raises(Fault) as old:
            await signs_in(world, address=address)
        assert old.value.code is FaultCode.PASSWORD_WRONG
        assert await signs_in(world, NEW, address) == user_id
    assert let_in + refused == 18
