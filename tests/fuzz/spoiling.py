"""Ways to spoil an honest request, one part at a time.

Each case says whether it *must* be refused: true where the description, or the form of the message itself, leaves no
reading under which it is right. The rest may be taken, but only as a success that is described.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.fuzz.described import Operation, Path, Place
from tests.fuzz.sending import FORM, JSON, Encoded, Sent, raw_json
from tests.fuzz.sides import Side

Spoil = Callable[[Sent], Sent]

DEEP = 10_000
TEN_MB = 10_000_000


@dataclass(frozen=True)
class Case:
    """One way to spoil a request. `must` is found out when it is asked for; `elsewhere` says that the request may
    have become one of another operation.
    """

    label: str
    spoil: Spoil
    must: bool | Callable[[], bool]
    elsewhere: bool = False
    always: bool = False

    @property
    def must_refuse(self) -> bool:
        return self.must if isinstance(self.must, bool) else self.must()


def sampled(found: Iterable[Case], most: int, seed: str) -> list[Case]:
    """At most so many cases (0: all), the same ones for the same seed; those that are always tried come on top."""
    every = list(found)
    if not most or len(every) <= most:
        return every
    drawn = set(random.Random(seed).sample(range(len(every)), most))
    return [case for place, case in enumerate(every) if case.always or place in drawn]


def cases(side: Side, operation: Operation, honest: Sent, other_ids: Mapping[str, str]) -> Iterator[Case]:
    """Every case for one operation. `other_ids` are ids of other kinds, of the same project."""
    yield from _members(side, operation, honest)
    yield from _bodies(operation)
    yield from _media(side, operation)
    yield from _queries(side, operation)
    yield from _params(operation, honest, other_ids)
    yield from _paths(honest)
    yield from _headers()


# --- members of a JSON body --------------------------------------------------------------------------

VALUES: Mapping[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "minus one": -1,
    "a fraction": 1.5,
    "a number beyond 64 bits": 10**30,
    "a number of 5000 digits": raw_json("9" * 5000),
    "a number beyond all floats": raw_json("1e999"),
    "the empty text": "",
    "a text": "x",
    "a text of 70 kB": "x" * 70_000,
    "NUL": "\0",
    "NUL inside": "a\0b",
    "a lone surrogate": "\ud800",
    "a lone surrogate inside": "a\udfffb",
    "noncharacters and controls": "\uffff\u202e\x01\x7f\u0000"[:-1],
    "quotes and braces": "'\"`;--{{7*7}}${x}%s%n<!--",
    "an empty array": [],
    "an array of texts": ["x"],
    "an array of nothing": [None],
    "an empty object": {},
    "an object": {"x": {"y": [1]}},
    "NUL in an object": {"a": {"b": ["\0"]}},
    "NUL in a name": {"a\0": 1},
    "a surrogate in an object": {"a": "\udbff"},
    "a hundred levels": raw_json('{"a":' * 100 + "1" + "}" * 100),
    "nine hundred levels": raw_json("[" * 900 + "]" * 900),
    "ten thousand levels": raw_json("[" * DEEP + "]" * DEEP),
}
# No JSON text, no database text: whatever the member is for, these are refused.
_NEVER = {
    "NUL",
    "NUL inside",
    "a lone surrogate",
    "a lone surrogate inside",
    "NUL in an object",
    "NUL in a name",
    "a surrogate in an object",
    "ten thousand levels",
}
_UNKNOWN = "nobody_knows_this"


def _members(side: Side, operation: Operation, honest: Sent) -> Iterator[Case]:
    """Wrong types for every member, missing ones, and one that nobody knows."""
    if not isinstance(honest.body, dict) or honest.media != JSON or operation.body_schema is None:
        return
    for place in operation.places:
        for label, value in VALUES.items():
            must = label in _NEVER or partial(_is_wrong, side, operation, honest, place, value)
            yield Case(f"{place.name} is {label}", _setting(place.path, value), must)
        if place.required and (len(place.path) == 1 or place.path[0] in honest.body):
            yield Case(f"{place.name} is missing", _without(place.path), len(place.path) == 1)
    unknown = {_UNKNOWN: 1}
    yield Case("an unknown member", lambda sent: replace(sent, body=sent.body | unknown), operation.is_closed)
    yield Case("nothing but an unknown member", lambda sent: replace(sent, body=unknown), operation.is_closed)


def _is_wrong(side: Side, operation: Operation, honest: Sent, place: Place, value: Any) -> bool:
    shown = _readable(value)
    body = with_member(honest.body, place.path, shown)
    if operation.body_fits(body):
        return False
    return not side.lenient(operation, place.schema, shown)


def _readable(value: Any) -> Any:
    """The value behind a placeholder, as far as a schema tells values apart."""
    if isinstance(value, str) and value.startswith(raw_json("")):
        text = value.removeprefix(raw_json(""))
        return {"9": 10**40, "1": 10**40, "{": {"a": 1}, "[": [[]]}[text[0]]
    return value


def _setting(path: Path, value: Any) -> Spoil:
    return lambda sent: replace(sent, body=with_member(sent.body, path, value))


def with_member(body: Any, path: Path, value: Any) -> Any:
    made = copy.deepcopy(body)
    inner = made
    for name in path[:-1]:
        inner[name] = inner.get(name) if isinstance(inner.get(name), dict) else {}
        inner = inner[name]
    inner[path[-1]] = value
    return made


def _without(path: Path) -> Spoil:
    def spoil(sent: Sent) -> Sent:
        body = copy.deepcopy(sent.body)
        inner = body
        for name in path[:-1]:
            inner = inner[name]
        inner.pop(path[-1], None)
        return replace(sent, body=body)

    return spoil


# --- whole bodies ------------------------------------------------------------------------------------

BROKEN: Mapping[str, bytes] = {
    "an open brace": b"{",
    "an open member": b'{"a":',
    "an open text": b'{"a":"b',
    "two values": b"{}{}",
    "a tail": b'{"a":1}}',
    "single quotes": b"{'a':1}",
    "a comment": b'{"a":1/*x*/}',
    "a trailing comma": b'{"a":1,}',
    "NaN": b'{"a":NaN}',
    "an infinity": b'{"a":-Infinity}',
    "a control character": b'{"a":"\x01"}',
    "a NUL byte": b'{"a":"\x00"}',
    "a bad escape": b'{"a":"\\x41"}',
    "bytes that are no UTF-8": b'{"a":"\xff\xfe"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a word": b"undefined",
    "a form": b"a=1&b=2",
    "deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep arrays never closed": b"[" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
}
_FOR_ALL = {"an open brace", "bytes that are no UTF-8", "deep arrays"}
OTHER_VALUES: Mapping[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "a number": b"3",
    "a text": b'"x"',
    "an array": b"[]",
    "an array of objects": b"[{}]",
    "nothing": b"",
    "spaces": b"  \r\n\t ",
}


def _bodies(operation: Operation) -> Iterator[Case]:
    """Broken and huge bodies. An operation without a body may ignore what it is sent, but not a huge one."""
    takes = operation.body_schema is not None and JSON in operation.media
    for label, raw in BROKEN.items():
        if takes or label in _FOR_ALL:
            yield Case(f"the body is {label}", _raw(raw), takes)
    yield Case("the body is 10 MB of text", _huge(b'{"a":"', b"x", b'"}'), True, always=True)
    if takes:
        for label, raw in OTHER_VALUES.items():
            must = bool(operation.resolved(operation.body_schema or {}).get("required"))
            yield Case(f"the body is {label}", _raw(raw), must)
        yield Case("the body is 10 MB of members", _huge(b"{", b'"a":1,', b'"a":1}'), True)


def _huge(head: bytes, part: bytes, tail: bytes) -> Spoil:
    def spoil(sent: Sent) -> Sent:
        return _raw(head + part * (TEN_MB // len(part)) + tail)(sent)

    return spoil


def _raw(data: bytes) -> Spoil:
    return lambda sent: replace(sent, raw=data, headers={"content-type": JSON} | dict(sent.headers))


# --- content types ------------------------------------------------------------------------------------

MEDIA = (
    "text/plain",
    "application/xml",
    "application/x-yaml",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "application/jsonx",
    "json",
    "*/*",
    ";",
    "\x80\xff",
)


def _media(side: Side, operation: Operation) -> Iterator[Case]:
    """The honest body under another name. Stytch's vendor reads JSON whatever it is called; Stack's does not."""
    if operation.body_schema is None or JSON not in operation.media:
        return
    required = bool(operation.resolved(operation.body_schema).get("required"))
    for kind in MEDIA:
        must = side.dialect == "stack" and not kind.startswith("application/json;")
        yield Case(f"the content type is {kind!r}", _named(kind), must and required)
    yield Case("JSON called a form", _named(FORM), side.dialect == "stack" and required)


def _named(kind: str) -> Spoil:
    return lambda sent: replace(sent, raw=sent.bytes_of_body(), headers={**sent.headers, "content-type": kind})


# --- queries -------------------------------------------------------------------------------------------

QUERY_VALUES: Sequence[str] = (
    "",
    "x",
    "-1",
    "1e999",
    "9" * 5000,
    "x" * 20_000,
    "[]",
    '{"a":1}',
    "null",
    "\u202e\uffff",
    Encoded("%00"),
    Encoded("a%00b"),
    Encoded("%ff%fe"),
    Encoded("%ED%A0%80"),
    Encoded("%"),
    Encoded("%zz"),
    Encoded("%u0041"),
    Encoded("%0d%0aset-cookie:%20a=b"),
    Encoded("+"),
)
STRANGE_QUERIES = ("&&&", "=", "=x", "%", "%00=%00", "a[]=1&a[0]=2", ";a=b;", "?" * 50, "&".join(["a=1"] * 3000))


def _queries(side: Side, operation: Operation) -> Iterator[Case]:
    """Every parameter missing, given twice, and given anything."""
    for place in operation.query:
        name = place.name
        if place.required:
            yield Case(f"?{name} is missing", _queried(name), True)
        yield Case(f"?{name} is given twice", _twice(name), False)
        for value in QUERY_VALUES:
            shown = value if len(value) < 40 else f"{value[:10]}... ({len(value)})"
            yield Case(f"?{name} is {shown!r}", _queried(name, value), _query_is_wrong(operation, place, value))
    yield Case("an unknown parameter", _queried(_UNKNOWN, "1"), False)
    for text in STRANGE_QUERIES:
        yield Case(f"the query ends in {text[:20]!r}", _appended(text), False)


def _query_is_wrong(operation: Operation, place: Place, value: str) -> bool:
    """Whether no reading of a text fits; numbers and truths are written as texts there."""
    schema = operation.resolved(place.schema)
    if value in ("", "%00"):
        return False
    if "enum" in schema:
        return value not in schema["enum"]
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") == "integer":
        return not value.lstrip("-").isdigit() or not operation.fits(schema, int(value[:30]))
    return False


def _queried(name: str, *values: str) -> Spoil:
    return lambda sent: sent.with_query(name, *values)


def _twice(name: str) -> Spoil:
    def spoil(sent: Sent) -> Sent:
        had = [value for key, value in sent.query if key == name]
        return sent.with_query(name, *(had or ["x"]), *(had or ["x"]))

    return spoil


def _appended(text: str) -> Spoil:
    return lambda sent: replace(sent, target=f"{sent.path}{'&' if sent.query else '?'}{text}")


# --- parameters of the path -----------------------------------------------------------------------------

PARAM_VALUES: Sequence[str] = (
    "nope",
    "0",
    "-1",
    "null",
    "undefined",
    "*",
    " ",
    "'; DROP TABLE users; --",
    "../users",
    "x" * 5_000,
    "\u202e\uffff\U0001f600",
    Encoded("%00"),
    Encoded("a%00b"),
    Encoded("%ff%fe"),
    Encoded("%ED%A0%80"),
    Encoded("%"),
    Encoded("%zz"),
    Encoded("%0d%0aset-cookie:%20a=b"),
    Encoded("%2e%2e"),
    Encoded("%2e%2e%2f"),
    Encoded("..;"),
    Encoded("%252e"),
    Encoded("a%2fb"),
    Encoded("a%5cb"),
    Encoded(""),
)


def _params(operation: Operation, honest: Sent, other_ids: Mapping[str, str]) -> Iterator[Case]:
    """No such thing, not an id, an id of another kind, an id with something around it."""
    for name in operation.params:
        own = honest.params[name]
        for value in PARAM_VALUES:
            yield Case(f"{{{name}}} is {value[:40]!r}", _param(name, value), True)
        for kind, text in other_ids.items():
            if text != own and _kind(text) != _kind(own):
                yield Case(f"{{{name}}} is an id of a {kind}", _param(name, text), True)
        yield Case(f"{{{name}}} has a space behind it", _around(name, "", "%20"), True)
        yield Case(f"{{{name}}} has a NUL behind it", _around(name, "", "%00"), True)
        yield Case(f"{{{name}}} has a newline behind it", _around(name, "", "%0a"), True)
        yield Case(f"{{{name}}} has a slash in front", _around(name, "%2f", ""), True)


def _kind(text: str) -> str:
    """What is left of an id without its number: ids of one kind are told apart by other tests."""
    return text.rpartition("-test-")[0]


def _param(name: str, value: str) -> Spoil:
    return lambda sent: sent.with_param(name, value)


def _around(name: str, before: str, behind: str) -> Spoil:
    return lambda sent: sent.with_param(name, Encoded(f"{before}{sent.params[name]}{behind}"))


# --- paths and methods ------------------------------------------------------------------------------------


def _paths(honest: Sent) -> Iterator[Case]:
    """The honest path written otherwise: a path is read once and as it is."""
    tricks: Mapping[str, Callable[[str, str], str]] = {
        "a slash more at its end": lambda head, last: f"{head}/{last}/",
        "two slashes": lambda head, last: f"{head}//{last}",
        "a dot": lambda head, last: f"{head}/./{last}",
        "two dots": lambda head, last: f"{head}/x/../{last}",
        "encoded dots": lambda head, last: f"{head}/x/%2e%2e/{last}",
        "an encoded slash": lambda head, last: f"{head}%2f{last}",
        "a backslash": lambda head, last: f"{head}\\{last}",
        "a parameter": lambda head, last: f"{head};a=b/{last}",
        "a double encoding": lambda head, last: f"{head}%252f{last}",
        "an encoded letter": lambda head, last: f"{head[:-1]}%{ord(head[-1]):02x}/{last}",
        "capitals": lambda head, last: f"{head[:4]}{head[4:].upper()}/{last.upper()}",
    }
    prefix = honest.template[: honest.template.index("/", 1) + 1]
    for label, trick in tricks.items():
        spoil = _rewritten(trick)
        path = spoil(honest).path
        # What no longer begins with the dialect's prefix is none of its paths.
        if path.startswith(prefix) and path != honest.path:
            yield Case(f"the path has {label}", spoil, label != "an encoded letter", elsewhere=True)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "QUERY"):
        if method != honest.method:
            yield Case(f"the method is {method}", _by(method), False, elsewhere=True)


def _rewritten(trick: Callable[[str, str], str]) -> Spoil:
    def spoil(sent: Sent) -> Sent:
        path, mark, query = sent.path.partition("?")
        head, _, last = path.rpartition("/")
        return replace(sent, target=trick(head, last) + mark + query)

    return spoil


def _by(method: str) -> Spoil:
    return lambda sent: replace(sent, method=method)


# --- headers ------------------------------------------------------------------------------------------------


def _headers() -> Iterator[Case]:
    """Headers that have nothing to do with what is asked; none may change the answer to something unheard of."""
    for name, value in (
        ("accept", "text/html"),
        ("accept", "\xff"),
        ("accept-encoding", "br;q=1.0, *;q=0"),
        ("cookie", "; =; a=b=c; oneself-trip-x=\xff"),
        ("content-encoding", "gzip"),
        ("expect", "100-continue"),
        ("range", "bytes=0-10"),
        ("if-none-match", "*"),
        ("x-http-method-override", "DELETE"),
        ("user-agent", "\xff" * 2000),
    ):
        yield Case(f"{name}: {value[:20]!r}", _with(name, value), False)


def _with(name: str, value: str) -> Spoil:
    def spoil(sent: Sent) -> Sent:
        joined = f"{sent.headers['cookie']}{value}" if name == "cookie" and "cookie" in sent.headers else value
        return replace(sent, headers={**sent.headers, name: joined})

    return spoil
