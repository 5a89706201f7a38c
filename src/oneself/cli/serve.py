"""`oneself serve`: the production face. It starts only on settings and a database that are fit for it."""

import asyncio
import logging
import logging.config
import os
import socket
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import msgspec

from oneself.app.database import StartRefused
from oneself.app.house import House
from oneself.app.metrics import Place
from oneself.app.opening import check_master_keys, declare_projects, opened_runtime
from oneself.cli.choosing import config_option
from oneself.cli.listening import PortUnavailable, listen, port_of
from oneself.cli.output import ERR, Refused
from oneself.cli.running import StartFailed, log_config, run
from oneself.cli.workers import Workers
from oneself.config import Config, ConfigError, load, unsafe_for_serving
from oneself.upstream.loading import load as load_ahead

_LOG = logging.getLogger("oneself")


@click.command()
@config_option
@click.option("--host", help="Address to listen on (setting `host`).")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on (setting `port`).")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that share the port (setting `workers`).")
def serve(config_file: Path | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve in production. Refuses to start on anything unsafe, and says why and what to do.

    SIGTERM and SIGINT stop it in peace: requests that run are finished first.
    """
    given: dict[str, Any] = {"host": host, "port": port, "workers": workers}
    try:
        config = load(config_file, overrides={k: v for k, v in given.items() if v is not None})
    except ConfigError as error:
        raise Refused("The settings cannot be used.", error.problems) from None
    unsafe = list(unsafe_for_serving(config))
    if unsafe:
        raise Refused("Oneself does not serve with these settings.", unsafe)
    try:
        asyncio.run(_prepare(config))
        sockets = listen(config.host, config.port)
    except StartRefused as refused:
        raise Refused("Oneself does not serve.", [str(refused)]) from None
    except PortUnavailable as error:
        raise Refused("The server cannot listen.", [str(error)]) from None
    logging.config.dictConfig(log_config(config))
    where = f"{config.host}:{port_of(sockets)}"
    ERR.print(f"Oneself serves {config.base_url} on {where} with {config.workers} worker(s).")
    if config.workers == 1:
        try:
            run(House(config), config, sockets, _answering)
        except StartFailed as failed:
            raise Refused("Oneself does not serve.", [str(failed) or "The lines above say why."]) from None
        return
    with TemporaryDirectory(prefix="oneself-") if config.metrics_token else nullcontext("") as folder:

        def work(number: int, parent: int) -> None:
            _work(config, sockets, Place(Path(folder), number) if folder else None, parent)

        code = Workers(config.workers, work, config.stop_seconds).run()
    raise SystemExit(code)


def _work(config: Config, sockets: list[socket.socket], place: Place | None, parent: int) -> None:
    """What each of several workers does; one that cannot start ends, and is tried again after a pause."""
    try:
        run(House(config, place=place), config, sockets, _answering, parent)
    except StartFailed as failed:
        _LOG.error("a worker did not start: %s", failed)
        raise SystemExit(1) from None


def _answering() -> None:
    _LOG.info("process %d answers", os.getpid())


async def _prepare(config: Config) -> None:
    """Try everything once before any worker is made: keys, database, schema, and the declared projects.

    Raises StartRefused.
    """
    one_connection = msgspec.structs.replace(
        config, limits=msgspec.structs.replace(config.limits, database_connections=1)
    )
    async with opened_runtime(one_connection) as rt:
        if config.workers > 1:
            load_ahead()  # once for all workers, who share the memory
        await check_master_keys(rt)
        await declare_projects(rt, config)
