"""Hypothesis strategies: requests with valid keys and seeded ids, made from the published description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.described import Operation, Place, Schema
from tests.fuzz.sending import JSON, Sent
from tests.fuzz.spoiling import with_member

# What a database text and a JSON text can hold, without what no JSON text holds.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
NUMBERS = st.one_of(st.integers(-10, 1000), st.integers(-(2**70), 2**70))
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
TIMES = st.sampled_from(
    ["2024-04-24T12:41:30Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2024-13-01T00:00:00Z"]
)
# These name another path, or nothing.
_NO_SEGMENTS = ("", ".", "..")


class Pool(dict[str, list[str]]):
    """Seeded texts by the name of what they are put into; those under the empty name go anywhere."""

    def __repr__(self) -> str:
        return f"Pool of {len(self)} names"


def requests(
    operation: Operation, honest: Sent, pool: Pool, callers: Sequence[Mapping[str, str]]
) -> st.SearchStrategy[Sent]:
    """Requests near an honest one: some of its parts are drawn anew, from the description or from the pool of ids.

    `callers` are headers of others who may ask, with keys as valid.
    """
    return st.one_of(
        st.just(honest),
        st.sampled_from([honest, *(replace(honest, headers=headers) for headers in callers)]),
        _varied(operation, honest, pool, callers, most=1),
        _varied(operation, honest, pool, callers, most=4),
    )


@st.composite
def _varied(
    draw: st.DrawFn,
    operation: Operation,
    honest: Sent,
    pool: Pool,
    callers: Sequence[Mapping[str, str]],
    most: int,
) -> Sent:
    sent = honest
    if callers and draw(st.integers(0, 3)) == 0:
        sent = replace(sent, headers=draw(st.sampled_from(list(callers))))
    parts = _parts(operation, honest)
    for _ in range(draw(st.integers(1, most)) if parts else 0):
        kind, place = draw(st.sampled_from(parts))
        if kind == "param":
            text = draw(_text(place, pool).filter(lambda text: text not in _NO_SEGMENTS))
            sent = sent.with_param(place.name, text)
        elif kind == "query":
            sent = sent.with_query(place.name, draw(_query_text(operation, place, pool)))
        else:
            value = draw(_value(operation, place.schema, place.path[-1], pool))
            sent = replace(sent, body=with_member(sent.body, place.path, value))
    return sent


def _parts(operation: Operation, honest: Sent) -> list[tuple[str, Place]]:
    parts = [("param", Place((name,), {"type": "string"}, True)) for name in operation.params]
    parts += [("query", place) for place in operation.query]
    if isinstance(honest.body, dict) and honest.media == JSON:
        parts += [("body", place) for place in operation.places]
    elif isinstance(honest.body, dict):
        parts += [("body", Place((name,), {"type": "string"}, False)) for name in honest.body]
    return parts


def _pooled(name: str, pool: Pool) -> st.SearchStrategy[str] | None:
    found = [*pool.get(name, ()), *pool.get("", ())]
    return st.sampled_from(found) if found else None


def _text(place: Place, pool: Pool) -> st.SearchStrategy[str]:
    pooled = _pooled(place.name, pool)
    return st.one_of(pooled, TEXTS) if pooled is not None else TEXTS


def _query_text(operation: Operation, place: Place, pool: Pool) -> st.SearchStrategy[str]:
    value = _value(operation, place.schema, place.name, pool)
    return st.one_of(value.map(_as_text), _text(place, pool))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _value(operation: Operation, schema: Schema, name: str, pool: Pool, depth: int = 0) -> st.SearchStrategy[Any]:
    """A value that is as described, from the pool where that holds any; now and then null where that is described."""
    if "anyOf" in schema:
        return st.one_of([_value(operation, part, name, pool, depth) for part in schema["anyOf"]])
    found = operation.resolved(schema)
    if "enum" in found:
        return st.sampled_from(list(found["enum"]))
    kind = found.get("type")
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "number"):
        return st.one_of(st.integers(found.get("minimum"), found.get("maximum")), st.integers(1, 100))
    if kind == "string":
        return _string(found, _pooled(name, pool))
    if kind == "array":
        return st.lists(_value(operation, found.get("items", {}), name, pool, depth + 1), max_size=2 if depth else 4)
    if kind == "object" and "properties" in found:
        return _object(operation, found, pool, depth)
    return st.dictionaries(TEXTS, ANYTHING, max_size=4) if kind == "object" else ANYTHING


def _object(operation: Operation, schema: Schema, pool: Pool, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    parts = {name: _value(operation, part, name, pool, depth + 1) for name, part in schema["properties"].items()}
    required = {name: part for name, part in parts.items() if name in schema.get("required", ())}
    optional = {name: part for name, part in parts.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _string(schema: Schema, pooled: st.SearchStrategy[str] | None) -> st.SearchStrategy[str]:
    formats: Mapping[str, st.SearchStrategy[str]] = {
        "uuid": st.uuids(version=4).map(str),
        "email": st.emails(),
        "uri": st.sampled_from(["http://localhost:3000/x", "https://evil.example/", "javascript:alert(1)", "x://"]),
    }
    drawn = formats.get(schema.get("format", ""), st.one_of(TEXTS, TIMES))
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    drawn = drawn.map(lambda text: text.ljust(shortest, "x")[:longest])
    return drawn if pooled is None else st.one_of(pooled, drawn)
