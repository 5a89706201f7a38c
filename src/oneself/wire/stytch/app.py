"""Puts this dialect together: the ASGI app, and its OpenAPI description."""

from typing import Any

from oneself.actions.runtime import Runtime
from oneself.asgi.connection import Asgi
from oneself.wire import openapi
from oneself.wire.mounting import mount
from oneself.wire.stytch.access import ANYBODY, BACKEND, BROWSER, SIGNED_IN
from oneself.wire.stytch.answers import ErrorBody
from oneself.wire.stytch.call import SDK_PREFIX
from oneself.wire.stytch.dispatch import Pipeline
from oneself.wire.stytch.reach import refusals
from oneself.wire.stytch.routes import ROUTES

_VERSION = "1"
_BASIC = {"type": "http", "scheme": "basic"}
_SCHEMES = {
    "backend": _BASIC | {"description": "The project id and its secret."},
    "browser": _BASIC | {"description": "The public token, and a session token or itself again."},
}
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    BACKEND: [{"backend": []}],
    BROWSER: [{"browser": []}],
    SIGNED_IN: [{"browser": []}],
    ANYBODY: [],
}


def create_app(rt: Runtime) -> Asgi:
    """Return the ASGI app that serves `/v1/` and `/sdk/v1/` on this runtime."""
    return mount(ROUTES, Pipeline(rt), rt.settings.body_limit_bytes, rt.numbers.face("stytch"))


def description(rt: Runtime) -> dict[str, Any]:
    """Return the OpenAPI description of every operation."""
    described = openapi.describe(
        ROUTES,
        "Oneself: Stytch's consumer API",
        _VERSION,
        [rt.settings.base_url],
        security_schemes=_SCHEMES,
        security=_SECURITY,
        error=ErrorBody,
        refusals=refusals,
    )
    for path, operations in described["paths"].items():
        if path.startswith(SDK_PREFIX):
            for operation in operations.values():
                _wrap(operation["responses"]["200"])
    return described


def _wrap(success: dict[str, Any]) -> None:
    """Describe an answer as the browser SDK gets it, inside `data`."""
    content = success["content"][openapi.JSON_MEDIA]
    content["schema"] = {"type": "object", "properties": {"data": content["schema"]}, "required": ["data"]}
