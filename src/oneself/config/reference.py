"""The list of all settings, made from the schema: for the documentation, for hints, and for the environment."""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from oneself.config.part import Part
from oneself.config.schema import Config
from oneself.model import Secret

Shape = Literal["value", "table", "list", "named"]
PREFIX = "ONESELF_"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a group: a `value`, a `table`, a `list` of tables or tables `named` by their owner.

    `kind` is the member's type with its bounds; `part` the group inside, where there is one; `names`
    those that a named table may bear, or nothing for any.
    """

    name: str
    shape: Shape
    kind: Any
    part: type[Part] | None
    required: bool
    default: Any
    description: str
    names: tuple[str, ...] = ()

    @property
    def secret(self) -> bool:
        """Whether the value is secret: it may then also come as `<name>_file`."""
        return bare(self.kind) is Secret


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as an operator sees it: where it stands in the file, its variable, and what it means."""

    path: str
    variable: str
    member: Member

    @property
    def accepts(self) -> str:
        """What the setting takes, in words."""
        return in_words(self.member.kind)

    @property
    def default(self) -> str:
        """The default as the file would write it; `required` where there is none, empty where unset."""
        if self.member.required:
            return "required"
        value = self.member.default
        if value is None or isinstance(value, Secret) or value in ("", (), {}):
            return ""
        return msgspec.json.encode(value).decode()


def members(struct: type[Part]) -> dict[str, Member]:
    """Give the members of a group of settings by name, in their order."""
    hints = get_type_hints(struct, include_extras=True)
    return {field.name: _member(field, hints[field.name]) for field in msgspec.structs.fields(struct)}


def settings() -> Iterator[Setting]:
    """Go through all settings in the order of the schema; `[]` and `<name>` stand for any place."""
    return _settings(Config, "", PREFIX)


def bare(kind: Any) -> Any:
    """Give a type without its annotations and without its `| None`."""
    if get_origin(kind) is Annotated:
        return bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return bare(next(arg for arg in get_args(kind) if arg is not type(None)))
    return kind


def in_words(kind: Any) -> str:
    """Say in words what a setting of this type takes."""
    plain = bare(kind)
    if get_origin(plain) is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in get_args(plain))
    if get_origin(plain) is tuple:
        return "a list of texts"
    if get_origin(plain) is dict:
        return "a table of texts"
    if plain is int:
        return "a whole number" + _bounds(kind)
    return {bool: "true or false", Secret: "a secret text"}.get(plain, "a text")


def _bounds(kind: Any) -> str:
    least = most = None
    for meta in _metas(kind):
        least = least if meta.ge is None else meta.ge
        most = most if meta.le is None else meta.le
    if least is None or most is None:
        return ""
    return f" from {least} to {most}"


def _metas(kind: Any) -> list[Meta]:
    if get_origin(kind) is not Annotated:
        return []
    inner, *found = get_args(kind)
    return _metas(inner) + [meta for meta in found if isinstance(meta, Meta)]


def _member(field: msgspec.structs.FieldInfo, kind: Any) -> Member:
    plain = bare(kind)
    shape, part, names = _shape(plain)
    words = [meta.description for meta in _metas(kind) if meta.description]
    default = None if field.default is msgspec.NODEFAULT else field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    return Member(
        name=field.name,
        shape=shape,
        kind=kind,
        part=part,
        required=field.required,
        default=default,
        description=words[-1] if words else "",
        names=names,
    )


def _shape(plain: Any) -> tuple[Shape, type[Part] | None, tuple[str, ...]]:
    if isinstance(plain, type) and issubclass(plain, Part):
        return "table", plain, ()
    arguments = get_args(plain)
    inner = arguments[-1] if get_origin(plain) is dict else arguments[0] if arguments else None
    if isinstance(inner, type) and issubclass(inner, Part):
        if get_origin(plain) is dict:
            return "named", inner, tuple(get_args(arguments[0]))
        return "list", inner, ()
    return "value", None, ()


def _settings(struct: type[Part], path: str, variable: str) -> Iterator[Setting]:
    for member in members(struct).values():
        here = f"{path}{member.name}"
        name = f"{variable}{member.name.upper()}" if variable else ""
        if member.part is None:
            usable = name if get_origin(bare(member.kind)) is not dict else ""
            yield Setting(here, usable, member)
        elif member.shape == "table":
            yield from _settings(member.part, f"{here}.", f"{name}_" if name else "")
        elif member.shape == "named":
            yield from _settings(member.part, f"{here}.<name>.", f"{name}_<NAME>_" if name else "")
        else:
            # a list of tables has no names for the environment to use
            yield from _settings(member.part, f"{here}[].", "")
