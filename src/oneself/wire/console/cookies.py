"""The cookies of the console: the session, the trip that is under way, and what makes forms ours.

Under https their names begin with `__Host-` or `__Secure-`, so that nothing else on this host can set them, and a
server that speaks plain http on another port has cookies of its own.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable

from oneself.wire.http import Request

CALLBACK_PATH = "/console/callback"
_SESSION = "oneself-console"
_FORM = "oneself-console-form"
_TRIP = "oneself-console-trip"
_FORM_BYTES = 24


def session_token(request: Request, secure: bool) -> str:
    """The session token that the browser shows, or nothing."""
    return request.cookie(_everywhere(_SESSION, secure))


def keep_session(token: str, seconds: int, secure: bool) -> str:
    """A `Set-Cookie` value that keeps a session; an empty token ends it."""
    return _line(_everywhere(_SESSION, secure), token, "/", seconds if token else 0, secure)


def trip_value(request: Request, state: str, secure: bool) -> str:
    """The value that binds the trip with this state to the browser, or nothing."""
    return request.cookie(_trip_name(state, secure))


def keep_trip(state: str, value: str, seconds: int, secure: bool) -> str:
    """A `Set-Cookie` value that binds a trip to this browser; an empty value forgets it."""
    return _line(_trip_name(state, secure), value, CALLBACK_PATH, seconds if value else 0, secure)


def form_token(request: Request, secure: bool) -> str:
    """The token that this browser's forms carry, or nothing."""
    return request.cookie(_everywhere(_FORM, secure))


def new_form_token(random: Callable[[int], bytes], secure: bool) -> tuple[str, str]:
    """A fresh token for forms, and the `Set-Cookie` value that keeps it (OWASP: double submit)."""
    token = urlsafe_b64encode(random(_FORM_BYTES)).decode()
    return token, _line(_everywhere(_FORM, secure), token, "/", 86_400, secure)


def is_our_form(request: Request, submitted: str, base_url: str, secure: bool) -> bool:
    """Whether a form was sent from a page of ours, in this browser.

    The browser's own word (`Origin`) must name us where it is there, and the token must be the cookie's:
    either alone would do, but another application on the same host can set cookies.
    """
    origin = request.header("origin")
    if origin and origin != base_url:
        return False
    expected = form_token(request, secure)
    return bool(expected) and hmac.compare_digest(expected.encode(), submitted.encode())


def _everywhere(name: str, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def _trip_name(state: str, secure: bool) -> str:
    # the callback's path alone rules out `__Host-`, which is for the whole host
    return f"{'__Secure-' if secure else ''}{_TRIP}-{hashlib.sha256(state.encode()).hexdigest()[:24]}"


def _line(name: str, value: str, path: str, seconds: int, secure: bool) -> str:
    ending = "; Secure" if secure else ""
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{ending}"
