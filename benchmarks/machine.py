"""The machine that is measured: its name, its cores, and what a process took of them."""

import contextlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core the server gets, and which are left for database, providers and load."""

    server: int
    others: tuple[int, ...]

    @property
    def split(self) -> bool:
        """Whether the server has its core to itself."""
        return self.server not in self.others


def cores() -> Cores:
    """Split the cores of this process: the first for the server, one other for everything else.

    One other only, whatever the machine has: the figures then mean the same on all machines. On a machine with a
    single core all share it, and the report says so.
    """
    mine = sorted(os.sched_getaffinity(0))
    return Cores(mine[0], (mine[1],) if len(mine) > 1 else (mine[0],))


@contextlib.contextmanager
def pinned(*core: int) -> Iterator[None]:
    """Run this thread, and every process it starts meanwhile, on these cores; as before in the end."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its living descendants took so far, in user and kernel."""
    return sum(_ticks(each) for each in _family(pid)) / TICKS


def resident_bytes(pid: int) -> int:
    """Memory that a process and its descendants hold now."""
    return sum(int(_read(each, "statm").split()[1]) for each in _family(pid)) * PAGE


def describe(cores_used: Cores) -> dict[str, str]:
    """What a reader must know to judge the figures, by its heading."""
    one_minute, _, _ = os.getloadavg()
    said = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * PAGE / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "load before": f"{one_minute:.1f} (one minute)",
        "cores": f"server on {cores_used.server}; PostgreSQL, providers and load on {cores_used.others[0]}",
    }
    if not cores_used.split:
        said["cores"] = "one core for everything: the figures are not comparable"
    return said


def _processor() -> str:
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _family(pid: int) -> list[int]:
    """A process and all that descend from it, as far as they live."""
    family = [pid]
    for each in family:
        for children in PROC.glob(f"{each}/task/*/children"):
            with contextlib.suppress(OSError):
                family += map(int, children.read_text().split())
    return family


def _ticks(pid: int) -> int:
    # The name of the program may hold blanks and parentheses; what counts stands behind its last one.
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]) if len(fields) > 12 else 0


def _read(pid: int, name: str) -> str:
    try:
        return (PROC / str(pid) / name).read_text()
    except OSError:
        return "0 0"
