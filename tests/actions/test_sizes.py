"""What is too long is refused in the same way on both databases, and leaves nothing behind."""

from collections.abc import Awaitable
from typing import Any

import pytest

from oneself.actions import accounts, users
from oneself.actions.accounts import AccountChanges, NewAccount
from oneself.actions.users import NewLinkedAccount, NewUser
from oneself.faults import Fault, FaultCode
from tests.actions.conftest import World

LONGEST = "é" * 255


async def refused(call: Awaitable[Any]) -> None:
    """The call is refused as asking for what cannot be."""
    with pytest.raises(Fault) as fault:
        await call
    assert fault.value.code is FaultCode.REQUEST_INVALID


def wanted(user_id: str, subject: str) -> NewAccount:
    """An account with this id at its provider."""
    return NewAccount(
        user_id=user_id, config_id="github", subject=subject, allow_sign_in=False, allow_connected_accounts=True
    )


async def test_an_account_id_is_as_long_as_a_provider_may_give_one(world: World) -> None:
    rt, project = world.rt, world.project
    ada = await users.create(rt, project, NewUser(email="ada@x.example"))
    user_id = ada.user.id
    for length in (256, 100_000):
        await refused(accounts.add(rt, project, wanted(user_id, "x" * length)))
    added = await accounts.add(rt, project, wanted(user_id, LONGEST))
    await refused(accounts.change(rt, project, user_id, added.id, AccountChanges(subject="x" * 256)))
    changed = await accounts.change(rt, project, user_id, added.id, AccountChanges(subject="y" * 255))
    assert changed.subject == "y" * 255
    linked = (NewLinkedAccount(config_id="github", subject="x" * 256),)
    await refused(users.create(rt, project, NewUser(email="bob@x.example", accounts=linked)))
    linked = (NewLinkedAccount(config_id="github", subject=LONGEST),)
    assert (await users.create(rt, project, NewUser(email="bob@x.example", accounts=linked))).accounts


async def test_a_trip_is_a_small_row(world: World) -> None:
    for more in ({"app_state": "x" * 20_000}, {"error_url": "https://app.example/" + "x" * 20_000}):
        async with world.count() as counts:
            await refused(world.begin(**more))
        assert counts.statements == []
    assert (await world.begin(app_state="x" * 4_000)).location
