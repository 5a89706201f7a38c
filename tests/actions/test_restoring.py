"""After a restore nothing works that may have worked already, and nothing more than that is lost."""

from __future__ import annotations

import pytest

from oneself.actions import access_token, attach, history, restoring, sessions
from oneself.actions.attach import AttachAsker
from oneself.crypto.seal import KeyRing, generate_line
from oneself.faults import Fault, FaultCode
from oneself.store import vault
from oneself.store.restores import RestoreState
from tests.actions.conftest import World, opened_runtime, session_ref
from tests.actions.test_access_token import connected, refreshes


async def test_what_works_once_is_void_and_the_next_one_works(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(user_id=ada.view.user.id))
    started = await world.begin("github", "linus")
    params = await world.visit(started.location)
    grant = await world.grant("github", "linus")
    restored = await restoring.finish(world.rt, 0, end_sessions=False)
    assert restored.voided.flows == 3
    with pytest.raises(Fault) as no_ticket:
        await world.begin("github", "linus", ticket=ticket)
    assert no_ticket.value.code is FaultCode.TICKET_INVALID
    with pytest.raises(Fault) as no_flow:
        await world.land(started, params)
    assert no_flow.value.code is FaultCode.FLOW_UNKNOWN
    with pytest.raises(Fault) as no_grant:
        await world.redeem(grant)
    assert no_grant.value.code is FaultCode.GRANT_UNKNOWN
    assert (await world.sign_in("github", "linus")).created


async def test_sessions_end_only_where_that_is_asked_for(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    assert (await restoring.finish(world.rt, 0, end_sessions=False)).voided.sessions == 0
    await sessions.authenticate(world.rt, world.project, "stytch", session_ref(ada))
    assert (await restoring.finish(world.rt, 0, end_sessions=True)).voided.sessions == 1
    with pytest.raises(Fault) as ended:
        await sessions.authenticate(world.rt, world.project, "stytch", session_ref(ada))
    assert ended.value.code is FaultCode.SESSION_NOT_FOUND


async def test_a_grant_that_may_have_been_spent_since_is_told_as_lost_once_and_never_sent(world: World) -> None:
    user_id, _ = await connected(world, "github")
    assert (await restoring.finish(world.rt, 0, end_sessions=False)).voided.doubtful_grants == 1
    for ambiguous in (True, None):
        with pytest.raises(Fault) as lost:
            await access_token.fresh(world.rt, world.project, user_id, "github")
        assert lost.value.code is FaultCode.RECONNECT_NEEDED
        assert lost.value.facts.get("ambiguous") is ambiguous
    assert await refreshes(world, "github") == 0
    entries = await history.of_user(world.rt, world.project, user_id, 10)
    assert [entry.decision for entry in entries if entry.action == "token.refresh"] == ["ambiguous"]
    # consent brings it back
    await world.sign_in("github", "ada")
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token


async def test_a_grant_that_may_be_used_again_goes_on(world: World) -> None:
    user_id, old = await connected(world, "spotify")
    assert (await restoring.finish(world.rt, 0, end_sessions=False)).voided.doubtful_grants == 1
    fresh = await access_token.fresh(world.rt, world.project, user_id, "spotify")
    assert fresh.access_token != old.access_token
    assert await refreshes(world, "spotify") == 1


async def test_a_token_that_is_fresh_was_not_refreshed_since_and_is_not_in_doubt(world: World) -> None:
    ended = await world.sign_in("github", "ada")
    user_id = ended.view.user.id
    assert (await restoring.finish(world.rt, 0, end_sessions=False)).voided.doubtful_grants == 0
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")) == ended.tokens
    world.clock.ahead += ended.tokens.expires_at - world.clock() + 1
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")) != ended.tokens


async def test_an_epoch_is_above_the_databases_and_the_settings(world: World) -> None:
    assert await restoring.state(world.rt) == RestoreState(epoch=0, is_copy=False)
    assert (await restoring.finish(world.rt, 0, end_sessions=False)).epoch == 1
    assert (await restoring.finish(world.rt, 6, end_sessions=False)).epoch == 7
    assert (await restoring.finish(world.rt, 2, end_sessions=False)).epoch == 8
    assert await restoring.state(world.rt) == RestoreState(epoch=8, is_copy=False)
    entries = await history.of_user(world.rt, world.project, "", 10)
    assert sorted(entry.reason for entry in entries) == ["epoch_1", "epoch_7", "epoch_8"]


async def test_a_proof_opens_everything_and_finds_what_does_not_open(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    await world.sign_in("github", "linus")
    proof = await restoring.prove(world.rt)
    assert (proof.users, proof.accounts, proof.token_sets) == (2, 2, 2)
    assert proof.client_secrets == 7
    (kept,) = await vault.of_user(world.rt.db, world.project.id, ada.view.user.id)
    swapped = bytes([*kept.sealed[:-1], kept.sealed[-1] ^ 1])
    broken_set = vault.NewTokens(kept.account_id, kept.scopes, swapped, True, 0)
    await world.rt.db.write(lambda tx: vault.put(tx, world.project.id, broken_set))
    with pytest.raises(Fault) as broken:
        await restoring.prove(world.rt)
    assert broken.value.code is FaultCode.SEAL_BROKEN
    stranger = KeyRing.parse(generate_line(lambda n: b"x" * n), lambda n: b"x" * n)
    other = await opened_runtime(world.rt.db, world.clock, stranger, world.emulator)
    with pytest.raises(Fault) as locked:
        await restoring.prove(other)
    assert locked.value.code is FaultCode.MASTER_KEY_MISSING
    await other.outbound.close()
