"""The races of P2 and P3, really run in parallel: in one process, and over several on one PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from oneself.actions import accounts, attach, users
from oneself.actions.accounts import AccountChanges, NewAccount
from oneself.actions.attach import AttachAsker
from oneself.actions.users import NewUser
from oneself.faults import Fault, FaultCode
from tests.actions.conftest import World, session_ref

MANY = 50


async def outcomes(calls: Sequence[Awaitable[Any]]) -> tuple[list[Any], list[FaultCode]]:
    """What came of calls made at once: values, and the codes of faults; anything else is raised."""
    values, codes = [], []
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, Fault):
            codes.append(result.code)
        elif isinstance(result, BaseException):
            raise result
        else:
            values.append(result)
    return values, codes


async def test_fifty_copies_of_a_callback_make_one_exchange(world: World) -> None:
    started = await world.begin("github", "ada")
    params = await world.visit(started.location)
    await world.control("counts", "DELETE")
    landings = await asyncio.gather(*(world.land(started, params) for _ in range(MANY)))
    grants = {landing.grant for landing in landings if landing.grant}
    assert len(grants) == 1
    refused = {landing.fault.code for landing in landings if landing.fault}
    assert refused <= {FaultCode.FLOW_USED}
    counters = await world.control("counts", "GET")
    assert counters["github.token"] == 1
    assert (await world.redeem(grants.pop())).created


async def test_a_grant_is_redeemed_once_of_fifty(world: World) -> None:
    grant = await world.grant()
    redeemed, codes = await outcomes([world.redeem(grant) for _ in range(MANY)])
    assert len(redeemed) == 1
    assert codes == [FaultCode.GRANT_UNKNOWN] * (MANY - 1)


async def test_a_ticket_starts_one_trip_of_fifty(world: World) -> None:
    ada = await world.sign_in()
    ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(user_id=ada.view.user.id))
    started, codes = await outcomes([world.begin("github", ticket=ticket) for _ in range(MANY)])
    assert len(started) == 1
    assert codes == [FaultCode.TICKET_INVALID] * (MANY - 1)


async def test_one_new_account_signing_in_many_times_becomes_one_user(world: World) -> None:
    grants = [await world.grant("google", "ada") for _ in range(8)]
    redeemed, codes = await outcomes([world.redeem(grant) for grant in grants])
    assert codes == []
    assert len({one.view.user.id for one in redeemed}) == 1
    assert sum(one.created for one in redeemed) == 1


async def test_two_providers_with_one_address_at_once_become_one_user(world: World) -> None:
    for _ in range(5):
        grants = [await world.grant("google", "grace"), await world.grant("github", "grace")]
        redeemed, codes = await outcomes([world.redeem(grant) for grant in grants])
        assert codes == []
        assert len({one.view.user.id for one in redeemed}) == 1
        await users.delete(world.rt, world.project, redeemed[0].view.user.id)


async def test_an_account_goes_to_one_of_many_users(world: World) -> None:
    people = [await users.create(world.rt, world.project, NewUser(email=f"u{n}@x.example")) for n in range(20)]

    def wanted(user_id: str) -> NewAccount:
        return NewAccount(
            user_id=user_id, config_id="github", subject="77", allow_sign_in=True, allow_connected_accounts=True
        )

    added, codes = await outcomes([accounts.add(world.rt, world.project, wanted(person.user.id)) for person in people])
    assert len(added) == 1
    assert set(codes) == {FaultCode.ACCOUNT_SUBJECT_TAKEN}
    assert len(codes) == 19


async def test_one_user_gets_one_sign_in_account_per_provider(world: World) -> None:
    person = await users.create(world.rt, world.project, NewUser(email="a@x.example"))
    calls = [
        accounts.add(
            world.rt,
            world.project,
            NewAccount(
                user_id=person.user.id,
                config_id="github",
                subject=str(n),
                allow_sign_in=True,
                allow_connected_accounts=True,
            ),
        )
        for n in range(20)
    ]
    added, codes = await outcomes(calls)
    assert len(added) == 1
    assert set(codes) == {FaultCode.ACCOUNT_SLOT_TAKEN}


async def test_of_the_last_two_ways_in_one_stays(world: World) -> None:
    for _ in range(5):
        first = await world.sign_in("spotify", "ada")
        ticket = await attach.reserve(world.rt, world.project, "generic_oidc", AttachAsker(session=session_ref(first)))
        grant = await world.grant("generic_oidc", "linus", ticket=ticket)
        both = await world.redeem(grant, join=session_ref(first))
        assert len(both.view.accounts) == 2
        assert both.view.emails == ()
        removed, codes = await outcomes(
            [accounts.remove(world.rt, world.project, account.id, dialect="stytch") for account in both.view.accounts]
        )
        assert len(removed) == 1
        assert codes == [FaultCode.LAST_WAY_IN]
        await users.delete(world.rt, world.project, both.view.user.id)


async def test_unlink_against_sign_in_leaves_no_session_on_a_gone_account(world: World) -> None:
    for _ in range(5):
        ada = await world.sign_in("google", "ada")
        grant = await world.grant("google", "ada")
        _, codes = await outcomes(
            [
                world.redeem(grant),
                accounts.remove(world.rt, world.project, ada.account.id, dialect="stytch"),
            ]
        )
        assert set(codes) <= {FaultCode.ACCOUNT_NOT_FOUND}
        again = await world.sign_in("google", "ada")
        assert len([account for account in again.view.accounts if account.allow_sign_in]) == 1
        await users.delete(world.rt, world.project, again.view.user.id)


async def test_flags_against_flags_never_leave_two_owners(world: World) -> None:
    people = [await users.create(world.rt, world.project, NewUser(email=f"f{n}@x.example")) for n in range(6)]
    held = [
        await accounts.add(
            world.rt,
            world.project,
            NewAccount(
                user_id=person.user.id,
                config_id="github",
                subject="5",
                allow_sign_in=False,
                allow_connected_accounts=True,
            ),
        )
        for person in people
    ]
    changed, codes = await outcomes(
        [
            accounts.change(world.rt, world.project, one.user_id, one.id, AccountChanges(allow_sign_in=True))
            for one in held
        ]
    )
    assert len(changed) == 1
    assert set(codes) <= {FaultCode.ACCOUNT_SUBJECT_TAKEN}
