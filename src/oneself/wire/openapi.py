"""An OpenAPI 3.1 description of any dialect, made from its table of routes and their structs."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from oneself.wire.http import Route

JSON_MEDIA = "application/json"

# Names and status of the refusals that one operation can answer with.
Refusals = Callable[[Route], Iterable[tuple[int, str]]]

_PARAMETER = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)(?::[^{}]*)?\}")


def describe(
    routes: Iterable[Route],
    title: str,
    version: str,
    servers: Sequence[str],
    *,
    security_schemes: Mapping[str, Mapping[str, Any]] | None = None,
    security: Mapping[str, Sequence[Mapping[str, Sequence[str]]]] | None = None,
    error: Any = None,
    refusals: Refusals | None = None,
    media: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Return the description (OpenAPI 3.1.0, JSON Schema 2020-12) of `routes`, ready to be encoded.

    `security` maps a route's `access` word to the requirements of the description, whose schemes
    `security_schemes` defines. `error` is the struct of every refusal, `refusals` names them per
    route (status, wire code). `media` gives the media types of a body by operation, where JSON is
    not the only one. ValueError when two routes share an operation id.
    """
    table = list(routes)
    _unique_operations(table)
    schemas, components = _schemas(table, error)
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        operation = _operation(route, schemas, components, media or {})
        if security and route.access in security:
            operation["security"] = [dict(need) for need in security[route.access]]
        if refusals is not None:
            operation["responses"] |= _refused(refusals(route), schemas.get(error))
        path = _PARAMETER.sub(r"{\1}", route.template)
        paths.setdefault(path, {})[route.method.lower()] = operation
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "servers": [{"url": server} for server in servers],
        "paths": paths,
        "components": {"schemas": components},
    }
    if security_schemes:
        described["components"]["securitySchemes"] = {name: dict(scheme) for name, scheme in security_schemes.items()}
    return described


def _unique_operations(routes: Sequence[Route]) -> None:
    seen: set[str] = set()
    for route in routes:
        if route.operation in seen:
            raise ValueError(f"two routes are called {route.operation}")
        seen.add(route.operation)


def _schemas(routes: Sequence[Route], error: Any) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Return the schema of each type that the routes name, and the components that they share."""
    types: list[Any] = []
    for route in routes:
        for kind in (route.body, route.query, route.response):
            if kind is not None and kind not in types:
                types.append(kind)
    if error is not None and error not in types:
        types.append(error)
    found, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return dict(zip(types, found, strict=True)), components


def _operation(
    route: Route,
    schemas: Mapping[Any, Any],
    components: Mapping[str, Any],
    media: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.operation, "summary": route.summary}
    parameters = [_path_parameter(name) for name in _PARAMETER.findall(route.template)]
    if route.query is not None:
        parameters += _query_parameters(_resolve(schemas[route.query], components))
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = schemas[route.body]
        kinds = media.get(route.operation, (JSON_MEDIA,))
        operation["requestBody"] = {
            "required": bool(_resolve(schema, components).get("required")),
            "content": {kind: {"schema": schema} for kind in kinds},
        }
    operation["responses"] = {str(route.status): _success(route, schemas)}
    return operation


def _success(route: Route, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    if 300 <= route.status < 400:
        location = {"schema": {"type": "string"}, "description": "Where the browser goes next."}
        return {"description": "A redirect.", "headers": {"Location": location}}
    if route.response is None:
        return {"description": "Done."}
    return {
        "description": "Done.",
        "content": {JSON_MEDIA: {"schema": schemas[route.response]}},
    }


def _refused(named: Iterable[tuple[int, str]], schema: Any) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for status, name in named:
        names = by_status.setdefault(status, [])
        if name not in names:
            names.append(name)
    replies: dict[str, Any] = {}
    for status in sorted(by_status):
        reply: dict[str, Any] = {"description": "Refused: " + ", ".join(sorted(by_status[status]))}
        if schema is not None:
            reply["content"] = {JSON_MEDIA: {"schema": schema}}
        replies[str(status)] = reply
    return replies


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema.get("properties", {}).items()
    ]


def _resolve(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    resolved: Mapping[str, Any] = components[reference.rpartition("/")[2]]
    return resolved
