"""Whole trips: sign in, sign up, attach; what each leg costs, and what it leaves behind."""

import dataclasses

import pytest

from oneself.actions import attach, history, sessions
from oneself.actions.attach import AttachAsker
from oneself.faults import Fault, FaultCode
from oneself.model import Secret
from oneself.rules.lifetimes import MINUTE, SECOND
from oneself.rules.limits import Meter
from tests.actions.conftest import CHALLENGE, LOGIN, SIGNUP, VERIFIER, World, session_ref


async def test_a_new_person_becomes_a_user_with_a_verified_address(world: World) -> None:
    ended = await world.sign_in("google", "ada")
    assert ended.created
    assert [email.address for email in ended.view.emails] == ["ada@corp.example"]
    assert ended.view.emails[0].verified_at > 0
    assert ended.account.provider == "google"
    assert ended.tokens.access_token
    assert ended.session is not None
    checked = await sessions.authenticate(world.rt, world.project, "stytch", session_ref(ended))
    assert checked.view.user.id == ended.view.user.id
    assert checked.view.accounts == ended.view.accounts
    assert checked.view.emails == ended.view.emails


async def test_the_same_person_comes_back_as_the_same_user(world: World) -> None:
    first = await world.sign_in("google", "ada")
    second = await world.sign_in("google", "ada")
    assert not second.created
    assert second.view.user.id == first.view.user.id
    assert second.account.id == first.account.id


async def test_two_providers_that_vouch_for_one_address_are_one_user(world: World) -> None:
    google = await world.sign_in("google", "ada")
    github = await world.sign_in("github", "ada")
    assert github.view.user.id == google.view.user.id
    assert [account.provider for account in github.view.accounts] == ["google", "github"]


async def test_an_address_that_nobody_vouches_for_never_links(world: World) -> None:
    google = await world.sign_in("google", "ada")
    spotify = await world.sign_in("spotify", "ada")
    assert spotify.created
    assert spotify.view.user.id != google.view.user.id
    assert spotify.view.emails == ()


async def test_a_self_hosted_issuer_vouches_for_nobody_unless_trusted(world: World) -> None:
    google = await world.sign_in("google", "ada")
    oidc = await world.sign_in("generic_oidc", "ada")
    assert oidc.created
    assert oidc.view.user.id != google.view.user.id


async def test_the_browser_goes_to_the_signup_url_first_and_to_the_login_url_later(world: World) -> None:
    for expected in (SIGNUP, LOGIN):
        started = await world.begin()
        landing = await world.land(started, await world.visit(started.location))
        assert landing.fault is None
        assert landing.return_url == expected
        await world.redeem(landing.grant)


async def test_an_attach_links_whatever_the_addresses_say(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    ticket = await attach.reserve(world.rt, world.project, "spotify", AttachAsker(user_id=ada.view.user.id))
    ended = await world.sign_in("spotify", "linus", ticket=ticket)
    assert ended.view.user.id == ada.view.user.id
    assert not ended.created
    assert {account.provider for account in ended.view.accounts} == {"google", "spotify"}
    entries = await history.of_user(world.rt, world.project, ada.view.user.id, 10)
    assert [(entry.action, entry.decision, entry.actor) for entry in entries] == [
        ("redeem.attach", "Link", "backend"),
        ("redeem.sign_in", "Create", "self"),
    ]


async def test_an_account_of_another_user_is_refused_and_stays(world: World) -> None:
    linus = await world.sign_in("github", "linus")
    ada = await world.sign_in("google", "ada")
    ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(user_id=ada.view.user.id))
    with pytest.raises(Fault) as refused:
        await world.grant("github", "linus", ticket=ticket)
    assert refused.value.code is FaultCode.ACCOUNT_IN_USE
    again = await world.sign_in("github", "linus")
    assert again.view.user.id == linus.view.user.id
    assert len(again.view.accounts) == 1


async def test_a_grant_ends_after_five_minutes(world: World) -> None:
    late = await world.grant(persona="grace")
    world.clock.ahead += 301 * SECOND
    with pytest.raises(Fault) as refused:
        await world.redeem(late)
    assert refused.value.code is FaultCode.GRANT_UNKNOWN
    in_time = await world.grant(persona="grace")
    world.clock.ahead += 290 * SECOND
    assert (await world.redeem(in_time)).created


@pytest.mark.parametrize(
    ("verifier", "code"),
    [(None, FaultCode.VERIFIER_MISSING), ("w" * 43, FaultCode.VERIFIER_MISMATCH)],
)
async def test_a_wrong_verifier_spends_the_grant_and_the_right_one_opens(
    world: World, verifier: str | None, code: FaultCode
) -> None:
    challenge = {"app_challenge": CHALLENGE, "app_challenge_method": "S256"}
    grant = await world.grant(**challenge)
    with pytest.raises(Fault) as wrong:
        await world.redeem(grant, verifier=Secret(verifier) if verifier else None)
    assert wrong.value.code is code
    with pytest.raises(Fault) as spent:
        await world.redeem(grant, verifier=Secret(VERIFIER))
    assert spent.value.code is FaultCode.GRANT_UNKNOWN
    honest = await world.redeem(await world.grant(**challenge), verifier=Secret(VERIFIER))
    assert honest.created


