"""How one operation of this dialect is written down."""

from typing import Any

from oneself.wire.http import Handler, Route


def route(
    method: str,
    template: str,
    operation: str,
    handler: Handler,
    summary: str,
    response: Any,
    *,
    access: str,
    body: Any = None,
    query: Any = None,
    status: int = 200,
    prefix: str = "",
    below: str = "",
) -> Route:
    """Return a route; `prefix` stands before its name and `below` before its path."""
    return Route(
        method,
        below + template,
        prefix + operation,
        handler,
        summary,
        body=body,
        query=query,
        response=response,
        status=status,
        access=access,
    )
