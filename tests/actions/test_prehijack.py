"""Somebody who waits inside an account that the mailbox's owner will come to: nothing of theirs is left in it."""

from oneself.actions import addresses, history, sessions, sign_up, users
from oneself.actions.accounts import NewAccount
from oneself.actions.accounts import add as add_account
from oneself.actions.addresses import AddressFields
from oneself.actions.sign_up import PasswordSignUp
from oneself.actions.users import NewUser
from oneself.faults import Fault
from oneself.model import SessionRef
from oneself.rules.lifetimes import DAY
from oneself.steps.sessions import SessionWish
from tests.actions.conftest import World

STACK_WISH = SessionWish(kind="stack", lifetime=DAY)


def connected(user_id: str, *, sign_in: bool = False) -> NewAccount:
    """An account of the one who waits."""
    return NewAccount(
        user_id=user_id,
        config_id="spotify",
        subject="waiting",
        allow_sign_in=sign_in,
        allow_connected_accounts=True,
    )


async def test_a_reclaimed_user_keeps_nothing_that_nobody_proved(world: World) -> None:
    wanted = PasswordSignUp(email="ada@corp.example", password_hash="x", session=STACK_WISH)
    waiting = await sign_up.with_password(world.rt, world.project, wanted)
    user_id = waiting.view.user.id
    more = AddressFields(address="waiting@evil.example", claims_sign_in=True)
    await addresses.add(world.rt, world.project, user_id, more, "self")
    await add_account(world.rt, world.project, connected(user_id))
    ada = await world.sign_in("google", "ada")
    assert ada.view.user.id == user_id
    assert ada.reset_sessions
    kept = await users.read(world.rt, world.project, user_id)
    assert kept == ada.view
    assert [email.address for email in kept.emails] == ["ada@corp.example"]
    assert [account.provider for account in kept.accounts] == ["google"]
    assert kept.user.password_hash == ""
    gone = SessionRef(token=waiting.token)
    try:
        await sessions.authenticate(world.rt, world.project, "stack", gone)
    except Fault as fault:
        assert fault.code == "session_not_found"
    else:
        raise AssertionError("the session of the one who waited lives on")


async def test_an_anonymous_user_who_is_reclaimed_is_not_anonymous_any_more(world: World) -> None:
    waiting = await sign_up.anonymously(world.rt, world.project, STACK_WISH)
    claimed = AddressFields(address="ada@corp.example", claims_sign_in=True, is_primary=True)
    await addresses.add(world.rt, world.project, waiting.view.user.id, claimed, "self")
    ada = await world.sign_in("google", "ada")
    assert ada.view.user.id == waiting.view.user.id
    kept = await users.read(world.rt, world.project, ada.view.user.id)
    assert not kept.user.is_anonymous


async def test_the_honest_owner_of_a_proved_address_keeps_all_that_is_theirs(world: World) -> None:
    server_made = await users.create(world.rt, world.project, NewUser(email="ada@corp.example", email_verified=True))
    user_id = server_made.user.id
    more = AddressFields(address="ada@home.example", claims_sign_in=True)
    await addresses.add(world.rt, world.project, user_id, more, "self")
    await add_account(world.rt, world.project, connected(user_id))
    ada = await world.sign_in("google", "ada")
    assert ada.view.user.id == user_id
    kept = await users.read(world.rt, world.project, user_id)
    assert len(kept.emails) == 2
    assert {account.provider for account in kept.accounts} == {"google", "spotify"}


async def test_an_address_that_goes_to_whoever_proved_it_leaves_a_row_in_both_histories(world: World) -> None:
    squatter = await users.create(world.rt, world.project, NewUser(email="ada@corp.example"))
    await add_account(world.rt, world.project, connected(squatter.user.id, sign_in=True))
    ada = await world.sign_in("google", "ada")
    assert ada.created
    left = await users.read(world.rt, world.project, squatter.user.id)
    assert left.emails == ()
    assert [account.subject for account in left.accounts] == ["waiting"]
    newest = (await history.of_user(world.rt, world.project, squatter.user.id, 1))[0]
    assert (newest.action, newest.decision) == ("email.remove", "moved")
    assert newest.user_version == left.user.version
