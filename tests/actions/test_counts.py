"""Statements and commits per operation, counted at the database: the table of what we promise (docs/promises.md)."""

import asyncio

import pytest

from oneself.actions import access_token, accounts, attach, sessions
from oneself.actions.accounts import AccountChanges, NewAccount
from oneself.actions.attach import AttachAsker
from oneself.faults import Fault
from oneself.rules.lifetimes import DAY
from tests.actions.conftest import World, session_ref
from tests.store.counting import Counts


def holds(counts: Counts, statements: int, commits: int) -> None:
    """At most so many statements, exactly so many commits."""
    assert len(counts.statements) <= statements, str(counts)
    assert counts.commits == commits, str(counts)


async def test_each_leg_of_a_trip(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    async with world.count() as counts:
        ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(user_id=ada.view.user.id))
    holds(counts, 1, 1)
    async with world.count() as counts:
        ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(session=session_ref(ada)))
    holds(counts, 1, 1)
    async with world.count() as counts:
        await world.begin("github", ticket=ticket)
    holds(counts, 1, 1)
    async with world.count() as counts:
        started = await world.begin("google")
    holds(counts, 1, 1)
    params = await world.visit(started.location)
    async with world.count() as counts:
        await world.land(started, params)
    holds(counts, 4, 2)


async def test_redeem_of_a_known_account_and_of_a_new_user(world: World) -> None:
    for provider, persona in (("google", "ada"), ("github", "linus")):
        grant = await world.grant(provider, persona)
        async with world.count() as counts:
            await world.redeem(grant)
        holds(counts, 9, 1)
    grant = await world.grant("github", "linus")
    async with world.count() as counts:
        await world.redeem(grant)
    holds(counts, 6, 1)


async def test_a_consent_without_a_refresh_token_reads_the_one_that_is_kept(world: World) -> None:
    await world.sign_in("google", "ada")
    grant = await world.grant("google", "ada")
    async with world.count() as counts:
        await world.redeem(grant)
    holds(counts, 7, 1)


async def test_session_check(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    async with world.count() as counts:
        await sessions.authenticate(world.rt, world.project, "stytch", session_ref(ada))
    holds(counts, 1, 0)
    async with world.count() as counts:
        await sessions.authenticate(world.rt, world.project, "stytch", session_ref(ada), duration_minutes=60)
    holds(counts, 2, 1)


async def test_external_accounts(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    user_id = ada.view.user.id
    async with world.count() as counts:
        account = await accounts.add(world.rt, world.project, _linked(user_id, "spotify"))
    holds(counts, 3, 1)
    async with world.count() as counts:
        await accounts.listing(world.rt, world.project, user_id)
    holds(counts, 1, 0)
    async with world.count() as counts:
        await accounts.change(world.rt, world.project, user_id, account.id, AccountChanges(allow_sign_in=False))
    holds(counts, 5, 1)
    async with world.count() as counts:
        await accounts.remove(world.rt, world.project, account.id, user_id)
    # spotify takes no grant back; where a provider does, noting the grant is one statement more
    holds(counts, 5, 1)
    account = await accounts.add(world.rt, world.project, _linked(user_id, "github"))
    async with world.count() as counts:
        await accounts.remove(world.rt, world.project, account.id, user_id)
    holds(counts, 6, 1)


def _linked(user_id: str, config_id: str) -> NewAccount:
    return NewAccount(
        user_id=user_id, config_id=config_id, subject="1", allow_sign_in=True, allow_connected_accounts=True
    )


async def test_a_fresh_provider_token(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    async with world.count() as counts:
        tokens = await access_token.fresh(world.rt, world.project, ada.view.user.id, "google")
    holds(counts, 1, 0)
    assert tokens.access_token == ada.tokens.access_token


async def test_the_counter_itself_can_fail(world: World) -> None:
    async with world.count() as counts:
        with pytest.raises(Fault):
            await accounts.listing(world.rt, world.project, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(AssertionError):
        holds(counts, 0, 0)


async def test_many_readers_at_once_share_their_reads(world: World) -> None:
    """A read of the embedded database is over before the next one is asked for: there is nothing to share."""
    ada = await world.sign_in("github", "ada")
    world.clock.ahead += DAY
    readers = [access_token.fresh(world.rt, world.project, ada.view.user.id, "github") for _ in range(100)]
    async with world.count() as counts:
        tokens = await asyncio.gather(*readers)
    assert len({found.access_token for found in tokens}) == 1
    # two looks, and a refresh of a lease and an answer
    holds(counts, 8 if world.rt.db.engine == "postgresql" else 106, 2)
