"""What was seen among few users and among many, as tables for people and as JSON for machines."""

from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.growth import ALLOWED_TIMES, FEW, REGULARS, Grown, Growth
from benchmarks.load import Sample
from benchmarks.measuring import Plan
from benchmarks.picture import bars
from benchmarks.report import Row, table

HEADINGS = ("operation", "CPU µs, few", "CPU µs, many", "times", "p50 ms, few", "p50 ms, many", "times", "promised")


def document(machine: dict[str, str], plan: Plan, found: list[Growth]) -> str:
    """The whole report in Markdown."""
    parts = ["# Cost and users", "", "Written by `python3 tasks.py bench --growth --write`; never by hand.", ""]
    parts += [*table(("this machine", ""), list(machine.items())), "", _about(plan), ""]
    for growth in found:
        parts += [f"## {growth.version}: {growth.users:,} users beside {FEW:,}", ""]
        parts += [*table(HEADINGS, [row(line) for line in growth.lines]), ""]
    return "\n".join(parts)


def drawn(found: list[Growth]) -> str:
    """The ratios of the processor times as a picture."""
    ratios = [
        (f"{growth.version.split(' (')[0]}, {line.operation.dialect}: {line.operation.name}", line.times(_cpu))
        for growth in found
        for line in growth.lines
    ]
    return bars("Processor time for a request among many users, as a part of that among few", ratios, ALLOWED_TIMES)


def row(line: Grown) -> Row:
    """One operation's line of the table."""
    said = _figures(line)
    return (
        f"{said['dialect']}: {said['operation']}",
        f"{said['few']['cpu_micros']:,.0f}",
        f"{said['many']['cpu_micros']:,.0f}",
        f"{said['cpu_times']:.2f}",
        f"{said['few']['p50_ms']:.1f}",
        f"{said['many']['p50_ms']:.1f}",
        f"{said['p50_times']:.2f}",
        f"{ALLOWED_TIMES:.2f} at most",
    )


def figures(machine: dict[str, str], plan: Plan, found: list[Growth]) -> dict[str, Any]:
    """The whole report for machines."""
    engines = {
        growth.version: {"users": growth.users, "operations": [_figures(line) for line in growth.lines]}
        for growth in found
    }
    return {"machine": machine, "seconds": plan.seconds, "rounds": plan.rounds, "few": FEW, "engines": engines}


def _figures(line: Grown) -> dict[str, Any]:
    return {
        "operation": line.operation.name,
        "dialect": line.operation.dialect,
        "few": _side(line.few),
        "many": _side(line.many),
        "cpu_times": line.times(_cpu),
        "p50_times": line.times(_p50),
    }


def _side(samples: list[Sample]) -> dict[str, float]:
    def of(figure: Callable[[Sample], float]) -> float:
        return median(figure(sample) for sample in samples)

    return {"cpu_micros": of(_cpu), "p50_ms": of(_p50) * 1e3}


def _cpu(sample: Sample) -> float:
    return sample.cpu_micros


def _p50(sample: Sample) -> float:
    return sample.quantile(0.5)


def _about(plan: Plan) -> str:
    return (
        f"Two servers on one core are asked in turn, in rounds ({plan.rounds}) of {plan.seconds:g} seconds, over "
        f"{plan.connections} connections: one with {FEW:,} users, one with many. {REGULARS} of the users, spread "
        "evenly over all, are those who ask. `times` is the median of the rounds' ratios. `CPU µs` is the server's "
        "own; what PostgreSQL takes for its part shows in `p50 ms`. Each user has an address, a linked account and a "
        "session of each dialect."
    )
