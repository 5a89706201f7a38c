"""Users are told of every change of the ways in, in both dialects, at addresses that they had proved before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from oneself.actions import accounts, addresses, attach, exchange, importing, mailing, projects, sign_up, users
from oneself.actions.accounts import AccountChanges, NewAccount
from oneself.actions.addresses import AddressFields
from oneself.actions.attach import AttachAsker
from oneself.actions.importing import ImportWish
from oneself.actions.mailing import KeptLetter
from oneself.actions.sign_up import PasswordSignUp
from oneself.actions.users import NewUser, UserChanges
from oneself.faults import Fault, FaultCode
from oneself.model import EmailRecord, ProjectConfig, UserRecord, UserView
from oneself.store import users as user_store
from oneself.store.database import Tx
from tests.actions.conftest import WISH, World, emulator, world
from tests.stack.wire import fresh_email

__all__ = ["emulator", "world"]


@pytest.fixture
def told(world: World) -> World:
    """The world, where letters are kept."""
    world.rt = replace(world.rt, settings=replace(world.rt.settings, keep_mail=True))
    return world


async def letters(world: World) -> list[KeptLetter]:
    return await mailing.newest(world.rt)


async def somebody(world: World, **more: Any) -> UserView:
    values: dict[str, Any] = {"email": fresh_email(), "email_verified": True} | more
    return await users.create(world.rt, world.project, NewUser(**values))


async def attach_grant(world: World, user_id: str, provider: str, persona: str) -> str:
    """The grant of a trip that links an account to a user."""
    ticket = await attach.reserve(world.rt, world.project, provider, AttachAsker(user_id=user_id))
    return await world.grant(provider, persona, ticket=ticket)


async def test_a_linked_account_is_told_of_and_costs_one_statement(told: World) -> None:
    ada = await told.sign_in("google", "ada")
    assert await letters(told) == []
    silent = replace(told.rt, settings=replace(told.rt.settings, keep_mail=False))
    costs = []
    for rt, provider in ((silent, "spotify"), (told.rt, "gitlab")):
        grant = await attach_grant(told, ada.view.user.id, provider, "nemo")
        told.rt = rt
        async with told.count() as counts:
            linked = await told.redeem(grant)
        told.rt = replace(rt, settings=replace(rt.settings, keep_mail=True))
        assert linked.view.user.id == ada.view.user.id
        assert counts.commits == 1
        costs.append(len(counts.statements))
    assert costs[1] == costs[0] + 1
    (letter,) = await letters(told)
    primary = ada.view.primary_email
    assert primary is not None
    assert (letter.kind, letter.to, letter.state) == ("account_linked", primary.address, "kept")
    assert "GitLab" in letter.text
    assert "If it was not you" in letter.text
    # a sign-in with it is nothing new
    await told.sign_in("gitlab", "nemo")
    assert len(await letters(told)) == 1


async def test_a_refused_link_tells_nobody(told: World) -> None:
    ada, grace = await told.sign_in("google", "ada"), await told.sign_in("github", "grace")
    started = await attach_grant(told, ada.view.user.id, "spotify", "ada")
    await users.delete(told.rt, told.project, ada.view.user.id)
    with pytest.raises(Exception, match=r"asker_gone|user"):
        await told.redeem(started)
    assert await letters(told) == []
    await told.redeem(await attach_grant(told, grace.view.user.id, "spotify", "grace"))
    assert [letter.kind for letter in await letters(told)] == ["account_linked"]


def added(view: UserView, subject: str, *, sign_in: bool) -> NewAccount:
    return NewAccount(
        user_id=view.user.id, config_id="github", subject=subject, allow_sign_in=sign_in, allow_connected_accounts=True
    )


async def test_a_servers_word_is_told_of_too_where_the_account_may_sign_in(told: World) -> None:
    view = await somebody(told)
    tokens_only = await accounts.add(told.rt, told.project, added(view, "one", sign_in=False))
    assert await letters(told) == []
    on = AccountChanges(allow_sign_in=True)
    await accounts.change(told.rt, told.project, view.user.id, tokens_only.id, on)
    await accounts.change(told.rt, told.project, view.user.id, tokens_only.id, on)
    assert len(await letters(told)) == 1
    off = AccountChanges(allow_sign_in=False)
    await accounts.change(told.rt, told.project, view.user.id, tokens_only.id, off)
    assert len(await letters(told)) == 1
    await accounts.add(told.rt, told.project, added(view, "two", sign_in=True))
    assert [letter.to for letter in await letters(told)] == [view.emails[0].address] * 2


async def test_a_new_password_is_told_of_at_the_address_before_the_change(told: World) -> None:
    view = await somebody(told)
    taken_over = UserChanges(password_hash="hash", primary_email=fresh_email(), primary_email_verified=True)
    await users.change(told.rt, told.project, view.user.id, taken_over)
    found = sorted((letter.kind, letter.to) for letter in await letters(told))
    old = view.emails[0].address
    assert found == [("address_added", old), ("password_changed", old)]
    for silent in (UserChanges(display_name="Ada"), UserChanges(password_hash=""), UserChanges(password_hash="")):
        await users.change(told.rt, told.project, view.user.id, silent)
    assert len(await letters(told)) == 2


async def test_an_address_that_nobody_proved_is_told_nothing(told: World) -> None:
    view = await somebody(told, email_verified=False)
    await users.change(told.rt, told.project, view.user.id, UserChanges(password_hash="hash"))
    await accounts.add(told.rt, told.project, added(view, "three", sign_in=True))
    assert await letters(told) == []
    honest = await somebody(told)
    await users.change(told.rt, told.project, honest.user.id, UserChanges(password_hash="hash"))
    assert len(await letters(told)) == 1


async def test_a_project_may_keep_still(told: World) -> None:
    quiet: Callable[[ProjectConfig], ProjectConfig] = lambda config: msgspec.structs.replace(  # noqa: E731
        config, mail_notices=False
    )
    told.project = await projects.change_config(told.rt, told.project, quiet)
    view = await somebody(told, totp_secret=b"a secret of twenty by")
    loud = UserChanges(password_hash="hash", totp_secret=b"", primary_email=fresh_email())
    await users.change(told.rt, told.project, view.user.id, loud)
    assert await letters(told) == []


async def test_names_in_letters_are_text(told: World) -> None:
    told.project = await projects.rename(told.rt, told.project, "Shop\r\nBcc: x@evil.example <script>&")
    view = await somebody(told)
    await users.change(told.rt, told.project, view.user.id, UserChanges(password_hash="hash"))
    (letter,) = await letters(told)
    assert letter.subject == "Your password at Shop Bcc: x@evil.example <script>& was changed"
    assert "<script>" not in letter.html
    assert "&lt;script&gt;&amp;" in letter.html


async def told_since(world: World, before: set[str]) -> list[tuple[str, str, str]]:
    """What was written since, in order of its kind and address: the kind, to whom, the text."""
    fresh = [one for one in await letters(world) if one.id not in before]
    before.update(one.id for one in fresh)
    return sorted((one.kind, one.to, one.text) for one in fresh)


async def test_a_new_address_that_may_sign_in_is_told_of_at_all_that_were_proved(told: World) -> None:
    view = await somebody(told, email_claims_sign_in=False)
    first, user_id, seen = view.emails[0].address, view.user.id, set[str]()
    # theirs by now, and the primary one, but not the only reader
    second = await addresses.add(
        told.rt, told.project, user_id, AddressFields(address=fresh_email(), is_primary=True, verified=True), "backend"
    )
    unproved = await addresses.add(told.rt, told.project, user_id, AddressFields(address=fresh_email()), "self")
    assert await told_since(told, seen) == []
    third = AddressFields(address=fresh_email(), claims_sign_in=True, verified=True)
    async with told.count() as counts:
        await addresses.add(told.rt, told.project, user_id, third, "self")
    assert counts.commits == 1
    found = await told_since(told, seen)
    assert [(kind, to) for kind, to, _ in found] == [("address_added", to) for to in sorted((first, second.address))]
    for _, _, text in found:
        assert str(third.address) in text
        assert " UTC)" in text
        assert "If it was not you" in text
        assert unproved.address not in text


async def test_an_address_is_told_of_when_it_may_sign_in_and_not_again(told: World) -> None:
    view = await somebody(told, email_claims_sign_in=False)
    first, user_id, seen = view.emails[0].address, view.user.id, set[str]()
    other = await addresses.add(told.rt, told.project, user_id, AddressFields(address=fresh_email()), "self")

    async def changed(**fields: Any) -> list[tuple[str, str]]:
        await addresses.change(told.rt, told.project, user_id, other.id, AddressFields(**fields), "self")
        return [(kind, to) for kind, to, _ in await told_since(told, seen)]

    assert await changed(address=fresh_email()) == []
    assert await changed(claims_sign_in=True) == [("address_added", first)]
    assert await changed(claims_sign_in=True) == []
    assert await changed(is_primary=True) == []
    moved = fresh_email()
    assert await changed(address=moved) == [("address_added", first)]
    moved = moved.replace("person", "Person")
    assert await changed(address=moved) == []
    # proved by now: the mailbox that loses the account is told where it went
    assert await changed(verified=True) == []
    assert await changed(address=fresh_email()) == [("address_added", to) for to in sorted((first, moved))]
    assert await changed(claims_sign_in=False) == []


async def test_another_primary_address_is_told_of_where_it_may_sign_in(told: World) -> None:
    view = await somebody(told)
    first, user_id, seen, second = view.emails[0].address, view.user.id, set[str](), fresh_email()
    await users.change(told.rt, told.project, user_id, UserChanges(primary_email=first))
    assert await told_since(told, seen) == []
    changes = UserChanges(primary_email=second, primary_email_verified=True)
    await users.change(told.rt, told.project, user_id, changes)
    ((kind, to, text),) = await told_since(told, seen)
    assert (kind, to) == ("address_added", first)
    assert second in text
    for quiet in (changes, UserChanges(primary_email_claims_sign_in=False)):
        await users.change(told.rt, told.project, user_id, quiet)
    assert await told_since(told, seen) == []
    # another one that may not sign in takes its place: that it is gone is told of then
    await users.change(told.rt, told.project, user_id, UserChanges(primary_email=fresh_email()))
    ((kind, to, text),) = await told_since(told, seen)
    assert (kind, to) == ("address_removed", second)
    assert second in text


async def test_an_exchanged_address_is_told_of_at_the_one_before(told: World) -> None:
    view = await somebody(told)
    first, second, seen = view.emails[0].address, fresh_email(), set[str]()
    await exchange.exchange(told.rt, told.project, view.user.id, second, "")
    ((kind, to, text),) = await told_since(told, seen)
    assert (kind, to) == ("address_added", first)
    assert second in text
    # the one that is there now was never proved, and is not told what comes after it
    await exchange.exchange(told.rt, told.project, view.user.id, fresh_email(), "")
    assert await told_since(told, seen) == []
    # nor is one that is there again, and not proved any more
    same = await somebody(told)
    for expected in ([("address_removed", same.emails[0].address)], []):
        await exchange.exchange(told.rt, told.project, same.user.id, same.emails[0].address, "")
        assert [(kind, to) for kind, to, _ in await told_since(told, seen)] == expected


async def test_an_address_that_is_gone_is_told_of_before_nobody_reads_what_follows(told: World) -> None:
    view = await somebody(told, email_claims_sign_in=False)
    mine, user_id, seen = view.emails[0], view.user.id, set[str]()
    unproved = await addresses.add(told.rt, told.project, user_id, AddressFields(address=fresh_email()), "self")
    await addresses.remove(told.rt, told.project, user_id, unproved.id, "self")
    assert await told_since(told, seen) == []
    async with told.count() as counts:
        await addresses.remove(told.rt, told.project, user_id, mine.id, "self")
    assert counts.commits == 1
    theirs = AddressFields(address=fresh_email(), claims_sign_in=True, verified=True)
    await addresses.add(told.rt, told.project, user_id, theirs, "self")
    ((kind, to, text),) = await told_since(told, seen)
    assert (kind, to) == ("address_removed", mine.address)
    assert mine.address in text
    assert "If it was not you" in text


@pytest.mark.parametrize("way", ["text", "proof", "server", "none"])
async def test_every_way_to_lose_a_proved_address_is_told_of(told: World, way: str) -> None:
    view = await somebody(told, email_claims_sign_in=False)
    mine, user_id = view.emails[0], view.user.id
    other = AddressFields(address=fresh_email(), verified=True)
    second = await addresses.add(told.rt, told.project, user_id, other, "backend")
    rt, project = told.rt, told.project
    if way == "text":
        await addresses.change(rt, project, user_id, mine.id, AddressFields(address=fresh_email()), "self")
    elif way == "proof":
        await addresses.change(rt, project, user_id, mine.id, AddressFields(verified=False), "self")
    elif way == "server":
        await users.remove_email(rt, project, mine.id, "stack")
    else:
        await users.change(rt, project, user_id, UserChanges(primary_email=""))
    both = sorted((mine.address, second.address))
    assert sorted((one.kind, one.to) for one in await letters(told)) == [("address_removed", to) for to in both]


async def test_an_unlinked_account_takes_its_proof_along_and_that_is_told_of(told: World) -> None:
    await told.with_policy(keep_last_way_in=False)
    ada = await told.sign_in("google", "ada")
    await told.redeem(await attach_grant(told, ada.view.user.id, "spotify", "nemo"))
    seen = {one.id for one in await letters(told)}
    by_provider = {one.provider: one for one in (await users.read(told.rt, told.project, ada.view.user.id)).accounts}
    await accounts.remove(told.rt, told.project, by_provider["spotify"].id, dialect="stytch")
    assert await told_since(told, seen) == []
    await accounts.remove(told.rt, told.project, by_provider["google"].id, dialect="stytch")
    ((kind, to, _),) = await told_since(told, seen)
    assert (kind, to) == ("address_removed", ada.view.emails[0].address)


async def test_an_address_that_a_known_account_brings_is_told_of(told: World) -> None:
    ada = await told.sign_in("google", "ada")
    old, seen = ada.view.emails[0].address, set[str]()
    await told.sign_in("google", "ada")
    assert await told_since(told, seen) == []
    moved = fresh_email()
    await told.control("personas/ada", "PATCH", email=moved, email_verified=True)
    again = await told.sign_in("google", "ada")
    assert again.view.user.id == ada.view.user.id
    ((kind, to, text),) = await told_since(told, seen)
    assert (kind, to) == ("address_added", old)
    assert moved in text
    await told.sign_in("google", "ada")
    assert await told_since(told, seen) == []


async def test_first_addresses_and_imports_are_no_news(told: World) -> None:
    seen = set[str]()
    await told.sign_in("google", "grace")
    wanted = PasswordSignUp(email=fresh_email(), password_hash="hash", session=WISH)
    first = await sign_up.with_password(told.rt, told.project, wanted)
    rows = [
        UserRecord(id=first.view.user.id, emails=tuple(EmailRecord(address=one, verified=True) for one in addressed))
        for addressed in ((wanted.email,), (wanted.email, fresh_email()))
    ]
    report = await importing.run(
        told.rt, told.project, [(n, row, 0) for n, row in enumerate(rows, 1)], ImportWish(source="stytch")
    )
    assert (report.completed, report.refused) == (2, 0)
    assert await told_since(told, seen) == []


async def test_a_second_factor_that_goes_or_is_replaced_is_told_of_at_all_proved_addresses(told: World) -> None:
    view = await somebody(told, totp_secret=b"a secret of twenty by")
    first, user_id, seen, second = view.emails[0].address, view.user.id, set[str](), fresh_email()
    taken_over = AddressFields(address=second, is_primary=True, verified=True)
    await addresses.add(told.rt, told.project, user_id, taken_over, "backend")
    epochs = [(await users.read(told.rt, told.project, user_id)).user.security_epoch]

    async def changed(secret: bytes) -> list[tuple[str, str]]:
        after = await users.change(told.rt, told.project, user_id, UserChanges(totp_secret=secret))
        epochs.append(after.user.security_epoch)
        found = await told_since(told, seen)
        assert all("If it was not you" in text and " UTC)" in text for _, _, text in found)
        assert not any("secret" in text.lower() for _, _, text in found)
        return [(kind, to) for kind, to, _ in found]

    both = sorted((first, second))
    assert await changed(b"a secret of twenty by") == []
    assert await changed(b"another secret of it.") == [("second_factor_changed", to) for to in both]
    assert await changed(b"another secret of it.") == []
    assert await changed(b"") == [("second_factor_off", to) for to in both]
    assert await changed(b"") == []
    assert await changed(b"the third secret here") == [("second_factor_on", to) for to in both]
    assert [after - before for before, after in pairwise(epochs)] == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("secret", [b"", b"another secret of it."])
async def test_a_second_factor_that_does_not_open_any_more_can_still_be_taken_away(told: World, secret: bytes) -> None:
    view = await somebody(told, totp_secret=b"a secret of twenty by")
    sealed = view.user.extras["totp"]
    damaged = msgspec.structs.replace(view.user, extras={"totp": sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BA")})

    async def work(tx: Tx) -> None:
        await user_store.update(tx, told.project.id, damaged)

    await told.rt.db.write(work)
    after = await users.change(told.rt, told.project, view.user.id, UserChanges(totp_secret=secret))
    assert bool(after.user.extras.get("totp")) == bool(secret)
    kind = "second_factor_changed" if secret else "second_factor_off"
    assert [letter.kind for letter in await letters(told)] == [kind]
    # and what opens is compared: the same one again is no change
    again = await users.change(told.rt, told.project, view.user.id, UserChanges(totp_secret=secret))
    assert again.user.security_epoch == after.user.security_epoch


async def test_a_letter_is_one_statement_of_the_change_and_goes_with_it(told: World) -> None:
    costs = []
    for keep in (False, True):
        view = await somebody(told, totp_secret=b"a secret of twenty by")
        rt = replace(told.rt, settings=replace(told.rt.settings, keep_mail=keep))
        for changes in (UserChanges(totp_secret=b""), UserChanges(primary_email=fresh_email())):
            async with told.count() as counts:
                await users.change(rt, told.project, view.user.id, changes)
            assert counts.commits == 1
            costs.append(len(counts.statements))
    assert costs[2:] == [cost + 1 for cost in costs[:2]]
    # what is refused in the end told nobody
    seen = {one.id for one in await letters(told)}
    taken = await somebody(told)
    mine = await somebody(told, totp_secret=b"a secret of twenty by")
    refused = UserChanges(totp_secret=b"", primary_email=taken.emails[0].address)
    with pytest.raises(Fault) as fault:
        await users.change(told.rt, told.project, mine.user.id, refused)
    assert fault.value.code is FaultCode.EMAIL_IN_USE
    assert await told_since(told, seen) == []


async def test_no_more_than_ten_addresses_are_told(told: World) -> None:
    view = await somebody(told)
    own = [view.emails[0].address]
    for _ in range(11):
        more = AddressFields(address=fresh_email(), verified=True)
        own.append((await addresses.add(told.rt, told.project, view.user.id, more, "backend")).address)
    await users.change(told.rt, told.project, view.user.id, UserChanges(password_hash="hash"))
    assert {letter.to for letter in await letters(told)} == set(own[:10])
