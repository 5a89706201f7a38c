"""Reading the settings: the file, then the environment over it, each value checked where it stands.

All that is wrong is told at once, each in a sentence that names the file or variable, the setting,
and what would be right.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

import msgspec

from oneself.config.checks import contradictions
from oneself.config.reference import PREFIX, Member, bare, in_words, members, settings
from oneself.config.schema import Config, Part
from oneself.model import Secret

FILE_VARIABLE = f"{PREFIX}CONFIG"
_FILE_SUFFIX = "_file"
_LARGEST_SECRET_BYTES = 65_536


class ConfigError(Exception):
    """The settings cannot be used; `problems` says why, a sentence or two each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class _Variable:
    """A value that came from the environment: a text, whatever its setting's type is."""

    name: str
    text: str


@dataclass(slots=True)
class _Reading:
    """One reading of all sources: which file it was, where its relative paths begin, and what is wrong."""

    origin: str
    folder: Path
    problems: list[str] = field(default_factory=list)

    def refuse(self, where: str, words: str) -> None:
        """Note a problem of the setting at `where` in the file."""
        self.problems.append(f"{self.origin}: `{where}` {words}")


def load(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Read all settings: defaults, the TOML file, `ONESELF_*`, then `overrides` of the command line.

    Without `file`, `ONESELF_CONFIG` may name one. Any variable may end in `_FILE` and then names a
    file that holds the value; a secret in the TOML file may likewise be given as `<name>_file`.
    Raises ConfigError with everything that is wrong.
    """
    environ = os.environ if environ is None else environ
    if file is None and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE])
    reading = _Reading(str(file) if file else "settings", file.parent if file else Path())
    raw = _toml(file) if file else {}
    _overlay(raw, environ, reading)
    raw.update(overrides or {})
    values = _table(Config, raw, "", reading)
    if reading.problems:
        raise ConfigError(reading.problems)
    config = Config(**values)
    wrong = [f"{reading.origin}: {problem}" for problem in contradictions(config)]
    if wrong:
        raise ConfigError(wrong)
    return config


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{file}: there is no such file. Check the path after --config."]) from None
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read ({error.strerror}). Check its permissions."]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{file}: is not UTF-8 text. Save it as UTF-8."]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            [f"{file}: is not valid TOML: {error}. Texts need quotes, and each key stands once."]
        ) from None


# --- tables --------------------------------------------------------------------------------------


def _table(struct: type[Part], raw: Any, path: str, reading: _Reading) -> dict[str, Any]:
    """Convert one table; notes every problem in it and gives what could be used."""
    known = members(struct)
    if not isinstance(raw, Mapping):
        reading.refuse(path.rstrip("."), "must be a table of settings.")
        return {}
    given = _with_files(known, raw, path, reading)
    values: dict[str, Any] = {}
    for name, value in given.items():
        member = known.get(name)
        if member is None:
            reading.refuse(f"{path}{name}", "is not a setting." + _hint(name, known))
        else:
            values[name] = _value(member, value, f"{path}{name}", reading)
    for member in known.values():
        if member.required and member.name not in given:
            reading.refuse(f"{path}{member.name}", f"is missing. {member.description}")
    return values


def _value(member: Member, value: Any, where: str, reading: _Reading) -> Any:
    if member.part is None:
        return _leaf(member, value, where, reading)
    if member.shape == "table":
        return _built(member.part, value, f"{where}.", reading)
    if member.shape == "named":
        return _named(member, member.part, value, where, reading)
    if not isinstance(value, list):
        reading.refuse(where, f"must be a list of tables, each begun by [[{where}]].")
        return ()
    part = member.part
    return tuple(_built(part, entry, f"{where}[{place}].", reading) for place, entry in enumerate(value))


def _named(member: Member, part: type[Part], value: Any, where: str, reading: _Reading) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        reading.refuse(where, f"must be a table of tables, each begun by [{where}.<name>].")
        return {}
    for name in value:
        if member.names and name not in member.names:
            reading.refuse(f"{where}.{name}", "is not known." + _hint(name, member.names))
    return {name: _built(part, table, f"{where}.{name}.", reading) for name, table in value.items()}


def _built(struct: type[Part], raw: Any, path: str, reading: _Reading) -> Part | None:
    before = len(reading.problems)
    values = _table(struct, raw, path, reading)
    return struct(**values) if len(reading.problems) == before else None


# --- values --------------------------------------------------------------------------------------


def _leaf(member: Member, value: Any, where: str, reading: _Reading) -> Any:
    variable = value if isinstance(value, _Variable) else None
    plain: Any = value
    if variable:
        plain = variable.text
        if get_origin(bare(member.kind)) is tuple:
            plain = [part.strip() for part in variable.text.split(",") if part.strip()]
    try:
        return msgspec.convert(plain, member.kind, strict=variable is None, dec_hook=_secret)
    except msgspec.ValidationError:
        words = f"must be {in_words(member.kind)}. {member.description}"
        if variable:
            reading.problems.append(f"{variable.name}: {words}")
        else:
            reading.refuse(where, words)
        return None


def _secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value.strip())
    raise TypeError("not a text")


def _with_files(known: Mapping[str, Member], raw: Mapping[str, Any], path: str, reading: _Reading) -> dict[str, Any]:
    """Replace each `<name>_file` of a secret by what the file holds."""
    given = dict(raw)
    for key in [key for key in raw if key.endswith(_FILE_SUFFIX) and key not in known]:
        name = key.removesuffix(_FILE_SUFFIX)
        if name not in known or not known[name].secret:
            continue
        place = given.pop(key)
        if name in given and not isinstance(given[name], _Variable):
            reading.refuse(f"{path}{key}", f"stands beside `{path}{name}`. Keep one of the two.")
        elif not isinstance(place, str):
            reading.refuse(f"{path}{key}", "must be the path of a file, as a text.")
        elif name not in given:
            text = _secret_file(reading.folder / place, f"{reading.origin}: `{path}{key}`", reading)
            given[name] = text
    return given


def _secret_file(file: Path, label: str, reading: _Reading) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_SECRET_BYTES + 1)
        if len(data) <= _LARGEST_SECRET_BYTES:
            return data.decode().strip()
        why = "is larger than any secret"
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        why = "is not UTF-8 text"
    reading.problems.append(f"{label} names {file}, which {why}. Check the path and its permissions.")
    return ""


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{close[0]}`?" if close else " `oneself settings` lists all there are."


# --- the environment -----------------------------------------------------------------------------


def _overlay(raw: dict[str, Any], environ: Mapping[str, str], reading: _Reading) -> None:
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
            value = _secret_file(Path(text), name, reading) if path else ""
        if path is None:
            reading.problems.append(f"{name}: is not a setting." + _hint(name, plain))
        else:
            _put(raw, path, _Variable(name, value))


def _named_path(name: str, patterns: list[tuple[list[str], list[str]]]) -> list[str] | None:
    for (head, tail), path in patterns:
        inner = name.removeprefix(head).removesuffix(tail)
        if name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail):
            return [inner.lower() if step == "<name>" else step for step in path]
    return None


def _put(raw: dict[str, Any], path: list[str], value: _Variable) -> None:
    table = raw
    for step in path[:-1]:
        inner = table.setdefault(step, {})
        if not isinstance(inner, dict):
            return  # the file's value is no table; reading it says so
        table = inner
    table[path[-1]] = value
    # the environment stands over a secret that the file takes from another file
    table.pop(f"{path[-1]}{_FILE_SUFFIX}", None)
