"""Finding the route of a raw path: a tree of segments, in which a literal goes before a parameter."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Node(Generic[T]):
    """What may follow after some segments, and what is there when none does (by method)."""

    literals: dict[str, "_Node[T]"] = field(default_factory=dict)
    parameter: "_Node[T] | None" = None
    names: tuple[str, ...] = ()
    methods: dict[str, T] = field(default_factory=dict)


class Router(Generic[T]):
    """Matches paths as they were sent (percent-encoded, without a query) segment by segment.

    A template is literals and `{name}` segments: `/v1/users/{user_id}`. Nothing is normalised: a slash more or less is
    another path. Where a literal leads nowhere, the parameter beside it is tried.
    """

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        """Take (method, template, whatever `find` shall give)."""
        self._root: _Node[T] = _Node()
        self._plain: dict[str, dict[str, T]] = {}
        for method, template, route in routes:
            node = self._add(template)
            node.methods[method] = route
            if not node.names:
                self._plain[template] = node.methods

    def find(self, path: str) -> tuple[dict[str, T], dict[str, str]] | None:
        """The routes of a path by method, and its parameters as they were sent; None for a path of nobody's."""
        plain = self._plain.get(path)
        return (plain, {}) if plain is not None else self.walk(path.split("/"))

    def walk(self, segments: list[str]) -> tuple[dict[str, T], dict[str, str]] | None:
        """As `find`, for a path that is taken apart already: its segments are compared as they are."""
        values: list[str] = []
        node = _descend(self._root, segments, 0, values)
        return None if node is None else (node.methods, dict(zip(node.names, values, strict=True)))

    def _add(self, template: str) -> _Node[T]:
        node, names = self._root, []
        for segment in template.split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if node.names not in ((), tuple(names)):
            raise ValueError(f"{template} names its parameters unlike another route")
        node.names = tuple(names)
        return node


def _descend(node: _Node[T], segments: list[str], depth: int, values: list[str]) -> _Node[T] | None:
    """The node at the end of the segments; the parameters on the way there are left in `values`."""
    if depth == len(segments):
        return node if node.methods else None
    segment = segments[depth]
    below = node.literals.get(segment)
    if below is not None:
        found = _descend(below, segments, depth + 1, values)
        if found is not None:
            return found
    if node.parameter is None:
        return None
    values.append(segment)
    found = _descend(node.parameter, segments, depth + 1, values)
    if found is None:
        values.pop()
    return found
