"""The vault under pressure: one refresh for all, outages that disconnect nobody, dead grants that do."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest

from oneself.actions import access_token, accounts, attach, history, mailing, renewing, users
from oneself.actions.attach import AttachAsker
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


def keep_mail(world: World) -> None:
    """Keep what would be mailed, to be looked at."""
    world.rt = replace(world.rt, settings=replace(world.rt.settings, keep_mail=True))


async def mailed(world: World) -> list[tuple[str, str]]:
    """What kinds of letters there are, and to whom."""
    return [(letter.kind, letter.to) for letter in await mailing.newest(world.rt)]


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
    keep_mail(world)
    user_id, old = await connected(world, "spotify")
    await world.control("revoke-refresh-token", provider="spotify", token=old.refresh_token)
    for _ in range(2):
        with pytest.raises(Fault) as refused:
            await access_token.fresh(world.rt, world.project, user_id, "spotify")
        assert refused.value.code is FaultCode.RECONNECT_NEEDED
    assert await refreshes(world, "spotify") == 1
    entries = await history.of_user(world.rt, world.project, user_id, 10)
    assert [entry.decision for entry in entries if entry.action == "token.refresh"] == ["revoked"]
    assert await mailed(world) == []  # whoever ended it knows
    again = await world.sign_in("spotify", "ada")
    assert again.view.user.id == user_id
    assert (await access_token.fresh(world.rt, world.project, user_id, "spotify")).access_token


async def test_a_refresh_whose_process_died_is_ambiguous_for_single_use_tokens(world: World) -> None:
    keep_mail(world)
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
        assert await mailed(world) == [("reconnect", "ada@corp.example")]
        letter = (await mailing.newest(world.rt))[0]
        assert "GitHub" in letter.subject
        assert "connect it again" in letter.text


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


async def decisions(world: World, user_id: str) -> list[str]:
    """What the audit tells of the user's refreshes, oldest first."""
    entries = await history.of_user(world.rt, world.project, user_id, 50)
    return [entry.decision for entry in reversed(entries) if entry.action == "token.refresh"]


async def test_a_lost_answer_is_told_once_and_only_the_providers_word_disconnects(world: World) -> None:
    keep_mail(world)
    user_id, _ = await connected(world, "github")
    # GitHub replaced the refresh token, and we never heard of it; twice we cannot even ask again
    await world.control("faults", provider="github", endpoint="token", times=1, kind="reset", after=True)
    await world.control("faults", provider="github", endpoint="token", times=1, kind="reset")
    for _ in range(2):
        with pytest.raises(Fault) as lost:
            await access_token.fresh(world.rt, world.project, user_id, "github")
        assert lost.value.code is FaultCode.PROVIDER_UNAVAILABLE
        assert await decisions(world, user_id) == ["ambiguous"]
        assert await mailed(world) == []
        world.clock.ahead += MINUTE
    with pytest.raises(Fault) as dead:
        await access_token.fresh(world.rt, world.project, user_id, "github")
    assert dead.value.code is FaultCode.RECONNECT_NEEDED
    assert dead.value.facts["ambiguous"] is True
    assert await decisions(world, user_id) == ["ambiguous", "revoked"]
    assert await mailed(world) == [("reconnect", "ada@corp.example")]
    await world.sign_in("github", "ada")
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token


async def test_a_request_that_was_lost_on_its_way_does_no_harm(world: World) -> None:
    user_id, _ = await connected(world, "github")
    await world.control("faults", provider="github", endpoint="token", times=1, kind="reset")
    with pytest.raises(Fault):
        await access_token.fresh(world.rt, world.project, user_id, "github")
    world.clock.ahead += MINUTE
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token
    assert await decisions(world, user_id) == ["ambiguous", "recovered"]


async def test_a_lost_answer_of_a_reusable_token_is_no_ambiguity(world: World) -> None:
    user_id, _ = await connected(world, "spotify")
    await world.control("faults", provider="spotify", endpoint="token", times=1, kind="reset", after=True)
    with pytest.raises(Fault):
        await access_token.fresh(world.rt, world.project, user_id, "spotify")
    world.clock.ahead += MINUTE
    assert (await access_token.fresh(world.rt, world.project, user_id, "spotify")).access_token
    assert await decisions(world, user_id) == ["unavailable", "recovered"]


