"""The import table: each room of the house, what it may use of ours and of others, and what never.

Arrows go down. A room may use the rooms its row names, and its own files where the row says so.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass

from tests.house.source import Import, Module, imports_of, names_of_later

# One module of the standard library lets code wait, another reads a clock: law uses neither.
IMPURE = frozenset(
    [
        "asyncio",
        "concurrent",
        "http",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
    ]
)
ONLY_STORE = frozenset({"sqlite3"})
CORE = ("model", "faults")


@dataclass(frozen=True)
class Room:
    """One row: `ours` are rooms below it, `others` are packages that it alone may know."""

    name: str
    ours: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    each_other: bool = True  # whether its files may use each other
    shared: tuple[str, ...] = ()  # its files that all its files may use
    collectors: tuple[str, ...] = ()  # its files that may use all its files
    pure: bool = False  # no waiting, no clock, no chance, no file, no network


LOWER = ("store", "upstream", "steps", "providers", "crypto", "rules", "mail", *CORE)
WEB = ("uvicorn",)
FACE = ("", "actions", "asgi", *CORE, "wire")  # "" is the package itself: its version

# The longest matching name is a module's room.
ROOMS = (
    Room("", ("model", "faults", "config"), ("msgspec",)),  # the package's own opening
    Room("model", (), ("msgspec",)),
    Room("faults", (), ("msgspec",)),
    Room("config", ("model",), ("msgspec",)),  # a secret setting is the model's Secret
    Room("rules", CORE, ("msgspec", "idna"), pure=True),
    Room("later"),  # the one place that imports by name
    Room("asgi"),  # protocol alone: no request, reply or route of ours
    Room("crypto", ("faults",), ("cryptography", "joserfc", "argon2", "bcrypt")),
    Room(
        "providers",
        CORE,
        ("msgspec",),
        each_other=False,
        shared=("spec", "reading"),
        collectors=("registry",),
        pure=True,
    ),
    Room("store", ("later", *CORE), ("asyncpg", "msgspec")),
    Room("upstream", ("providers", "crypto", "later", *CORE), ("aiohttp", "msgspec", "idna", "yarl")),
    Room("mail", CORE, ("aiosmtplib", "jinja2", "msgspec")),
    Room("steps", ("store", "rules", "crypto", *CORE), ("msgspec",)),
    Room("formats", ("rules", "crypto", *CORE), ("msgspec",), pure=True),
    Room(
        "emulator",
        ("providers", "crypto", "asgi", "later", *CORE),
        ("msgspec", "joserfc", "cryptography", "jinja2", "click", *WEB),  # it also runs by itself
    ),
    Room("actions", ("later", *LOWER), ("msgspec",), each_other=False, shared=("runtime", "renewing")),
    Room("wire", ("", "actions", "asgi", *CORE), ("msgspec", *WEB)),  # what all faces stand on
    Room("wire.stytch", FACE, ("msgspec", *WEB)),
    Room("wire.stack", FACE, ("msgspec", *WEB)),
    Room("wire.oauth2", FACE, ("msgspec", *WEB)),
    Room("wire.console", FACE, ("msgspec", "jinja2", *WEB)),
    Room("background", ("actions", "config", *LOWER), ("msgspec", "structlog", "prometheus_client")),
    Room(
        "app",
        ("", "wire", "wire.*", "emulator", "background", "actions", "asgi", "config", "later", *LOWER),
        ("msgspec", "structlog", "prometheus_client", "jinja2", "uvloop", *WEB),
    ),
    Room(
        "cli",
        ("", "app", "wire", "wire.*", "emulator", "background", "formats", "actions", "config", "later", *LOWER),
        ("msgspec", "structlog", "click", "rich", "trustme", "uvloop", *WEB),
    ),
    Room("__main__", ("cli",)),
)
NAMES = frozenset(room.name for room in ROOMS)
BY_NAME = {room.name: room for room in ROOMS}


def room_of(module: str) -> Room:
    """The row of a module's dotted name, or of one of its parents; KeyError when it has no row."""
    inner = module.removeprefix("oneself").removeprefix(".")
    if not inner:
        return BY_NAME[""]
    parts = inner.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in BY_NAME:
            return BY_NAME[name]
    raise KeyError(module)


