"""Every provider over real HTTP: sign-in, refresh, denial, dead grants and codes, outages."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oneself.faults import Fault, FaultCode
from oneself.model import Secret, TokenSet
from oneself.providers.registry import PROVIDERS
from oneself.providers.spec import Provider
from oneself.upstream import tokens
from oneself.upstream.authorize import authorize_url
from oneself.upstream.client import resolve
from oneself.upstream.http import Outbound
from oneself.upstream.identify import check_iss, denied, identify, refusal
from oneself.upstream.replies import tokens_from
from tests.providers.recorded import (
    accounts,
    credentials,
    entries,
    expected,
    label,
    recording,
)
from tests.upstream import scripted
from tests.upstream.conftest import NOW
from tests.upstream.played import NONCE, REDIRECT_URI, failing, play, played, secret_of
from tests.upstream.scripted import Scripted, says

REFRESHING = [provider for provider in PROVIDERS if provider.refresh.kind != "none"]
VERIFIER = "v" * 43


@pytest.mark.parametrize(("provider", "account"), accounts(), ids=label)
async def test_sign_in(outbound: Outbound, server: Scripted, provider: Provider, account: dict[str, Any]) -> None:
    client = played(provider, server, credentials(provider, account))
    play(server, client, account)
    answer = await tokens.exchange_code(outbound, client, "code-1", REDIRECT_URI, VERIFIER)
    sent = server.calls("/token")[0]
    assert sent.form["code"] == "code-1"
    assert sent.form["redirect_uri"] == REDIRECT_URI
    assert ("code_verifier" in sent.form) == client.pkce

    going = identify(outbound, client, answer, nonce=NONCE, now=NOW, form=account.get("form"))
    if "fault" in account:
        with pytest.raises(Fault) as caught:
            await going
        assert caught.value.code == account["fault"]
        return
    identity = await going
    assert identity.profile == expected(account)
    assert identity.tokens.access_token == account["token"]["access_token"]
    assert identity.tokens.refresh_token == account["token"].get("refresh_token", "")
    if "scopes" in account:
        assert identity.tokens.scopes == tuple(account["scopes"])
    lifetime = account["token"].get("expires_in")
    expires = NOW + int(lifetime) * 1_000_000 if lifetime else 0
    if provider.default_lifetime and not lifetime:
        expires = NOW + provider.default_lifetime * 1_000_000
    assert identity.tokens.expires_at == expires
    for document in client.provider.documents:
        for read in server.calls(f"/{document.name}"):
            bearer = f"Bearer {account['token']['access_token']}"
            assert read.headers.get("Authorization") == (bearer if document.bearer else None)


@pytest.mark.parametrize("provider", REFRESHING, ids=label)
async def test_refresh(outbound: Outbound, server: Scripted, provider: Provider) -> None:
    recorded = recording(provider)["refreshed"]
    client = played(provider, server)
    address = "/refresh" if "refresh" in client.endpoints else "/token"
    server.answers[address] = says(recorded["answer"])
    before = TokenSet(access_token="old", refresh_token="rt-1", id_token="old.id", scopes=("granted",))
    answer = await tokens.refresh(outbound, client, before.refresh_token, redirect_uri=REDIRECT_URI)
    form = server.calls(address)[0].form
    if provider.refresh.kind == "standard":
        assert form["refresh_token"] == "rt-1"
        assert form["grant_type"] == "refresh_token"
    assert ("redirect_uri" in form) == provider.refresh.redirect_uri
    fresh = tokens_from(provider, answer, now=NOW, previous=before)
    assert fresh.access_token == recorded["answer"]["access_token"]
    kept = "rt-1" if recorded["keeps_refresh_token"] else recorded["answer"]["refresh_token"]
    assert fresh.refresh_token == kept
    if not recorded["answer"].get("scope"):
        assert fresh.scopes == ("granted",)


@pytest.mark.parametrize(("provider", "entry"), entries("dead_grants"), ids=label)
async def test_a_dead_grant_asks_to_connect_again(
    outbound: Outbound, server: Scripted, provider: Provider, entry: dict[str, Any]
) -> None:
    client = played(provider, server)
    server.answers["/token"] = server.answers["/refresh"] = failing(entry)
    with pytest.raises(Fault) as caught:
        await tokens.refresh(outbound, client, "rt-secret-1")
    assert caught.value.code is FaultCode.RECONNECT_NEEDED
    assert "rt-secret-1" not in str(caught.value)


@pytest.mark.parametrize(("provider", "entry"), entries("dead_codes"), ids=label)
async def test_a_dead_code_is_a_dead_code(
    outbound: Outbound, server: Scripted, provider: Provider, entry: dict[str, Any]
) -> None:
    client = played(provider, server)
    server.answers["/token"] = failing(entry)
    with pytest.raises(Fault) as caught:
        await tokens.exchange_code(outbound, client, "code-1", REDIRECT_URI, VERIFIER)
    assert caught.value.code is FaultCode.PROVIDER_GRANT_INVALID


@pytest.mark.parametrize("call", ["exchange", "refresh"])
@pytest.mark.parametrize(("provider", "entry"), entries("misconfigured"), ids=label)
async def test_our_own_mistakes_disconnect_nobody(
    outbound: Outbound, server: Scripted, provider: Provider, entry: dict[str, Any], call: str
) -> None:
    if provider.refresh.kind == "none":
        call = "exchange"
    client = played(provider, server)
    server.answers["/token"] = server.answers["/refresh"] = failing(entry)
    with pytest.raises(Fault) as caught:
        if call == "exchange":
            await tokens.exchange_code(outbound, client, "code-1", REDIRECT_URI, VERIFIER)
        else:
            await tokens.refresh(outbound, client, "rt-1")
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


@pytest.mark.parametrize(("provider", "entry"), entries("transient"), ids=label)
async def test_a_providers_own_words_for_later(
    outbound: Outbound, server: Scripted, provider: Provider, entry: dict[str, Any]
) -> None:
    client = played(provider, server)
    server.answers["/token"] = server.answers["/refresh"] = failing(entry)
    with pytest.raises(Fault) as caught:
        await tokens.refresh(outbound, client, "rt-1")
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE


OUTAGES = [
    ("500", says({"error": "server_error"}, 500)),
    ("502 page", scripted.text("<html>bad gateway</html>", "text/html", 502)),
    ("503 that says invalid_grant", says({"error": "invalid_grant"}, 503)),
    ("429", says({"error": "invalid_grant"}, 429, Retry_After="7")),
    ("temporarily_unavailable", says({"error": "temporarily_unavailable"}, 400)),
    ("server_error in a 200", says({"error": "server_error"}, 200)),
    ("reset", scripted.resets),
    ("hangs", scripted.hangs),
    ("hangs in the body", scripted.hangs_in_body),
    ("breaks off", scripted.breaks_off),
]
BROKEN = [
    ("page", scripted.text("<html>{}</html>", "text/html")),
    ("page with 400", scripted.text("<html>{}</html>", "text/html", 400)),
    ("page as JSON", scripted.text("<html>{}</html>", "application/json")),
    ("truncated", scripted.text('{"access_token": "abc', "application/json")),
    ("empty", scripted.text("", "application/json")),
    ("list", says([{"access_token": "a"}])),
    ("token a number", says({"access_token": 1})),
    ("token null", says({"access_token": None})),
    ("token empty", says({"access_token": ""})),
    ("token missing", says({"token_type": "Bearer"})),
    ("deep", scripted.text("[" * 100_000, "application/json")),
    ("flood", scripted.floods),
    ("nonsense", scripted.talks_nonsense),
    ("redirect", scripted.redirects("/token")),
    ("bytes", scripted.text(b"\xff\xfe\x00{", "application/json")),
]


@pytest.mark.parametrize(("name", "fault"), OUTAGES, ids=[name for name, _ in OUTAGES])
@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
async def test_an_outage_is_an_outage_and_disconnects_nobody(
    hasty: Outbound, outbound: Outbound, server: Scripted, provider: Provider, name: str, fault: scripted.Answer
) -> None:
    client = played(provider, server)
    server.answers["/token"] = server.answers["/refresh"] = fault
    # Only where no answer will come is the wait cut short: an answer may be slow on a busy machine.
    caller = hasty if "hangs" in name else outbound
    calls = [tokens.exchange_code(caller, client, "code-1", REDIRECT_URI, VERIFIER)]
    if provider.refresh.kind != "none":
        calls.append(tokens.refresh(caller, client, "rt-1"))
    for caught in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(caught, Fault)
        assert caught.code is FaultCode.PROVIDER_UNAVAILABLE
        if name == "429":
            assert caught.facts["retry_after"] == 7


@pytest.mark.parametrize(("name", "fault"), BROKEN, ids=[name for name, _ in BROKEN])
@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
async def test_a_broken_answer_disconnects_nobody(
    outbound: Outbound, server: Scripted, provider: Provider, name: str, fault: scripted.Answer
) -> None:
    client = played(provider, server)
    server.answers["/token"] = server.answers["/refresh"] = fault
    calls = [tokens.exchange_code(outbound, client, "code-1", REDIRECT_URI, VERIFIER)]
    if provider.refresh.kind != "none":
        calls.append(tokens.refresh(outbound, client, "rt-1"))
    for caught in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(caught, Fault)
        assert caught.code is FaultCode.PROVIDER_REPLY_INVALID, name


@pytest.mark.parametrize(("provider", "entry"), entries("cancels"), ids=label)
def test_a_no_is_a_no(provider: Provider, entry: dict[str, str]) -> None:
    assert denied(provider, entry)
    found = refusal(provider, entry)
    assert found is not None
    assert found.code is FaultCode.PROVIDER_DENIED


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
def test_the_issuer_on_the_redirect_is_compared(provider: Provider) -> None:
    recorded = recording(provider).get("redirects", {"accepted": [None], "refused": []})
    client = resolve(provider, credentials(provider, {}), secret_of(provider))
    for said in recorded["accepted"]:
        check_iss(client, {"code": "1"} if said is None else {"code": "1", "iss": said})
    for said in recorded["refused"]:
        with pytest.raises(Fault) as caught:
            check_iss(client, {"code": "1"} if said is None else {"code": "1", "iss": said})
        assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
def test_the_authorize_address_says_what_is_asked(server: Scripted, provider: Provider) -> None:
    client = played(provider, server)
    url = authorize_url(client, redirect_uri=REDIRECT_URI, state="s" * 43, verifier_challenge="c" * 43, nonce="n")
    assert url.startswith(f"{server.base}/authorization?{provider.client_id_param}=")
    assert ("code_challenge=" in url) == provider.pkce
    assert ("nonce=" in url) == bool(provider.id_token and provider.id_token.nonce)
    assert "+" not in url
    assert "secret" not in url


async def test_revoke_where_there_is_something_to_call(outbound: Outbound, server: Scripted) -> None:
    for provider in PROVIDERS:
        client = played(provider, server)
        server.answers = {}
        gone = await tokens.revoke(outbound, client, access_token="at/1", refresh_token="rt/1", subject="77")
        assert gone == (provider.revocation is not None and "revocation" in client.endpoints)


def test_secrets_do_not_show(server: Scripted) -> None:
    for provider in PROVIDERS:
        assert "secret-of-ours" not in repr(played(provider, server))
        assert str(Secret("secret-of-ours")) == "Secret(...)"
