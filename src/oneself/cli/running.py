"""Running the ASGI app under uvicorn: on given sockets, with nothing secret in the log, until told to stop."""

import asyncio
import logging
import logging.config
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from oneself.app.house import House
from oneself.config import Config

KEEP_ALIVE_SECONDS = 65
"""Idle connections are kept longer than proxies commonly keep theirs (60 s), so that a proxy never
sends a request into a connection that is just being closed."""


class _Announcing(uvicorn.Server):
    """uvicorn's server that says when it answers, and stops when its parent process is gone."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], parent: int | None) -> None:
        super().__init__(config)
        self._ready = ready
        self._parent = parent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        if self._parent is not None:
            asyncio.get_running_loop().add_reader(self._parent, self._orphaned)
        self._ready()

    def _orphaned(self) -> None:
        asyncio.get_running_loop().remove_reader(self._parent or 0)
        self.should_exit = True


class StartFailed(Exception):
    """The app did not start; the text says why, or is empty where the log says it."""


class _SaidElsewhere(logging.Filter):
    """Drops uvicorn's lines about a refusal to start: the command says it, without the noise."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the refusal and the line that follows it."""
        said = record.getMessage()
        return not (self._house.refusal and (said == self._house.refusal or "startup failed" in said))


def run(
    house: House,
    config: Config,
    sockets: list[socket.socket],
    ready: Callable[[], None],
    parent: int | None = None,
    certificate: Path | None = None,
) -> None:
    """Serve the house on `sockets` until SIGTERM or SIGINT; `ready` is called once requests are answered.

    `parent` is a file descriptor whose end means that the parent process is gone. With `certificate`, a PEM file with a
    key and its chain, the sockets speak TLS. Raises StartFailed.
    """
    logging.config.dictConfig(log_config(config))
    logging.getLogger("uvicorn.error").addFilter(_SaidElsewhere(house))
    server = _Announcing(_uvicorn(house, config, certificate), ready, parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn gives the signal back to this handler when it has finished
        signal.signal(number, _leave)
    try:
        server.run(sockets=sockets)
    except SystemExit:
        if server.started:
            raise
    if not server.started:
        raise StartFailed(house.refusal)


def log_config(config: Config) -> dict[str, Any]:
    """How log lines look and which are written, for the standard library's `dictConfig`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"oneself.cli.logs.{config.log_format.capitalize()}Line"}},
        "filters": {"no_query": {"()": "oneself.cli.logs.WithoutQuery"}},
        "handlers": {
            "out": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"},
        },
        "loggers": {
            "uvicorn.access": {"filters": [] if config.access_log == "full" else ["no_query"]},
            "uvicorn.error": {"level": "WARNING"},
        },
        "root": {"level": config.log_level.upper(), "handlers": ["out"]},
    }


def _uvicorn(house: House, config: Config, certificate: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        house,
        http="httptools",
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=config.access_log != "off",
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=config.stop_seconds,
        ssl_certfile=certificate,
    )


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.stderr.flush()
    sys.exit(os.EX_OK)
