"""The session's row, for the operations that a token alone must not open once its user has signed out."""

from typing import Literal

from oneself.actions import sessions
from oneself.actions.sessions import SessionWish
from oneself.model import SessionRef
from oneself.wire.stack.operation import Call
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.times import MICROS_PER_SECOND

SESSION_KIND: Literal["stack"] = "stack"


def own_session(call: Call) -> SessionWish:
    """The session that a caller opens for itself."""
    return SessionWish(
        kind=SESSION_KIND,
        lifetime=call.rt.settings.stack_session_seconds * MICROS_PER_SECOND,
        ip_address=call.request.peer,
        user_agent=call.request.header("user-agent"),
    )


async def require_live_session(call: Call) -> None:
    """Let a user link, unlink or take a provider's token only while the session behind the token lives.

    Server and admin access carry their own authority. Impersonation sessions never get here.
    Raises Fault(SESSION_NOT_FOUND). One statement.
    """
    if call.access != "client":
        return
    bearer = call.require_user()
    found = await sessions.authenticate(call.rt, call.project, SESSION_KIND, SessionRef(session_id=bearer.session_id))
    if found.session.is_impersonation:
        raise plain(403, "An impersonation session can not do this.")
