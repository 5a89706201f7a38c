"""Our calls against the emulated providers, which know nothing of ours: whole trips over HTTP."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest

from oneself.emulator import endpoints_for
from oneself.faults import Fault, FaultCode
from oneself.model import Identity, ProviderCredentials, Secret
from oneself.providers.registry import PROVIDERS
from oneself.providers.spec import Provider
from oneself.upstream import tokens
from oneself.upstream.authorize import authorize_url
from oneself.upstream.client import Client, resolve
from oneself.upstream.discovery import complete
from oneself.upstream.http import Outbound
from oneself.upstream.identify import check_iss, identify, probe, refusal
from oneself.upstream.replies import tokens_from
from tests.emulator.rig import APPLE_KEY, CALLBACK, SECRET, Rig, ask, fields_of_form, running
from tests.providers.recorded import label

# Any OAuth 2 server is played by no emulator of its own.
PLAYED = [provider for provider in PROVIDERS if provider.id != "generic_oauth2"]
OFFLINE = {
    "google": ("openid", "email", "profile"),
    "microsoft": ("openid", "profile", "email", "User.Read", "offline_access"),
    "x": ("users.read", "tweet.read", "users.email", "offline.access"),
    "coinbase": ("wallet:user:read", "wallet:user:email", "offline_access"),
    "salesforce": ("openid", "profile", "email", "refresh_token"),
    "generic_oidc": ("openid", "profile", "email", "offline_access"),
}
# Where a plain client gets no refresh token: OAuth Apps, those without rotation, those who are no partners, Meta.
NEVER = {"github", "slack", "linkedin", "facebook"}


@pytest.fixture(scope="module")
def emulators() -> Iterator[tuple[Rig, Rig]]:
    with running() as vendors, running(vendor_issuers=False) as own:
        yield vendors, own


@pytest.fixture
async def out(emulators: tuple[Rig, Rig]) -> AsyncIterator[Outbound]:
    outbound = Outbound(frozenset({"127.0.0.1"}), clock=emulators[0].clock)
    yield outbound
    await outbound.close()


def rig_of(provider: Provider, emulators: tuple[Rig, Rig]) -> Rig:
    rig = emulators[provider.id == "generic_oidc"]
    rig.emulator.world.reset()
    return rig


async def client_at(provider: Provider, rig: Rig, outbound: Outbound) -> Client:
    from_issuer = provider.id == "generic_oidc"
    settings = ProviderCredentials(
        config_id=provider.id,
        provider=provider.id,
        client_id="the-client",
        issuer=f"{rig.base}/oidc" if from_issuer else "",
        endpoints={} if from_issuer else _addresses(provider.id, rig.base),
        options={"key_id": "apple-kid", "team_id": "TEAM123456"} if provider.signed_secret else {},
        trusted_email_domains=("*",),
    )
    secret = APPLE_KEY.as_pem(private=True).decode() if provider.signed_secret else SECRET
    return await complete(outbound, resolve(provider, settings, Secret(secret)))


def _addresses(name: str, base: str) -> dict[str, str]:
    return endpoints_for(name, base)


async def trip(
    client: Client, rig: Rig, outbound: Outbound, persona: str = "ada", **extra: str
) -> tuple[Identity, dict[str, str]]:
    """There, back, exchanged and identified."""
    verifier, nonce, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    scopes = OFFLINE.get(client.provider.id, client.scopes)
    url = authorize_url(
        client,
        redirect_uri=CALLBACK,
        state=state,
        verifier_challenge=challenge,
        scopes=scopes,
        nonce=nonce,
        extra={"login_hint": persona, **extra},
    )
    reply = ask("GET", url)
    came = fields_of_form(reply) if reply.status == 200 else reply.redirected()
    assert came["state"] == state
    check_iss(client, came)
    refused = refusal(client.provider, came)
    if refused is not None:
        raise refused
    answer = await tokens.exchange_code(outbound, client, came["code"], CALLBACK, verifier)
    now = outbound.clock()
    sent = nonce if client.id_token and client.id_token.nonce else None
    return await identify(outbound, client, answer, nonce=sent, now=now, asked_scopes=scopes, form=came), came


@pytest.mark.parametrize("provider", PLAYED, ids=label)
async def test_a_whole_trip(provider: Provider, emulators: tuple[Rig, Rig], out: Outbound) -> None:
    rig = rig_of(provider, emulators)
    client = await client_at(provider, rig, out)
    ada, came = await trip(client, rig, out)
    assert ada.profile.subject
    assert ada.profile == (await trip(client, rig, out))[0].profile or provider.id == "apple"
    rosa = (await trip(client, rig, out, "rosa"))[0]
    assert rosa.profile.subject != ada.profile.subject
    assert await probe(out, client, rosa.tokens.access_token)
    with pytest.raises(Fault) as caught:
        await tokens.exchange_code(out, client, came["code"], CALLBACK, "v" * 43)
    assert caught.value.code is FaultCode.PROVIDER_GRANT_INVALID
    with pytest.raises(Fault) as caught:
        await tokens.exchange_code(out, client, "no-such-code", CALLBACK, "v" * 43)
    assert caught.value.code is FaultCode.PROVIDER_GRANT_INVALID


@pytest.mark.parametrize("provider", PLAYED, ids=label)
async def test_refresh_and_the_end_of_a_grant(provider: Provider, emulators: tuple[Rig, Rig], out: Outbound) -> None:
    rig = rig_of(provider, emulators)
    client = await client_at(provider, rig, out)
    before = (await trip(client, rig, out))[0].tokens
    if provider.id in NEVER:
        assert not before.refresh_token
        return
    assert before.refresh_token
    answer = await tokens.refresh(out, client, before.refresh_token, redirect_uri=CALLBACK)
    after = tokens_from(provider, answer, now=out.clock(), previous=before)
    assert after.access_token != before.access_token
    assert after.refresh_token
    rig.control("POST", "/revoke-refresh-token", {"token": after.refresh_token})
    with pytest.raises(Fault) as caught:
        await tokens.refresh(out, client, after.refresh_token, redirect_uri=CALLBACK)
    assert caught.value.code is FaultCode.RECONNECT_NEEDED


@pytest.mark.parametrize("provider", PLAYED, ids=label)
async def test_a_grant_is_handed_back(provider: Provider, emulators: tuple[Rig, Rig], out: Outbound) -> None:
    rig = rig_of(provider, emulators)
    client = await client_at(provider, rig, out)
    ada = (await trip(client, rig, out))[0]
    gone = await tokens.revoke(
        out,
        client,
        access_token=ada.tokens.access_token,
        refresh_token=ada.tokens.refresh_token,
        subject=ada.profile.subject,
    )
    assert gone == bool(provider.revocation and client.endpoints.get("revocation"))
    if gone and ada.tokens.refresh_token and provider.revocation and provider.revocation.whole_grant:
        with pytest.raises(Fault) as caught:
            await tokens.refresh(out, client, ada.tokens.refresh_token, redirect_uri=CALLBACK)
        assert caught.value.code is FaultCode.RECONNECT_NEEDED


@pytest.mark.parametrize("provider", PLAYED, ids=label)
async def test_our_secret_is_wrong(provider: Provider, emulators: tuple[Rig, Rig], out: Outbound) -> None:
    rig = rig_of(provider, emulators)
    client = await client_at(provider, rig, out)
    wrong = ProviderCredentials(
        config_id=provider.id,
        provider=provider.id,
        client_id="nobody" if provider.signed_secret else "the-client",
        issuer=client.issuer if provider.id == "generic_oidc" else "",
        endpoints=dict(client.endpoints),
        options=dict(client.options),
    )
    secret = APPLE_KEY.as_pem(private=True).decode() if provider.signed_secret else "another secret"
    other = await complete(out, resolve(provider, wrong, Secret(secret)))
    with pytest.raises(Fault) as caught:
        await tokens.exchange_code(out, other, "no-such-code", CALLBACK, "v" * 43)
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


def test_the_addresses_are_local(emulators: tuple[Rig, Rig]) -> None:
    for provider in PLAYED:
        if provider.id != "generic_oidc":
            for url in _addresses(provider.id, emulators[0].base).values():
                assert urlsplit(url).hostname == "127.0.0.1"
