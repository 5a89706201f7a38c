"""A provider that changed how it names its accounts: rows under the old name and the present one live together."""

from oneself.actions import accounts
from oneself.actions.accounts import AccountChanges, NewAccount
from oneself.emulator.players import endpoints_for
from tests.actions.conftest import World


async def older_id(world: World, access_token: str) -> str:
    """How the provider named the account before."""
    headers = {"authorization": f"Bearer {access_token}"}
    address = endpoints_for("spotify", world.emulator)["userinfo"]
    async with world.http.get(address, headers=headers) as answer:
        return str((await answer.json())["id"])


async def test_an_older_id_gives_way_only_where_the_present_one_is_free(world: World) -> None:
    ada = await world.sign_in("spotify", "ada")
    user_id, present = ada.view.user.id, ada.account.subject
    older = await older_id(world, ada.tokens.access_token)
    assert older != present
    await accounts.change(world.rt, world.project, user_id, ada.account.id, AccountChanges(subject=older))
    honest = await world.sign_in("spotify", "ada")
    assert (honest.view.user.id, honest.account.subject) == (user_id, present)

    await accounts.change(world.rt, world.project, user_id, ada.account.id, AccountChanges(subject=older))
    beside = NewAccount(
        user_id=user_id, config_id="spotify", subject=present, allow_sign_in=False, allow_connected_accounts=True
    )
    await accounts.add(world.rt, world.project, beside)
    crowded = await world.sign_in("spotify", "ada")
    assert crowded.view.user.id == user_id
    assert sorted(account.subject for account in crowded.view.accounts) == sorted([present, older])
