"""One command measures the server on both databases: `python3 tasks.py bench`, or `python -m benchmarks`."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import uvloop

from benchmarks import growth, growth_table, machine, report, waiters
from benchmarks.engines import Engine, Sqlite, opened
from benchmarks.growth import Growth
from benchmarks.measuring import Plan, Result, measure
from benchmarks.rivals import measuring as rivals
from benchmarks.site import provider

ENGINES = ("sqlite", "postgresql")
RESULTS = Path(__file__).with_name("RESULTS.md")
GROWTH = RESULTS.with_name("GROWTH.md")


def main() -> int:
    """Measure what the arguments ask for and print it."""
    arguments = _arguments()
    plan = _plan(arguments)
    cores = machine.cores()
    wanted = [arguments.engine] if arguments.engine else list(ENGINES)
    about = machine.describe(cores)
    if arguments.growth:
        return _growth(arguments, about, plan, [_grown(engine, cores, plan, arguments.users) for engine in wanted])
    # The others are measured once, beside the last: PostgreSQL where it is wanted, and ours on SQLite takes part there.
    results = [_measured(engine, cores, plan, peers=arguments.peers and engine == wanted[-1]) for engine in wanted]
    text = report.document(about, plan, results)
    if arguments.json:
        print(json.dumps(report.figures(about, plan, results)))
    else:
        print(text)
    if arguments.write:
        RESULTS.write_text(text)
    return 0


def _measured(engine: str, cores: machine.Cores, plan: Plan, *, peers: bool) -> Result:
    folder = Path(tempfile.mkdtemp(prefix="oneself-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        chosen = stack.enter_context(opened(engine, folder, cores, plan.connections))
        tell = _Progress()
        waits = None
        if plan.only in waiters.NAME:
            tell(f"{engine}: {waiters.NAME}")
            waits = waiters.measured(chosen.empty(), plan.rounds)
        url = stack.enter_context(provider(cores, plan.regulars + plan.others, plan.newcomers))
        stack.enter_context(machine.pinned(*cores.others))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            result = runner.run(measure(chosen, url, cores, plan, tell))
            if peers:
                ours: list[Engine] = [chosen]
                if not isinstance(chosen, Sqlite):
                    ours.append(Sqlite(folder, cores, plan.connections))
                result.beside = runner.run(rivals.measure(ours, url, cores, _pace(plan), tell))
        result.waits = waits
        return result


def _grown(engine: str, cores: machine.Cores, plan: Plan, users: int) -> Growth:
    folder = Path(tempfile.mkdtemp(prefix="oneself-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        chosen = stack.enter_context(opened(engine, folder, cores, plan.connections))
        url = stack.enter_context(provider(cores, growth.REGULARS, 0))
        stack.enter_context(machine.pinned(*cores.others))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(growth.measure(chosen, url, cores, plan, users, _Progress()))


def _growth(arguments: argparse.Namespace, about: dict[str, str], plan: Plan, found: list[Growth]) -> int:
    text = growth_table.document(about, plan, found)
    print(json.dumps(growth_table.figures(about, plan, found)) if arguments.json else text)
    if arguments.write:
        GROWTH.write_text(text)
        GROWTH.with_suffix(".svg").write_text(growth_table.drawn(found))
    return 0


def _pace(plan: Plan) -> rivals.Pace:
    return rivals.Pace(seconds=plan.seconds, warm_up=plan.warm_up, rounds=plan.rounds, connections=plan.connections)


class _Progress:
    """Says on standard error what is done now, with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", file=sys.stderr, flush=True)


def _plan(arguments: argparse.Namespace) -> Plan:
    quick = arguments.quick
    seconds = arguments.seconds or (1.0 if quick else 4.0)
    rounds = arguments.rounds or (1 if quick else 3)
    warm_up = min(1.0, seconds / 2)
    trips_per_second = 800 if quick else 1_200
    prepared = round((seconds + warm_up) * rounds * (trips_per_second + 300))
    return Plan(
        seconds=seconds,
        warm_up=warm_up,
        rounds=rounds,
        connections=arguments.connections,
        regulars=200 if quick else 2_000,
        others=prepared + 500,
        newcomers=prepared + 500,
        trips_per_second=trips_per_second,
        only=arguments.only,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of a second each, to see that it works")
    parser.add_argument("--engine", choices=ENGINES, help="one database only")
    parser.add_argument("--peers", action="store_true", help="measure other servers beside, in turns with ours")
    parser.add_argument("--growth", action="store_true", help="measure whether costs grow with users, and nothing else")
    parser.add_argument(
        "--users",
        type=int,
        default=1_000_000,
        help="how many users --growth sets beside a thousand (default a million)",
    )
    parser.add_argument("--seconds", type=float, help="how long each operation is measured in a round")
    parser.add_argument("--rounds", type=int, help="how many rounds; figures are their medians")
    parser.add_argument("--connections", type=int, default=32, help="connections of the load (default %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="operations whose line holds this text")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}, or {GROWTH.name}, too")
    arguments = parser.parse_args()
    if arguments.users < growth.FEW:
        parser.error(f"--users is to be {growth.FEW} or more: that many are what they are held against")
    return arguments


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.exit(main())
