"""Tokens of sign-ins that nobody redeemed: a candidate for their account, or handed back; and refreshing ahead."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from oneself import background
from oneself.actions import access_token, accounts, history, leftovers, renewing_ahead, revoking
from oneself.faults import Fault, FaultCode
from oneself.rules.lifetimes import DAY, MINUTE
from oneself.store.database import Tx
from tests.actions.conftest import World, opened_runtime

HOUR = 60 * MINUTE


async def decisions(world: World, user_id: str) -> list[str]:
    """What the audit tells of the user's refreshes, oldest first."""
    entries = await history.of_user(world.rt, world.project, user_id, 50)
    return [entry.decision for entry in reversed(entries) if entry.action == "token.refresh"]


async def kept(world: World, table: str) -> int:
    row = await world.rt.db.one(f"SELECT count(*) FROM {table}")
    assert row is not None
    return int(row[0])


async def refreshes(world: World, provider: str) -> int:
    counts = await world.control("counts", "GET")
    found: int = counts.get(f"{provider}.token.refresh_token", 0)
    return found


async def unredeemed(world: World, provider: str, persona: str = "ada", **wanted: object) -> None:
    """A sign-in whose grant nobody comes for, collected."""
    await world.grant(provider, persona, **wanted)
    assert await leftovers.collect(world.rt) == 0
    world.clock.ahead += 6 * MINUTE
    assert await leftovers.collect(world.rt) == 1
    assert await leftovers.collect(world.rt) == 0
    row = await world.rt.db.one("SELECT count(*) FROM flows WHERE length(parked) > 0")
    assert row is not None
    assert row[0] == 0


async def test_a_candidate_stands_in_for_a_grant_that_its_provider_ended(world: World) -> None:
    ended = await world.sign_in("github", "ada")
    user_id = ended.view.user.id
    await unredeemed(world, "github")
    # nothing changes until the provider calls the account's own grant dead
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token == (
        ended.tokens.access_token
    )
    await world.control("revoke-refresh-token", provider="github", token=ended.tokens.refresh_token)
    world.clock.ahead += DAY
    saved = await access_token.fresh(world.rt, world.project, user_id, "github")
    assert saved.access_token != ended.tokens.access_token
    assert await decisions(world, user_id) == ["replaced"]
    assert await kept(world, "token_candidates") == 0
    # it is the account's grant from now on, and when it ends there is no other
    world.clock.ahead += DAY
    await world.control("simulate-refresh-error", provider="github", error="bad_refresh_token")
    with pytest.raises(Fault) as dead:
        await access_token.fresh(world.rt, world.project, user_id, "github")
    assert dead.value.code is FaultCode.RECONNECT_NEEDED
    assert (await decisions(world, user_id))[-1] == "revoked"


async def test_a_candidate_is_tried_before_a_grant_without_a_known_outcome_is_given_up(world: World) -> None:
    user_id = (await world.sign_in("github", "ada")).view.user.id
    await unredeemed(world, "github")
    row = await world.rt.db.one("SELECT account_id, scopes, fence FROM token_sets")
    assert row is not None

    async def died(tx: Tx) -> None:
        values = "($1, $2, $3, $4, 'sent', $5)"
        sql = f"INSERT INTO refresh_journal (project_id, account_id, scopes, fence, state, at) VALUES {values}"
        await tx.run(sql, world.project.id, *row, tx.now)

    await world.rt.db.write(died)
    world.clock.ahead += DAY
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token
    assert await decisions(world, user_id) == ["ambiguous", "replaced"]


async def test_a_candidate_with_less_is_no_candidate(world: World) -> None:
    ended = await world.sign_in("github", "ada", scopes=("repo",))
    await unredeemed(world, "github")
    await world.control("revoke-refresh-token", provider="github", token=ended.tokens.refresh_token)
    world.clock.ahead += DAY
    with pytest.raises(Fault) as dead:
        await access_token.fresh(world.rt, world.project, ended.view.user.id, "github", scopes=("repo",))
    assert dead.value.code is FaultCode.RECONNECT_NEEDED
    assert await decisions(world, ended.view.user.id) == ["revoked"]


async def test_the_tokens_of_nobodys_account_go_back(world: World) -> None:
    await unredeemed(world, "google", "grace")
    assert (await kept(world, "token_candidates"), await kept(world, "revocations")) == (0, 1)
    await world.control("counts", "DELETE")
    assert await revoking.drain(world.rt) == 1
    assert (await world.control("counts", "GET")).get("google.revocation", 0) == 1
    assert await kept(world, "revocations") == 0


