"""Checks requests against their shapes with this wire's messages: every problem is found, none stops the others.

The messages and the coercions are those of the validation library that the original uses (yup 1.7), as its clients
see them; the shapes come from `fields.py`.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from oneself.wire.stack import checks
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import Form

OwnId = Callable[[], str]

MAX_SAFE_INTEGER = 2**53 - 1
_ABSENT = msgspec.UNSET


@dataclass(slots=True)
class Reading:
    """One request being checked: the problems found so far, and how `me` becomes an id.

    `own_id` answers the caller's user id or raises the refusal that beats every other message.
    """

    own_id: OwnId
    problems: list[str]

    def add(self, path: str, words: str) -> None:
        """Note one problem of the field at `path`."""
        self.problems.append(f"{path} {words}")


def read(shape: type[msgspec.Struct], value: Any, prefix: str, reading: Reading) -> Any:
    """Check `value` (a mapping, or whatever came instead of one) and return an instance of `shape`.

    Problems go to `reading`; where there are any the result is meaningless and must not be used.
    """
    return _read_struct(_compiled(shape), value, prefix, reading)


def raise_if_any(method: str, path: str, reading: Reading) -> None:
    """Raise SCHEMA_ERROR with all the problems found, if there are any."""
    if reading.problems:
        lines = "".join(f"\n  - {problem}" for problem in reading.problems)
        raise known("SCHEMA_ERROR", message=f"Request validation failed on {method} {path}:{lines}")


# --- shapes, compiled once -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    required: bool
    nullable: bool
    read: Callable[[Any, str, Reading], Any]


@dataclass(frozen=True, slots=True)
class _Shape:
    cls: type[msgspec.Struct]
    fields: tuple[_Field, ...]
    names: frozenset[str]
    closed: bool


@cache
def _compiled(shape: type[msgspec.Struct]) -> _Shape:
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    fields = tuple(_field(field) for field in info.fields)
    names = frozenset(field.name for field in fields)
    return _Shape(shape, fields, names, info.forbid_unknown_fields)


def _field(field: inspect.Field) -> _Field:
    kind: inspect.Type = field.type
    nullable = isinstance(kind, inspect.AnyType)
    if isinstance(kind, inspect.UnionType):
        members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
        nullable = len(members) < len(kind.types)
        assert len(members) == 1, "a field has one type beside null"
        kind = members[0]
    return _Field(field.encode_name, field.required, nullable, _reader(kind))


def _reader(kind: inspect.Type, names: tuple[str, ...] = ()) -> Callable[[Any, str, Reading], Any]:
    match kind:
        case inspect.Metadata():
            return _reader(kind.type, tuple((kind.extra or {}).get("checks", ())))
        case inspect.StrType():
            return _text_reader(names, kind.max_length, kind.min_length, kind.pattern)
        case inspect.LiteralType():
            return _choice_reader(kind.values)
        case inspect.BoolType():
            return _read_boolean
        case inspect.IntType():
            return _number_reader(kind.ge, kind.le)
        case inspect.ListType():
            return _list_reader(_reader(kind.item_type))
        case inspect.StructType():
            inner = _compiled(kind.cls)
            return lambda value, path, reading: _read_struct(inner, value, path, reading)
        case inspect.AnyType() | inspect.DictType():
            return _read_json
        case _:
            raise TypeError(f"no reader for {kind}")


# --- reading -----------------------------------------------------------------------------------------


def _read_struct(shape: _Shape, value: Any, path: str, reading: Reading) -> Any:
    if value is _ABSENT or value is None:
        reading.add(path, "cannot be null" if value is None else "must be defined")
        return None
    if not isinstance(value, dict):
        reading.add(path, _not_type("object", value, value))
        return None
    values = {}
    for field in shape.fields:
        given = value.get(field.name, _ABSENT)
        if given is not _ABSENT:
            values[field.name] = _read_field(field, given, f"{path}.{field.name}", reading)
        elif field.required:
            reading.add(f"{path}.{field.name}", "must be defined")
    unknown = [name for name in value if name not in shape.names] if shape.closed else []
    if unknown:
        reading.add(path, "contains unknown properties: " + ", ".join(unknown))
    if reading.problems:
        return None
    made = shape.cls(**values)
    complaint = made.complaint() if isinstance(made, Form) else ""
    if complaint:
        reading.problems.append(complaint)
    return made


def _read_field(field: _Field, value: Any, path: str, reading: Reading) -> Any:
    if value is None:
        if not field.nullable:
            reading.add(path, "cannot be null")
        return None
    return field.read(value, path, reading)


def _text_reader(
    names: tuple[str, ...], most: int | None, least: int | None, pattern: str | None
) -> Callable[[Any, str, Reading], Any]:
    tests = tuple(checks.TEXT[name] for name in names if name != "me")
    if pattern is not None:
        tests = (*tests, checks.matching(pattern))
    own = "me" in names

    def read_text(value: Any, path: str, reading: Reading) -> Any:
        text = _as_text(value)
        if text is None:
            reading.add(path, _not_type("string", value, value))
            return None
        if own and text == "me":
            return reading.own_id()
        if "\0" in text:
            reading.add(path, "must not contain null characters")
        if most is not None and most == least and len(text) != most:
            reading.add(path, f"must be exactly {most} characters")
        elif most is not None and len(text) > most:
            reading.add(path, f"must be at most {most} characters")
        elif least is not None and len(text) < least:
            reading.add(path, f"must be at least {least} characters")
        for test in tests:
            words = test(text)
            if words:
                reading.add(path, words)
        return text

    return read_text


def _choice_reader(values: tuple[Any, ...]) -> Callable[[Any, str, Reading], Any]:
    listed = ", ".join(_printed(value, quote=False) for value in values)
    boolean = all(isinstance(value, bool) for value in values)

    def read_choice(value: Any, path: str, reading: Reading) -> Any:
        found = _as_boolean(value) if boolean else _as_text(value)
        if not isinstance(found, bool if boolean else str):
            reading.add(path, _not_type("boolean" if boolean else "string", value, value))
        if found not in values:
            reading.add(path, f"must be one of the following values: {listed}")
        return found

    return read_choice


def _read_boolean(value: Any, path: str, reading: Reading) -> Any:
    found = _as_boolean(value)
    if not isinstance(found, bool):
        reading.add(path, _not_type("boolean", found, value))
    return found


def _number_reader(least: int | None, most: int | None) -> Callable[[Any, str, Reading], Any]:
    def read_number(value: Any, path: str, reading: Reading) -> Any:
        number = _as_number(value)
        if number is None:
            reading.add(path, _not_type("number", math.nan, value))
            return None
        if least is not None and number < least:
            reading.add(path, f"must be greater than or equal to {least}")
        if most is not None and number > most:
            reading.add(path, f"must be less than or equal to {most}")
        if number != int(number) or abs(number) > MAX_SAFE_INTEGER:
            reading.add(path, "must be an integer")
            return None
        return int(number)

    return read_number


def _list_reader(
    item: Callable[[Any, str, Reading], Any],
) -> Callable[[Any, str, Reading], Any]:
    def read_list(value: Any, path: str, reading: Reading) -> Any:
        if not isinstance(value, list):
            reading.add(path, _not_type("array", value, value))
            return None
        return [item(part, f"{path}[{index}]", reading) for index, part in enumerate(value)]

    return read_list


def _read_json(value: Any, path: str, reading: Reading) -> Any:
    if checks.holds_null_character(value):
        reading.add(path, "must not contain null characters")
    return value


# --- coercions, as the original makes them ----------------------------------------------------------


def _as_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return _printed(value, quote=False)
    return None


def _as_boolean(value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        folded = str(value).lower()
        if folded in ("true", "1"):
            return True
        if folded in ("false", "0"):
            return False
    return value


def _as_number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            number = float(value.replace(" ", ""))
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


def _not_type(kind: str, final: Any, original: Any) -> str:
    cast = "." if final is original else f" (cast from the value `{_printed(original)}`)."
    return f"must be a `{kind}` type, but the final value was: `{_printed(final)}`{cast}"


def _printed(value: Any, quote: bool = True) -> str:
    """A value as messages show it: JSON in lines, but texts inside quoted twice, as the original does."""
    simple = _printed_simply(value, quote)
    if simple is not None:
        return simple
    return json.dumps(_with_simple_texts(value, quote), indent=2, ensure_ascii=False)


def _printed_simply(value: Any, quote: bool) -> str | None:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, str):
        return f'"{value}"' if quote else value
    return None


def _with_simple_texts(value: Any, quote: bool) -> Any:
    if isinstance(value, dict):
        return {key: _with_simple_texts(part, quote) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_simple_texts(part, quote) for part in value]
    return _printed_simply(value, quote)
