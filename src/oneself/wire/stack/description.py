"""This wire's OpenAPI description: its table of operations, what callers prove, and how it refuses."""

from typing import Any

from oneself.actions.runtime import Runtime
from oneself.wire import openapi
from oneself.wire.stack.operation import API_PREFIXES
from oneself.wire.stack.replies import ErrorReply
from oneself.wire.stack.routes import OPERATIONS

_TITLE = "Oneself: Stack Auth's API"
_VERSION = "1"
_FORM = "application/x-www-form-urlencoded"
# The SDK sends a form to the token endpoint; JSON is taken too.
_MEDIA = {"token_exchange": (_FORM, openapi.JSON_MEDIA)}


def _header(name: str, words: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": f"x-stack-{name}", "description": words}


_SCHEMES: dict[str, dict[str, str]] = {
    "access": _header("access-type", "`client`, `server` or `admin`."),
    "project": _header("project-id", "The project."),
    "client": _header("publishable-client-key", "What browsers hold; not every project asks for it."),
    "server": _header("secret-server-key", "What the application's server holds."),
    "admin": _header("super-secret-admin-key", "What an administrator holds."),
    "user": _header("access-token", "The user's access token, where the operation is about its own user."),
}


def _need(key: str) -> dict[str, list[str]]:
    return {"access": [], "project": [], key: []}


_SERVER_NEEDS = [_need("server"), _need("admin")]
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "public": [],
    "client": [_need("client") | {"user": []}, _need("client"), *_SERVER_NEEDS],
    "server": _SERVER_NEEDS,
    "admin": [_need("admin")],
}


def description(rt: Runtime) -> dict[str, Any]:
    """Return the description of every operation; the prefixes of the API are its servers."""
    described = openapi.describe(
        OPERATIONS,
        _TITLE,
        _VERSION,
        [rt.settings.base_url + prefix for prefix in API_PREFIXES],
        security_schemes=_SCHEMES,
        security=_SECURITY,
        error=ErrorReply,
        media=_MEDIA,
    )
    for operations in described["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = _REFUSED
    return described


_REFUSED: dict[str, Any] = {
    "description": "Refused: a known error is JSON and named in a header; any other is a text.",
    "headers": {"x-stack-known-error": {"schema": {"type": "string"}, "description": "The code of a known error."}},
    "content": {
        openapi.JSON_MEDIA: {"schema": {"$ref": f"#/components/schemas/{ErrorReply.__name__}"}},
        "text/plain": {"schema": {"type": "string"}},
    },
}
