"""Holds whole answers, headers included, against what the contract says."""

from __future__ import annotations

from typing import Any

from tests.stack.wire import Answer

_NAMES = (
    "access-type project-id branch-id publishable-client-key secret-server-key super-secret-admin-key "
    "admin-access-token access-token refresh-token allow-anonymous-user allow-restricted-user "
    "override-error-status client-version random-nonce disable-artificial-development-delay "
    "development-disable-extended-logging"
)
ALLOWED_HEADERS = {
    "content-type",
    "authorization",
    "baggage",
    "sentry-trace",
    "x-vercel-protection-bypass",
    "ngrok-skip-browser-warning",
    *(f"x-{vendor}-{name}" for vendor in ("stack", "hexclave") for name in _NAMES.split()),
}
ALWAYS = {
    "cache-control": "no-store, max-age=0",
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-max-age": "86400",
    "access-control-expose-headers": "content-type, x-stack-actual-status, x-stack-known-error",
}
JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


def check_headers(answer: Answer, content_type: str, **extra: str) -> None:
    """Every header that an answer has: those of all answers, the named ones, and nothing beyond."""
    found = dict(answer.headers)
    assert found.pop("content-length", "0").isdigit()
    found.pop("date")
    assert len(found.pop("x-stack-request-id")) >= 16
    assert set(found.pop("access-control-allow-headers").split(", ")) == ALLOWED_HEADERS
    named = {name.replace("_", "-"): value for name, value in extra.items()}
    assert found == ALWAYS | {"content-type": content_type} | named


def check_json(answer: Answer, status: int, body: Any, **extra: str) -> None:
    """A JSON answer, whole."""
    assert (answer.status, answer.json) == (status, body)
    assert answer.cookies == []
    check_headers(answer, JSON, **extra)


def check_known(answer: Answer, status: int, code: str, error: str, details: Any = None) -> None:
    """A known error, whole."""
    body = {"code": code, "error": error} | ({} if details is None else {"details": details})
    check_json(answer, status, body, x_stack_known_error=code)


def check_plain(answer: Answer, status: int, text: str) -> None:
    """An error in plain text, whole."""
    assert (answer.status, answer.text) == (status, text)
    check_headers(answer, TEXT)


def check_schema_error(answer: Answer, request: str, *problems: str) -> None:
    """A validation error with exactly these problems, in this order."""
    message = f"Request validation failed on {request}:" + "".join(f"\n  - {one}" for one in problems)
    check_known(answer, 400, "SCHEMA_ERROR", message, {"message": message})
