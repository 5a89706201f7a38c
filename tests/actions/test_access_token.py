"""The vault under pressure: one refresh for all, outages that disconnect nobody, dead grants that do."""

import asyncio
import os

import pytest

from oneself.actions import access_token, history
from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.model import TokenSet
from oneself.rules.lifetimes import DAY, MINUTE, SECOND
from oneself.store import vault
from oneself.store.database import Tx
from tests.actions.conftest import World, opened_runtime

HOURS = 60 * MINUTE


async def connected(world: World, provider: str, persona: str = "ada") -> tuple[str, TokenSet]:
    """A user with an account at the provider whose access token has just expired; the tokens of the sign-in."""
    await world.control("counts", "DELETE")
    ended = await world.sign_in(provider, persona)
    life = ended.tokens.expires_at - world.clock()
    assert 0 < life < 2 * DAY
    world.clock.ahead += life + MINUTE
    return ended.view.user.id, ended.tokens


async def refreshes(world: World, provider: str) -> int:
    """How many refreshes the provider has seen."""
    counts = await world.control("counts", "GET")
    found: int = counts.get(f"{provider}.token.refresh_token", 0)
    return found


async def test_an_expired_token_is_refreshed_and_kept(world: World) -> None:
    user_id, old = await connected(world, "spotify")
    first = await access_token.fresh(world.rt, world.project, user_id, "spotify")
    second = await access_token.fresh(world.rt, world.project, user_id, "spotify")
    assert first.access_token == second.access_token != old.access_token
    assert first.scopes == old.scopes
    assert await refreshes(world, "spotify") == 1


async def test_a_hundred_readers_make_one_call(world: World) -> None:
    user_id, _ = await connected(world, "github")
    calls = [access_token.fresh(world.rt, world.project, user_id, "github") for _ in range(100)]
    assert len({tokens.access_token for tokens in await asyncio.gather(*calls)}) == 1
    assert await refreshes(world, "github") == 1


async def test_readers_of_several_processes_make_one_call(world: World) -> None:
    """Runtimes that share nothing but the database stand for processes; the lease and its fence hold them together."""
    user_id, _ = await connected(world, "github")
    others: list[Runtime] = [
        await opened_runtime(world.rt.db, world.clock, world.rt.ring, world.emulator) for _ in range(4)
    ]
    await world.control("faults", provider="github", endpoint="token", kind="delay", seconds=0.4, times=1)
    calls = [access_token.fresh(rt, world.project, user_id, "github") for rt in others for _ in range(10)]
    found = {tokens.access_token for tokens in await asyncio.gather(*calls)}
    for rt in others:
        await rt.outbound.close()
    assert len(found) == 1
    assert await refreshes(world, "github") == 1


async def test_a_single_use_refresh_token_is_replaced(world: World) -> None:
    user_id, old = await connected(world, "github")
    first = await access_token.fresh(world.rt, world.project, user_id, "github")
    assert first.refresh_token != old.refresh_token
    world.clock.ahead += DAY
    second = await access_token.fresh(world.rt, world.project, user_id, "github")
    assert second.access_token != first.access_token


@pytest.mark.parametrize("fault", ["server_error", "rate_limit", "reset", "html"])
async def test_an_outage_disconnects_nobody(world: World, fault: str) -> None:
    user_id, _ = await connected(world, "github")
    await world.control("faults", provider="github", endpoint="token", times=1, kind=fault, retry_after=5)
    with pytest.raises(Fault) as refused:
        await access_token.fresh(world.rt, world.project, user_id, "github")
    assert refused.value.code in (FaultCode.PROVIDER_UNAVAILABLE, FaultCode.PROVIDER_REPLY_INVALID)
    with pytest.raises(Fault) as cooling:
        await access_token.fresh(world.rt, world.project, user_id, "github")
    assert cooling.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert cooling.value.facts["retry_after"] in range(1, 6)
    world.clock.ahead += 6 * SECOND
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token


