"""The console's ASGI app: its routes, and what it answers when something is refused or wrong."""

import logging
from collections.abc import Awaitable, Callable

from oneself.actions.runtime import Runtime
from oneself.asgi.connection import Asgi
from oneself.faults import Fault, FaultCode
from oneself.wire.console import words
from oneself.wire.console.demo import Demo
from oneself.wire.console.dev import DevPage
from oneself.wire.console.mail import JSON_PATH, PATH, MailPages
from oneself.wire.console.render import file, page, redirect
from oneself.wire.http import Reply, Request, Route
from oneself.wire.mounting import mount

_LOG = logging.getLogger("oneself.console")
_FORM_LIMIT_BYTES = 64 * 1024

Handler = Callable[[Request], Awaitable[Reply]]

_STATUS = {
    FaultCode.REQUEST_INVALID: 403,
    FaultCode.FLOW_UNKNOWN: 400,
    FaultCode.DATABASE_UNAVAILABLE: 503,
    FaultCode.DATABASE_CONTENDED: 503,
}


def create_app(rt: Runtime, dev: DevPage | None = None) -> Asgi:
    """The pages of a development server where `dev` is given, else the landing page alone."""
    return mount(_routes(rt, dev), _dispatch, _FORM_LIMIT_BYTES, rt.numbers.face("console"))


def _routes(rt: Runtime, dev: DevPage | None) -> list[Route]:
    routes = [_route("GET", "/console/{name}", "file", _file, "A file that the pages need")]
    if dev is None:
        return [*routes, _route("GET", "/", "landing", _landing, "That the server runs")]
    demo, mail = Demo(rt, dev), MailPages(rt)
    return [
        *routes,
        _route("GET", "/", "home", demo.home, "Who is signed in"),
        _route("GET", PATH, "mail", mail.shown, "What was written to people"),
        _route("GET", JSON_PATH, "mail_json", mail.listed, "The same for scripts"),
        _route("POST", "/console/start", "start", demo.begin, "To a provider"),
        _route("GET", "/console/callback/{config_id}", "callback", demo.finish, "Back from it"),
        _route("POST", "/console/callback/{config_id}", "relay", demo.relay, "Back from it by a form"),
        _route("POST", "/console/unlink", "unlink", demo.unlink, "Take an account away"),
        _route("POST", "/console/sign-out", "sign_out", demo.sign_out, "End the session"),
    ]


def _route(method: str, template: str, operation: str, handler: Handler, summary: str) -> Route:
    return Route(method, template, operation, handler, summary)


async def _dispatch(route: Route | None, request: Request, status: int) -> Reply:
    """Answer one request; a refusal of a form goes back to the page, everything else is a page of its own."""
    if route is None or request.oversized:
        return _nothing_here(413 if request.oversized else status)
    try:
        reply: Reply = await route.handler(request)
        return reply
    except Fault as fault:
        _LOG.info("%s refused: %s", route.operation, fault)
        if route.method == "POST" and fault.code not in _STATUS:
            return redirect(f"/?refused={fault.code.value}")
        text = words.refusal(fault.code)
        return page("refused.html", _STATUS.get(fault.code, 400), heading="That did not work", text=text)
    except Exception:
        _LOG.exception("%s failed", route.operation)
        text = "This is a fault of ours; the log says more."
        return page("refused.html", 500, heading="Something broke", text=text)


async def _landing(_request: Request) -> Reply:
    return page("landing.html")


async def _file(request: Request) -> Reply:
    try:
        return file(request.params["name"])
    except KeyError:
        return _nothing_here(404)


def _nothing_here(status: int) -> Reply:
    heading = {404: "There is no such page", 405: "Not that way"}.get(status, "Not taken")
    return page("refused.html", status, heading=heading, text="Check the address, or begin at the first page.")
