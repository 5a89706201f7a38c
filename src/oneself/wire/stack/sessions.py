"""`/auth/sessions`: sessions made by the application's server, listed, ended and refreshed."""

from typing import Annotated, Any

from msgspec import Meta

from oneself.actions import sessions as action
from oneself.actions.sessions import SessionWish
from oneself.model import Secret, SessionRef
from oneself.wire.http import Reply
from oneself.wire.stack import claims, render
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import Form, UserId, Uuid
from oneself.wire.stack.headers import sent
from oneself.wire.stack.live import SESSION_KIND
from oneself.wire.stack.operation import SERVER, Call, Operation, done, items, operation
from oneself.wire.stack.replies import AccessToken, Sessions, SessionTokens, Success
from oneself.wire.stack.times import MICROS_PER_MILLI

YEAR_MILLIS = 365 * 86_400_000
LONGEST_MILLIS = 31_708_800_000


class CreateBody(Form):
    """Whose session, for how long, and whether it is an administrator looking through the user's eyes."""

    user_id: UserId
    expires_in_millis: Annotated[int, Meta(ge=1, le=LONGEST_MILLIS)] = YEAR_MILLIS
    is_impersonation: bool = False


class OwnerQuery(Form):
    """Whose sessions."""

    user_id: UserId


class SessionPath(Form):
    """One session."""

    session_id: Uuid


async def create(call: Call, body: CreateBody) -> Reply:
    """Open a session for a user, on the word of the application's server."""
    made = await action.create(
        call.rt,
        call.project,
        body.user_id,
        SessionWish(
            kind=SESSION_KIND,
            lifetime=body.expires_in_millis * MICROS_PER_MILLI,
            ip_address=call.request.peer,
            user_agent=call.request.header("user-agent"),
            is_impersonation=body.is_impersonation,
        ),
        factor_kind="impersonation" if body.is_impersonation else "issued",
        actor=f"stack:{call.access}",
    )
    token = await claims.access_token(call.rt, call.project, made.view, made.session)
    return done(call, {"access_token": token, "refresh_token": made.token.reveal()})


async def listing(call: Call, query: OwnerQuery) -> Reply:
    """List a user's live sessions, newest first."""
    call.require_self(query.user_id, "Client can only list sessions for their own user.")
    rows = await action.list_for_user(call.rt, call.project, query.user_id)
    current = call.bearer.session_id if call.bearer else ""
    return items(call, render.sessions(rows, call.access, current))


async def delete(call: Call, query: OwnerQuery) -> Reply:
    """End another session of a user."""
    call.require_self(query.user_id, "Client can only delete sessions for their own user.")
    session_id = call.params.session_id
    if call.bearer and call.bearer.session_id == session_id:
        raise known("CANNOT_DELETE_CURRENT_SESSION")
    await action.revoke_of_user(call.rt, call.project, query.user_id, session_id)
    return done(call, {"success": True})


async def delete_current(call: Call) -> Reply:
    """Sign out: end the session that the access token belongs to."""
    if call.bearer is None:
        raise claims.expired()
    reference = SessionRef(session_id=call.bearer.session_id)
    await action.revoke(call.rt, call.project, SESSION_KIND, reference)
    return done(call, {"success": True})


async def refresh_current(call: Call) -> Reply:
    """Make a fresh access token for the refresh token in the header."""
    token = Secret(sent(call.request, "refresh-token"))
    found = await action.refresh(call.rt, call.project, token)
    access_token = await claims.access_token(call.rt, call.project, found.view, found.session)
    return done(call, {"access_token": access_token})


def _named(call: Call) -> dict[str, Any]:
    return {"user_id": call.body.user_id}


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/auth/sessions",
        create,
        "Open a session for a user",
        allowed=SERVER,
        body=CreateBody,
        response=SessionTokens,
        facts=_named,
    ),
    operation(
        "GET",
        "/auth/sessions",
        listing,
        "List a user's sessions",
        query=OwnerQuery,
        response=Sessions,
    ),
    operation(
        "DELETE",
        "/auth/sessions/current",
        delete_current,
        "Sign out",
        response=Success,
    ),
    operation(
        "POST",
        "/auth/sessions/current/refresh",
        refresh_current,
        "Refresh the access token",
        response=AccessToken,
    ),
    operation(
        "DELETE",
        "/auth/sessions/{session_id}",
        delete,
        "End a session of a user",
        params=SessionPath,
        query=OwnerQuery,
        response=Success,
    ),
)
