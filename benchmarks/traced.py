"""The server on SQLite with a trace: every statement that SQLite begins goes to a file, for `counting` to read.

Run as `python -m benchmarks.traced SETTINGS TRACE`. Slow, and so never timed.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from oneself.actions.runtime import Runtime
from oneself.app.house import House
from oneself.cli.listening import listen
from oneself.cli.running import run
from oneself.config import Config, load
from oneself.store.sqlite import SqliteDatabase


class TracedHouse(House):
    """The server whose database tells what it does."""

    def __init__(self, config: Config, file: Path) -> None:
        super().__init__(config)
        self._file = file

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Runtime]:
        """Open as always, then watch."""
        with self._file.open("ab", buffering=0) as trace:
            async with super().opened() as rt:
                assert isinstance(rt.db, SqliteDatabase)

                def note(sql: str) -> None:
                    trace.write(msgspec.json.encode(sql) + b"\n")

                rt.db.watch(note)
                yield rt


def main() -> None:
    """Serve until stopped."""
    config = load(Path(sys.argv[1]))
    run(TracedHouse(config, Path(sys.argv[2])), config, listen(config.host, config.port), lambda: None)


if __name__ == "__main__":
    main()
