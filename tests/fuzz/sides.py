"""What the two dialects have in common for these tests: an honest request of each operation, and what a refusal is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID, uuid5

from tests.fuzz.described import Dialect, Operation
from tests.fuzz.people import People
from tests.fuzz.sending import JSON, NOTHING, Answer, Sent

# Ids with the form of ours that nobody has: what this server has no such thing of is asked for by these.
_NOBODY = UUID("6f1d4c2a-0000-4000-8000-000000000000")


def nobodys(prefix: str = "") -> str:
    """An id, well formed, of nothing."""
    digits = uuid5(_NOBODY, prefix).hex
    uuid = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
    return f"{prefix}-test-{uuid}" if prefix else uuid


@dataclass
class Parts:
    """What an honest request of one operation needs beside its method and path."""

    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    body: Any = NOTHING
    media: str = JSON


class Side(Protocol):
    """One dialect."""

    dialect: Dialect

    def honest(self, people: People, operation: Operation) -> Sent:
        """A fresh request that must succeed: valid keys, ids that are there, nothing spent."""

    def callers(self, people: People, operation: Operation) -> list[Mapping[str, str]]:
        """Headers of others who may ask for it: with valid keys, but signed out, gone, or without a session."""

    def refusal(self, operation: Operation | None, answer: Answer) -> str:
        """The name of a refusal; AssertionError where it is not in the dialect's own form."""

    def is_domain(self, name: str) -> bool:
        """Whether a refusal is about what the request asks for, and not about its keys or its form."""

    def success_body(self, operation: Operation, answer: Answer) -> Any:
        """The part of a success that the description is about."""

    def lenient(self, operation: Operation, schema: Mapping[str, Any], value: Any) -> bool:
        """Whether a value that is not as described may be taken nevertheless."""


def put(operation: Operation, parts: Parts) -> Sent:
    """The request of an operation."""
    return Sent(
        operation.method,
        operation.template,
        params=dict(parts.params),
        query=parts.query,
        headers=dict(parts.headers),
        body=parts.body,
        media=parts.media,
    )


Words = Mapping[str, Callable[[Any], Any]]


def required_of(operation: Operation, stage: Any, words: Words) -> tuple[dict[str, str], Any]:
    """Path parameters and the required members of a body, by what their names commonly mean."""
    params = {name: words[name](stage) if name in words else nobodys() for name in operation.params}
    if operation.body_schema is None:
        return params, NOTHING
    places = [place for place in operation.places if place.required and len(place.path) == 1]
    body = {
        place.name: words[place.name](stage) if place.name in words else _sample(operation, place.schema)
        for place in places
    }
    return params, body


def _sample(operation: Operation, schema: Mapping[str, Any]) -> Any:
    """Some value that is as described, for a member whose name says nothing to us."""
    found = operation.resolved(schema)
    if "enum" in found:
        return found["enum"][0]
    samples: dict[str, Any] = {
        "string": "x" * max(1, found.get("minLength", 0)),
        "integer": max(1, found.get("minimum", 1)),
        "number": 1,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return samples.get(str(found.get("type")), {})
