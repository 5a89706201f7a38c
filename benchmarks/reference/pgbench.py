"""PostgreSQL by itself: its own load tool with the server's statements and connections, on the server's core."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import machine
from benchmarks.people import Statement
from benchmarks.reference.scripts import CROWD, FRESH, KEY, Part, Script, crowd, scripts, values
from oneself.store.statements import renumbered

PER_SECOND = 4_000
"""How many a second are prepared of what a script uses up; a run ends when it is through with them."""
_RATE = re.compile(r"^tps = ([0-9.]+) \(without initial", re.MULTILINE)
_DONE = re.compile(r"^number of transactions actually processed: (\d+)", re.MULTILINE)
_VARIABLES = {
    Part.ANY: "any",
    Part.ANY_BYTES: "any",
    Part.NEXT: "next",
    Part.NEXT_BYTES: "next",
    Part.NEW: "new",
    Part.NEW_BYTES: "new",
}


def find(binaries: Path) -> str | None:
    """The load tool beside the server's binaries, or the machine's; None where there is none."""
    beside = binaries / "pgbench"
    return str(beside) if beside.exists() else shutil.which("pgbench")


@dataclass
class Pgbench:
    """One database that only the load tool uses."""

    tool: str
    url: str
    project_id: str
    now: int
    cores: machine.Cores
    clients: int
    folder: Path
    _next_key: int = KEY * 2

    async def seed(self) -> None:
        """Write the crowd, and let the planner learn of it."""
        connection = await asyncpg.connect(self.url)
        try:
            await write(connection, list(crowd(self.project_id, self.now)))
            await connection.execute("ANALYZE")
        finally:
            await connection.close()

    async def rate(self, name: str, seconds: float) -> float:
        """How many times a second a script runs. Raises RuntimeError where it did not do what it should."""
        script = scripts(self.project_id, self.now)[name]
        each = round(seconds * PER_SECOND / self.clients) if script.seed else 10**9
        keys = range(self._next_key, self._next_key + each * self.clients)
        self._next_key = keys.stop
        connection = await asyncpg.connect(self.url)
        try:
            if script.seed is not None:
                await write(connection, list(script.seed(keys, self.now)))
                await connection.execute("VACUUM ANALYZE")
            said = self._run(script, keys.start, each, seconds)
            done, rate = _DONE.search(said), _RATE.search(said)
            if done is None or rate is None:
                raise RuntimeError(f"pgbench said nothing that can be read:\n{said}")
            if not script.writes:
                call = script.transactions[0][0]
                known = values(KEY, KEY)
                if not await connection.fetch(call.sql, *(known.get(arg, arg) for arg in call.args)):
                    raise RuntimeError(f"{script.name} finds nothing")
            else:
                # What a script looks up keeps its key, what it makes has a new one.
                kept = script.seed is not None and "parked" in script.proof
                shift = 0 if kept else FRESH
                args = (self.project_id, str(keys.start + shift), str(keys.stop + shift))
                found = await connection.fetchval(script.proof, *args)
                if found != int(done[1]):
                    raise RuntimeError(f"{script.name}: {done[1]} transactions left {found} rows")
            return float(rate[1])
        finally:
            await connection.close()

    def _run(self, script: Script, first: int, each: int, seconds: float) -> str:
        text, constants = compiled(script)
        file = self.folder / f"{script.name}.sql"
        file.write_text(text)
        names = {"first": first, "each": each, "n": 0, **constants}
        command = [self.tool, "-n", "-M", "prepared", "-c", str(self.clients), "-j", "1", "-f", str(file)]
        command += ["-t", str(each)] if script.seed else ["-T", str(max(1, round(seconds)))]
        command += [part for name, value in names.items() for part in ("-D", f"{name}={value}")]
        with machine.pinned(self.cores.server):
            done = subprocess.run([*command, self.url], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pgbench failed at {script.name}: {done.stderr.strip()[:2000]}")
        return done.stdout


def compiled(script: Script) -> tuple[str, dict[str, str]]:
    """A script in the load tool's language, and its constants, which are given by option."""
    lines = [
        f"\\set any random({KEY}, {KEY + CROWD - 1})",
        "\\set next :first + :client_id * :each + :n",
        f"\\set new :next + {FRESH}",
        "\\set n :n + 1",
    ]
    constants: dict[str, str] = {}
    for transaction in script.transactions:
        together = len(transaction) > 1
        lines += ["BEGIN;"] if together else []
        for call in transaction:
            names = [_named(arg, constants) for arg in call.args]
            numbered = renumbered(" ".join(call.sql.split()), "{{{}}}")
            lines.append(numbered.format("", *names) + ";")
        lines += ["COMMIT;"] if together else []
    return "\n".join(lines) + "\n", constants


def _named(arg: Any, constants: dict[str, str]) -> str:
    """How the script names an argument: by a variable; what is empty, which no variable can be, stands there itself."""
    if isinstance(arg, Part):
        return f":{_VARIABLES[arg]}"
    text = f"\\x{arg.hex()}" if isinstance(arg, bytes) else str(arg).lower() if isinstance(arg, bool) else str(arg)
    if text in ("", "\\x"):
        return "''"
    names = {value: name for name, value in constants.items()}
    name = names.get(text, f"c{len(constants)}")
    constants[name] = text
    return f":{name}"


async def write(connection: "asyncpg.Connection[Any]", rows: Sequence[Statement]) -> None:
    """Write rows with the store's own statements."""
    async with connection.transaction():
        for sql, many in rows:
            await connection.executemany(sql, many)
