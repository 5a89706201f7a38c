"""The cookies that tie a trip to the browser that began it, and the ledger that keeps them few."""

import hashlib
import re

from oneself.model import Project
from oneself.wire.http import Request

MAX_OPEN_TRIPS = 5
START_PATH = "/v1/public/oauth"

_NAME = re.compile(r"[0-9a-f]{24}\Z")


class TripCookies:
    """Names and writes the cookies of one project's trips. `secure` says that browsers use https.

    Each trip has a cookie of its own, named after a hash of its state and sent to the callback
    alone. A start cannot see those, so a second cookie, sent to starts alone, lists their names
    from the oldest on; it holds nothing secret.
    """

    def __init__(self, project: Project, secure: bool) -> None:
        self._path = callback_path(project)
        self._secure = secure
        self._prefix = "__Secure-" if secure else ""
        # One ledger per project, for one browser may use several.
        self._ledger = f"{self._prefix}oneself-trips-{_hash(project.stytch_callback_id)[:12]}"

    def name(self, state: str) -> str:
        """The name of the cookie of the trip with this state."""
        return self._full(_hash(state))

    def begin(self, request: Request, state: str, value: str, seconds: int) -> list[str]:
        """Return the `Set-Cookie` values that open one more trip, and end the oldest ones where
        more than five would be open.
        """
        listed = [name for name in request.cookie(self._ledger).split(".") if _NAME.match(name)]
        opened = [*listed[-2 * MAX_OPEN_TRIPS :], _hash(state)]
        ended, kept = opened[:-MAX_OPEN_TRIPS], opened[-MAX_OPEN_TRIPS:]
        return [
            self._line(self.name(state), value, self._path, seconds),
            *(self._line(self._full(name), "", self._path, 0) for name in ended),
            self._line(self._ledger, ".".join(kept), START_PATH, seconds),
        ]

    def _full(self, name: str) -> str:
        return f"{self._prefix}oneself-trip-{name}"

    def _line(self, name: str, value: str, path: str, seconds: int) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def callback_path(project: Project) -> str:
    """Return the path that providers send browsers back to."""
    return f"/v1/oauth/callback/{project.stytch_callback_id}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