async def test_a_grant_that_the_provider_ended_is_told_once_for_all(world: World) -> None:
    user_id, old = await connected(world, "spotify")
    await world.control("revoke-refresh-token", provider="spotify", token=old.refresh_token)
    for _ in range(2):
        with pytest.raises(Fault) as refused:
            await access_token.fresh(world.rt, world.project, user_id, "spotify")
        assert refused.value.code is FaultCode.RECONNECT_NEEDED
    assert await refreshes(world, "spotify") == 1
    entries = await history.of_user(world.rt, world.project, user_id, 10)
    assert [entry.decision for entry in entries if entry.action == "token.refresh"] == ["revoked"]
    again = await world.sign_in("spotify", "ada")
    assert again.view.user.id == user_id
    assert (await access_token.fresh(world.rt, world.project, user_id, "spotify")).access_token


async def test_a_refresh_whose_process_died_is_ambiguous_for_single_use_tokens(world: World) -> None:
    for provider, code in (("github", FaultCode.RECONNECT_NEEDED), ("spotify", None)):
        user_id, _ = await connected(world, provider)
        await abandon(world, user_id, provider)
        world.clock.ahead += HOURS
        if code is None:
            assert (await access_token.fresh(world.rt, world.project, user_id, provider)).access_token
            continue
        for _ in range(2):
            with pytest.raises(Fault) as refused:
                await access_token.fresh(world.rt, world.project, user_id, provider)
            assert refused.value.code is code
        entries = await history.of_user(world.rt, world.project, user_id, 10)
        assert [entry.decision for entry in entries if entry.action == "token.refresh"] == ["ambiguous"]
        assert await refreshes(world, provider) == 0


async def abandon(world: World, user_id: str, provider: str) -> None:
    """Leave what a process leaves that dies between its journal row and the provider's answer."""
    found = await vault.for_user(world.rt.db, world.project.id, user_id, provider, "")
    assert found is not None
    kept = found[1][0]

    async def work(tx: Tx) -> None:
        assert await vault.lease(tx, world.project.id, kept, os.urandom(4).hex(), tx.now + MINUTE) is not None

    await world.rt.db.write(work)


async def test_scopes_that_were_never_granted_are_not_handed_out(world: World) -> None:
    ended = await world.sign_in("github", "ada")
    user_id = ended.view.user.id
    with pytest.raises(Fault) as refused:
        await access_token.fresh(world.rt, world.project, user_id, "github", scopes=("repo",))
    assert refused.value.code is FaultCode.SCOPE_MISSING
    await world.sign_in("github", "ada", scopes=("repo",))
    wide = await access_token.fresh(world.rt, world.project, user_id, "github", scopes=("repo",))
    await world.sign_in("github", "ada")
    still = await access_token.fresh(world.rt, world.project, user_id, "github", scopes=("repo",))
    assert still.access_token == wide.access_token


async def test_a_stranger_and_an_unconnected_provider_are_told_apart(world: World) -> None:
    ended = await world.sign_in("google", "ada")
    with pytest.raises(Fault) as unconnected:
        await access_token.fresh(world.rt, world.project, ended.view.user.id, "github")
    assert unconnected.value.code is FaultCode.CONNECTION_MISSING
    with pytest.raises(Fault) as nobody:
        await access_token.fresh(world.rt, world.project, "00000000-0000-4000-8000-000000000000", "google")
    assert nobody.value.code is FaultCode.USER_NOT_FOUND


async def test_no_token_lies_in_clear_in_the_database(world: World) -> None:
    ended = await world.sign_in("github", "ada")
    wanted = (ended.tokens.access_token, ended.tokens.refresh_token)
    assert all(wanted)
    found = await vault.for_user(world.rt.db, world.project.id, ended.view.user.id, "github", "")
    assert found is not None
    sealed = bytes(found[1][0].sealed)
    assert not any(token.encode() in sealed for token in wanted)
