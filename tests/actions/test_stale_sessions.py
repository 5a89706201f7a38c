"""What was read of a session before somebody else changed it: it is never written back."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oneself.actions import accounts, attach, history, passwords, sessions, sign_up, users
from oneself.actions.attach import AttachAsker
from oneself.actions.runtime import Runtime
from oneself.actions.users import NewUser, UserChanges
from oneself.faults import Fault, FaultCode
from oneself.model import Secret, SessionRef
from oneself.rules.lifetimes import DAY
from oneself.steps.sessions import SessionWish
from tests.actions.conftest import CHALLENGE, VERIFIER, WISH, World, session_ref

STACK = {
    "dialect": "stack",
    "login_url": "https://app.example/done",
    "check_urls": False,
    "app_challenge": CHALLENGE,
    "app_challenge_method": "S256",
}


class Between:
    """A database that lets something else happen once, right before the first write."""

    def __init__(self, inner: Any, then: Callable[[], Awaitable[object]]) -> None:
        self._inner = inner
        self._then: Callable[[], Awaitable[object]] | None = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, work: Any) -> Any:
        """The write, behind what else happens."""
        then, self._then = self._then, None
        if then is not None:
            await then()
        return await self._inner.write(work)


def interrupted(world: World, then: Callable[[], Awaitable[object]]) -> Runtime:
    """The runtime of a request that is overtaken before its first write."""
    between: Any = Between(world.rt.db, then)
    return dataclasses.replace(world.rt, db=between)


async def two_factors(world: World) -> tuple[SessionRef, str]:
    """A session that rests on two accounts, and the id of the second one."""
    ada = await world.sign_in("google", "ada")
    ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(session=session_ref(ada)))
    both = await world.redeem(await world.grant("github", "linus", ticket=ticket), join=session_ref(ada))
    return session_ref(ada), both.account.id


async def test_a_check_that_prolongs_brings_no_unlinked_factor_back(world: World) -> None:
    ref, account_id = await two_factors(world)

    async def unlink() -> None:
        await accounts.remove(world.rt, world.project, account_id, dialect="stytch")

    overtaken = interrupted(world, unlink)
    seen = await sessions.authenticate(overtaken, world.project, "stytch", ref, duration_minutes=60)
    later = await sessions.authenticate(world.rt, world.project, "stytch", ref)
    for found in (seen, later):
        assert [factor.provider for factor in found.session.factors] == ["google"]


async def test_a_check_that_prolongs_keeps_the_factors_otherwise(world: World) -> None:
    ref, _ = await two_factors(world)
    await sessions.authenticate(world.rt, world.project, "stytch", ref, duration_minutes=60, custom_claims={"a": 1})
    later = await sessions.authenticate(world.rt, world.project, "stytch", ref)
    assert [factor.provider for factor in later.session.factors] == ["google", "github"]
    assert later.session.custom_claims == {"a": 1}


async def test_a_password_that_was_changed_while_it_was_checked_opens_nothing(world: World) -> None:
    made = await users.create(
        world.rt,
        world.project,
        NewUser(email="p@x.example", password_hash=await passwords.hashed(world.rt, Secret("old password"))),
    )

    async def change() -> None:
        new = UserChanges(password_hash=await passwords.hashed(world.rt, Secret("new password")))
        await users.change(world.rt, world.project, made.user.id, new)

    view = await passwords.check(world.rt, world.project, "p@x.example", Secret("old password"), "stytch")
    overtaken = interrupted(world, change)
    with pytest.raises(Fault) as refused:
        await sessions.create(overtaken, world.project, made.user.id, WISH, "password", actor="self", checked=view)
    assert refused.value.code is FaultCode.PASSWORD_WRONG
    assert await sessions.list_for_user(world.rt, world.project, made.user.id) == []
    view = await passwords.check(world.rt, world.project, "p@x.example", Secret("new password"), "stytch")
    honest = await sessions.create(world.rt, world.project, made.user.id, WISH, "password", checked=view)
    assert honest.view.user.id == made.user.id


@pytest.mark.parametrize("how", ["signed_out", "outdated", "honest"])
async def test_an_anonymous_user_is_upgraded_only_while_it_is_there_to_ask(world: World, how: str) -> None:
    guest = await sign_up.anonymously(world.rt, world.project, SessionWish(kind="stack", lifetime=DAY))
    guest_id = guest.view.user.id
    grant = await world.grant("google", "ada", asker_session_id=guest.session.id, **STACK)
    if how == "signed_out":
        await sessions.revoke(world.rt, world.project, "stack", SessionRef(session_id=guest.session.id))
    if how == "outdated":
        await sessions.revoke_all(world.rt, world.project, guest_id, keep_id=guest.session.id)
    finish = world.redeem(grant, dialect="stack", verifier=Secret(VERIFIER), redirect_uri=STACK["login_url"])
    if how == "honest":
        assert (await finish).view.user.id == guest_id
        return
    with pytest.raises(Fault) as refused:
        await finish
    assert refused.value.code is FaultCode.ASKER_GONE
    assert (await users.read(world.rt, world.project, guest_id)).user.is_anonymous


async def test_a_wrong_verifier_that_spends_the_grant_is_in_the_history(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(session=session_ref(ada)))
    challenge = {"app_challenge": CHALLENGE, "app_challenge_method": "S256"}
    grant = await world.grant("github", "linus", ticket=ticket, **challenge)
    with pytest.raises(Fault):
        await world.redeem(grant, verifier=Secret("w" * 43))
    entries = await history.of_user(world.rt, world.project, ada.view.user.id, 10)
    # newest first, also where the entry changed nothing of the user
    assert (entries[0].action, entries[0].decision) == ("redeem.attach", "Refuse:verifier_mismatch")
    assert ("redeem.attach", "Refuse:verifier_mismatch") in [(entry.action, entry.decision) for entry in entries]
