"""The rivals' figures beside ours, as a table for people and as values for machines."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.load import Sample
from benchmarks.rivals.measuring import Beside

OURS = "oneself"
ABOUT = (
    "Each runs as its documentation sets it up for production, as one process or one worker, alone on the server's "
    "core while it is measured, with the same provider, load and people; none keeps a log of requests. Those on "
    "PostgreSQL have a database each of the same server, on the other core, and every commit is on the disk before it "
    "is answered. PocketBase has its SQLite inside, on the server's core, in the mode that it comes with (WAL, "
    "`synchronous` NORMAL): its commits are answered before they are on the disk, so that after a power failure the "
    "last ones may be gone. Ours on SQLite has it inside and on the server's core too, but with `synchronous` FULL: it "
    "answers after the disk. The last two columns hold each server against ours on the same kind of database: "
    "PocketBase against ours on SQLite, the others against ours on PostgreSQL. PocketBase's session is a signed token "
    "that no database holds, and its check reads the user's own record. PocketBase, Auth.js and django-allauth leave a "
    "choice in how they sign in, and the quicker way was taken: the provider's endpoints are named to them, and its "
    "claims come from the id_token without a look at its signature, which OpenID Connect allows for one that comes "
    "straight from the provider. A link is made here with the server's key, in PocketBase with a superuser's token. "
    "Auth.js and Better Auth have no such request: a route of the benchmark's own, on their servers, compares a key "
    "and inserts the row that the library's own function for it inserts, with no look at whose account that is. "
    "fastapi-users and django-allauth let browsers alone make links."
)
HEADINGS = (
    *(
        "operation",
        "server",
        "database",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "core busy",
        "statements",
        "commits",
    ),
    *("ours is faster by", "with less CPU by"),
)


def rows(lines: Sequence[Beside]) -> list[tuple[str, ...]]:
    """Operation by operation, ours first; the last two columns say how many times better ours is, on the same kind of
    database.
    """
    ours = {(line.operation, line.database): line for line in lines if line.server == OURS}

    def times(line: Beside, figure: Callable[[Sample], float], *, more_is_better: bool) -> str:
        own, other = ours[line.operation, line.database].of(figure), line.of(figure)
        return "" if line.server == OURS else f"{own / other if more_is_better else other / own:.1f}"

    return [
        (
            line.operation,
            line.server,
            line.database,
            f"{line.of(lambda sample: sample.rate):,.0f}",
            f"{line.of(lambda sample: sample.quantile(0.5)) * 1e3:.1f}",
            f"{line.of(lambda sample: sample.quantile(0.99)) * 1e3:.1f}",
            f"{line.of(lambda sample: sample.cpu_micros):,.0f}",
            f"{line.of(lambda sample: sample.busy):.0%}",
            f"{line.cost.statements:.3g}",
            f"{line.cost.commits:.3g}",
            times(line, lambda sample: sample.rate, more_is_better=True),
            times(line, lambda sample: sample.cpu_micros, more_is_better=False),
        )
        for operation in dict.fromkeys(line.operation for line in lines)
        for line in lines
        if line.operation == operation
    ]


def rates(operation: str, database: str, lines: Sequence[Beside]) -> dict[str, float]:
    """Requests a second of the others at an operation, as ours on that database is held against them: on SQLite
    against those with SQLite inside, which have as short a way to their rows, on PostgreSQL against all of them.
    """
    kinds = {database} if database == "SQLite" else {line.database for line in lines}
    return {
        line.server: line.of(lambda sample: sample.rate)
        for line in lines
        if line.server != OURS and line.operation.startswith(operation) and line.database in kinds
    }


def figures(lines: Sequence[Beside]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "server": line.server,
            "database": line.database,
            "operation": line.operation,
            "requests_per_second": line.of(lambda sample: sample.rate),
            "p50_ms": line.of(lambda sample: sample.quantile(0.5)) * 1e3,
            "p99_ms": line.of(lambda sample: sample.quantile(0.99)) * 1e3,
            "cpu_micros": line.of(lambda sample: sample.cpu_micros),
            "statements": line.cost.statements,
            "commits": line.cost.commits,
        }
        for line in lines
    ]