async def test_a_verifier_without_a_challenge_is_refused(world: World) -> None:
    with pytest.raises(Fault) as refused:
        await world.redeem(await world.grant(), verifier=Secret(VERIFIER))
    assert refused.value.code is FaultCode.VERIFIER_UNEXPECTED


async def test_a_repeated_callback_gives_the_same_browser_the_same_grant(world: World) -> None:
    started = await world.begin()
    params = await world.visit(started.location)
    first = await world.land(started, params)
    second = await world.land(started, params)
    assert second.grant == first.grant != ""
    assert second.return_url == first.return_url
    stranger = await world.land(started, params, cookie="")
    assert stranger.fault is not None and stranger.fault.code is FaultCode.FLOW_COOKIE_MISSING
    await world.redeem(first.grant)
    with pytest.raises(Fault) as gone:
        await world.land(started, params)
    assert gone.value.code is FaultCode.FLOW_UNKNOWN


async def test_a_callback_without_the_cookie_spends_nothing(world: World) -> None:
    started = await world.begin()
    params = await world.visit(started.location)
    for cookie in ("", "x" * 43):
        landing = await world.land(started, params, cookie=cookie)
        assert landing.fault is not None and landing.fault.code is FaultCode.FLOW_COOKIE_MISSING
    assert (await world.land(started, params)).grant


async def test_a_flow_expires_and_says_so(world: World) -> None:
    started = await world.begin()
    params = await world.visit(started.location)
    world.clock.ahead += 601 * 1_000_000
    landing = await world.land(started, params)
    assert landing.fault is not None and landing.fault.code is FaultCode.FLOW_EXPIRED


async def test_a_denied_consent_is_told_from_an_error(world: World) -> None:
    started = await world.begin(persona="deny")
    landing = await world.land(started, await world.visit(started.location))
    assert landing.fault is not None and landing.fault.code is FaultCode.PROVIDER_DENIED


async def test_a_spent_ticket_starts_nothing(world: World) -> None:
    ada = await world.sign_in()
    asker = AttachAsker(user_id=ada.view.user.id)
    ticket = await attach.reserve(world.rt, world.project, "github", asker)
    with pytest.raises(Fault) as elsewhere:
        await world.begin("google", ticket=ticket)
    assert elsewhere.value.code is FaultCode.TICKET_INVALID
    assert (await world.begin("github", ticket=ticket)).location
    with pytest.raises(Fault) as spent:
        await world.begin("github", ticket=ticket)
    assert spent.value.code is FaultCode.TICKET_INVALID
    late = await attach.reserve(world.rt, world.project, "github", asker)
    world.clock.ahead += 601 * 1_000_000
    with pytest.raises(Fault) as expired:
        await world.begin("github", ticket=late)
    assert expired.value.code is FaultCode.TICKET_INVALID


async def test_a_link_of_a_session_is_not_finished_by_somebody_else(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    grace = await world.sign_in("google", "grace")
    asker = AttachAsker(session=session_ref(ada))

    async def ticket() -> Secret:
        return await attach.reserve(world.rt, world.project, "github", asker)

    for join in (None, session_ref(grace)):
        grant = await world.grant("github", "linus", ticket=await ticket())
        with pytest.raises(Fault) as refused:
            await world.redeem(grant, join=join)
        assert refused.value.code is FaultCode.ATTACH_PROOF_MISSING
    grant = await world.grant("github", "linus", ticket=await ticket())
    honest = await world.redeem(grant, join=session_ref(ada))
    assert honest.view.user.id == ada.view.user.id
    assert honest.session is not None and ada.session is not None
    assert honest.session.id == ada.session.id
    assert [factor.provider for factor in honest.session.factors] == ["google", "github"]


async def test_an_attach_ends_with_the_session_that_asked(world: World) -> None:
    ada = await world.sign_in("google", "ada")
    ticket = await attach.reserve(world.rt, world.project, "github", AttachAsker(session=session_ref(ada)))
    challenge = {"app_challenge": CHALLENGE, "app_challenge_method": "S256"}
    grant = await world.grant("github", "linus", ticket=ticket, **challenge)
    await sessions.revoke(world.rt, world.project, "stytch", session_ref(ada))
    with pytest.raises(Fault) as refused:
        await world.redeem(grant, verifier=Secret(VERIFIER))
    assert refused.value.code is FaultCode.ASKER_GONE


async def test_starts_are_limited_by_address_and_project(world: World) -> None:
    limited = dataclasses.replace(world.rt.settings, starts_per_address=2, starts_per_project=2)
    world.rt = dataclasses.replace(world.rt, settings=limited, starts=Meter())
    # A whole minute lies ahead, so that none ends between two of these.
    world.clock.ahead += MINUTE - world.rt.clock() % MINUTE
    await world.begin(peer="192.0.2.1")
    await world.begin(peer="192.0.2.1")
    async with world.count() as counts:
        with pytest.raises(Fault) as refused:
            await world.begin(peer="192.0.2.1")
    assert refused.value.code is FaultCode.LIMIT_REACHED
    assert refused.value.facts["retry_after"] in range(1, 61)
    assert counts.statements == []
    with pytest.raises(Fault) as crowded:
        await world.begin(peer="192.0.2.2")
    assert crowded.value.code is FaultCode.LIMIT_REACHED
    world.clock.ahead += MINUTE
    assert (await world.begin(peer="192.0.2.1")).location
