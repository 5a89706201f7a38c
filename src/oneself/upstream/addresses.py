"""Which network addresses an outbound call may reach: public ones, however they are written."""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_6TO4 = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")


class AddressRefusedError(OSError):
    """A connection was about to be opened to an address that is not public."""


def is_public(address: str) -> bool:
    """Say whether this IP address (text, as the system resolved it) is one of the public Internet.

    Refused are private, shared (RFC 6598), loopback, link-local, multicast, reserved, documentation
    and unspecified addresses (RFC 6890), and IPv6 addresses that carry such an IPv4 address inside
    (mapped, compatible, 6to4, NAT64) or any tunnel of Teredo.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return _plain(parsed)
    if parsed.scope_id is not None or parsed in _TEREDO or parsed.is_site_local:
        return False
    inner = _embedded(parsed)
    return _plain(inner) if inner is not None else _plain(parsed)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _6TO4:
        return address.sixtofour
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def public_socket(
    info: tuple[
        int | socket.AddressFamily,
        int | socket.SocketKind,
        int,
        str,
        tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes],
    ],
) -> socket.socket:
    """Make the socket for one resolved address, or raise `AddressRefusedError`.

    This is the last place before a connection, behind every resolver and cache, so that what was
    checked is what is connected to, whatever a name resolves to the next time.
    """
    family, kind, protocol, _, target = info
    if not is_public(str(target[0])):
        raise AddressRefusedError("not a public address")
    return socket.socket(family, kind, protocol)


class PublicResolver(AbstractResolver):
    """Resolves a name and keeps the public addresses only; none left is a refusal."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve `host`; raises `AddressRefusedError` where no public address is among them."""
        found = await self._inner.resolve(host, port, family)
        public = [entry for entry in found if is_public(entry["host"])]
        if found and not public:
            raise AddressRefusedError("the name leads to no public address")
        return public

    async def close(self) -> None:
        """Close what is below."""
        await self._inner.close()
