"""Faults on order: each does to a client what its name says, as often as ordered, and then no more."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from oneself.emulator.trouble import Trouble
from tests.emulator.rig import Rig, ask

USERINFO = ("google", "/v1/userinfo")


def order(rig: Rig, **fault: Any) -> None:
    rig.control("POST", "/faults", {"provider": "google", "endpoint": "userinfo", **fault})


def read(rig: Rig, token: str, timeout: float = 5.0) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return ask("GET", rig.at(*USERINFO), headers=headers, timeout=timeout)


@pytest.fixture
def token(rig: Rig) -> str:
    found: str = rig.sign_in("google")["access_token"]
    return found


def test_a_fault_strikes_as_often_as_ordered_and_only_there(rig: Rig, token: str) -> None:
    order(rig, kind="server_error", times=2)
    assert rig.sign_in("google")["access_token"]
    assert rig.sign_in("oidc")["access_token"]
    assert [read(rig, token).status for _ in range(3)] == [500, 500, 200]
    order(rig, kind="server_error", times=0)
    assert [read(rig, token).status for _ in range(3)] == [500, 500, 500]
    assert rig.control("DELETE", "/faults") == []
    assert read(rig, token).status == 200


def test_every_endpoint_and_provider_at_once(rig: Rig) -> None:
    rig.control("POST", "/faults", {"kind": "status", "status": 503, "retry_after": 7, "times": 2})
    first = ask("GET", rig.at("google", "/oauth2/v3/certs"))
    assert (first.status, first.headers["retry-after"]) == (503, "7")
    assert ask("GET", rig.at("oidc", "/jwks")).status == 503
    assert ask("GET", rig.at("oidc", "/jwks")).status == 200


def test_a_delay(rig: Rig, token: str) -> None:
    order(rig, kind="delay", seconds=0.3)
    began = time.monotonic()
    assert read(rig, token).json()["email"] == "ada@corp.example"
    assert time.monotonic() - began >= 0.3


def test_a_hang_ends_only_by_the_clients_patience(rig: Rig, token: str) -> None:
    order(rig, kind="hang")
    with pytest.raises(TimeoutError):
        read(rig, token, timeout=0.5)
    assert read(rig, token).status == 200


def test_a_hang_in_the_body(rig: Rig, token: str) -> None:
    order(rig, kind="hang_in_body")
    parts = urlsplit(rig.base)
    connection = http.client.HTTPConnection(parts.netloc, timeout=0.5)
    connection.request("GET", "/google/v1/userinfo", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(TimeoutError):
        answer.read()
    connection.close()


def test_a_reset_before_and_in_the_body(rig: Rig, token: str) -> None:
    order(rig, kind="reset")
    with pytest.raises(ConnectionResetError):
        read(rig, token)
    order(rig, kind="reset_in_body")
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        read(rig, token)
    assert read(rig, token).status == 200


def test_a_rate_limit(rig: Rig, token: str) -> None:
    order(rig, kind="rate_limit", retry_after=30)
    reply = read(rig, token)
    assert (reply.status, reply.headers["retry-after"]) == (429, "30")
    order(rig, kind="rate_limit")
    assert read(rig, token).headers["retry-after"] == "1"


def test_answers_that_are_no_json(rig: Rig, token: str) -> None:
    for kind in ("html", "empty", "garbage", "truncated"):
        order(rig, kind=kind)
        reply = read(rig, token)
        assert reply.status == 200
        assert int(reply.headers["content-length"]) == len(reply.body)
        with pytest.raises(ValueError, match=r"."):
            reply.json()
    order(rig, kind="garbage", body="[1]")
    assert read(rig, token).json() == [1]


def test_every_value_of_another_type(rig: Rig, token: str) -> None:
    honest = read(rig, token).json()
    order(rig, kind="wrong_types")
    twisted = read(rig, token).json()
    assert set(twisted) == set(honest)
    assert not [name for name in honest if type(honest[name]) is type(twisted[name])]
    assert twisted["email_verified"] == [True]


def test_a_huge_answer_is_json_of_that_size(rig: Rig, token: str) -> None:
    order(rig, kind="huge", size=3_000_000)
    reply = read(rig, token)
    assert len(reply.body) == 3_000_000
    assert list(json.loads(reply.body)) == ["padding"]


def test_a_huge_answer_stops_when_nobody_listens(rig: Rig, token: str) -> None:
    order(rig, kind="huge", size=2_000_000_000)
    parts = urlsplit(rig.base)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as sock:
        sock.sendall(f"GET /google/v1/userinfo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 200")
    assert read(rig, token).status == 200


def test_a_redirect_loop_leads_to_itself(rig: Rig, token: str) -> None:
    order(rig, kind="redirect_loop")
    reply = ask("GET", rig.at("google", "/v1/userinfo?a=b%20c"), headers={"Authorization": f"Bearer {token}"})
    assert (reply.status, reply.headers["location"]) == (307, "/google/v1/userinfo?a=b%20c")


def test_a_drip(rig: Rig, token: str) -> None:
    order(rig, kind="drip", seconds=0.001)
    assert read(rig, token).json()["email"] == "ada@corp.example"


def test_only_token_requests_of_one_kind(rig: Rig) -> None:
    rig.control("POST", "/faults", {"kind": "server_error", "endpoint": "token", "grant_type": "refresh_token"})
    tokens = rig.sign_in("oidc")
    assert rig.refresh("oidc", tokens["refresh_token"]).status == 500
    assert rig.refresh("oidc", tokens["refresh_token"]).status == 200


def test_an_answer_lost_after_the_act(rig: Rig) -> None:
    old = rig.sign_in("oidc")["refresh_token"]
    rig.control("POST", "/faults", {"kind": "reset", "endpoint": "token", "after": True})
    with pytest.raises(ConnectionResetError):
        rig.refresh("oidc", old)
    assert rig.refresh("oidc", old).json()["error"] == "invalid_grant"  # it was used up
    trip = rig.trip("oidc")
    rig.control("POST", "/faults", {"kind": "reset", "endpoint": "token"})
    with pytest.raises(ConnectionResetError):
        rig.redeem(trip)
    assert rig.redeem(trip).status == 200  # nothing had been done


@pytest.mark.parametrize("error", ["invalid_grant", "access_denied", "consent_required", "invalid_token"])
def test_a_refresh_error_by_name(rig: Rig, error: str) -> None:
    tokens = rig.sign_in("mock")
    rig.control("POST", "/simulate-refresh-error", {"provider": "mock", "error": error})
    reply = rig.refresh("mock", tokens["refresh_token"])
    assert (reply.status, reply.json()) == (400, {"error": error})
    assert rig.refresh("mock", tokens["refresh_token"]).status == 200


def test_an_error_has_the_providers_status(rig: Rig) -> None:
    for provider, status in (("github", 200), ("slack", 200), ("google", 400)):
        order = {"kind": "oauth_error", "provider": provider, "endpoint": "token", "error": "slow_down"}
        rig.control("POST", "/faults", order)
        reply = rig.redeem(rig.trip(provider))
        assert (reply.status, reply.json()["error"]) == (status, "slow_down")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "nonsense"},
        {"kind": "delay", "provider": "myspace"},
        {"kind": "delay", "endpoint": "nowhere"},
        {"kind": "delay", "seconds": -1},
        {"kind": "delay", "seconds": 10**9},
        {"kind": "status", "status": 99},
        {"kind": "delay", "times": -1},
        {"kind": "id_token", "flaw": "nonsense"},
        {"kind": "delay", "unknown": 1},
        {},
        [],
    ],
)
def test_a_wrong_order_is_refused_with_its_reason(rig: Rig, wrong: object) -> None:
    reply = ask("POST", rig.base + "/_control/faults", data=wrong)
    assert reply.status == 400
    assert reply.json()["error"]
    assert rig.control("GET", "/faults") == []


def test_orders_have_a_bound(rig: Rig) -> None:
    rig.emulator.world.troubles.extend(Trouble(kind="delay", provider="x") for _ in range(1_000))
    assert ask("POST", rig.base + "/_control/faults", data={"kind": "delay"}).status == 400
    rig.control("DELETE", "/faults")
    assert ask("POST", rig.base + "/_control/faults", data={"kind": "delay"}).status == 200
