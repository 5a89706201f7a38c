"""Requests that nobody should send: whatever comes, an answer comes back, and it is no failure of the emulator."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.plays import PLAYS
from tests.emulator.rig import CALLBACK, SECRET, Rig, ask, running

NAMES = ["client_id", "client_key", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "login_hint"]
NAMES += ["response_mode", "code_challenge", "code_challenge_method", "claims", "access_type", "request", "fields"]
FIELDS = ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_key", "client_secret", "scope"]
FIELDS += ["refresh_token", "fb_exchange_token", "token", "token_type_hint", "_persona", "_scope"]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["the-client", CALLBACK, "code", "openid email", "ada", "deny", "none", "consent", "S256", "x" * 43]
    ),
    st.sampled_from(
        ["authorization_code", "refresh_token", "form_post", "{}", "[1]", '{"userinfo": 1}', SECRET, "nobody"]
    ),
    st.sampled_from(
        ["\r\nSet-Cookie: a=b", "javascript:alert(1)", "http://[", "\x00", "漢字", "a b+c", "https://a.example/#b"]
    ),
)
PLACES = [
    (name, path) for name, play in PLAYS.items() for path in (play.authorize, play.token, play.userinfo, play.refresh)
]
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(
    place=st.sampled_from([place for place in PLACES if place[1]]),
    query=st.lists(st.tuples(st.sampled_from(NAMES), TEXTS), max_size=8),
    form=st.lists(st.tuples(st.sampled_from(FIELDS), TEXTS), max_size=8),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    authorization=st.sampled_from(
        ["", "Basic", "Basic !!", "Basic Og==", "Bearer", "Bearer x", "Basic dGhlLWNsaWVudA==", "x y z"]
    ),
)
def test_no_request_breaks_it(
    rig: Rig,
    place: tuple[str, str],
    query: list[tuple[str, str]],
    form: list[tuple[str, str]],
    method: str,
    authorization: str,
) -> None:
    provider, path = place
    url = rig.at(provider, path.partition("?")[0])
    reply = ask(
        method,
        with_query(url, query),
        form=form if method == "POST" else None,
        headers={"Authorization": authorization},
    )
    assert reply.status < 500, reply.text
    assert "set-cookie" not in reply.headers
    assert not reply.headers.get("location", "").startswith("javascript:")


def with_query(url: str, pairs: list[tuple[str, str]]) -> str:
    from_pairs = "&".join(f"{name}={json_quoted(value)}" for name, value in pairs)
    return f"{url}?{from_pairs}" if pairs else url


def json_quoted(value: str) -> str:
    return "".join(f"%{byte:02X}" for byte in value.encode("utf-8", "surrogatepass"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["kind", "provider", "endpoint", "times", "seconds", "status", "persona", "token", "id", "email", "answers"]
KEYS += ["client_id", "redirect_uris", "skew_seconds", "keep_old", "flaw", "error"]


@FEW
@given(
    path=st.sampled_from(
        ["/faults", "/clients", "/personas", "/personas/ada", "/picks", "/clock", "/counts", "/revoke-grant", "/reset"]
    ),
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
    body=JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=5),
)
def test_no_order_breaks_it(rig: Rig, path: str, method: str, body: object) -> None:
    reply = ask(method, rig.base + "/_control" + path, data=body)
    assert reply.status < 500, (path, json.dumps(body), reply.text)
    rig.emulator.world.reset()


def test_a_learning_emulator_puts_no_header_where_an_address_belongs() -> None:
    with running(accept_any_client=True) as rig:
        for odd in (
            "http://a.example/\r\nSet-Cookie: a=b",
            "http://a.example/ b",
            "http://ä.example/",
            "data:text/html,x",
        ):
            reply = rig.authorize("oidc", redirect_uri=odd, login_hint="ada")
            assert reply.status == 400
            assert "location" not in reply.headers
        assert rig.trip("oidc").code


@pytest.mark.parametrize("scope", ['op"enid', "back\\slash", "漢字", "a\x00b"])
def test_a_scope_that_is_none(rig: Rig, scope: str) -> None:
    assert rig.trip("oidc", scope="openid " + scope).came["error"] == "invalid_scope"
    assert rig.trip("oidc").code
