"""What other servers do: figures of their own runs, quoted with their conditions, and not measured here."""

from collections.abc import Mapping
from dataclasses import dataclass

CONDITIONS = (
    "Quoted, not measured in this run: each ran alone on a 2-core x86-64 machine, the server on one core, load and "
    "database on the other; the rate of requests a second and the milliseconds of processor time that the server "
    "takes for one. A whole sign-in is that of a known account. Better Auth's link is a bare insert that authenticates "
    "nobody, and so is that of Auth.js, which is only measured (`--peers`): being ahead of these two is enough; every "
    "other figure is to be led by three times."
)
OPERATIONS = ("session check", "create a link", "whole sign-in")


@dataclass(frozen=True, slots=True)
class Peer:
    """One server and its figures: operation -> (requests a second, processor milliseconds); the best where a range."""

    name: str
    figures: dict[str, tuple[float, float]]


PEERS = (
    Peer("PocketBase (Go, SQLite)", {"session check": (1743, 0.42), "whole sign-in": (358, 1.9)}),
    Peer("Auth.js", {"session check": (865, 0.95), "whole sign-in": (58, 10.5)}),
    Peer("Better Auth", {"session check": (494, 2.0), "create a link": (1746, 0.35), "whole sign-in": (85, 9.2)}),
    Peer("django-allauth", {"session check": (229, 4.4), "whole sign-in": (25, 30)}),
    Peer("fastapi-users", {"session check": (394, 2.6), "whole sign-in": (10, 68)}),
    Peer("Stack Auth", {"session check": (25, 36), "create a link": (16, 47), "whole sign-in": (3.7, 202)}),
)


def best(operation: str, measured: Mapping[str, float]) -> tuple[str, float] | None:
    """The fastest peer at an operation, and its rate: of those `measured` in this run where there are any, else of
    those that are quoted, whose machine was another one. The name says which of the two it is.
    """
    able = [(rate, f"{name}, measured") for name, rate in measured.items()] or [
        (peer.figures[operation][0], f"{peer.name.partition(' (')[0]}, quoted")
        for peer in PEERS
        if operation in peer.figures
    ]
    if not able:
        return None
    rate, name = max(able)
    return name, rate
