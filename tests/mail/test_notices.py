"""Users are told of every new way in, in both dialects, at an address that they had proved before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from oneself.actions import accounts, attach, mailing, projects, users
from oneself.actions.accounts import AccountChanges, NewAccount
from oneself.actions.attach import AttachAsker
from oneself.actions.mailing import KeptLetter
from oneself.actions.users import NewUser, UserChanges
from oneself.model import ProjectConfig, UserView
from tests.actions.conftest import World, emulator, world
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
    (letter,) = await letters(told)
    assert (letter.kind, letter.to) == ("password_changed", view.emails[0].address)
    for silent in (UserChanges(display_name="Ada"), UserChanges(password_hash=""), UserChanges(password_hash="")):
        await users.change(told.rt, told.project, view.user.id, silent)
    assert len(await letters(told)) == 1


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
    view = await somebody(told)
    await users.change(told.rt, told.project, view.user.id, UserChanges(password_hash="hash"))
    assert await letters(told) == []


async def test_names_in_letters_are_text(told: World) -> None:
    told.project = await projects.rename(told.rt, told.project, "Shop\r\nBcc: x@evil.example <script>&")
    view = await somebody(told)
    await users.change(told.rt, told.project, view.user.id, UserChanges(password_hash="hash"))
    (letter,) = await letters(told)
    assert letter.subject == "Your password at Shop Bcc: x@evil.example <script>& was changed"
    assert "<script>" not in letter.html
    assert "&lt;script&gt;&amp;" in letter.html
