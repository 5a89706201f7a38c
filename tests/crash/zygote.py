"""A process of one thread that has everything imported, and forks one that lives a life whenever it is asked to."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from oneself.upstream.loading import load
from tests.crash.lives import Ground, Job, live
from tests.server_process import ROOT, environment

_ROOM = 65_536


class Order(msgspec.Struct):
    """One life to live."""

    ground: Ground
    job: Job


class Zygote:
    """Makes processes within milliseconds; ask from one thread at a time."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    def fork(self, ground: Ground, job: Job) -> tuple[int, int]:
        """Start a life; its process id, and the file descriptor on which it tells what it did."""
        ours, its = os.pipe()
        try:
            socket.send_fds(self._link, [msgspec.json.encode(Order(ground, job))], [its])
        finally:
            os.close(its)
        return int(self._link.recv(_ROOM)), ours


@contextmanager
def zygote() -> Iterator[Zygote]:
    """A zygote that is ready; it ends with this block, or with this process."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = environment({"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.zygote", str(its.fileno())], pass_fds=[its.fileno()], env=env, cwd=ROOT
    )
    its.close()
    try:
        assert ours.recv(_ROOM) == b"ready"
        yield Zygote(ours)
    finally:
        ours.close()
        process.wait(10)


def serve(link: socket.socket) -> None:
    """Fork for each order, until the other side is gone."""
    # nobody waits for the dead: their pipes tell
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    load()  # what a server loads beside its first answers
    gc.freeze()
    link.send(b"ready")
    while True:
        text, pipes, _, _ = socket.recv_fds(link, _ROOM, 1)
        if not text:
            return
        order = msgspec.json.decode(text, type=Order)
        pid = os.fork()
        if pid == 0:
            link.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _live(order, pipes[0])
        os.close(pipes[0])
        link.send(str(pid).encode())


def _live(order: Order, pipe: int) -> None:
    code = 1
    try:
        live(order.ground, order.job, pipe)
        code = 0
    finally:
        # never back into the parent's code, whose stack this process holds a copy of
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
