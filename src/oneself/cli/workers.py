"""Several processes on one listening socket: made, watched, made again when one dies, and stopped in peace."""

import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

_LOG = logging.getLogger("oneself.workers")
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STEADY_SECONDS = 10.0

Work = Callable[[int, int], None]
"""What one worker does until it is told to stop: its place among the others, from 0, and a file descriptor that reaches
its end when the parent is gone, so that no worker outlives it."""


@dataclass(slots=True)
class _Place:
    """One of the N places: the process in it, since when, and when the next may be made."""

    pid: int = 0
    since: float = 0.0
    not_before: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS


class Workers:
    """Keeps `count` processes at work until SIGTERM or SIGINT; call `run` from a process without threads."""

    def __init__(self, count: int, work: Work, stop_seconds: int) -> None:
        self._work = work
        self._stop_seconds = stop_seconds
        self._places = [_Place() for _ in range(count)]
        self._stopping = False
        self._alive_read, self._alive_write = os.pipe()

    def run(self) -> int:
        """Keep the workers until told to stop; gives the exit code: 1 where any had to be killed."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            self._bury()
            pause = self._fill()
            select.select([wake_read], [], [], pause)
            with suppress(BlockingIOError):
                os.read(wake_read, 4096)
        return self._stop()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOP_SIGNALS:
            self._stopping = True

    def _bury(self) -> None:
        """Take note of workers that ended, and let each place wait longer the sooner it was left."""
        for place in self._places:
            if not place.pid:
                continue
            pid, status = os.waitpid(place.pid, os.WNOHANG)
            if not pid:
                continue
            now = time.monotonic()
            if now - place.since > _STEADY_SECONDS:
                place.pause = _FIRST_PAUSE_SECONDS
            _LOG.error("worker %d ended (%s); another takes its place", pid, _how(status))
            place.pid, place.not_before = 0, now + place.pause
            place.pause = min(place.pause * 2, _LONGEST_PAUSE_SECONDS)

    def _fill(self) -> float | None:
        """Make the workers that may be made now; seconds until the next may be, or None."""
        waits: list[float] = []
        for at, place in enumerate(self._places):
            if place.pid or self._stopping:
                continue
            now = time.monotonic()
            if place.not_before > now:
                waits.append(place.not_before - now)
            else:
                place.pid, place.since = self._fork(at), now
        return min(waits, default=None)

    def _fork(self, at: int) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        # blocked until the child has handlers of its own, so that no signal to stop is lost in between
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            return pid
        code = 1
        try:
            os.close(self._alive_write)
            signal.set_wakeup_fd(-1)
            for number in (*_STOP_SIGNALS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            self._work(at, self._alive_read)
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 1
        except BaseException:
            _LOG.exception("a worker failed")
        finally:
            # never back into the parent's code, whose stack this process holds a copy of
            sys.stderr.flush()
            os._exit(code)

    def _stop(self) -> int:
        """Ask all to finish; whoever is still there after the time for it is killed."""
        for place in self._places:
            self._tell(place, signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds + 1
        while time.monotonic() < deadline and any(place.pid for place in self._places):
            self._collect()
            time.sleep(0.02)
        late = [place for place in self._places if place.pid]
        for place in late:
            _LOG.error("worker %d did not finish in %d s; killed", place.pid, self._stop_seconds)
            self._tell(place, signal.SIGKILL)
            os.waitpid(place.pid, 0)
        return 1 if late else 0

    def _collect(self) -> None:
        for place in self._places:
            if place.pid and os.waitpid(place.pid, os.WNOHANG)[0]:
                place.pid = 0

    def _tell(self, place: _Place, number: signal.Signals) -> None:
        if place.pid:
            with suppress(ProcessLookupError):
                os.kill(place.pid, number)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"code {code}"
