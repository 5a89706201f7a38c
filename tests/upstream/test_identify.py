"""User documents that come late, wrong, or of somebody else."""

from __future__ import annotations

import pytest

from oneself.faults import Fault, FaultCode
from oneself.providers.github import GITHUB
from oneself.providers.google import GOOGLE
from oneself.upstream.http import Outbound
from oneself.upstream.identify import identify, probe
from oneself.upstream.replies import TokenAnswer
from tests.upstream import scripted
from tests.upstream.conftest import NOW
from tests.upstream.played import NONCE, claims_of, played
from tests.upstream.scripted import Scripted, says
from tests.upstream.signing import signed

ANSWER = TokenAnswer({"access_token": "at", "scope": "user:email"})
USER = says({"id": 1, "login": "one"})
EMAILS = says([{"email": "a@b.example", "primary": True, "verified": True}])


async def test_a_stumble_is_forgiven_twice(outbound: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = [says({}, 500), scripted.resets, USER]
    server.answers["/emails"] = EMAILS
    identity = await identify(outbound, played(GITHUB, server), ANSWER, nonce=None, now=NOW)
    assert identity.profile.email_verified
    assert len(server.calls("/userinfo")) == 3


async def test_not_three_times(outbound: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = says({}, 502)
    with pytest.raises(Fault) as caught:
        await identify(outbound, played(GITHUB, server), ANSWER, nonce=None, now=NOW)
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert len(server.calls("/userinfo")) == 3


async def test_who_is_told_to_wait_does_not_ask_again(outbound: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = says({}, 403, Retry_After="60")
    with pytest.raises(Fault) as caught:
        await identify(outbound, played(GITHUB, server), ANSWER, nonce=None, now=NOW)
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert caught.value.facts["retry_after"] == 60
    assert len(server.calls("/userinfo")) == 1


async def test_a_hanging_document_costs_one_deadline(hasty: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = scripted.hangs
    with pytest.raises(Fault) as caught:
        await identify(hasty, played(GITHUB, server), ANSWER, nonce=None, now=NOW)
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert len(server.calls("/userinfo")) == 1


async def test_an_outage_of_the_addresses_is_no_account_without_one(outbound: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = USER
    server.answers["/emails"] = says({}, 503)
    with pytest.raises(Fault) as caught:
        await identify(outbound, played(GITHUB, server), ANSWER, nonce=None, now=NOW)
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (says({"message": "Bad credentials"}, 401), FaultCode.PROVIDER_MISCONFIGURED),
        (says({"message": "No scope"}, 403), FaultCode.PROVIDER_MISCONFIGURED),
        (says({}, 404), FaultCode.PROVIDER_REPLY_INVALID),
        (says("text"), FaultCode.PROVIDER_REPLY_INVALID),
        (says({"ok": False, "error": "x"}), FaultCode.PROVIDER_REPLY_INVALID),
        (scripted.redirects("/userinfo"), FaultCode.PROVIDER_REPLY_INVALID),
        (scripted.text("<html>", "text/html"), FaultCode.PROVIDER_REPLY_INVALID),
        (scripted.floods, FaultCode.PROVIDER_REPLY_INVALID),
        (says({"id": "x" * 300}), FaultCode.PROVIDER_REPLY_INVALID),
        (says({"id": True}), FaultCode.PROVIDER_REPLY_INVALID),
        (says({"id": 1.5}), FaultCode.PROVIDER_REPLY_INVALID),
        (says({"id": "a\x00b"}), FaultCode.PROVIDER_REPLY_INVALID),
    ],
)
async def test_wrong_documents(outbound: Outbound, server: Scripted, fault: scripted.Answer, code: FaultCode) -> None:
    server.answers["/userinfo"] = fault
    server.answers["/emails"] = says([])
    with pytest.raises(Fault) as caught:
        await identify(outbound, played(GITHUB, server), ANSWER, nonce=None, now=NOW)
    assert caught.value.code is code


async def test_an_id_token_saves_the_document(outbound: Outbound, server: Scripted) -> None:
    client = played(GOOGLE, server)
    token = signed(claims_of(client, {"sub": "1"}))
    answer = TokenAnswer({"access_token": "at", "id_token": token})
    await identify(outbound, client, answer, nonce=NONCE, now=NOW)
    assert server.calls("/userinfo") == []


async def test_an_id_token_of_another_trip_is_refused(outbound: Outbound, server: Scripted) -> None:
    client = played(GOOGLE, server)
    token = signed(claims_of(client, {"sub": "1"}, nonce="n-another-trip"))
    answer = TokenAnswer({"access_token": "at", "id_token": token})
    with pytest.raises(Fault) as caught:
        await identify(outbound, client, answer, nonce=NONCE, now=NOW)
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


async def test_a_token_is_probed(outbound: Outbound, server: Scripted) -> None:
    client = played(GITHUB, server)
    server.answers["/userinfo"] = [USER, says({}, 401), says({}, 500)]
    assert await probe(outbound, client, "at")
    assert not await probe(outbound, client, "at")
    with pytest.raises(Fault) as caught:
        await probe(outbound, client, "at")
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