async def test_during_an_outage_a_token_is_handed_out_to_its_end(world: World) -> None:
    user_id, old = await connected(world, "spotify")
    world.clock.ahead -= 2 * MINUTE
    await world.control("faults", provider="spotify", endpoint="token", times=0, kind="server_error")
    for _ in range(2):
        still = await access_token.fresh(world.rt, world.project, user_id, "spotify")
        assert still.access_token == old.access_token
    world.clock.ahead += 2 * MINUTE
    with pytest.raises(Fault):
        await access_token.fresh(world.rt, world.project, user_id, "spotify")
    assert await decisions(world, user_id) == ["unavailable"]


async def test_a_provider_that_refuses_our_client_disconnects_nobody(world: World) -> None:
    user_id, _ = await connected(world, "spotify")
    fault: dict[str, Any] = {"kind": "oauth_error", "error": "invalid_client", "status": 401}
    await world.control("faults", provider="spotify", endpoint="token", times=1, **fault)
    with pytest.raises(Fault) as refused:
        await access_token.fresh(world.rt, world.project, user_id, "spotify")
    assert refused.value.code is FaultCode.PROVIDER_MISCONFIGURED
    world.clock.ahead += MINUTE
    assert (await access_token.fresh(world.rt, world.project, user_id, "spotify")).access_token
    assert await decisions(world, user_id) == ["misconfigured", "recovered"]


@pytest.mark.parametrize("provider", ["gitlab", "yahoo"])
async def test_our_callback_uri_goes_along_where_the_provider_wants_it(world: World, provider: str) -> None:
    user_id, old = await connected(world, provider)
    for _ in range(2):
        new = await access_token.fresh(world.rt, world.project, user_id, provider)
        assert new.access_token != old.access_token
        old = new
        world.clock.ahead += DAY
    assert await refreshes(world, provider) == 2


async def test_a_token_that_is_traded_while_it_lives_is_traded_in_time(world: World) -> None:
    await world.control("counts", "DELETE")
    ended = await world.sign_in("facebook", "ada")
    user_id, old = ended.view.user.id, ended.tokens
    assert not old.refresh_token
    first = await access_token.fresh(world.rt, world.project, user_id, "facebook")
    assert first.access_token == old.access_token
    world.clock.ahead += (old.expires_at - world.clock()) * 2 // 3
    # the provider is away: what lives is handed out, and traded a little later
    await world.control("faults", provider="facebook", endpoint="token", times=1, kind="server_error")
    assert (await access_token.fresh(world.rt, world.project, user_id, "facebook")).access_token == old.access_token
    world.clock.ahead += MINUTE
    traded = await access_token.fresh(world.rt, world.project, user_id, "facebook")
    assert traded.access_token != old.access_token
    assert await decisions(world, user_id) == ["unavailable", "recovered"]


async def test_an_answer_that_came_too_late_brings_a_given_up_grant_back(world: World) -> None:
    """A process that slept longer than its lease, and woke up with the provider's answer in its hands."""
    user_id, _ = await connected(world, "github")
    sleeper = await opened_runtime(world.rt.db, world.clock, world.rt.ring, world.emulator)
    await world.control("faults", provider="github", endpoint="token", times=1, kind="delay", seconds=1.0)
    late = asyncio.create_task(access_token.fresh(sleeper, world.project, user_id, "github"))
    await asyncio.sleep(0.4)
    world.clock.ahead += MINUTE
    with pytest.raises(Fault) as given_up:
        await access_token.fresh(world.rt, world.project, user_id, "github")
    assert given_up.value.code is FaultCode.RECONNECT_NEEDED
    assert given_up.value.facts["ambiguous"] is True
    saved = await late
    await sleeper.outbound.close()
    assert await decisions(world, user_id) == ["ambiguous", "recovered"]
    again = await access_token.fresh(world.rt, world.project, user_id, "github")
    assert again.access_token == saved.access_token


async def test_unlinked_while_it_was_refreshed(world: World) -> None:
    user_id, _ = await connected(world, "github")
    await world.control("faults", provider="github", endpoint="token", times=1, kind="delay", seconds=0.6)
    reading = asyncio.create_task(access_token.fresh(world.rt, world.project, user_id, "github"))
    await asyncio.sleep(0.3)
    held = await accounts.listing(world.rt, world.project, user_id)
    await accounts.remove(world.rt, world.project, held[0].id, dialect="stack")
    with pytest.raises(Fault) as refused:
        await reading
    assert refused.value.code is FaultCode.CONNECTION_MISSING


async def test_a_stop_waits_for_refreshes_under_way(world: World) -> None:
    user_id, _ = await connected(world, "github")
    await world.control("faults", provider="github", endpoint="token", times=1, kind="delay", seconds=0.3)
    reader = asyncio.create_task(access_token.fresh(world.rt, world.project, user_id, "github"))
    await asyncio.sleep(0.1)
    reader.cancel()
    assert world.rt.refreshes
    await renewing.settle(world.rt)
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token
    assert await refreshes(world, "github") == 1


