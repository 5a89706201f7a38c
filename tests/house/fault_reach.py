"""Which faults a face can meet: a walk over the names that its functions mention, from the face down to the store."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.house.source import Module, names_of_later

# What is reached through values and not through names: the runtime's parts, and the providers' pure functions.
THROUGH_VALUES = (
    "oneself.store.sqlite",
    "oneself.store.postgres",
    "oneself.store.retrying",
    "oneself.upstream.http",
    "oneself.crypto.seal",
    "oneself.actions.runtime",
)
IDENTIFY = "oneself.upstream.identify.identify"


@dataclass
class Definition:
    """One top-level name of a module: the fault codes and the other names that its text mentions."""

    codes: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)


def definitions(modules: Iterable[Module]) -> dict[str, Definition]:
    """All top-level definitions by dotted name; a module's own name stands for all that is in it."""
    found: dict[str, Definition] = {}
    for module in modules:
        imported = _imports(module)
        local = {name for node in module.tree.body for name in _names(node)}
        whole = found.setdefault(module.name, Definition())
        for node in module.tree.body:
            for name in _names(node):
                definition = _read(node, module.name, imported, local)
                found[f"{module.name}.{name}"] = definition
                whole.mentions.add(f"{module.name}.{name}")
    return found


def reached(found: Mapping[str, Definition], roots: Iterable[str]) -> dict[str, set[str]]:
    """Every fault code that the roots reach, with the definitions that mention it."""
    waiting, seen = [*roots, *THROUGH_VALUES], set[str]()
    codes: dict[str, set[str]] = {}
    while waiting:
        name = waiting.pop()
        if name in seen or name not in found:
            continue
        seen.add(name)
        if name == IDENTIFY:
            waiting += [other for other in found if other.startswith("oneself.providers.")]
        for code in found[name].codes:
            codes.setdefault(code, set()).add(name)
        waiting += found[name].mentions
    return codes


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _imports(module: Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = alias.name
    return names


def _read(node: ast.stmt, module: str, imported: Mapping[str, str], local: set[str]) -> Definition:
    definition = Definition()
    waiting: list[ast.AST] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            owner = part.value.id
            if owner == "FaultCode":
                definition.codes.add(part.attr)
                continue
            if owner in imported:
                # The attribute of a module or class, not all of it.
                definition.mentions |= {f"{imported[owner]}.{part.attr}"}
                continue
        if isinstance(part, ast.Call) and (later := names_of_later(part)):
            definition.mentions.add(".".join(later))
        if isinstance(part, ast.Name):
            if part.id in local:
                definition.mentions.add(f"{module}.{part.id}")
            elif part.id in imported:
                definition.mentions.add(imported[part.id])
        waiting += ast.iter_child_nodes(part)
    return definition
