"""The envelope of every answer: the request's id, the refusal's words, JSON or a page."""

import logging
from http import HTTPStatus

import msgspec

from oneself.actions.runtime import Runtime
from oneself.faults import Fault
from oneself.wire.http import JSON_TYPE, Reply
from oneself.wire.stytch import ids, pages
from oneself.wire.stytch.answers import Answer, ErrorBody, UserAnswer
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.faults import row_of
from oneself.wire.stytch.refusals import Row

ERRORS_PATH = "/v1/errors"
NO_STORE = ("cache-control", "no-store")

_log = logging.getLogger("oneself.wire.stytch")


def rendered(call: Call, answer: Answer | UserAnswer) -> Reply:
    """Return a success; the browser SDK wants it inside `data`."""
    answer.request_id = request_id(call)
    body: object = {"data": answer} if call.from_sdk else answer
    return Reply(answer.status_code, msgspec.json.encode(body), JSON_TYPE, [NO_STORE])


def refused(call: Call, row: Row, message: str = "", ways: tuple[pages.Way, ...] = ()) -> Reply:
    """Return a refusal: a page where a person's browser was on its way through, else JSON."""
    if call.shows_pages and pages.wanted(call.request):
        return pages.refusal_page(row.status, row.error_type, request_id(call), ways)
    body = ErrorBody(
        status_code=row.status,
        request_id=request_id(call),
        error_type=row.error_type,
        error_message=message or row.message,
        error_url=error_url(call.rt, row),
    )
    headers = [NO_STORE]
    # A browser would ask the person for a password; only backends see the challenge.
    if row.status == HTTPStatus.UNAUTHORIZED and not call.from_sdk:
        headers.append(("www-authenticate", 'Basic realm="oneself", charset="UTF-8"'))
    return Reply(row.status, msgspec.json.encode(body), JSON_TYPE, headers)


def faulted(call: Call, fault: Fault, ways: tuple[pages.Way, ...] = ()) -> Reply:
    """Return the refusal that a fault is in this dialect; what is our own trouble is logged."""
    row = row_of(fault, call.operation)
    if row.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request %s failed at %s: %s", call.uuid, call.operation, fault)
    reply = refused(call, row, ways=ways)
    if row.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = fault.facts.get("retry_after")
        reply.headers.append(("retry-after", str(wait if isinstance(wait, int) else 1)))
    return reply


def error_url(rt: Runtime, row: Row) -> str:
    """Return the address that explains a refusal."""
    return f"{rt.settings.base_url}{ERRORS_PATH}#{row.error_type}"


def request_id(call: Call) -> str:
    """Return the request's id as clients and logs know it."""
    return f"{ids.REQUEST}-{call.environment}-{call.uuid}"
