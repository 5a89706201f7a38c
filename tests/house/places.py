"""Rules about where things live and what files say; each takes a module or a text and gives findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import Module

SQL = re.compile(
    r"^\s*(SELECT\s+(DISTINCT\s+)?[\w*$.(\"]+[\s\S]*\bFROM\b|SELECT\s+\d|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+[\w\"]+"
    r"\s+SET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s|WITH\s+\w+(\s*\([^)]*\))?\s+AS\s*\(|PRAGMA\s+\w|TRUNCATE\s+\w"
    r"|(CREATE|ALTER|DROP)\s+(UNIQUE\s+|TEMP\s+)?(TABLE|INDEX|DATABASE|VIEW)\s|BEGIN(\s+IMMEDIATE|\s+TRANSACTION)?;?$"
    r"|VACUUM\b|ATTACH\s+DATABASE\s|SET\s+(SESSION|LOCAL)\s)",
)
SQL_WORD = re.compile(r"\b(SELECT|FROM|WHERE|INSERT INTO|VALUES|UPDATE|DELETE FROM|ORDER BY)\s")
# The files that join pieces of SQL, all written in the store; values come as parameters only.
SQL_BUILDERS = ("user_search", "views", "sessions", "postgres_batch")
ENVIRONMENT = ("environ", "environb", "getenv", "getenvb", "putenv", "unsetenv")
NAMELESS = frozenset(
    word + ending for word in ("util", "helper", "manager", "service", "common", "misc") for ending in ("", "s", "es")
)
# Spelled in halves, so that these rules do not find themselves.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
OUTSIDE = re.compile(r"(\.\./sha" r"red\b|(?<![\w.])/wo" r"rk/)")
SKIPS = ("skip", "skipif", "xfail", "importorskip", "skipTest")


def sql(module: Module) -> Iterator[str]:
    """Texts that are SQL, in a module that is not the store's."""
    if module.name.split(".")[1:2] == ["store"]:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Constant) or id(node) in module.docstrings:
            continue
        if isinstance(node.value, str) and SQL.match(node.value):
            yield f"{module.at(node)} has SQL, which lives in store/"


def composed_sql(module: Module) -> Iterator[str]:
    """SQL put together from anything but constants: values are bound, and only the builders join conditions."""
    if module.name.split(".")[1:2] != ["store"]:
        return
    inside = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.JoinedStr) or not SQL_WORD.search(_constant_parts(node)):
            continue
        if id(node) in inside and module.name.split(".")[-1] not in SQL_BUILDERS:
            yield f"{module.at(node)} composes SQL at run time"
        if id(node) not in inside:
            for part in (each.value for each in node.values if isinstance(each, ast.FormattedValue)):
                constant = isinstance(part, ast.Name) and part.id.isupper()
                if not constant and not isinstance(part, ast.Call):
                    yield f"{module.at(node)} puts {ast.unparse(part)} into SQL, which is no constant"


def _constant_parts(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))


def environment(module: Module) -> Iterator[str]:
    """Looks at the process's environment, in a module that is not the configuration's."""
    if module.name.split(".")[1:2] == ["config"]:
        return
    for node in ast.walk(module.tree):
        named = isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT
        taken = isinstance(node, ast.ImportFrom) and any(alias.name in ENVIRONMENT for alias in node.names)
        # click reads a variable for an option that names one
        option = isinstance(node, ast.keyword) and node.arg in ("envvar", "auto_envvar_prefix")
        if named or taken or option:
            yield f"{module.at(node)} looks at the environment, which config alone does"


def docstrings(module: Module) -> Iterator[str]:
    """Modules, public classes and public functions without a docstring."""
    if not ast.get_docstring(module.tree):
        yield f"{module.place}:1 has no docstring"
    yield from _undocumented(module, module.tree, public=True)


def _undocumented(module: Module, parent: ast.Module | ast.ClassDef, *, public: bool) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        shown = public and not node.name.startswith("_") and not _is_overload(node)
        if shown and not ast.get_docstring(node):
            yield f"{module.at(node)} {node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(module, node, public=shown)


def _is_overload(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(mark).split(".")[-1] == "overload" for mark in node.decorator_list)


def stubs(module: Module) -> Iterator[str]:
    """Functions that do nothing, outside protocols and overloads."""
    protocols = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"{module.at(node)} is not implemented"
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or id(node) in protocols:
            continue
        if _is_overload(node) or any("abstract" in ast.unparse(mark) for mark in node.decorator_list):
            continue
        body = [inner for inner in node.body if not (isinstance(inner, ast.Expr) and _is_text(inner.value))]
        # a body that is only a docstring says what an empty method of a null object does
        if body and all(isinstance(inner, ast.Pass) or _is_dots(inner) for inner in body):
            yield f"{module.at(node)} {node.name} does nothing"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_dots(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def file_name(file: Path) -> Iterator[str]:
    """Names that say nothing about what is inside."""
    for part in file.parts:
        words = re.split(r"[_\-.]", part.lower())
        if NAMELESS.intersection(words):
            yield f"{file}: '{part}' does not say what is inside"


def unfinished(file: Path, text: str) -> Iterator[str]:
    """Notes of work that somebody else is to do."""
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield f"{file}:{number} says that something is unfinished"


def outside(file: Path, text: str) -> Iterator[str]:
    """Paths out of the repository, which nobody else has."""
    for number, line in enumerate(text.splitlines(), 1):
        if OUTSIDE.search(line):
            yield f"{file}:{number} points out of the repository"


def skips(module: Module) -> Iterator[str]:
    """Tests that would not run, or whose failure would not count."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in SKIPS:
            if ast.unparse(node.value).split(".")[0] in ("pytest", "unittest", "self"):
                yield f"{module.at(node)} skips"
        elif (
            isinstance(node, ast.ImportFrom)
            and node.module in ("pytest", "unittest")
            and any(alias.name in SKIPS for alias in node.names)
        ):
            yield f"{module.at(node)} skips"


def lines(module: Module) -> int:
    """How many lines of a module say something: blank lines and its docstrings are not counted."""
    return sum(1 for line in module.text.splitlines() if line.strip())
