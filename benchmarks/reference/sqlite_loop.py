"""SQLite by itself: the server's statements in a tight loop of the standard library, many to a commit.

Run as a process of its own on the server's core: `python -m benchmarks.reference.sqlite_loop FILE ...`.
"""

import random
import sqlite3
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.people import Statement
from benchmarks.reference.scripts import CROWD, FRESH, KEY, Call, Script, crowd, scripts, values
from oneself.store.statements import for_sqlite

PER_SECOND = 15_000
"""How many runs a second are prepared where each needs a row of its own to find."""
BOUND = 1_000_000
"""More runs a second than any machine does, where a run makes its own row."""


def main() -> None:
    """Print how many times a second a script runs, after a proof that it did its work."""
    file, project_id, name, seconds, group, first = sys.argv[1:7]
    now = time.time_ns() // 1_000
    script = scripts(project_id, now)[name]
    connection = opened(Path(file))
    most = PER_SECOND if script.seed is not None else BOUND
    keys = range(int(first), int(first) + round(float(seconds) * most))
    if script.seed is not None:
        write(connection, script.seed(keys, now))
    count, elapsed = _loop(connection, script, keys, float(seconds), int(group))
    if script.proof:
        shift = 0 if "parked" in script.proof else FRESH
        args = (project_id, str(keys.start + shift), str(keys.stop + shift))
        found = connection.execute(for_sqlite(script.proof), args).fetchone()[0]
        if found != count:
            sys.exit(f"{name}: {count} transactions left {found} rows")
    print(count / elapsed)


def opened(file: Path) -> sqlite3.Connection:
    """A connection as durable as the server's."""
    connection = sqlite3.connect(file, isolation_level=None, cached_statements=512)
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {setting}").fetchall()
    return connection


def seed(file: Path, project_id: str) -> None:
    """Write the crowd."""
    connection = opened(file)
    write(connection, crowd(project_id, time.time_ns() // 1_000))
    connection.execute("ANALYZE")
    connection.close()


def write(connection: sqlite3.Connection, rows: Iterable[Statement]) -> None:
    """Write rows with the store's own statements."""
    connection.execute("BEGIN IMMEDIATE")
    for sql, many in rows:
        connection.executemany(for_sqlite(sql), many)
    connection.execute("COMMIT")


def _loop(connection: sqlite3.Connection, script: Script, keys: range, seconds: float, group: int) -> tuple[int, float]:
    """How often it ran, and in how many seconds; a script that writes commits `group` of its runs at once."""
    transactions = [
        (any(not call.sql.lstrip().startswith(("SELECT", "WITH")) for call in part), _ready(part))
        for part in script.transactions
    ]
    execute, count = connection.execute, 0
    picked = random.Random(1)
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds and (not script.seed or count + group <= len(keys)):
        some = [KEY + picked.randrange(CROWD) for _ in range(group)]
        for writes, calls in transactions:
            if writes:
                execute("BEGIN IMMEDIATE")
            for key, someone in enumerate(some, keys.start + count):
                put = values(someone, key).get
                for sql, args in calls:
                    if not execute(sql, [put(arg, arg) for arg in args]).fetchall() and not script.writes:
                        sys.exit(f"{script.name} finds nothing")
            if writes:
                execute("COMMIT")
        count += group
    return count, elapsed


def _ready(transaction: tuple[Call, ...]) -> list[tuple[str, tuple[Any, ...]]]:
    return [(for_sqlite(call.sql), call.args) for call in transaction]


if __name__ == "__main__":
    main()