def violations(module: Module, known: frozenset[str]) -> list[str]:
    """Every import of a module that its row does not allow, and every act that its row bans."""
    try:
        room = room_of(module.name)
    except KeyError:
        return [f"{module.place}: the import table has no row for {module.name}"]
    found = []
    for imported in imports_of(module, known):
        reason = _refusal(room, module.name, imported)
        if reason:
            found.append(f"{module.place}:{imported.line} imports {imported.name}: {reason}")
    if room.pure:
        found += [f"{module.at(node)} {what}" for node, what in _impurities(module)]
    return found


def _refusal(room: Room, importer: str, imported: Import) -> str:
    """Why a room may not have this import; empty when it may."""
    top = imported.name.split(".")[0]
    if top == "oneself":
        return _refusal_of_ours(room, importer, imported.name)
    if top == "__future__":
        return ""
    if top not in sys.stdlib_module_names:
        return "" if top in room.others else f"{room.name or 'oneself'} may not use {top}"
    if imported.name in ONLY_STORE and room.name != "store":
        return "only the store knows a database"
    if room.pure and (top in IMPURE or imported.name in IMPURE):
        return f"{room.name} neither waits, nor looks at a clock, nor rolls dice"
    return ""


def _refusal_of_ours(room: Room, importer: str, imported: str) -> str:
    try:
        target = room_of(imported)
    except KeyError:
        return "the import table has no row for it"
    if target.name == room.name:
        return _refusal_of_own(room, importer, imported)
    group = f"{target.name.split('.')[0]}.*"
    if target.name in room.ours or ("." in target.name and group in room.ours):
        return ""
    return f"{room.name or 'oneself'} may not use {target.name or 'the opened package'}"


def _refusal_of_own(room: Room, importer: str, imported: str) -> str:
    """Whether one file of a room may use another of the same room."""
    home = f"oneself.{room.name}"
    user, used = (name.removeprefix(home).removeprefix(".") for name in (importer, imported))
    free = room.each_other or not used or used in room.shared or user in room.collectors
    return "" if free else f"{room.name}'s files do not use each other"


def _impurities(module: Module) -> list[tuple[ast.AST, str]]:
    """Where a pure module waits or asks for the present time."""
    found: list[tuple[ast.AST, str]] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append((node, "waits, and is to be pure"))
        elif isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            value = ast.unparse(node.value)
            if value.split(".")[-1] in ("datetime", "date"):
                found.append((node, "reads the clock, and is to be pure"))
    return found


def hidden_imports(module: Module) -> list[str]:
    """Imports inside functions or classes, and imports by name at run time: `later` alone does that, and is given names
    that stand in the source, so that `imports_of` reads them.
    """
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            found += [
                f"{module.at(inner)} hides an import"
                for inner in ast.walk(node)
                if isinstance(inner, ast.Import | ast.ImportFrom)
            ]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            by_name = called == "__import__" or called.split(".")[-1] == "import_module"
            if by_name and module.name != "oneself.later":
                found.append(f"{module.at(node)} imports by name")
            if called == "Later" and names_of_later(node) is None:
                found.append(f"{module.at(node)} hides from readers what it imports")
    return sorted(set(found))


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Every circle of modules that import each other, each once, as the path that closes it."""
    found: list[list[str]] = []
    done: set[str] = set()

    def follow(name: str, path: list[str]) -> None:
        if name in path:
            found.append([*path[path.index(name) :], name])
            return
        if name in done:
            return
        for target in sorted(arrows.get(name, ())):
            follow(target, [*path, name])
        done.add(name)

    for name in sorted(arrows):
        follow(name, [])
    return found
