"""The headers of this wire: how requests name them under two prefixes, and what every answer carries."""

from oneself.wire.http import Reply, Request

PREFIXES = ("x-stack-", "x-hexclave-")

_ALLOWED_PLAIN = (
    "content-type",
    "authorization",
    "baggage",
    "sentry-trace",
    "x-vercel-protection-bypass",
    "ngrok-skip-browser-warning",
)
_ALLOWED_OURS = (
    "access-type",
    "project-id",
    "branch-id",
    "publishable-client-key",
    "secret-server-key",
    "super-secret-admin-key",
    "admin-access-token",
    "access-token",
    "refresh-token",
    "allow-anonymous-user",
    "allow-restricted-user",
    "override-error-status",
    "client-version",
    "random-nonce",
    "disable-artificial-development-delay",
    "development-disable-extended-logging",
)
CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-max-age", b"86400"),
    (
        b"access-control-allow-headers",
        ", ".join(_ALLOWED_PLAIN + tuple(prefix + name for prefix in PREFIXES for name in _ALLOWED_OURS)).encode(),
    ),
    (
        b"access-control-expose-headers",
        b"content-type, x-stack-actual-status, x-stack-known-error",
    ),
)
_TO_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8
NOT_STORED = ("cache-control", "no-store, max-age=0")


def sent(request: Request, name: str) -> str:
    """One of the wire's own headers by its name without prefix; an empty one counts as absent."""
    for prefix in PREFIXES:
        value = request.header(prefix + name)
        if value:
            return value
    return ""


def finish(reply: Reply, request: Request, request_id: str) -> Reply:
    """Add what every answer carries, and hide an error's status where the caller asked for that.

    The SDK sends `x-stack-override-error-status`, because some browsers log every 4xx: the answer
    is then a 200 that names its true status in a header.
    """
    reply.headers.append(("x-stack-request-id", request_id))
    if not any(name == "cache-control" for name, _ in reply.headers):
        reply.headers.append(NOT_STORED)
    reply.fixed = CORS
    if 400 <= reply.status < 500 and sent(request, "override-error-status"):
        reply.headers.append(("x-stack-actual-status", str(reply.status)))
        reply.status = 200
    return reply


def new_request_id(random: bytes) -> str:
    """A request's name: for each of 32 random bytes one of the 32 letters of lower-case base32 (RFC 4648 section 6)."""
    return random.translate(_TO_LETTERS).decode("ascii")
