"""The sockets that the server listens on: bound before anything else, so that a taken port is told at once."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator

BACKLOG = 2048
_TRIES_FOR_A_FREE_PORT = 20


class PortUnavailable(Exception):
    """The address cannot be listened on; the text says why and what to do."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Bind and listen on every address that `host` names, all with one port; port 0 takes a free one.

    `localhost` means both its addresses where the machine has both, since clients try either first.
    Raises PortUnavailable.
    """
    for _ in range(_TRIES_FOR_A_FREE_PORT if port == 0 else 1):
        with contextlib.suppress(_OtherAddressTaken):
            return _listen(host, port)
    raise PortUnavailable(f"no port is free on all addresses of {host}. Name one with --port.")


def port_of(sockets: list[socket.socket]) -> int:
    """The port that all of them share."""
    port: int = sockets[0].getsockname()[1]
    return port


class _OtherAddressTaken(Exception):
    """The port that was free on the first address is taken on the second."""


def _listen(host: str, port: int) -> list[socket.socket]:
    with contextlib.ExitStack() as on_failure:
        bound: list[socket.socket] = []
        for family, address in _addresses(host):
            chosen = port or (port_of(bound) if bound else 0)
            try:
                one = _bind(family, address, chosen)
            except OSError as error:
                if bound and _absent(error):
                    continue  # the machine names ::1 in its hosts file and has no IPv6
                if port == 0 and bound:
                    raise _OtherAddressTaken from None
                raise PortUnavailable(_why(host, chosen, error)) from None
            bound.append(on_failure.enter_context(one))
        on_failure.pop_all()
        return bound


def _addresses(host: str) -> Iterator[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise PortUnavailable(f"{host!r} is no address of this machine ({error}). Check --host.") from None
    seen = {(family, str(address[0])) for family, _, _, _, address in found}
    # IPv4 first: where a machine has one family only, it is that one
    yield from sorted(seen, key=lambda pair: pair[0] != socket.AF_INET)


def _bind(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((address, port))
        one.listen(BACKLOG)
        one.setblocking(False)
    except OSError:
        one.close()
        raise
    return one


def _absent(error: OSError) -> bool:
    return error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken by another process. Stop that one, or choose another port "
            "with --port (0 takes a free one)."
        )
    if error.errno == errno.EACCES:
        return f"this account may not listen on port {port}. Choose one above 1023 with --port."
    return f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}."
