"""Cross-origin answers for the browser SDK: with credentials, and only for authorised origins."""

from oneself.actions import projects
from oneself.actions.runtime import Runtime
from oneself.model import Project
from oneself.wire.http import Reply, Request
from oneself.wire.stytch.access import allowed_origins, folded_origin

METHODS = "GET, POST, PUT, DELETE, OPTIONS"
HEADERS = "authorization, content-type, x-sdk-client, x-sdk-parent-host"
MAX_AGE_SECONDS = 600
KNOWN_FOR_MICROS = 5_000_000


class Origins:
    """The origins that any project authorises, read again when five seconds old: a preflight
    carries no keys, so it cannot say which project it is for.
    """

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._read_at = 0

    async def known(self, rt: Runtime, request: Request) -> bool:
        """Say whether the request's origin is one of them."""
        origin = folded_origin(request.header("origin"))
        if not origin:
            return False
        if not 0 <= rt.clock() - self._read_at < KNOWN_FOR_MICROS:
            found = await projects.list_all(rt)
            self._known = frozenset().union(*map(allowed_origins, found))
            self._read_at = rt.clock()
        return origin in self._known


def grant(reply: Reply, origin: str) -> Reply:
    """Let the page at `origin` read this answer (Fetch standard, CORS protocol)."""
    reply.headers += [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
    ]
    return reply


def may_read(project: Project, request: Request) -> bool:
    """Say whether the page that sent this may read the answer."""
    origin = request.header("origin")
    return bool(origin) and folded_origin(origin) in allowed_origins(project)


def preflight(request: Request, known: bool) -> Reply:
    """Answer a preflight. It carries no keys, so `known` says whether any project at all authorises
    the origin; the call itself is held against its own project's list.
    """
    reply = Reply(204, b"", headers=[("vary", "Origin")])
    if not known:
        return reply
    reply.headers += [
        ("access-control-allow-methods", METHODS),
        ("access-control-allow-headers", HEADERS),
        ("access-control-max-age", str(MAX_AGE_SECONDS)),
    ]
    return grant(reply, request.header("origin"))
