"""Private addresses in every notation, and names that lead to them; each beside its honest twin."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from oneself.faults import Fault, FaultCode
from oneself.upstream.addresses import AddressRefusedError, is_public, public_socket
from oneself.upstream.http import Outbound
from tests.upstream.conftest import NOW
from tests.upstream.scripted import Scripted, says

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::1%lo",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "100::1",
    "no address",
    "",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is(address: str) -> None:
    assert is_public(address)


def test_the_socket_is_the_last_place_that_looks() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))
    with pytest.raises(AddressRefusedError):
        public_socket(info)
    public_socket((*info[:4], ("8.8.8.8", 443))).close()


NOTATIONS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "[fe80::1%25lo]",
    "[fd00::1]",
]


@pytest.mark.parametrize("host", NOTATIONS)
async def test_no_notation_reaches_a_private_address(server: Scripted, host: str) -> None:
    server.answers["/a"] = says({})
    client = Outbound(clock=lambda: NOW)
    with pytest.raises(Fault) as caught:
        await client.send("GET", f"https://{host}:{server.port}/a")
    await client.close()
    # Either the name leads nowhere on this machine, or it is refused; it is never called.
    assert caught.value.code in (
        FaultCode.PROVIDER_MISCONFIGURED,
        FaultCode.PROVIDER_UNAVAILABLE,
    )
    assert caught.value.facts.get("sent", False) is False
    assert server.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_refusal_is_no_outage(server: Scripted, host: str) -> None:
    client = Outbound(clock=lambda: NOW)
    with pytest.raises(Fault) as caught:
        await client.send("GET", f"https://{host}:{server.port}/a")
    await client.close()
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.1:{port}"])
async def test_the_operator_may_allow_a_host(server: Scripted, allowed: str) -> None:
    server.answers["/a"] = says({})
    client = Outbound(frozenset({allowed.format(port=server.port)}), clock=lambda: NOW)
    assert (await client.send("GET", f"{server.base}/a")).status == 200
    await client.close()


@pytest.mark.parametrize("allowed", ["127.0.0.1:1", "localhost", "127.0.0", "27.0.0.1"])
async def test_an_allowed_host_is_compared_whole(server: Scripted, allowed: str) -> None:
    client = Outbound(frozenset({allowed}), clock=lambda: NOW)
    with pytest.raises(Fault) as caught:
        await client.send("GET", f"{server.base}/a")
    await client.close()
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


@pytest.mark.parametrize(
    "url",
    [
        "http://provider.example/a",
        "ftp://provider.example/a",
        "file:///etc/passwd",
        "//provider.example/a",
        "/a",
        "",
        "https://",
        "https://user:pass@provider.example/",
        "https://user@provider.example/",
        "https://provider.example:99999/",
        "https://pro vider.example/",
        "gopher://127.0.0.1/",
        "https://[::1",
    ],
)
async def test_only_https_to_a_plain_host(url: str) -> None:
    client = Outbound(clock=lambda: NOW)
    with pytest.raises(Fault) as caught:
        await client.send("GET", url)
    await client.close()
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED


def _resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let every name resolve to the next of these answers; the last stays."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr("oneself.upstream.resolver.socket.getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_that_leads_inside_is_refused(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, ["127.0.0.1"])
    client = Outbound(clock=lambda: NOW)
    with pytest.raises(Fault) as caught:
        await client.send("GET", f"https://rebind.example:{server.port}/a")
    await client.close()
    assert caught.value.code is FaultCode.PROVIDER_MISCONFIGURED
    assert server.seen == []


async def test_the_same_name_is_called_where_the_operator_allows_it(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolving(monkeypatch, ["127.0.0.1"])
    server.answers["/a"] = says({})
    client = Outbound(frozenset({"rebind.example"}), clock=lambda: NOW)
    assert (await client.send("GET", f"http://rebind.example:{server.port}/a")).status == 200
    await client.close()


async def test_what_was_checked_is_what_is_connected(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers publicly at the check and privately at the connection gains nothing:
    there is one resolution, and each socket is made for a checked address.
    """
    made: list[str] = []
    asked = _resolving(monkeypatch, ["8.8.8.8", "127.0.0.1"], ["127.0.0.1"])

    def note(info: Any) -> socket.socket:
        made.append(info[4][0])
        raise OSError("the test goes no further")

    monkeypatch.setattr("oneself.upstream.transport.public_socket", note)
    client = Outbound(clock=lambda: NOW)
    with pytest.raises(Fault):
        await client.send("GET", "https://rebind.example/a")
    await client.close()
    assert asked == ["rebind.example"]
    assert made == ["8.8.8.8"]
