"""Grants are handed back to their providers after an unlink or a delete, in spite of failures, and never in its way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from oneself.actions import accounts, history, projects, revoking, users
from oneself.actions.accounts import NewAccount
from oneself.actions.redeem import Redeemed
from oneself.faults import Fault, FaultCode
from oneself.model import ProjectConfig, ProviderCredentials
from oneself.rules.lifetimes import DAY, HOUR, MINUTE, SECOND
from oneself.store import revocations
from tests.actions.conftest import World
from tests.actions.test_counts import holds


async def revokes(world: World, provider: str) -> int:
    """How many revocations the provider has seen."""
    counts = await world.control("counts", "GET")
    return sum(count for name, count in counts.items() if name.startswith(f"{provider}.revo"))


async def waiting(world: World) -> int:
    row = await world.rt.db.one("SELECT COUNT(*) FROM revocations WHERE project_id = $1", world.project.id)
    assert row is not None
    return int(row[0])


async def decisions(world: World, user_id: str) -> list[str]:
    entries = await history.of_user(world.rt, world.project, user_id, 50)
    return [entry.decision for entry in entries if entry.action == "account.revoke"]


async def unlink(world: World, ended: Redeemed) -> None:
    await accounts.remove(world.rt, world.project, ended.account.id, ended.view.user.id)


async def configured(world: World, **changes: Any) -> None:
    def changed(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, providers=tuple(change(one) for one in config.providers))

    def change(one: ProviderCredentials) -> ProviderCredentials:
        return msgspec.structs.replace(one, **changes) if one.config_id == "google" else one

    world.project = await projects.change_config(world.rt, world.project, changed)


async def test_an_unlink_hands_the_grant_back_once(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await unlink(world, ada)
    assert (await revokes(world, "google"), await waiting(world)) == (0, 1)
    assert await revoking.drain(world.rt) == 1
    assert await revoking.drain(world.rt) == 0
    assert (await revokes(world, "google"), await waiting(world)) == (1, 0)
    assert await decisions(world, ada.view.user.id) == ["revoked"]


async def test_deleting_a_user_hands_everything_back(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await world.sign_in("github", "ada")
    async with world.count() as counts:
        await users.delete(world.rt, world.project, ada.view.user.id)
    holds(counts, 4, 1)
    assert await waiting(world) == 2
    await revoking.drain(world.rt)
    assert await revokes(world, "google") == 1
    assert await revokes(world, "github") == 1
    assert await decisions(world, ada.view.user.id) == ["revoked", "revoked"]
    async with world.count() as counts:
        with pytest.raises(Fault):
            await users.delete(world.rt, world.project, ada.view.user.id)
    assert await waiting(world) == 0


async def test_a_stumbling_provider_is_asked_again_with_longer_and_longer_pauses(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await world.control("faults", provider="google", endpoint="revocation", kind="server_error", times=2)
    await unlink(world, ada)
    assert await accounts.listing(world.rt, world.project, ada.view.user.id) == []
    assert await revoking.drain(world.rt) == 1
    assert await revoking.drain(world.rt) == 0
    world.clock.ahead += 6 * SECOND
    assert await revoking.drain(world.rt) == 1
    world.clock.ahead += 6 * SECOND
    assert await revoking.drain(world.rt) == 0
    world.clock.ahead += 20 * SECOND
    assert await revoking.drain(world.rt) == 1
    assert await waiting(world) == 0
    assert await decisions(world, ada.view.user.id) == ["revoked"]


async def test_a_provider_names_the_pause_itself(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await world.control("faults", provider="google", endpoint="revocation", kind="rate_limit", times=1, retry_after=60)
    await unlink(world, ada)
    await revoking.drain(world.rt)
    world.clock.ahead += 50 * SECOND
    assert await revoking.drain(world.rt) == 0
    world.clock.ahead += 20 * SECOND
    assert await revoking.drain(world.rt) == 1
    assert await decisions(world, ada.view.user.id) == ["revoked"]


async def test_it_is_given_up_in_the_end_and_told(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await world.control("faults", provider="google", endpoint="revocation", kind="server_error", times=0)
    await unlink(world, ada)
    await revoking.drain(world.rt)
    assert await waiting(world) == 1
    world.clock.ahead += 8 * DAY
    await revoking.drain(world.rt)
    assert await waiting(world) == 0
    assert await decisions(world, ada.view.user.id) == ["given_up"]


async def test_a_vendor_without_such_a_call_costs_nothing(world: World) -> None:
    ada = await world.redeem(await world.grant("spotify", "ada"), session=None)
    async with world.count() as counts:
        await unlink(world, ada)
    holds(counts, 5, 1)
    assert await waiting(world) == 0


async def test_one_statement_more_where_a_grant_goes_back(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    wanted = NewAccount(
        user_id=ada.view.user.id, config_id="github", subject="1", allow_sign_in=True, allow_connected_accounts=True
    )
    added = await accounts.add(world.rt, world.project, wanted)
    async with world.count() as counts:
        await accounts.remove(world.rt, world.project, added.id, ada.view.user.id)
    holds(counts, 6, 1)
    # it never had tokens: there is nothing to hand back
    assert await waiting(world) == 0
    async with world.count() as counts:
        assert await revoking.drain(world.rt) == 0
    holds(counts, 1, 0)


async def test_a_grant_that_another_account_rests_on_stays(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await unlink(world, ada)
    again = await world.sign_in("google", "ada")
    await revoking.drain(world.rt)
    assert await revokes(world, "google") == 0
    assert await decisions(world, ada.view.user.id) == ["left"]
    await unlink(world, again)
    await revoking.drain(world.rt)
    assert await revokes(world, "google") == 1


async def test_the_servers_own_client_hands_nothing_back(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await configured(world, shared=True)
    await unlink(world, ada)
    assert await waiting(world) == 0


async def test_a_provider_that_is_gone_from_the_project_is_given_up(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await unlink(world, ada)
    await configured(world, config_id="other")
    await revoking.drain(world.rt)
    assert await decisions(world, ada.view.user.id) == ["given_up"]


async def test_a_journal_row_is_worked_on_by_one(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await unlink(world, ada)
    until = world.clock() + MINUTE
    first = await world.rt.db.write(lambda tx: revocations.take(tx, until, 9))
    assert len(first) == 1
    assert await world.rt.db.write(lambda tx: revocations.take(tx, until, 9)) == []
    # whoever died with it in hand leaves it to the next
    world.clock.ahead += 2 * MINUTE
    assert await revoking.drain(world.rt) == 1
    assert not await world.rt.db.write(lambda tx: revocations.end(tx, first[0]))


async def test_a_refused_unlink_notes_nothing(world: World) -> None:
    await world.with_policy("stack", keep_last_way_in=True)
    ada = await world.sign_in("spotify", "ada")
    with pytest.raises(Fault) as caught:
        await unlink(world, ada)
    assert caught.value.code is FaultCode.LAST_WAY_IN
    assert await waiting(world) == 0


async def test_an_access_token_that_lives_no_more_is_refreshed_to_be_handed_back(world: World) -> None:
    """GitHub takes access tokens only, and those of an App die after eight hours while the grant lives on."""
    ada = await world.sign_in("github", "ada")
    world.clock.ahead += 9 * HOUR
    await world.control("faults", provider="github", endpoint="revocation", kind="server_error", times=1)
    await unlink(world, ada)
    await revoking.drain(world.rt)
    assert await waiting(world) == 1
    world.clock.ahead += 6 * SECOND
    await revoking.drain(world.rt)
    counts = await world.control("counts", "GET")
    # the fresh pair was kept before it was used: it may be the only living one
    assert counts["github.token.refresh_token"] == 1
    assert counts["github.revocation"] == 2
    assert await decisions(world, ada.view.user.id) == ["revoked"]


async def test_a_living_access_token_is_handed_back_as_it_is(world: World) -> None:
    await unlink(world, await world.sign_in("github", "ada"))
    await revoking.drain(world.rt)
    counts = await world.control("counts", "GET")
    assert ("github.token.refresh_token" in counts, counts["github.revocation"]) == (False, 1)


async def test_a_grant_that_is_dead_already_needs_no_handing_back(world: World) -> None:
    ada = await world.sign_in("github", "ada")
    world.clock.ahead += 9 * HOUR
    await world.control("revoke-grant", provider="github")
    await unlink(world, ada)
    await revoking.drain(world.rt)
    assert await revokes(world, "github") == 0
    assert await decisions(world, ada.view.user.id) == ["revoked"]