async def test_what_belongs_to_somebody_is_theirs_alone(world: World) -> None:
    ada = (await world.sign_in("github", "ada")).view.user.id
    await world.sign_in("github", "grace")
    await unredeemed(world, "github", "grace")
    row = await world.rt.db.one("SELECT account_id FROM token_candidates")
    assert row is not None
    held = await accounts.listing(world.rt, world.project, ada)
    assert row[0] not in {account.id for account in held}
    # an unlink takes the candidate along
    sql = "SELECT user_id FROM external_accounts WHERE id = $1"
    owner = await world.rt.db.one(sql, row[0])
    assert owner is not None
    await accounts.remove(world.rt, world.project, row[0], dialect="stack")
    assert await kept(world, "token_candidates") == 0


async def test_two_collectors_keep_one_candidate_and_a_redeemed_trip_leaves_none(world: World) -> None:
    await world.sign_in("github", "ada")
    world.clock.ahead += 6 * MINUTE
    assert await leftovers.collect(world.rt) == 0
    for _ in range(5):
        await world.grant("github", "ada")
    world.clock.ahead += 6 * MINUTE
    await asyncio.gather(*(leftovers.collect(world.rt) for _ in range(4)))
    assert (await kept(world, "token_candidates"), await kept(world, "revocations")) == (1, 0)


# --- refreshing ahead ----------------------------------------------------------------------------------------------


async def test_what_ends_soon_is_renewed_before_anybody_asks(world: World) -> None:
    await world.control("counts", "DELETE")
    people = {name: await world.sign_in("github", name) for name in ("ada", "grace")}
    life = people["ada"].tokens.expires_at - world.clock()
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 0
    world.clock.ahead += life - 30 * MINUTE
    others = [await opened_runtime(world.rt.db, world.clock, world.rt.ring, world.emulator) for _ in range(3)]
    await asyncio.gather(*(renewing_ahead.renew_ending(rt, HOUR) for rt in (world.rt, *others)))
    for rt in others:
        await rt.outbound.close()
    assert await refreshes(world, "github") == 2
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 0
    for ended in people.values():
        found = await access_token.fresh(world.rt, world.project, ended.view.user.id, "github")
        assert found.access_token != ended.tokens.access_token
    assert await refreshes(world, "github") == 2


async def test_what_is_dead_cooling_or_past_its_end_is_left_alone(world: World) -> None:
    await world.control("counts", "DELETE")
    ended = await world.sign_in("github", "ada")
    life = ended.tokens.expires_at - world.clock()
    world.clock.ahead += life - 30 * MINUTE
    await world.control("faults", provider="github", endpoint="token", kind="server_error", times=1, retry_after=600)
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 1
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 0  # it cools down
    world.clock.ahead += 11 * MINUTE
    await world.control("simulate-refresh-error", provider="github", error="bad_refresh_token")
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 1
    assert await decisions(world, ended.view.user.id) == ["unavailable", "revoked"]
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 0  # it is dead
    again = await world.sign_in("github", "ada")
    world.clock.ahead += again.tokens.expires_at - world.clock() + MINUTE
    assert await renewing_ahead.renew_ending(world.rt, HOUR) == 0  # whoever asks for it waits, as ever


async def test_a_longer_time_than_a_tokens_life_renews_it_once_in_its_second_half(world: World) -> None:
    await world.control("counts", "DELETE")
    ended = await world.sign_in("github", "ada")
    assert await renewing_ahead.renew_ending(world.rt, 365 * DAY) == 0
    world.clock.ahead += (ended.tokens.expires_at - world.clock()) * 2 // 3
    assert await renewing_ahead.renew_ending(world.rt, 365 * DAY) == 1
    assert await renewing_ahead.renew_ending(world.rt, 365 * DAY) == 0
    assert await refreshes(world, "github") == 1


async def test_nothing_is_renewed_ahead_unless_the_operator_wants_it(world: World) -> None:
    await world.control("counts", "DELETE")
    ended = await world.sign_in("github", "ada")
    world.clock.ahead += ended.tokens.expires_at - world.clock() - 10 * MINUTE
    assert await background.refresh_ahead(world.rt) == 0
    wanted = replace(world.rt, settings=replace(world.rt.settings, refresh_ahead_seconds=900))
    assert await background.refresh_ahead(wanted) == 1
    assert await refreshes(world, "github") == 1
