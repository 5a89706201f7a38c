"""The figures as tables for people and as JSON for machines."""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import neighbours, peers, waiters
from benchmarks.measuring import Line, Plan, Result
from benchmarks.neighbours import Neighbours
from benchmarks.rivals import table as rivals
from benchmarks.rivals.measuring import Beside
from benchmarks.waiters import Waits

READ_KEEPS, WRITE_KEEPS = 0.6, 0.5
"""What is promised of the database's own rate, per core."""
FIRST_ANSWER_SECONDS, IDLE_BYTES = 1.5, 100_000_000

HEADINGS = (
    *("operation", "requests/s", "p50 ms", "p99 ms", "CPU µs", "core busy", "full core/s"),
    *("statements", "commits", "database alone/s", "kept", "promised", "fastest peer/s", "times"),
)
Row = tuple[str, ...]


def document(machine: dict[str, str], plan: Plan, results: Sequence[Result]) -> str:
    """The whole report in Markdown."""
    beside = [one for result in results for one in result.beside]
    parts = ["# Benchmark results", "", "Written by `python3 tasks.py bench --write`; never by hand.", ""]
    parts += table(("this machine", ""), list(machine.items()))
    parts += ["", _conditions(plan), ""]
    for result in results:
        parts += [f"## {result.engine.version}", "", f"The database alone: {result.engine.tool}.", ""]
        parts += table(HEADINGS, [_row(line, result.engine.name, beside) for line in result.lines])
        parts += ["", *table(("process", "measured", "promised"), _process(result)), ""]
        if result.waits is not None:
            parts += [_about_waits(), "", *table(("waiting", "measured", "promised"), _waits(result.waits)), ""]
        if result.neighbours is not None:
            headings = ("whole sign-ins at one provider", "measured", "promised")
            parts += [_about_neighbours(), "", *table(headings, _neighbours(result.neighbours)), ""]
        if result.beside:
            parts += ["### Others, measured in this run in alternating rounds", "", rivals.ABOUT, ""]
            parts += [*table(rivals.HEADINGS, rivals.rows(result.beside)), ""]
    parts += ["## Others", "", peers.CONDITIONS, ""]
    return "\n".join([*parts, *table(("server", *peers.OPERATIONS), _peers())]) + "\n"


