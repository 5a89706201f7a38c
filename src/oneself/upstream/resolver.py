"""Name resolution on threads of its own, so that a name server that hangs starves nothing else."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 16


class ThreadResolver(AbstractResolver):
    """Asks the system's resolver. aiohttp asks once per name at a time, so one dead name holds one
    thread.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give every address of `host`; raises OSError where there is none."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _resolve, host, port, family)

    async def close(self) -> None:
        """Let the threads end; those that still wait for a name server are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _resolve(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    try:
        infos = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError:
        raise OSError("no host name") from None
    return [
        ResolveResult(
            hostname=host,
            host=str(target[0]),
            port=port,
            family=found,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for found, _, protocol, _, target in infos
    ]
