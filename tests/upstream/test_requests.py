"""What each provider's calls look like on the wire, where one differs from the others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from oneself.crypto import jwt
from oneself.crypto.foreign_jwt import verify_parts
from oneself.faults import Fault, FaultCode
from oneself.model import ProviderCredentials, Secret
from oneself.providers.registry import PROVIDERS, get
from oneself.providers.spec import Provider
from oneself.upstream import tokens
from oneself.upstream.authorize import authorize_url
from oneself.upstream.client import Client, resolve
from oneself.upstream.http import Outbound
from oneself.upstream.identify import identify
from oneself.upstream.replies import TokenAnswer
from oneself.upstream.secrets import client_secret
from tests.providers.recorded import CLIENT_ID, label
from tests.upstream.conftest import NOW
from tests.upstream.played import NONCE, REDIRECT_URI, claims_of, played
from tests.upstream.scripted import Scripted, says
from tests.upstream.signing import jwks, p256, rsa, signed

GOOD = says({"access_token": "new", "token_type": "Bearer"})


async def exchanged(outbound: Outbound, server: Scripted, client: Client) -> dict[str, str]:
    """The form of one exchange, with the Authorization header under its own name."""
    server.answers["/token"] = GOOD
    await tokens.exchange_code(outbound, client, "c", REDIRECT_URI, "v" * 43)
    seen = server.calls("/token")[-1]
    return {**seen.form, "Authorization": seen.headers.get("Authorization", "")}


async def test_who_we_are_in_the_body_or_in_the_header(outbound: Outbound, server: Scripted) -> None:
    post = await exchanged(outbound, server, played(get("google"), server))
    assert (post["client_id"], post["client_secret"]) == (CLIENT_ID, "secret-of-ours")
    assert post["Authorization"] == ""
    basic = await exchanged(outbound, server, played(get("spotify"), server))
    assert "client_secret" not in basic
    pair = base64.b64decode(basic["Authorization"].removeprefix("Basic ")).decode()
    assert pair == f"{CLIENT_ID}:secret-of-ours"


async def test_basic_credentials_are_encoded_first(outbound: Outbound, server: Scripted) -> None:
    client = replace(played(get("x"), server), client_id="a:b c", secret=Secret("p%ä+/"))
    basic = await exchanged(outbound, server, client)
    pair = base64.b64decode(basic["Authorization"].removeprefix("Basic ")).decode()
    assert pair == "a%3Ab+c:p%25%C3%A4%2B%2F"


async def test_a_client_without_a_secret_names_itself(outbound: Outbound, server: Scripted) -> None:
    settings = ProviderCredentials(config_id="x", provider="x", client_id="pub")
    client = resolve(get("x"), settings, Secret(""))
    client = replace(client, endpoints=MappingProxyType({"token": f"{server.base}/token"}))
    form = await exchanged(outbound, server, client)
    assert form["client_id"] == "pub"
    assert form["Authorization"] == ""
    spotify = resolve(get("spotify"), settings, Secret(""))
    assert spotify.rotation == "single_use"
    assert resolve(get("spotify"), settings, Secret("s")).rotation == "reusable"


async def test_apple_reads_a_secret_that_we_signed(outbound: Outbound, server: Scripted) -> None:
    client = replace(played(get("apple"), server), secret=Secret(p256().as_pem(private=True).decode()))
    secret = (await exchanged(outbound, server, client))["client_secret"]
    parts = jwt.take_apart(secret)
    verify_parts(parts, jwks(p256()) | {"keys": [_named(jwks(p256()), "ABC123DEFG")]}, ("ES256",))
    assert parts.header["kid"] == "ABC123DEFG"
    assert jwt.parse_object(parts.payload) == {
        "iss": "TEAM123456",
        "sub": CLIENT_ID,
        "aud": "https://appleid.apple.com",
        "iat": NOW // 1_000_000,
        "exp": NOW // 1_000_000 + 300,
    }


def _named(keys: dict[str, list[dict[str, str]]], kid: str) -> dict[str, str]:
    return keys["keys"][0] | {"kid": kid}


@pytest.mark.parametrize("secret", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END", "äöü"])
def test_a_key_that_is_none_is_our_own_mistake(server: Scripted, secret: str) -> None:
    client = replace(played(get("apple"), server), secret=Secret(secret))
    with pytest.raises(Fault) as caught:
        client_secret(client, NOW)
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


def test_an_rsa_key_signs_nothing_for_apple(server: Scripted) -> None:
    client = replace(played(get("apple"), server), secret=Secret(rsa().as_pem(private=True).decode()))
    with pytest.raises(Fault) as caught:
        client_secret(client, NOW)
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


def test_apple_needs_its_key_named(server: Scripted) -> None:
    client = replace(played(get("apple"), server), options={"team_id": "T"})
    with pytest.raises(Fault) as caught:
        client_secret(client, NOW)
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


async def test_facebook_is_shown_a_proof_and_trades_its_token(outbound: Outbound, server: Scripted) -> None:
    client = played(get("facebook"), server)
    server.answers["/userinfo"] = says({"id": "1"})
    await identify(outbound, client, TokenAnswer({"access_token": "EAA"}), nonce=None, now=NOW)
    asked = server.calls("/userinfo")[0].query
    assert asked["appsecret_proof"] == hmac.new(b"secret-of-ours", b"EAA", hashlib.sha256).hexdigest()
    assert asked["fields"] == "id,name,first_name,last_name,email,picture"
    server.answers["/token"] = GOOD
    await tokens.refresh(outbound, client, "EAA")
    form = server.calls("/token")[0].form
    assert form == {
        "grant_type": "fb_exchange_token",
        "fb_exchange_token": "EAA",
        "client_id": CLIENT_ID,
        "client_secret": "secret-of-ours",
    }


async def test_tiktok_has_its_own_names(outbound: Outbound, server: Scripted) -> None:
    client = played(get("tiktok"), server)
    form = await exchanged(outbound, server, client)
    assert form["client_key"] == CLIENT_ID
    assert "client_id" not in form
    assert "code_verifier" not in form
    url = authorize_url(client, redirect_uri="u", state="s", scopes=("user.info.profile",))
    assert f"authorization?client_key={CLIENT_ID}&scope=user.info.profile%2Cuser.info.basic&" in url


async def test_a_desktop_app_of_tiktok_sends_its_challenge_in_hex(outbound: Outbound, server: Scripted) -> None:
    digest = hashlib.sha256(b"v" * 43).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    for options, sent in (({"pkce": "on"}, challenge), ({"pkce": "on", "pkce_encoding": "hex"}, digest.hex())):
        settings = ProviderCredentials(config_id="t", provider="tiktok", client_id="c", options=options)
        client = played(get("tiktok"), server, settings)
        url = authorize_url(client, redirect_uri="u", state="s", verifier_challenge=challenge)
        assert f"&code_challenge_method=S256&code_challenge={sent}&" in url
        assert (await exchanged(outbound, server, client))["code_verifier"] == "v" * 43


async def test_an_answer_that_lies_deeper(outbound: Outbound, server: Scripted) -> None:
    options = {"subject_path": "id", "token_path": "authed_user"}
    settings = ProviderCredentials(config_id="o", provider="generic_oauth2", client_id="c", options=options)
    client = played(get("generic_oauth2"), server, settings)
    outer = {"ok": True, "access_token": "bot", "authed_user": {"access_token": "person", "scope": "a,b"}}
    server.answers["/token"] = [says(outer), says({"ok": False, "error": "invalid_grant", "authed_user": outer})]
    answer = await tokens.exchange_code(outbound, client, "c", REDIRECT_URI, None)
    assert answer.text("access_token") == "person"
    with pytest.raises(Fault) as caught:
        await tokens.exchange_code(outbound, client, "c", REDIRECT_URI, None)
    assert caught.value.code is FaultCode.PROVIDER_GRANT_INVALID
    server.answers["/token"] = says({"access_token": "outer"})
    assert (await tokens.exchange_code(outbound, client, "c", REDIRECT_URI, None)).text("access_token") == "outer"


async def test_a_project_names_the_words_that_end_a_grant(outbound: Outbound, server: Scripted) -> None:
    options = {"subject_path": "id", "dead_grant": "consent_gone, token_expired"}
    for said, code in (
        ("consent_gone", FaultCode.RECONNECT_NEEDED),
        ("token_expired", FaultCode.RECONNECT_NEEDED),
        ("invalid_grant", FaultCode.RECONNECT_NEEDED),
        ("something_else", FaultCode.PROVIDER_MISCONFIGURED),
    ):
        settings = ProviderCredentials(config_id="o", provider="generic_oauth2", client_id="c", options=options)
        client = played(get("generic_oauth2"), server, settings)
        server.answers["/token"] = says({"error": said}, 400)
        with pytest.raises(Fault) as caught:
            await tokens.refresh(outbound, client, "rt")
        assert caught.value.code is code


async def test_addresses_are_asked_for_by_the_largest_page(outbound: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = says({"id": 1, "account_id": "1"})
    server.answers["/emails"] = says([])
    for provider, query in (("github", {"per_page": "100"}), ("bitbucket", {"pagelen": "100"})):
        answer = TokenAnswer({"access_token": "at"})
        await identify(outbound, played(get(provider), server), answer, nonce=None, now=NOW)
        assert server.calls("/emails")[-1].query == query


async def test_hubspot_introspects(outbound: Outbound, server: Scripted) -> None:
    client = played(get("hubspot"), server)
    server.answers["/userinfo"] = says({"user_id": 7})
    await identify(outbound, client, TokenAnswer({"access_token": "at"}), nonce=None, now=NOW)
    seen = server.calls("/userinfo")[0]
    assert seen.method == "POST"
    assert seen.form == {
        "client_id": CLIENT_ID,
        "client_secret": "secret-of-ours",
        "token": "at",
        "token_type_hint": "access_token",
    }


async def test_headers_that_a_document_asks_for(outbound: Outbound, server: Scripted) -> None:
    server.answers["/userinfo"] = says({"id": 1, "data": {"id": "1"}})
    for provider, name, value in (
        ("github", "Accept", "application/vnd.github+json"),
        ("coinbase", "CB-VERSION", "2024-03-27"),
    ):
        answer = TokenAnswer({"access_token": "at"})
        await identify(outbound, played(get(provider), server), answer, nonce=None, now=NOW)
        assert server.calls("/userinfo")[-1].headers[name] == value


REVOKED = {
    "google": ("POST", {"token": "rt"}, ""),
    "github": ("DELETE", {"access_token": "at"}, "Basic"),
    "apple": ("POST", {"token": "rt", "token_type_hint": "refresh_token", "client_id": CLIENT_ID}, ""),
    "facebook": ("DELETE", {}, "Bearer at"),
    "discord": ("POST", {"token": "rt", "token_type_hint": "refresh_token"}, "Basic"),
    "gitlab": ("POST", {"token": "rt", "client_id": CLIENT_ID, "client_secret": "secret-of-ours"}, ""),
    "linkedin": ("POST", {"token": "rt", "client_id": CLIENT_ID, "client_secret": "secret-of-ours"}, ""),
    "slack": ("POST", {"token": "at"}, "Bearer at"),
    "x": ("POST", {"token": "rt"}, "Basic"),
    "twitch": ("POST", {"token": "at", "client_id": CLIENT_ID}, ""),
    "coinbase": ("POST", {"token": "at"}, "Bearer at"),
    "salesforce": ("POST", {"token": "rt"}, ""),
    "tiktok": ("POST", {"token": "at", "client_key": CLIENT_ID, "client_secret": "secret-of-ours"}, ""),
    "yahoo": ("POST", {"token": "rt"}, "Basic"),
    "hubspot": ("DELETE", {}, ""),
    "generic_oauth2": ("POST", {"token": "rt"}, "Basic"),
}


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
async def test_a_grant_is_handed_back_as_the_provider_wants(
    outbound: Outbound, server: Scripted, provider: Provider
) -> None:
    client = played(provider, server)
    gone = await tokens.revoke(outbound, client, access_token="at", refresh_token="rt", subject="77")
    if provider.id not in REVOKED:
        assert not gone
        return
    method, body, auth = REVOKED[provider.id]
    seen = server.seen[-1]
    assert gone
    assert seen.method == method
    assert seen.headers.get("Authorization", "").startswith(auth)
    sent = json.loads(seen.body) if "json" in seen.headers.get("Content-Type", "") else seen.form
    assert body.items() <= sent.items()
    assert ("token_type_hint" in sent) is (provider.revocation is not None and provider.revocation.hint)
    if not body:
        assert seen.body == b""


async def test_an_outage_while_handing_back_is_told(outbound: Outbound, server: Scripted) -> None:
    client = played(get("google"), server)
    server.answers["/revocation"] = [says({}, 503), says({}, 429, Retry_After="3"), says({"error": "x"}, 400)]
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            await tokens.revoke(outbound, client, refresh_token="rt")
        assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE
    assert await tokens.revoke(outbound, client, refresh_token="rt"), "a token that is dead is gone"
    assert not await tokens.revoke(outbound, client), "nothing to hand back"


async def test_what_a_project_adds_travels_along(outbound: Outbound, server: Scripted) -> None:
    options = {"authorize.audience": "api", "authorize.state": "evil", "token.audience": "api"}
    settings = ProviderCredentials(config_id="g", provider="google", client_id="c", options=options)
    client = played(get("google"), server, settings)
    url = authorize_url(client, redirect_uri="u", state="s")
    assert url.endswith("&audience=api")
    assert "evil" not in url
    form = await exchanged(outbound, server, client)
    assert form["audience"] == "api"
    assert form["grant_type"] == "authorization_code"


def test_scopes_that_tell_the_account_are_always_asked_for(server: Scripted) -> None:
    url = authorize_url(played(get("microsoft"), server), redirect_uri="u", state="s", scopes=("User.Read", "openid"))
    assert "scope=User.Read%20openid%20profile&" in url


async def test_a_key_that_belongs_to_another_issuer_signs_nothing(outbound: Outbound, server: Scripted) -> None:
    client = played(get("microsoft"), server)
    mine, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
    template = "https://login.microsoftonline.com/{tenantid}/v2.0"
    for owner, holds in ((template, True), (template.replace("{tenantid}", mine), True)):
        await _tried(outbound, server, client, mine, owner, holds)
        outbound.clock.now += 4_000_000_000  # type: ignore[attr-defined]
    await _tried(outbound, server, client, mine, template.replace("{tenantid}", other), False)


async def _tried(outbound: Outbound, server: Scripted, client: Client, tid: str, owner: str, holds: bool) -> None:
    server.answers["/jwks"] = says({"keys": [key | {"issuer": owner} for key in jwks(rsa())["keys"]]})
    moment = outbound.clock()
    claims = claims_of(client, {"sub": "p", "tid": tid, "oid": "o"}) | {"exp": moment // 1_000_000 + 60}
    answer = TokenAnswer({"access_token": "at", "id_token": signed(claims)})
    going = identify(outbound, client, answer, nonce=NONCE, now=moment)
    if holds:
        assert (await going).profile.subject == f"{tid}:o"
    else:
        with pytest.raises(Fault) as caught:
            await going
        assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


@pytest.mark.parametrize("provider", PROVIDERS, ids=label)
async def test_no_secret_in_any_fault(outbound: Outbound, server: Scripted, provider: Provider) -> None:
    """A hostile provider echoes all that it was sent, everywhere; none of it comes out again."""
    canaries = ["canary-code", "canary-verifier" * 4, "canary-refresh", "secret-of-ours"]
    client = played(provider, server)
    echo = {"error": " ".join(canaries), "error_description": canaries, "message": canaries, "status": canaries[2]}
    for status in (200, 302, 400, 401, 403, 500):
        server.answers["/token"] = server.answers["/refresh"] = says(echo, status)
        with pytest.raises(Fault) as exchange:
            await tokens.exchange_code(outbound, client, canaries[0], REDIRECT_URI, canaries[1])
        with pytest.raises(Fault) as refresh:
            await tokens.refresh(outbound, client, canaries[2])
        for fault in (exchange.value, refresh.value):
            told = f"{fault} {fault!r} {fault.facts}"
            assert not [canary for canary in canaries if canary in told]