async def test_who_asks_at_once_is_given_what_he_asked_for(world: World) -> None:
    """Another user, another account, other scopes: each read is shared with its like alone."""
    more = "playlist-read-private"
    ada = await world.sign_in("spotify", "ada", scopes=(more,))
    grace = await world.sign_in("spotify", "grace")
    await world.sign_in("spotify", "ada")
    user_id = ada.view.user.id
    ticket = await attach.reserve(world.rt, world.project, "spotify", AttachAsker(user_id=user_id))
    await world.redeem(await world.grant("spotify", "nemo", ticket=ticket))
    subjects = [one.subject for one in (await users.read(world.rt, world.project, user_id)).accounts]
    asked: list[tuple[str, str, tuple[str, ...]]] = [
        (user_id, "", ()),
        (user_id, subjects[0], (more,)),
        (user_id, subjects[1], ()),
        (grace.view.user.id, "", ()),
    ]

    async def token(user: str, subject: str, scopes: tuple[str, ...]) -> str:
        found = await access_token.fresh(world.rt, world.project, user, "spotify", subject, scopes)
        return found.access_token

    alone = [await token(*one) for one in asked]
    assert len(set(alone)) == len(asked)
    assert await asyncio.gather(*(token(*one) for _ in range(5) for one in asked)) == alone * 5


async def test_many_who_are_refused_at_once_are_each_told_of_their_own_account(world: World) -> None:
    user_id, old = await connected(world, "spotify")
    ticket = await attach.reserve(world.rt, world.project, "spotify", AttachAsker(user_id=user_id))
    linked = await world.redeem(await world.grant("spotify", "nemo", ticket=ticket))
    world.clock.ahead += DAY
    for tokens in (old, linked.tokens):
        await world.control("revoke-refresh-token", provider="spotify", token=tokens.refresh_token)
    first, second = (await users.read(world.rt, world.project, user_id)).accounts

    async def told(subject: str) -> object:
        with pytest.raises(Fault) as refused:
            await access_token.fresh(world.rt, world.project, user_id, "spotify", subject)
        assert refused.value.code is FaultCode.RECONNECT_NEEDED
        return refused.value.facts["account_id"]

    found = await asyncio.gather(*(told(subject) for _ in range(5) for subject in ("", second.subject)))
    assert found == [first.id, second.id] * 5


async def test_a_second_consent_without_a_refresh_token_keeps_the_first_ones(world: World) -> None:
    first = await world.sign_in("google", "ada")
    assert first.tokens.refresh_token
    second = await world.sign_in("google", "ada")
    assert not second.tokens.refresh_token
    world.clock.ahead += DAY
    fresh = await access_token.fresh(world.rt, world.project, first.view.user.id, "google")
    assert fresh.access_token not in (first.tokens.access_token, second.tokens.access_token)
    assert fresh.refresh_token == first.tokens.refresh_token


async def test_scopes_without_measure_name_a_row_within_its_bounds(world: World) -> None:
    many = tuple(f"scope-{number:02}-{'x' * 80}" for number in range(40))
    ended = await world.sign_in("spotify", "ada", scopes=many)
    user_id = ended.view.user.id
    kept = await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=many[:5])
    assert kept.access_token == ended.tokens.access_token
    with pytest.raises(Fault) as refused:
        await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=many)
    assert refused.value.code is FaultCode.SCOPE_MISSING


async def test_a_refresh_that_brings_tokens_of_another_account_is_not_kept(world: World) -> None:
    user_id, old = await connected(world, "google")
    assert old.id_token
    await world.control("personas/ada", "PATCH", answers={"google": {"id_token": {"sub": "somebody-else"}}})
    with pytest.raises(Fault) as refused:
        await access_token.fresh(world.rt, world.project, user_id, "google")
    assert refused.value.code is FaultCode.PROVIDER_REPLY_INVALID
    await world.control("personas/ada", "PATCH", answers={})
    world.clock.ahead += 10 * SECOND
    honest = await access_token.fresh(world.rt, world.project, user_id, "google")
    assert honest.access_token != old.access_token
    assert honest.id_token not in ("", old.id_token)


async def test_ten_thousand_reads_of_a_dead_grant_ask_the_provider_once(world: World) -> None:
    user_id, old = await connected(world, "spotify")
    await world.control("revoke-refresh-token", provider="spotify", token=old.refresh_token)

    async def read() -> FaultCode:
        with pytest.raises(Fault) as refused:
            await access_token.fresh(world.rt, world.project, user_id, "spotify")
        return refused.value.code

    # at once, then again and again: the row answers, by one statement and no commit
    told = set(await asyncio.gather(*(read() for _ in range(1_000))))
    for _ in range(9):
        told |= set(await asyncio.gather(*(read() for _ in range(1_000))))
    assert told == {FaultCode.RECONNECT_NEEDED}
    assert await refreshes(world, "spotify") == 1
    assert await decisions(world, user_id) == ["revoked"]
    async with world.count() as counts:
        await read()
    assert (len(counts.statements), counts.commits) == (1, 0)


async def test_a_thousand_reads_in_an_outage_ask_once_for_each_pause(world: World) -> None:
    user_id, _ = await connected(world, "github")
    await world.control("faults", provider="github", endpoint="token", times=0, kind="server_error", retry_after=30)
    for pause in (1, 2):
        for _ in range(3):
            calls = [access_token.fresh(world.rt, world.project, user_id, "github") for _ in range(300)]
            told = await asyncio.gather(*calls, return_exceptions=True)
            assert {fault.code for fault in told if isinstance(fault, Fault)} == {FaultCode.PROVIDER_UNAVAILABLE}
            assert all(fault.facts["retry_after"] in range(1, 31) for fault in told if isinstance(fault, Fault))
        assert (await world.control("counts", "GET"))["github.token"] - 1 == pause
        world.clock.ahead += 31 * SECOND
    await world.control("faults", "DELETE")
    assert (await access_token.fresh(world.rt, world.project, user_id, "github")).access_token


async def test_a_provider_that_hangs_holds_up_nobody_elses_tokens(world: World) -> None:
    slow = [(await world.sign_in("github", name)).view.user.id for name in ("ada", "grace")]
    quick = [(await world.sign_in("spotify", name)).view.user.id for name in ("ada", "grace")]
    world.clock.ahead += DAY
    await world.control("faults", provider="github", endpoint="token", times=0, kind="delay", seconds=5)
    hanging = [
        asyncio.create_task(access_token.fresh(world.rt, world.project, user_id, "github"))
        for user_id in slow
        for _ in range(200)
    ]
    for user_id in quick:
        assert (await access_token.fresh(world.rt, world.project, user_id, "spotify")).access_token
    # all of the others are still waiting: nobody waited for them
    assert not any(task.done() for task in hanging)
    await world.control("faults", "DELETE")
    assert all(tokens.access_token for tokens in await asyncio.gather(*hanging))
    assert await refreshes(world, "github") == len(slow)


async def test_a_provider_that_narrows_a_grant_is_told_once_and_its_token_is_not_handed_out_for_more(
    world: World,
) -> None:
    await world.control("counts", "DELETE")
    kept, lost = "user-read-email", "playlist-read-private"
    ended = await world.sign_in("spotify", "ada", scopes=(lost,))
    user_id = ended.view.user.id
    assert {*ended.tokens.scopes} == {kept, lost}
    world.clock.ahead += DAY
    await world.control("personas/ada", "PATCH", answers={"spotify": {"token": {"scope": kept}}})
    for _ in range(3):
        found = await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=(kept,))
        assert found.scopes == (kept,)
        calls = await refreshes(world, "spotify")
        for _ in range(2):
            with pytest.raises(Fault) as refused:
                await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=(kept, lost))
            assert refused.value.code is FaultCode.SCOPE_MISSING
            assert refused.value.facts["account_id"]
        # who asks for what is gone causes no call
        assert await refreshes(world, "spotify") == calls
        world.clock.ahead += DAY
    # nor does an outage, in the last minutes of a token that has lost it
    world.clock.ahead -= DAY
    world.clock.ahead += found.expires_at - world.clock() - MINUTE
    await world.control("faults", provider="spotify", endpoint="token", times=0, kind="server_error")
    with pytest.raises(Fault) as away:
        await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=(kept, lost))
    assert away.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert (await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=(kept,))).scopes == (kept,)
    await world.control("faults", "DELETE")
    world.clock.ahead += DAY
    assert await decisions(world, user_id) == ["narrowed", "unavailable"]
    # what is asked for anew comes back with the next answer that has it
    await world.control("personas/ada", "PATCH", answers={})
    found = await access_token.fresh(world.rt, world.project, user_id, "spotify", scopes=(kept, lost))
    assert {*found.scopes} == {kept, lost}
