"""Name resolution on threads of its own, so that a name server that hangs starves nothing else."""

import asyncio
import socket
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 16
MOST_KNOWN = 1_024


class ThreadResolver(AbstractResolver):
    """Asks the system's resolver. aiohttp asks once per name at a time, so one dead name holds one thread.

    Names that were resolved before have threads of their own: however many new or dead names somebody configures, those
    that people sign in with are found.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._of_known = ThreadPoolExecutor(THREADS, thread_name_prefix="resolver-known")
        self._of_others = ThreadPoolExecutor(THREADS, thread_name_prefix="resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give every address of `host`; raises OSError where there is none."""
        threads = self._of_known if host in self._known else self._of_others
        # until it is found again it is one of the others
        self._known.pop(host, None)
        found = await asyncio.get_running_loop().run_in_executor(threads, _resolve, host, port, family)
        self._known[host] = None
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    async def close(self) -> None:
        """Let the threads end; those that still wait for a name server are not waited for."""
        for threads in (self._of_known, self._of_others):
            threads.shutdown(wait=False, cancel_futures=True)


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
