"""The one way through this wire: read, identify, check, call, render; it never raises."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.wire.http import TEXT_TYPE, Reply, Request, Route
from oneself.wire.stack import access, bodies, headers, validation
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.faults import refusal_for
from oneself.wire.stack.fields import Empty
from oneself.wire.stack.operation import Call, Operation
from oneself.wire.stack.refusals import Refused, plain, reply_of

log = logging.getLogger(__name__)

_UNEXPECTED = "Something went wrong on our side. Please try again, and name the request id if it stays."
_REQUEST_ID_BYTES = 32


def dispatcher(rt: Runtime) -> Callable[[Route | None, Request, int], Awaitable[Reply]]:
    """Make the function that answers every request of this wire."""

    async def dispatch(route: Route | None, request: Request, status: int) -> Reply:
        request_id = headers.new_request_id(rt.random(_REQUEST_ID_BYTES))
        reply = await _answer(rt, route, request, status, request_id)
        return headers.finish(reply, request, request_id)

    return dispatch


async def _answer(rt: Runtime, route: Route | None, request: Request, status: int, request_id: str) -> Reply:
    if request.method == "OPTIONS":
        return Reply(200, b"", TEXT_TYPE)
    try:
        if not isinstance(route, Operation) or not all(request.params.values()):
            raise _nowhere(status)
        return await _serve(rt, route, request)
    except Refused as refused:
        return reply_of(refused)
    except Exception:
        name = route.operation if route else "no route"
        log.exception("request %s of %s failed", request_id, name)
        return reply_of(plain(500, _UNEXPECTED))


async def _serve(rt: Runtime, route: Operation, request: Request) -> Reply:
    bodies.check_size(request)
    body = None if route.loose else bodies.parse(request)
    caller = await access.identify(rt, request)
    access.require(caller, route.allowed)
    call = Call(rt, request, route, caller)
    arguments = _read(call, body)
    try:
        reply: Reply = await route.handler(call, *arguments)
    except Fault as fault:
        raise _translated(call, fault) from fault
    return reply


def _read(call: Call, body: Any) -> list[Any]:
    """Check path, query and body; all their problems make one answer."""
    route, request = call.operation, call.request
    reading = validation.Reading(call.own_id, [])
    client = call.access == "client"
    if route.params is not None:
        call.params = validation.read(route.params, dict(request.params), "params", reading)
    query = route.client_query if client and route.client_query else route.query
    arguments = [] if route.loose else [validation.read(query or Empty, request.query, "query", reading)]
    shape = route.client_body if client and route.client_body else route.body
    if shape is not None:
        call.body = validation.read(shape, body, "body", reading)
        arguments.append(call.body)
    validation.raise_if_any(request.method, request.path, reading)
    return arguments if route.query is not None else arguments[1:]


def _translated(call: Call, fault: Fault) -> Refused:
    if fault.code is FaultCode.USER_NOT_FOUND and call.own:
        return known("CANNOT_GET_OWN_USER_WITHOUT_USER")
    facts = dict(fault.facts)
    if call.operation.facts is not None:
        facts |= call.operation.facts(call)
    return refusal_for(fault, call.operation.operation, facts)


def _nowhere(status: int) -> Refused:
    if status == 405:
        return plain(405, "Method Not Allowed")
    return plain(404, "Not Found")
