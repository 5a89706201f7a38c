"""Cookies, pages and the description, without a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from oneself.actions.runtime import Runtime
from oneself.wire.http import Request
from oneself.wire.stytch import app, pages
from oneself.wire.stytch.cookies import TripCookies
from oneself.wire.stytch.routes import ROUTES
from tests.stytch import samples


def request(**headers: str) -> Request:
    return Request("GET", "/", "", headers, b"", "127.0.0.1", {})


def test_on_https_the_cookies_say_so() -> None:
    for secure in (False, True):
        cookies = TripCookies(samples.project(), secure)
        trip, ledger = cookies.begin(request(), "state", "value", 600)
        assert trip.startswith(cookies.name("state") + "=value; ")
        assert ("; Secure" in trip, trip.startswith("__Secure-")) == (secure, secure)
        assert ("; Secure" in ledger, ledger.startswith("__Secure-")) == (secure, secure)
        assert "state" not in trip.partition("=")[0]


def test_a_ledger_that_was_tampered_with_is_read_with_care() -> None:
    cookies = TripCookies(samples.project(), secure=False)
    name = cookies.begin(request(), "s", "v", 600)[1].partition("=")[0]
    bad = ".".join(["x", "../", "a" * 24, "\r\nSet-Cookie: a=b", "A" * 24, *["b" * 24] * 900])
    lines = cookies.begin(request(cookie=f"{name}={bad}"), "s", "v", 600)
    assert len(lines) <= 12
    assert all("\r" not in line and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("text/html", True),
        ("TEXT/HTML", True),
        ("text/html, application/json", True),
        ("application/json", False),
        ("application/json, text/html", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_a_page_is_for_who_asks_for_one(accept: str, page: bool) -> None:
    assert pages.wanted(request(accept=accept)) is page


def test_a_page_holds_no_link_that_runs() -> None:
    ways = (pages.Way("javascript:alert(1)", "a"), pages.Way('https://a.example/?"><b>', '"><i>'))
    text = pages.refusal_page(400, "sign_up_closed", "request-id-test-1", ways).body.decode()
    assert "javascript:" not in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert 'href="https://a.example/?&quot;&gt;&lt;b&gt;"' in text


def test_the_description_names_every_route_once_with_its_keys() -> None:
    rt = SimpleNamespace(settings=SimpleNamespace(base_url="http://localhost:8000"))
    described = msgspec.json.decode(msgspec.json.encode(app.description(cast(Runtime, rt))))
    assert described["openapi"] == "3.1.0"
    found = {
        (method.upper(), path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert set(found) == {(route.method, route.template) for route in ROUTES}
    names = [operation["operationId"] for operation in found.values()]
    assert len(names) == len(set(names))
    for operation in found.values():
        assert operation["security"] is not None
        for reference in references(operation):
            assert reference.rpartition("/")[2] in described["components"]["schemas"]
    attach = found["POST", "/v1/oauth/attach"]
    assert "400" in attach["responses"]
    assert "oauth_config_not_found" in attach["responses"]["400"]["description"]
    start = found["GET", "/v1/public/oauth/{provider}/start"]
    assert {each["name"] for each in start["parameters"]} >= {"provider", "public_token"}


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [ref for part in value.values() for ref in references(part)]
    if isinstance(value, list):
        return [ref for part in value for ref in references(part)]
    return []
