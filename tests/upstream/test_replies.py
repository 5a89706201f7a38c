"""Answers of any bytes: a value of the right shape or a Fault, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneself.faults import Fault, FaultCode
from oneself.model import ProviderCredentials, Secret, TokenSet
from oneself.providers.github import GITHUB
from oneself.providers.google import GOOGLE
from oneself.providers.spec import Match, Provider
from oneself.upstream.client import Client, resolve
from oneself.upstream.failures import failure
from oneself.upstream.replies import (
    TokenAnswer,
    document,
    fields,
    matches,
    succeeded,
    tokens_from,
)
from oneself.upstream.reply import Reply
from tests.upstream.conftest import NOW

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def client(provider: Provider) -> Client:
    return resolve(provider, ProviderCredentials(config_id=provider.id, provider=provider.id), Secret("s"))


def answer(**more: Any) -> TokenAnswer:
    return TokenAnswer({"access_token": "at", **more})


def made(provider: Provider = GOOGLE, **more: Any) -> TokenSet:
    return tokens_from(provider, answer(**more), now=NOW, asked=("asked",))


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3599.9, 3599),
        (0, 0),
        (-5, 0),
        (10**12, 10 * 365 * 86_400),
        (10**30, 10 * 365 * 86_400),
        (None, None),
        (True, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("１２", None),
        ("9" * 400, None),
        ([3600], None),
        ({"a": 1}, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
    ids=repr,
)
def test_lifetimes(said: Any, seconds: int | None) -> None:
    expected = 0 if seconds is None else NOW + seconds * 1_000_000
    assert made(expires_in=said).expires_at == expected


@pytest.mark.parametrize(
    ("provider", "said", "scopes"),
    [
        (GOOGLE, "openid email", ("openid", "email")),
        (GOOGLE, "openid  email\n", ("openid", "email")),
        (GOOGLE, ["a", "b", 1, None, ""], ("a", "b")),
        (GOOGLE, "https://x/a,b", ("https://x/a,b",)),
        (GITHUB, "repo,user:email", ("repo", "user:email")),
        (GITHUB, "repo, user:email", ("repo", "user:email")),
        (GITHUB, "a,a,b", ("a", "b")),
        (GITHUB, "", ("asked",)),
        (GOOGLE, None, ("asked",)),
        (GOOGLE, 7, ("asked",)),
    ],
)
def test_scopes(provider: Provider, said: Any, scopes: tuple[str, ...]) -> None:
    assert made(provider, scope=said).scopes == scopes


def test_what_a_refresh_leaves_out_is_kept() -> None:
    before = TokenSet(access_token="old", refresh_token="rt", id_token="id", scopes=("a",), expires_at=1)
    fresh = tokens_from(GOOGLE, answer(), now=NOW, previous=before)
    assert (fresh.refresh_token, fresh.id_token, fresh.scopes) == ("rt", "id", ("a",))
    assert fresh.expires_at == 0, "an old expiry says nothing about a new token"
    swapped = tokens_from(GOOGLE, answer(refresh_token="rt2"), now=NOW, previous=before)
    assert swapped.refresh_token == "rt2"
    assert tokens_from(GOOGLE, answer(refresh_token=None), now=NOW, previous=before).refresh_token


@pytest.mark.parametrize("name", ["refresh_token", "id_token"])
@pytest.mark.parametrize("odd", [1, True, ["t"], {"t": 1}, "t\r\nX: 1", "t\x00", "tökén", "t" * 16_385])
def test_odd_tokens_are_refused(name: str, odd: Any) -> None:
    with pytest.raises(Fault) as caught:
        made(**{name: odd})
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


def test_an_answer_shows_nothing() -> None:
    assert "at" not in repr(answer()).replace("Token", "")
    assert "secret" not in repr(made(refresh_token="secret"))


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (JSON, b'{"a": 1}', {"a": 1}),
        ("text/javascript", b'{"a": 1}', {"a": 1}),
        ("text/plain", b' {"a": 1}', {"a": 1}),
        ("text/plain", b"access_token=a&scope=b%2Cc", {"access_token": "a", "scope": "b,c"}),
        (FORM, b"access_token=a&scope=", {"access_token": "a", "scope": ""}),
        ("application/octet-stream", b'{"a": 1}', {"a": 1}),
    ],
)
def test_bodies_by_their_type(kind: str, body: bytes, found: Any) -> None:
    assert document(Reply(200, kind, body)) == found


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b'{"a": 1}'),
        (JSON, b""),
        (JSON, b'{"a": 1'),
        (JSON, b"\xff\xfe"),
        (JSON, b"[" * 50_000),
        (JSON, b"access_token=a"),
        (JSON, b'{"a": NaN}'),
        (FORM, b""),
        (FORM, b"a=1&a=2"),
        (FORM, b"&".join(b"a%d=1" % n for n in range(300))),
        (FORM, b"\xff=1"),
    ],
)
def test_broken_bodies(kind: str, body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        document(Reply(200, kind, body))
    assert caught.value.code is FaultCode.PROVIDER_REPLY_INVALID


@pytest.mark.parametrize(
    ("status", "body", "good"),
    [
        (200, {"access_token": "a"}, True),
        (201, {"access_token": "a", "ok": True}, True),
        (200, {"access_token": "a", "error": ""}, True),
        (200, {"access_token": "a", "error": None}, True),
        (200, {"access_token": "a", "error": "x"}, False),
        (200, {"access_token": "a", "error": True}, False),
        (200, {"access_token": "a", "error": {"code": 190}}, False),
        (200, {"access_token": "a", "ok": False}, False),
        (200, {"access_token": ""}, False),
        (200, {"access_token": 7}, False),
        (200, {}, False),
        (400, {"access_token": "a"}, False),
        (302, {"access_token": "a"}, False),
    ],
)
def test_what_counts_as_success(status: int, body: dict[str, Any], good: bool) -> None:
    assert succeeded(Reply(status, JSON, b""), body) is good


def test_matchers() -> None:
    body = {"error": {"code": 190, "sub": 460}, "message": "It IS Revoked", "gone": True}
    assert matches([Match(equals=(("error.code", ("190",)),))], 400, body)
    assert matches([Match(status=(400,), contains=(("message", "is revoked"),))], 400, body)
    assert matches([Match(equals=(("gone", ("true",)),))], 400, body)
    assert not matches([Match(status=(401,))], 400, body)
    assert not matches([Match(equals=(("error.code", ("19",)),))], 400, body)
    assert not matches([Match(equals=(("error.code.deeper", ("190",)),))], 400, body)
    assert not matches([], 400, body)
    both = Match(equals=(("error.code", ("190",)),), contains=(("message", "nothing"),))
    assert not matches([both], 400, body)


def test_a_providers_words_are_not_repeated() -> None:
    body = json.dumps({"error": "rt-secret", "error_description": "rt-secret"}).encode()
    fault = failure(client(GOOGLE), "refresh", Reply(400, JSON, body))
    assert "rt-secret" not in str(fault)
    assert "rt-secret" not in repr(fault.facts)


KINDS = st.sampled_from([JSON, FORM, "text/plain", "text/html", "application/octet-stream", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["access_token", "refresh_token", "id_token", "expires_in", "scope", "token_type", "error"])


@given(KINDS, st.binary(max_size=200), st.integers(100, 599))
def test_any_bytes_give_a_value_or_a_fault(kind: str, body: bytes, status: int) -> None:
    reply = Reply(status, kind, body)
    try:
        fields(reply)
    except Fault as fault:
        assert fault.code is FaultCode.PROVIDER_REPLY_INVALID
    for call in ("exchange", "refresh"):
        assert isinstance(failure(client(GITHUB), call, reply), Fault)


@given(st.dictionaries(NAMES, VALUES))
def test_any_answer_gives_tokens_or_a_fault(found: dict[str, Any]) -> None:
    reply = Reply(200, JSON, json.dumps(found).encode())
    if succeeded(reply, found):
        try:
            made = tokens_from(GITHUB, TokenAnswer(found), now=NOW)
        except Fault as fault:
            assert fault.code is FaultCode.PROVIDER_REPLY_INVALID
        else:
            assert made.access_token
            assert made.expires_at >= 0
