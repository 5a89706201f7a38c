"""The variables of the environment, laid over the tree of the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oneself.config.reading import FILE_SUFFIX, Reading, Variable, hint, secret_file
from oneself.config.reference import PREFIX, settings

FILE_VARIABLE = f"{PREFIX}CONFIG"


def overlay(raw: dict[str, Any], environ: Mapping[str, str], reading: Reading) -> None:
    """Lay the variables over the file's tree; an unknown `ONESELF_*` is a mistake worth telling."""
    plain = {
        setting.variable: setting.path.split(".")
        for setting in settings()
        if setting.variable and "<" not in setting.variable
    }
    named = [setting for setting in settings() if "<NAME>" in setting.variable]
    patterns = [(s.variable.split("<NAME>"), s.path.split(".")) for s in named]
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name == FILE_VARIABLE:
            continue
        path = plain.get(name) or _named_path(name, patterns)
        value = text
        if path is None and name.endswith("_FILE"):
            base = name.removesuffix("_FILE")
            path = plain.get(base) or _named_path(base, patterns)
            if path is not None and base in environ:
                reading.problems.append(f"{name}: stands beside {base}. Keep one of the two.")
                continue
            value = secret_file(Path(text), name, reading) if path else ""
        if path is None:
            reading.problems.append(f"{name}: is not a setting." + hint(name, plain))
        else:
            _put(raw, path, Variable(name, value))


def _named_path(name: str, patterns: list[tuple[list[str], list[str]]]) -> list[str] | None:
    for (head, tail), path in patterns:
        inner = name.removeprefix(head).removesuffix(tail)
        if name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail):
            return [inner.lower() if step == "<name>" else step for step in path]
    return None


def _put(raw: dict[str, Any], path: list[str], value: Variable) -> None:
    table = raw
    for step in path[:-1]:
        inner = table.setdefault(step, {})
        if not isinstance(inner, dict):
            return  # the file's value is no table; reading it says so
        table = inner
    table[path[-1]] = value
    # the environment stands over a secret that the file takes from another file
    table.pop(f"{path[-1]}{FILE_SUFFIX}", None)
