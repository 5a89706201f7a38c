"""The operations of both dialects, read from the descriptions that the server publishes and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from tests.fuzz.sending import JSON, Line, Sent

Dialect = Literal["stytch", "stack"]
DIALECTS: tuple[Dialect, ...] = ("stytch", "stack")

Path = tuple[str, ...]
Schema = Mapping[str, Any]

_BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Place:
    """One member of a body (by its path) or one query parameter, with its schema."""

    path: Path
    schema: Schema
    required: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, repr=False)
class Operation:
    """One operation as described. `template` begins with the prefix of the API that it is tried under."""

    dialect: Dialect
    id: str
    method: str
    template: str
    query: tuple[Place, ...]
    media: tuple[str, ...]
    body_schema: Schema | None
    success: int
    response_schema: Schema | None
    keys: frozenset[str]
    responses: Mapping[str, Any]
    components: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{self.dialect} {self.id}"

    @property
    def params(self) -> tuple[str, ...]:
        return tuple(_BRACES.findall(self.template))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The members of the body, those of objects inside it too."""
        return () if self.body_schema is None else tuple(self._places(self.body_schema, ()))

    @cached_property
    def is_closed(self) -> bool:
        """Whether the body may hold no other members."""
        return self.body_schema is not None and self.resolved(self.body_schema).get("additionalProperties") is False

    def body_fits(self, body: Any) -> bool:
        """Whether a body is as described."""
        return self._body_validator.is_valid(body)

    def wrong_answers(self, body: Any) -> list[str]:
        """What is wrong with the body of a success; nothing where it is as described."""
        if self._response_validator is None:
            return []
        return [f"{error.json_path}: {error.message}"[:300] for error in self._response_validator.iter_errors(body)]

    def wrong_answers_of(self, status: str, body: Any) -> list[str]:
        """What is wrong with the JSON body of a refusal, by the status (or `4XX`) that describes it."""
        schema = self.responses[status]["content"][JSON]["schema"]
        found = Draft202012Validator({**schema, "components": self.components}).iter_errors(body)
        return [f"{error.json_path}: {error.message}"[:300] for error in found]

    def fits(self, schema: Schema, value: Any) -> bool:
        """Whether one value is as a part of the description says."""
        return Draft202012Validator({**schema, "components": self.components}).is_valid(value)

    def resolved(self, schema: Schema) -> Schema:
        """The schema itself, where it is a reference; an alternative of null aside."""
        if "$ref" in schema:
            found: Schema = self.components["schemas"][schema["$ref"].rpartition("/")[2]]
            return self.resolved(found)
        others = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
        return self.resolved(others[0]) if len(others) == 1 else schema

    @cached_property
    def _body_validator(self) -> Draft202012Validator:
        return Draft202012Validator({**(self.body_schema or {}), "components": self.components})

    @cached_property
    def _response_validator(self) -> Draft202012Validator | None:
        if self.response_schema is None:
            return None
        return Draft202012Validator({**self.response_schema, "components": self.components})

    def _places(self, schema: Schema, above: Path) -> Iterator[Place]:
        found = self.resolved(schema)
        required = found.get("required", ())
        for name, part in found.get("properties", {}).items():
            yield Place((*above, name), part, name in required)
            yield from self._places(part, (*above, name))


@dataclass(frozen=True)
class Description:
    """What one dialect publishes: its operations under its first prefix, and the prefixes."""

    dialect: Dialect
    operations: tuple[Operation, ...]
    prefixes: tuple[str, ...]

    def by_id(self, name: str) -> Operation:
        return next(one for one in self.operations if one.id == name)


def read(line: Line, dialect: Dialect) -> Description:
    """Fetch and read what the server publishes about a dialect."""
    answer = line.send(Sent("GET", f"/openapi/{dialect}.json"))
    assert answer.status == 200, answer.told()
    document = answer.json
    Draft202012Validator.check_schema({"$defs": document["components"]["schemas"]})
    prefixes = tuple(urlsplit(server["url"]).path for server in document["servers"])
    operations = tuple(
        _operation(dialect, document, prefixes[0] + path, method, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    )
    assert operations
    return Description(dialect, operations, prefixes)


def _operation(
    dialect: Dialect, document: Mapping[str, Any], template: str, method: str, told: Mapping[str, Any]
) -> Operation:
    content = told.get("requestBody", {}).get("content", {})
    success = next(int(status) for status in told["responses"] if status[0] in "23")
    answer = told["responses"][str(success)].get("content", {}).get(JSON, {})
    return Operation(
        dialect=dialect,
        id=told["operationId"],
        method=method.upper(),
        template=template,
        query=tuple(
            Place((one["name"],), one["schema"], one["required"])
            for one in told.get("parameters", ())
            if one["in"] == "query"
        ),
        media=tuple(content),
        body_schema=next((part["schema"] for part in content.values()), None),
        success=success,
        response_schema=answer.get("schema"),
        keys=frozenset(name for need in told.get("security", ()) for name in need),
        responses=told["responses"],
        components=document["components"],
    )
