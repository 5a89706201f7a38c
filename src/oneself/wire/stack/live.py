"""The session's row, for the operations that a token alone must not open once its user has signed out."""

from typing import Literal

from oneself.actions import sessions, users
from oneself.actions.sessions import SessionWish
from oneself.faults import Fault
from oneself.model import SessionRef
from oneself.wire.stack.catalogue import known
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
    reference = SessionRef(session_id=call.require_user().session_id)
    try:
        found = await sessions.authenticate(call.rt, call.project, SESSION_KIND, reference)
    except Fault:
        await check_user(call)
        raise
    if found.session.is_impersonation:
        raise plain(403, "An impersonation session can not do this.")


async def check_user(call: Call) -> None:
    """Before a refusal: a token whose user is gone is no user at all, and the refusal is that of a call without one.

    Raises CANNOT_GET_OWN_USER_WITHOUT_USER or USER_AUTHENTICATION_REQUIRED. One statement.
    """
    try:
        await users.read(call.rt, call.project, call.require_user().user_id)
    except Fault:
        raise known("CANNOT_GET_OWN_USER_WITHOUT_USER" if call.own else "USER_AUTHENTICATION_REQUIRED") from None
