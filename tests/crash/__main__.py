"""The long run: `python3 tasks.py crash --seed N --kills 1000`; processes and whole servers die, on both engines."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click

from oneself.crypto.seal import generate_line
from tests.conftest import ENGINES
from tests.crash.opening import opened_run
from tests.postgres_server import running_cluster
from tests.processes.fleet import emulated, fleet
from tests.processes.killing import kill_often


@click.command()
@click.option("--seed", type=int, help="Replays a run: the same jobs, points and moments.")
@click.option("--kills", default=1_000, show_default=True, help="Processes to kill on each engine.")
@click.option("--servers", default=0, show_default=True, help="Whole servers to kill on each engine, after those.")
@click.option("--engine", type=click.Choice(ENGINES), multiple=True, help="One engine only; both without it.")
def main(seed: int | None, kills: int, servers: int, engine: tuple[str, ...]) -> None:
    """Kill processes at every named point of a refresh, a redeem and a callback, and at random moments.

    Ends with 1 at the first promise that is broken, and names the seed.
    """
    chosen = secrets.randbits(32) if seed is None else seed
    click.echo(f"seed {chosen}")
    with tempfile.TemporaryDirectory() as folder, running_cluster() as cluster, emulated() as emulator:
        for name in engine or ENGINES:
            database = cluster.create_database()
            url = cluster.url(database) if name == "postgresql" else f"sqlite:///{folder}/{database}.sqlite3"
            asyncio.run(_processes(name, url, emulator, chosen, kills))
            if servers:
                place = Path(folder) / name
                place.mkdir()
                served = cluster.url(cluster.create_database())
                served = served if name == "postgresql" else f"sqlite:///{place}/served.sqlite3"
                _servers(name, place, served, emulator, chosen, servers)


async def _processes(engine: str, url: str, emulator: str, seed: int, kills: int) -> None:
    began = time.monotonic()
    async with opened_run(url, generate_line(secrets.token_bytes), emulator, seed) as run:
        await run.go(kills, lambda done: _progress(engine, done, kills))
        _tell(engine, run.killed, time.monotonic() - began)
        click.echo(
            f"{engine}: {len(run.sessions)} acknowledged sessions and {len(run.spent)} spent grants replayed, "
            f"{run.reported} ambiguous grants reported, each once"
        )


def _servers(engine: str, folder: Path, url: str, emulator: str, seed: int, servers: int) -> None:
    with fleet(folder, url, emulator, 1) as made:
        told = kill_often(made, seed, servers)
    click.echo(f"{engine}: {servers} servers killed, {len(told)} acknowledged writes checked, none lost")


def _progress(engine: str, done: int, kills: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{engine}: {done} of {kills}", end="" if done < kills else "\n", file=sys.stderr, flush=True)


def _tell(engine: str, killed: Counter[str], seconds: float) -> None:
    click.echo(f"{engine}: {sum(killed.values())} processes killed in {seconds:.0f} s")
    for point, count in sorted(killed.items()):
        click.echo(f"  {count:5d}  {point}")


if __name__ == "__main__":
    main()
