"""Reading the settings: the file, then the environment over it, each value checked where it stands.

All that is wrong is told at once, each in a sentence that names the file or variable, the setting,
and what would be right.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

import msgspec

from oneself.config.checks import contradictions
from oneself.config.environment import FILE_VARIABLE, overlay
from oneself.config.part import Part
from oneself.config.reading import FILE_SUFFIX, ConfigError, Reading, Variable, hint, secret_file
from oneself.config.reference import Member, bare, in_words, members
from oneself.config.schema import Config
from oneself.model import Secret


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
    reading = Reading(str(file) if file else "settings", file.parent if file else Path())
    raw = _toml(file) if file else {}
    overlay(raw, environ, reading)
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


def _table(struct: type[Part], raw: Any, path: str, reading: Reading) -> dict[str, Any]:
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
            reading.refuse(f"{path}{name}", "is not a setting." + hint(name, known))
        else:
            values[name] = _value(member, value, f"{path}{name}", reading)
    for member in known.values():
        if member.required and member.name not in given:
            reading.refuse(f"{path}{member.name}", f"is missing. {member.description}")
    return values


def _value(member: Member, value: Any, where: str, reading: Reading) -> Any:
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


def _named(member: Member, part: type[Part], value: Any, where: str, reading: Reading) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        reading.refuse(where, f"must be a table of tables, each begun by [{where}.<name>].")
        return {}
    for name in value:
        if member.names and name not in member.names:
            reading.refuse(f"{where}.{name}", "is not known." + hint(name, member.names))
    return {name: _built(part, table, f"{where}.{name}.", reading) for name, table in value.items()}


def _built(struct: type[Part], raw: Any, path: str, reading: Reading) -> Part | None:
    before = len(reading.problems)
    values = _table(struct, raw, path, reading)
    return struct(**values) if len(reading.problems) == before else None


# --- values --------------------------------------------------------------------------------------


def _leaf(member: Member, value: Any, where: str, reading: Reading) -> Any:
    variable = value if isinstance(value, Variable) else None
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


def _with_files(known: Mapping[str, Member], raw: Mapping[str, Any], path: str, reading: Reading) -> dict[str, Any]:
    """Replace each `<name>_file` of a secret by what the file holds."""
    given = dict(raw)
    for key in [key for key in raw if key.endswith(FILE_SUFFIX) and key not in known]:
        name = key.removesuffix(FILE_SUFFIX)
        if name not in known or not known[name].secret:
            continue
        place = given.pop(key)
        if name in given and not isinstance(given[name], Variable):
            reading.refuse(f"{path}{key}", f"stands beside `{path}{name}`. Keep one of the two.")
        elif not isinstance(place, str):
            reading.refuse(f"{path}{key}", "must be the path of a file, as a text.")
        elif name not in given:
            text = secret_file(reading.folder / place, f"{reading.origin}: `{path}{key}`", reading)
            given[name] = text
    return given
