"""A small pool of connections: the last used first, opened when needed, waiters in their order."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from oneself.faults import Fault, FaultCode
from oneself.store.database import Load
from oneself.store.postgres_link import Dialing, Link, Tally, dial

IDLE_SECONDS = 300.0
"""A connection idle for longer may have died in some firewall: it is dropped instead of tried."""


class Pool:
    """At most `size` connections to whichever host takes writes. All calls are made on one loop.

    No query resets a connection: nothing lives on one outside a transaction.
    """

    def __init__(
        self,
        dialing: Dialing,
        size: int = 8,
        wait_seconds: float = 10.0,
        connect: Callable[[Dialing, str], Awaitable[Link]] = dial,
    ) -> None:
        self._dialing = dialing
        self._connect = connect
        self._hosts = dialing.hosts()
        self._size = size
        self._wait_seconds = wait_seconds
        self._idle: list[Link] = []
        self._waiters: deque[asyncio.Future[Link | None]] = deque()
        self._links: set[Link] = set()
        self._retiring: set[asyncio.Task[None]] = set()
        self._dialed = 0
        self._epoch = 0
        self._closed = False
        self._at_rest = asyncio.Event()
        self.clock_difference = 0
        self.tally = Tally()

    def load(self) -> Load:
        """What was done over all connections, and how they stand now."""
        done = self.tally
        waiting = sum(not turn.done() for turn in self._waiters)
        return Load(done.statements, done.commits, len(self._links), len(self._idle), self._size, waiting)

    @property
    def open_links(self) -> int:
        """How many connections are open now."""
        return len(self._links)

    @property
    def exhausted(self) -> bool:
        """Whether a caller would have to wait now."""
        return not self._idle and self._dialed >= self._size

    def take(self) -> Link | None:
        """An idle connection at once, or None."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            link = self._idle.pop()
            fresh = now - link.idle_since < IDLE_SECONDS
            if fresh and not link.closed and link.epoch == self._epoch:
                return link
            self._discard(link)
        return None

    async def acquire(self) -> Link:
        """A connection: idle, new, or the next that comes free within `wait_seconds`.

        Raises Fault(database_unavailable) when none could be opened or none came free.
        """
        if self._closed:
            raise _closed()
        return self.take() or await self._obtain()

    async def _obtain(self) -> Link:
        """A connection that is not idle, for a caller who has been accepted."""
        return await (self._open() if self._dialed < self._size else self._wait())

    def release(self, link: Link) -> None:
        """Give a connection back, to the first in line or to rest; a lost one is dropped.

        Where one showed that its server as a whole is in doubt, all that are as old go with it.
        """
        if link.lost is not None and link.lost.everywhere and link.epoch == self._epoch:
            self._epoch += 1
        if link.abandoned:
            self._retire(link)
            self._wake(None)
        elif link.lost or link.closed or link.epoch != self._epoch:
            self._discard(link)
            self._wake(None)
        elif not self._wake(link):
            link.idle_since = asyncio.get_running_loop().time()
            self._idle.append(link)
        self._notice_rest()

    async def close(self, patience: float = 5.0) -> None:
        """Take nobody new, wait `patience` seconds for the accepted, then cut what is left."""
        self._closed = True
        self._notice_rest()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._at_rest.wait(), patience)
        self._fail_waiters(_closed())
        for link in list(self._links):
            self._discard(link)
        self._idle.clear()
        await asyncio.gather(*self._retiring)

    def _notice_rest(self) -> None:
        """Tell `close` when nobody uses, opens or waits for a connection."""
        if self._closed and self._dialed == len(self._idle) and not self._waiters:
            self._at_rest.set()

    async def _open(self) -> Link:
        """Open one connection more: to the host that last answered, else to the next that does."""
        self._dialed += 1
        reasons = []
        try:
            for host in self._hosts:
                try:
                    link = await self._connect(self._dialing, host)
                except Fault as fault:
                    reasons.append(fault.detail)
                else:
                    return self._adopt(link, host)
        except BaseException:
            self._dialed -= 1
            self._wake(None)
            self._notice_rest()
            raise
        self._dialed -= 1
        nowhere = Fault(FaultCode.DATABASE_UNAVAILABLE, detail="; ".join(reasons))
        self._fail_waiters(nowhere)
        self._notice_rest()
        raise nowhere

    def _adopt(self, link: Link, host: str) -> Link:
        """Count a connection as ours, and ask its host first from now on."""
        self._hosts = [host, *(other for other in self._hosts if other != host)]
        link.epoch = self._epoch
        link.tally = self.tally
        self._links.add(link)
        self.clock_difference = link.clock_difference
        return link

    def _discard(self, link: Link) -> None:
        """Cut a connection and forget it."""
        link.drop()
        self._forget(link)

    def _retire(self, link: Link) -> None:
        """Forget a connection whose caller left, and let it end what it was doing by itself."""
        self._forget(link)
        retiring = asyncio.create_task(link.hang_up())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _forget(self, link: Link) -> None:
        """Make room for another connection."""
        if link in self._links:
            self._links.remove(link)
            self._dialed -= 1

    async def _wait(self) -> Link:
        """Wait in line for a connection that comes free, or for the right to open one."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Link | None] = loop.create_future()
        self._waiters.append(turn)
        # A timer of the loop: a timeout around the wait would cost as much as the statement's own part.
        overdue = loop.call_later(self._wait_seconds, self._send_away, turn)
        try:
            link = await turn
        except BaseException:
            self._hand_back(turn)
            raise
        finally:
            overdue.cancel()
        return link or self.take() or await self._obtain()

    def _send_away(self, turn: "asyncio.Future[Link | None]") -> None:
        """Tell a waiter whose time is over, unless it was just given what it waits for."""
        if not turn.done():
            detail = f"no connection came free in {self._wait_seconds:g} s"
            turn.set_exception(Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail))

    def _hand_back(self, turn: "asyncio.Future[Link | None]") -> None:
        """Pass on what a waiter was given just as it stopped waiting."""
        if turn in self._waiters:
            self._waiters.remove(turn)
        elif turn.done() and not turn.cancelled() and turn.exception() is None:
            link = turn.result()
            if link is None:
                self._wake(None)
            else:
                self.release(link)

    def _wake(self, link: Link | None) -> bool:
        """Give a connection (or with None, the right to open one) to the first in line, if any."""
        while self._waiters:
            turn = self._waiters.popleft()
            if not turn.done():
                turn.set_result(link)
                return True
        return False

    def _fail_waiters(self, fault: Fault) -> None:
        """Nobody can be reached: those in line learn it now, not each after its own attempt."""
        while self._waiters:
            turn = self._waiters.popleft()
            if not turn.done():
                turn.set_exception(Fault(fault.code, detail=fault.detail))


def _closed() -> Fault:
    """The fault of whoever comes after `close`."""
    return Fault(FaultCode.DATABASE_UNAVAILABLE, detail="the database is closed")