def table(headings: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """A table in Markdown with its columns in line."""
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (cell for cell in zip(cells, widths, strict=True))
        return "| " + " | ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]) + " |"

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
    return [line(headings), rule, *map(line, rows)]


def figures(machine: dict[str, str], plan: Plan, results: Iterable[Result]) -> dict[str, Any]:
    """The whole report for machines."""
    return {
        "machine": machine,
        "seconds": plan.seconds,
        "rounds": plan.rounds,
        "connections": plan.connections,
        "engines": {
            result.engine.name: {
                "version": result.engine.version,
                "first_answer_seconds": min(result.first_answers),
                "idle_bytes": result.idle_bytes,
                "loaded_bytes": result.loaded_bytes,
                "thousand_readers": _wait_figures(result.waits) if result.waits is not None else None,
                "beside_a_hanging_provider": _neighbour_figures(result.neighbours) if result.neighbours else None,
                "operations": [_figures(line) for line in result.lines],
                "others": rivals.figures(result.beside),
            }
            for result in results
        },
    }


def _figures(line: Line) -> dict[str, Any]:
    return {
        "operation": line.operation.name,
        "dialect": line.operation.dialect,
        "requests_per_second": line.of(lambda sample: sample.rate),
        "requests": sum(sample.count for sample in line.samples),
        "p50_ms": line.of(lambda sample: sample.quantile(0.5)) * 1e3,
        "p99_ms": line.of(lambda sample: sample.quantile(0.99)) * 1e3,
        "cpu_micros": line.of(lambda sample: sample.cpu_micros),
        "core_busy": line.of(lambda sample: sample.busy),
        "statements": line.cost.statements,
        "commits": line.cost.commits,
        "database_alone_per_second": line.alone,
        "kept": line.kept,
    }


def _row(line: Line, database: str, beside: Sequence[Beside]) -> Row:
    said = _figures(line)
    promised = WRITE_KEEPS if line.operation.write else READ_KEEPS
    at = line.operation.peer
    peer = peers.best(at, rivals.rates(at, database, beside)) if at else None
    return (
        f"{said['dialect']}: {said['operation']}",
        f"{said['requests_per_second']:,.0f}",
        f"{said['p50_ms']:.1f}",
        f"{said['p99_ms']:.1f}",
        f"{said['cpu_micros']:,.0f}",
        f"{said['core_busy']:.0%}",
        f"{1e6 / said['cpu_micros']:,.0f}",
        f"{said['statements']:.3g}",
        f"{said['commits']:.3g}",
        f"{_median(line.alone):,.0f}" if line.alone else "",
        f"{line.kept:.0%}" if line.kept is not None else "",
        f"{promised:.0%}" if line.kept is not None else "",
        f"{peer[1]:,.0f} {peer[0]}" if peer else "",
        f"{said['requests_per_second'] / peer[1]:.1f}" if peer else "",
    )


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _process(result: Result) -> list[Row]:
    return [
        ("first answer after start", f"{min(result.first_answers):.2f} s", f"{FIRST_ANSWER_SECONDS} s"),
        ("memory when idle", f"{result.idle_bytes / 1e6:.0f} MB", f"{IDLE_BYTES / 1e6:.0f} MB"),
        ("memory after the load", f"{result.loaded_bytes / 1e6:.0f} MB", ""),
    ]


def _about_waits() -> str:
    return (
        f"{waiters.PROCESSES} processes with {waiters.READERS} readers each ask for one expired token at once; the "
        f"provider takes {waiters.UPSTREAM_SECONDS * 1e3:.0f} ms to answer the one call."
    )


def _wait_figures(waits: Waits) -> dict[str, float]:
    return {
        "rounds": len(waits.rounds),
        "calls": waits.calls,
        "upstream_ms": waiters.UPSTREAM_SECONDS * 1e3,
        "p50_ms": waits.quantile(0.5) * 1e3,
        "p99_ms": waits.quantile(0.99) * 1e3,
    }


def _waits(waits: Waits) -> list[Row]:
    figures = _wait_figures(waits)
    allowed = (waiters.UPSTREAM_SECONDS + waiters.ALLOWED_SECONDS) * 1e3
    return [
        ("calls to the provider, a round", f"{waits.calls / len(waits.rounds):g}", "1"),
        ("p50", f"{figures['p50_ms']:.0f} ms", ""),
        ("p99", f"{figures['p99_ms']:.0f} ms", f"{allowed:.0f} ms"),
    ]


def _about_neighbours() -> str:
    return (
        f"{neighbours.STUCK} browsers at a time come back from another provider, which takes every request and never "
        "answers; each is told so after ten seconds, and the next one comes."
    )


def _neighbour_figures(found: Neighbours) -> dict[str, float]:
    return {
        "quiet_p99_ms": found.p99(found.quiet) * 1e3,
        "beside_p99_ms": found.p99(found.beside) * 1e3,
        "times": found.times,
    }


def _neighbours(found: Neighbours) -> list[Row]:
    figures = _neighbour_figures(found)
    return [
        ("p99 with nobody stuck", f"{figures['quiet_p99_ms']:.1f} ms", ""),
        ("p99 beside those who are", f"{figures['beside_p99_ms']:.1f} ms", ""),
        ("the second as a part of the first", f"{figures['times']:.2f}", f"{neighbours.ALLOWED_TIMES:.2f}"),
    ]


def _peers() -> list[Row]:
    def cell(figures: dict[str, tuple[float, float]], operation: str) -> str:
        if operation not in figures:
            return ""
        rate, millis = figures[operation]
        return f"{rate:,g}/s, {millis:g} ms"

    return [(peer.name, *(cell(peer.figures, name) for name in peers.OPERATIONS)) for peer in peers.PEERS]


def _conditions(plan: Plan) -> str:
    rounds = "the median of " + (f"{plan.rounds} rounds" if plan.rounds > 1 else "one round")
    return (
        f"Each figure is {rounds} of {plan.seconds:g} seconds after {plan.warm_up:g} of warm-up, over "
        f"{plan.connections} kept-alive connections from a client of our own (asyncio on bare sockets). Every answer "
        "is checked, and one wrong answer voids the run. `CPU µs` is the server's processor time for one request; "
        "`core busy` is how much of its core it used: where that is below 100 %, the other core was the limit, and "
        "`full core/s` says what the CPU time leaves room for (computed, not measured). A whole sign-in is start, the "
        "provider's page, callback and redeem; its latency holds the provider's part. The database alone runs the same "
        "statements on the server's core in the same minute, every commit on the disk. `first in a minute` signs a JWT "
        f"anew (RSA); the other checks take {plan.regulars // 2:,} sessions in turn and reuse the JWT of the last 60 "
        "seconds."
    )
