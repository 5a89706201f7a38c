"""An issuer's metadata: found, compared, kept, and believed only within bounds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from oneself.faults import Fault, FaultCode
from oneself.model import ProviderCredentials, Secret
from oneself.providers.generic_oidc import GENERIC_OIDC
from oneself.providers.google import GOOGLE
from oneself.upstream import tokens
from oneself.upstream.authorize import authorize_url
from oneself.upstream.client import Client, resolve
from oneself.upstream.discovery import complete
from oneself.upstream.http import Outbound
from oneself.upstream.identify import check_iss, identify
from oneself.upstream.replies import TokenAnswer
from tests.upstream import scripted
from tests.upstream.conftest import NOW, Clock
from tests.upstream.played import NONCE, REDIRECT_URI, claims_of
from tests.upstream.scripted import Scripted, says
from tests.upstream.signing import ed25519, jwks, p256, signed

WELL_KNOWN = "/.well-known/openid-configuration"


def metadata(server: Scripted, **more: Any) -> dict[str, Any]:
    return {
        "issuer": server.base,
        "authorization_endpoint": f"{server.base}/auth",
        "token_endpoint": f"{server.base}/tok",
        "userinfo_endpoint": f"{server.base}/me",
        "jwks_uri": f"{server.base}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        **more,
    }


def issued_by(issuer: str, **more: Any) -> Client:
    settings = ProviderCredentials(
        config_id="corp", provider="generic_oidc", client_id="client-of-ours", issuer=issuer, **more
    )
    return resolve(GENERIC_OIDC, settings, Secret("secret"))


async def test_a_whole_sign_in_from_an_issuer_alone(outbound: Outbound, server: Scripted) -> None:
    server.answers[WELL_KNOWN] = says(metadata(server))
    server.answers["/keys"] = says(jwks())
    client = await complete(outbound, issued_by(server.base))
    assert authorize_url(client, redirect_uri=REDIRECT_URI, state="s").startswith(f"{server.base}/auth?")
    answer = {"access_token": "at", "token_type": "Bearer"}
    answer["id_token"] = signed(claims_of(client, {"sub": "u"}))
    server.answers["/tok"] = says(answer)
    server.answers["/me"] = says({"sub": "u", "name": "Ada"})
    got = await tokens.exchange_code(outbound, client, "c", REDIRECT_URI, "v" * 43)
    identity = await identify(outbound, client, got, nonce=NONCE, now=NOW)
    assert (identity.profile.subject, identity.profile.issuer) == ("u", server.base)
    assert server.calls("/tok")[0].headers["Authorization"].startswith("Basic ")
    assert await complete(outbound, client) is client, "a completed client is complete"


@pytest.mark.parametrize("said", ["{base}/", "{base}/x", "https://evil.example", "", None, 1])
async def test_another_issuer_is_refused(outbound: Outbound, server: Scripted, said: Any) -> None:
    issuer = said.format(base=server.base) if isinstance(said, str) else said
    server.answers[WELL_KNOWN] = says(metadata(server, issuer=issuer))
    with pytest.raises(Fault) as caught:
        await complete(outbound, issued_by(server.base))
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


async def test_an_issuer_with_a_slash_is_its_own(outbound: Outbound, server: Scripted) -> None:
    server.answers[WELL_KNOWN] = says(metadata(server, issuer=f"{server.base}/"))
    client = await complete(outbound, issued_by(f"{server.base}/"))
    assert client.issuer == f"{server.base}/"
    with pytest.raises(Fault):
        await complete(outbound, issued_by(server.base))


BROKEN = [
    scripted.text("<html></html>", "text/html"),
    says([]),
    says({}),
    scripted.floods,
    scripted.redirects("/elsewhere"),
    says({"error": "no"}, 404),
]


@pytest.mark.parametrize("fault", BROKEN)
async def test_broken_metadata_is_refused(outbound: Outbound, server: Scripted, fault: scripted.Answer) -> None:
    server.answers[WELL_KNOWN] = fault
    with pytest.raises(Fault) as caught:
        await complete(outbound, issued_by(server.base))
    assert caught.value.code in (
        FaultCode.PROVIDER_REPLY_INVALID,
        FaultCode.PROVIDER_MISCONFIGURED,
    )


async def test_many_ask_and_one_call_is_made(outbound: Outbound, server: Scripted, clock: Clock) -> None:
    server.answers[WELL_KNOWN] = says(metadata(server))
    await asyncio.gather(*(complete(outbound, issued_by(server.base)) for _ in range(50)))
    assert len(server.seen) == 1
    clock.now += 3_601_000_000
    await complete(outbound, issued_by(server.base))
    assert len(server.seen) == 2


async def test_a_dead_issuer_is_not_stormed(outbound: Outbound, server: Scripted, clock: Clock) -> None:
    server.answers[WELL_KNOWN] = says({}, 503)
    for _ in range(20):
        with pytest.raises(Fault) as caught:
            await complete(outbound, issued_by(server.base))
        assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert len(server.seen) == 1
    clock.now += 6_000_000
    server.answers[WELL_KNOWN] = says(metadata(server))
    assert (await complete(outbound, issued_by(server.base))).address("token")


async def test_an_issuer_that_went_away_is_still_known(outbound: Outbound, server: Scripted, clock: Clock) -> None:
    server.answers[WELL_KNOWN] = [says(metadata(server)), says({}, 503)]
    await complete(outbound, issued_by(server.base))
    clock.now += 2 * 3_600_000_000
    assert (await complete(outbound, issued_by(server.base))).address("token")
    clock.now += 25 * 3_600_000_000
    with pytest.raises(Fault):
        await complete(outbound, issued_by(server.base))


async def test_what_the_issuer_announces_decides(outbound: Outbound, server: Scripted) -> None:
    server.answers[WELL_KNOWN] = says(
        metadata(
            server,
            token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
            code_challenge_methods_supported=["plain"],
            authorization_response_iss_parameter_supported=True,
            id_token_signing_alg_values_supported=["none", "HS256", "ES256", "EdDSA"],
            token_revocation_endpoint=f"{server.base}/revoke",
        )
    )
    client = await complete(outbound, issued_by(server.base))
    assert client.auth == "post"
    assert not client.pkce
    assert client.id_token is not None
    assert client.id_token.algs == ("ES256", "EdDSA")
    assert client.address("revocation") == f"{server.base}/revoke"
    check_iss(client, {"iss": server.base})
    with pytest.raises(Fault):
        check_iss(client, {})


@pytest.mark.parametrize(("alg", "key", "hashed"), [("ES256", p256(), "sha256"), ("EdDSA", ed25519(), "sha512")])
async def test_other_algorithms_where_announced(
    outbound: Outbound, server: Scripted, alg: str, key: Any, hashed: str
) -> None:
    server.answers[WELL_KNOWN] = says(
        metadata(server, id_token_signing_alg_values_supported=[alg], userinfo_endpoint=None)
    )
    server.answers["/keys"] = says(jwks(key))
    client = await complete(outbound, issued_by(server.base))
    claims = claims_of(client, {"sub": "u"})
    server.answers["/tok"] = says({"access_token": "at", "id_token": signed(claims, key=key, alg=alg)})
    got = await tokens.exchange_code(outbound, client, "c", REDIRECT_URI, None)
    assert (await identify(outbound, client, got, nonce=NONCE, now=NOW)).profile.subject == "u"


async def test_a_challenge_goes_to_whoever_does_not_refuse_it(outbound: Outbound, server: Scripted) -> None:
    """Silence about PKCE means that a challenge does no harm, but for the issuers that are known to refuse one."""
    server.answers[WELL_KNOWN] = says(metadata(server))
    assert (await complete(outbound, issued_by(server.base))).pkce
    refusing = replace(GENERIC_OIDC, no_pkce_issuers=(server.base,))
    settings = ProviderCredentials(config_id="corp", provider="generic_oidc", client_id="c", issuer=server.base)
    quiet = await complete(outbound, resolve(refusing, settings, Secret("s")))
    assert not quiet.pkce
    asked = msgspec.structs.replace(settings, options={"pkce": "on"})
    assert (await complete(outbound, resolve(refusing, asked, Secret("s")))).pkce
    assert "https://api.login.yahoo.com" in GENERIC_OIDC.no_pkce_issuers


async def test_an_issuer_that_announces_challenges_is_sent_one_though_it_once_refused_them(
    outbound: Outbound, server: Scripted
) -> None:
    server.answers[WELL_KNOWN] = says(metadata(server, code_challenge_methods_supported=["S256"]))
    refusing = replace(GENERIC_OIDC, no_pkce_issuers=(server.base,))
    settings = ProviderCredentials(config_id="corp", provider="generic_oidc", client_id="c", issuer=server.base)
    assert (await complete(outbound, resolve(refusing, settings, Secret("s")))).pkce


async def test_a_nonce_is_asked_for_unless_the_project_says_that_none_comes_back(
    outbound: Outbound, server: Scripted
) -> None:
    server.answers[WELL_KNOWN] = says(metadata(server, userinfo_endpoint=None))
    server.answers["/keys"] = says(jwks())
    for options, accepted in (({}, False), ({"nonce": "off"}, True)):
        client = await complete(outbound, issued_by(server.base, options=options))
        url = authorize_url(client, redirect_uri=REDIRECT_URI, state="s", nonce=NONCE)
        assert ("nonce=" in url) is not accepted
        token = signed(claims_of(client, {"sub": "u"}, nonce=None))
        going = identify(outbound, client, TokenAnswer({"access_token": "at", "id_token": token}), nonce=NONCE, now=NOW)
        if accepted:
            assert (await going).profile.subject == "u"
        else:
            with pytest.raises(Fault):
                await going


async def test_what_the_project_sets_stands_above(outbound: Outbound, server: Scripted) -> None:
    server.answers[WELL_KNOWN] = says(metadata(server, code_challenge_methods_supported=[]))
    settings = {"options": {"client_auth": "post", "pkce": "off"}}
    client = await complete(
        outbound,
        issued_by(server.base, endpoints={"userinfo": f"{server.base}/mine"}, **settings),
    )
    assert client.auth == "post"
    assert not client.pkce
    assert client.address("userinfo") == f"{server.base}/mine"


async def test_a_provider_with_known_addresses_asks_nobody(outbound: Outbound, server: Scripted) -> None:
    settings = ProviderCredentials(config_id="google", provider="google", client_id="c")
    client = resolve(GOOGLE, settings, Secret("s"))
    assert await complete(outbound, client) is client
    assert server.seen == []


async def test_no_issuer_no_client(outbound: Outbound) -> None:
    with pytest.raises(Fault) as caught:
        await complete(outbound, issued_by(""))
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED
