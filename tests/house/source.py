"""The project's own files as the house rules read them: parsed modules, and every tracked text."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "oneself"


@dataclass(frozen=True)
class Import:
    """One imported module: its dotted name, the line, and whether only the type checker sees it."""

    name: str
    line: int
    for_types_only: bool = False


@dataclass(frozen=True)
class Module:
    """One Python module: dotted name and text; `place` is what a finding starts with."""

    name: str
    text: str
    place: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, parsed once."""
        return ast.parse(self.text, self.place)

    @cached_property
    def docstrings(self) -> frozenset[int]:
        """The identities of the constants that are docstrings, for rules that read other texts."""
        return frozenset(
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        )

    def at(self, node: ast.AST) -> str:
        """File and line of a node, as editors open it."""
        return f"{self.place}:{getattr(node, 'lineno', 0)}"


def sample(name: str, text: str) -> Module:
    """A module that exists only in a test, to show that a rule can fail."""
    return Module(name, text, f"{name.replace('.', '/')}.py")


def read(file: Path, root: Path) -> Module:
    """Read one module below an import root."""
    parts = file.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, file.read_text(), str(file.relative_to(ROOT)))


@lru_cache(maxsize=1)
def package() -> tuple[Module, ...]:
    """Every module of the package itself."""
    return tuple(read(file, PACKAGE.parent) for file in sorted(PACKAGE.rglob("*.py")))


@lru_cache(maxsize=1)
def around() -> tuple[Module, ...]:
    """Every module of the tests and the benchmarks."""
    folders = [ROOT / "tests", ROOT / "benchmarks"]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    return tuple(read(file, ROOT) for file in files if "node_modules" not in file.parts)


@lru_cache(maxsize=1)
def tracked() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(file for name in listed.split("\0") if name and (file := ROOT / name).is_file())


def texts() -> Iterator[tuple[Path, str]]:
    """Every tracked file that is text, with its text."""
    for file in tracked():
        try:
            yield file.relative_to(ROOT), file.read_text()
        except UnicodeDecodeError:
            continue


def imports_of(module: Module, known: frozenset[str]) -> list[Import]:
    """What a module imports, now or later; `from a import b` is `a.b` where that is a module in `known`."""
    guarded = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and _is_type_checking(node.test)
        for inner in ast.walk(node)
    }
    found: list[Import] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and (later := names_of_later(node)):
            names = [later[0]]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            full = [f"{base}.{alias.name}" for alias in node.names]
            names = sorted({name if name in known else base for name in full})
        else:
            continue
        found += [Import(name, node.lineno, id(node) in guarded) for name in names]
    return found


def names_of_later(node: ast.Call) -> tuple[str, str] | None:
    """The module and the name in it of a call `Later("module", "name")`; None for any other call."""
    texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    plain = ast.unparse(node.func) == "Later" and len(texts) == len(node.args) == 2 and not node.keywords
    return (texts[0], texts[1]) if plain else None


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
