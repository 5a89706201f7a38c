"""id_tokens that lie, each beside the honest twin that is taken."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from oneself.crypto import b64
from oneself.faults import Fault, FaultCode
from oneself.providers.google import GOOGLE
from oneself.upstream.client import Client
from oneself.upstream.http import Outbound
from oneself.upstream.id_token import after_refresh, verify_id_token
from tests.providers.recorded import CLIENT_ID
from tests.upstream import signing
from tests.upstream.conftest import NOW, Clock
from tests.upstream.played import NONCE, claims_of, played
from tests.upstream.scripted import Scripted, says
from tests.upstream.signing import confused, jwks, p256, rsa, signed, unsigned

ACCESS = "access-token-1"
SECONDS = NOW // 1_000_000


def at_hash(access_token: str, name: str = "sha256") -> str:
    digest = hashlib.new(name, access_token.encode()).digest()
    return b64.encode(digest[: len(digest) // 2])


@pytest.fixture
def client(server: Scripted) -> Client:
    return played(GOOGLE, server)


async def check(outbound: Outbound, client: Client, token: str, nonce: str | None = NONCE) -> Any:
    return await verify_id_token(outbound, client, token, nonce=nonce, access_token=ACCESS, now=NOW)


def honest(client: Client, **more: Any) -> dict[str, Any]:
    return claims_of(client, {"sub": "1", "email": "a@b.example"}, **more)


HONEST: list[tuple[str, dict[str, Any]]] = [
    ("plain", {}),
    ("audience a list of one", {"aud": [CLIENT_ID]}),
    ("two audiences and azp", {"aud": ["other", CLIENT_ID], "azp": CLIENT_ID}),
    ("azp though one audience", {"azp": CLIENT_ID}),
    ("at_hash", {"at_hash": at_hash(ACCESS)}),
    ("just expired, within the minute", {"exp": SECONDS - 59}),
    ("issued by a clock that is ahead", {"iat": SECONDS + 59}),
    ("nbf within the minute", {"nbf": SECONDS + 59}),
    ("the other spelling of the issuer", {"iss": "accounts.google.com"}),
    ("numbers with a fraction", {"exp": SECONDS + 10.5, "iat": SECONDS - 0.5}),
]


@pytest.mark.parametrize(("name", "more"), HONEST)
async def test_honest_tokens_are_taken(outbound: Outbound, client: Client, name: str, more: dict[str, Any]) -> None:
    claims = await check(outbound, client, signed(honest(client, **more)))
    assert claims["sub"] == "1"


FALSE: list[tuple[str, dict[str, Any]]] = [
    ("another issuer", {"iss": "https://evil.example"}),
    ("an issuer with a slash more", {"iss": "https://accounts.google.com/"}),
    ("no issuer", {"iss": None}),
    ("a list of issuers", {"iss": ["https://accounts.google.com"]}),
    ("made for another", {"aud": "other"}),
    ("no audience", {"aud": None}),
    ("an empty audience", {"aud": []}),
    ("an audience that contains ours as text", {"aud": f"x{CLIENT_ID}"}),
    ("a map as audience", {"aud": {CLIENT_ID: True}}),
    ("two audiences, no azp", {"aud": ["other", CLIENT_ID]}),
    ("two audiences, another's azp", {"aud": ["other", CLIENT_ID], "azp": "other"}),
    ("one audience, another's azp", {"azp": "other"}),
    ("azp a number", {"azp": 1}),
    ("expired", {"exp": SECONDS - 60}),
    ("no expiry", {"exp": None}),
    ("expiry as text", {"exp": str(SECONDS + 600)}),
    ("expiry true", {"exp": True}),
    ("issued in the future", {"iat": SECONDS + 61}),
    ("no time of issue", {"iat": None}),
    ("not valid yet", {"nbf": SECONDS + 61}),
    ("nbf as text", {"nbf": "soon"}),
    ("another nonce", {"nonce": "n-other"}),
    ("no nonce", {"nonce": None}),
    ("a longer nonce", {"nonce": f"{NONCE}x"}),
    ("at_hash of another token", {"at_hash": at_hash("access-token-2")}),
    ("at_hash whole instead of half", {"at_hash": b64.encode(hashlib.sha256(b"x").digest())}),
    ("at_hash a number", {"at_hash": 1}),
    ("at_hash empty", {"at_hash": ""}),
    ("no subject", {"sub": None}),
    ("an empty subject", {"sub": ""}),
    ("a number as subject", {"sub": 1}),
    ("a subject without end", {"sub": "s" * 256}),
]


@pytest.mark.parametrize(("name", "more"), FALSE)
async def test_false_claims_are_refused(outbound: Outbound, client: Client, name: str, more: dict[str, Any]) -> None:
    with pytest.raises(Fault) as caught:
        await check(outbound, client, signed(honest(client, **more)))
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


def _embedded(claims: dict[str, Any]) -> str:
    own = signing.rsa("evil")
    return signed(claims, key=own, kid="evil", jwk=own.as_dict(private=False))


def _truncated(claims: dict[str, Any]) -> str:
    return signed(claims)[:-10]


def _padded(claims: dict[str, Any]) -> str:
    return signed(claims) + "=="


def _altered(claims: dict[str, Any]) -> str:
    head, _, signature = signed(claims).split(".")
    body = signed(claims | {"sub": "2"}).split(".")[1]
    return f"{head}.{body}.{signature}"


FORGED: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
    ("alg none", unsigned),
    ("alg None", lambda claims: unsigned(claims, "None")),
    ("no alg", lambda claims: unsigned(claims, "")),
    ("HS256 under the RSA key", confused),
    ("another's key under our kid", lambda c: signed(c, key=signing.rsa("evil"))),
    ("an unknown kid", lambda c: signed(c, key=signing.rsa("evil"), kid="evil")),
    ("its own key in the header", _embedded),
    ("a jku", lambda c: signed(c, jku="https://evil.example/keys")),
    ("an x5u", lambda c: signed(c, x5u="https://evil.example/cert")),
    ("an unknown crit", lambda c: signed(c, crit=["exp2"], exp2=1)),
    ("an algorithm that is not allowed", lambda c: signed(c, alg="RS384")),
    ("an elliptic key", lambda c: signed(c, key=p256(), alg="ES256")),
    ("truncated", _truncated),
    ("padded", _padded),
    ("another payload", _altered),
    ("too few parts", lambda c: ".".join(signed(c).split(".")[:2])),
    ("too many parts", lambda c: signed(c) + ".x"),
    ("huge", lambda c: signed(c | {"pad": "p" * 40_000})),
    ("no token", lambda _: "no token"),
]


@pytest.mark.parametrize(("name", "forge"), FORGED)
async def test_forged_tokens_are_refused(
    outbound: Outbound,
    client: Client,
    server: Scripted,
    name: str,
    forge: Callable[[dict[str, Any]], str],
) -> None:
    server.answers["/jwks"] = says(jwks(rsa(), p256("key-2")))
    with pytest.raises(Fault) as caught:
        await check(outbound, client, forge(honest(client)))
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID
    assert (await check(outbound, client, signed(honest(client))))["sub"] == "1"
    assert {request.path for request in server.seen} == {"/jwks"}, "no address of theirs is called"


async def test_without_a_nonce_sent_none_is_asked(outbound: Outbound, client: Client) -> None:
    token = signed(honest(client, nonce=None))
    assert (await check(outbound, client, token, nonce=None))["sub"] == "1"


async def test_a_rotated_key_is_fetched_once(
    outbound: Outbound, client: Client, server: Scripted, clock: Clock
) -> None:
    server.answers["/jwks"] = says(jwks(rsa("old")))
    await check(outbound, client, signed(honest(client), key=rsa("old"), kid="old"))
    server.answers["/jwks"] = says(jwks(rsa("new")))
    clock.now += 31_000_000
    await check(outbound, client, signed(honest(client), key=rsa("new"), kid="new"))
    assert len(server.calls("/jwks")) == 2


async def test_unknown_keys_make_no_storm(outbound: Outbound, client: Client, server: Scripted, clock: Clock) -> None:
    await check(outbound, client, signed(honest(client)))
    for number in range(50):
        with pytest.raises(Fault):
            await check(outbound, client, signed(honest(client), key=rsa("evil"), kid=f"{number}"))
    assert len(server.calls("/jwks")) == 1
    clock.now += 31_000_000
    with pytest.raises(Fault):
        await check(outbound, client, signed(honest(client), key=rsa("evil"), kid="more"))
    assert len(server.calls("/jwks")) == 2


async def test_keys_that_cannot_be_fetched_are_an_outage(outbound: Outbound, client: Client, server: Scripted) -> None:
    server.answers["/jwks"] = says({}, 503)
    with pytest.raises(Fault) as caught:
        await check(outbound, client, signed(honest(client)))
    assert caught.value.code is FaultCode.PROVIDER_UNAVAILABLE


def test_a_refreshed_id_token_is_of_the_same_account(client: Client) -> None:
    before = signed(honest(client))
    assert after_refresh(client, before, "") == before
    assert after_refresh(client, "", before) == before
    later = signed(honest(client, iat=SECONDS + 1, nonce=None))
    assert after_refresh(client, before, later) == later
    other_spelling = signed(honest(client, iss="accounts.google.com"))
    assert after_refresh(client, before, other_spelling) == other_spelling
    assert after_refresh(client, before, "no.token") == before, "one that nobody can read counts as none"
    for more in ({"sub": "2"}, {"sub": None}, {"iss": "https://evil.example"}, {"aud": "other"}, {"azp": "other"}):
        with pytest.raises(Fault) as caught:
            after_refresh(client, before, signed(honest(client, **more)))
        assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID
