"""The one way through this face: who calls, what they send, the handler, and a body for whatever
happens. It never raises.
"""

import logging
from http import HTTPStatus
from uuid import UUID

from oneself.actions.runtime import Runtime
from oneself.faults import Fault
from oneself.wire.http import Reply, Request, Route
from oneself.wire.stytch import access, cors
from oneself.wire.stytch.bodies import read_body
from oneself.wire.stytch.call import Call, Face
from oneself.wire.stytch.envelope import faulted, refused, rendered
from oneself.wire.stytch.refusals import WIRE, Refusal

# The vendor's other kind of project, whose clients are easily taken for these.
B2B_PREFIXES = ("/v1/b2b/", "/sdk/v1/b2b/")

_log = logging.getLogger("oneself.wire.stytch")


class Pipeline:
    """Carries one request from its bytes to its answer."""

    def __init__(self, rt: Runtime) -> None:
        self._face = Face(rt)
        self._origins = cors.Origins()

    async def __call__(self, route: Route | None, request: Request, status: int) -> Reply:
        """Answer one request; `route` is None where the router found nothing, with its status."""
        uuid = UUID(bytes=self._face.rt.random(16), version=4)
        call = Call(self._face, request, str(uuid), route.operation if route else "")
        try:
            if call.from_sdk and request.method == "OPTIONS":
                return cors.preflight(request, await self._origins.known(self._face.rt, request))
            reply = await self._answer(call, route, status)
        except Refusal as refusal:
            reply = refused(call, refusal.row, refusal.message)
        except Fault as fault:
            reply = faulted(call, fault)
        except Exception:
            _log.exception("request %s failed at %s", call.uuid, call.operation)
            reply = refused(call, WIRE["internal_server_error"])
        return _shared(call, reply) if call.from_sdk else reply

    async def _answer(self, call: Call, route: Route | None, status: int) -> Reply:
        if route is None:
            raise Refusal(_wrong_way(call.request.path, status))
        await _admit(call, route)
        if call.request.oversized:
            raise Refusal("request_too_large")
        if route.body is not None:
            call.body = read_body(call.request.body, route.body)
        answer = await route.handler(call)
        return answer if isinstance(answer, Reply) else rendered(call, answer)


def _wrong_way(path: str, status: int) -> str:
    """What is said of a way that leads nowhere."""
    if status != HTTPStatus.NOT_FOUND:
        return "method_not_allowed"
    return "invalid_b2b_endpoint" if path.startswith(B2B_PREFIXES) else "route_not_found"


def _shared(call: Call, reply: Reply) -> Reply:
    """Let the page read the answer, a refusal included, where its origin is authorised."""
    reply.headers.append(("vary", "Origin"))
    if call.has_project and cors.may_read(call.project, call.request):
        cors.grant(reply, call.request.header("origin"))
    return reply


async def _admit(call: Call, route: Route) -> None:
    """Hold the route's word for who may call against the keys of the request."""
    if route.access == access.BACKEND:
        call.belongs_to(await access.backend_project(call.rt, call.request))
    elif route.access in (access.BROWSER, access.SIGNED_IN):
        project = await access.browser_project(call.rt, call.request)
        call.belongs_to(project)
        access.require_origin(project, call.request)
        call.session = access.browser_session(call.request)
        if route.access == access.SIGNED_IN and call.session is None:
            raise Refusal("user_unauthenticated")
