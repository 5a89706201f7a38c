"""The provider of the benchmark, as a process of its own: the project's emulator with a cast of thousands."""

import socket
import sys

import uvicorn

from benchmarks.people import personas
from oneself.emulator import create_emulator

KNOWN, NEW = "known", "new"


def main() -> None:
    """Serve on the listening socket given as a file descriptor; the address and the size of the cast follow."""
    handle, base_url, known, new = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    cast = [*personas(known, KNOWN), *personas(new, NEW)]
    app = create_emulator(base_url, accept_any_client=True, personas=cast)
    config = uvicorn.Config(
        app,
        log_level="warning",
        http="httptools",
        loop="uvloop",
        access_log=False,
        timeout_keep_alive=3600,  # a browser's connection waits between two rounds
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=handle)])


if __name__ == "__main__":
    main()
