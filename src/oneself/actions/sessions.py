"""Sessions: check, prolong, open, list and end them."""

from typing import Any

import msgspec

from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.model import Factor, Noun, Project, Secret, Session, SessionKind, SessionRef, UserView
from oneself.rules.lifetimes import MAX_SESSION_MINUTES, MIN_SESSION_MINUTES, MINUTE
from oneself.steps import second_factor
from oneself.steps.recording import Deed, record
from oneself.steps.second_factor import Attempt, Door
from oneself.steps.sessions import SessionWish as SessionWish  # the faces build it
from oneself.steps.sessions import merged_claims, open_session, token_hash
from oneself.store import sessions, users, views
from oneself.store.database import Tx

# A session's last-seen time is written when it is older than this, in its own batch, never by the check itself.
SEEN_EVERY = MINUTE


class SessionView(Noun, frozen=True, kw_only=True):
    """A live session and its user."""

    session: Session
    view: UserView


class NewSession(Noun, frozen=True, kw_only=True):
    """A session just opened, with its token in clear for this once."""

    session: Session
    token: Secret
    view: UserView


def lifetime_of_minutes(minutes: int) -> int:
    """Microseconds of a session's duration. Raises Fault(SESSION_DURATION_INVALID) outside 5 to 527040 minutes."""
    if not MIN_SESSION_MINUTES <= minutes <= MAX_SESSION_MINUTES:
        raise Fault(FaultCode.SESSION_DURATION_INVALID, f"{minutes} minutes")
    return minutes * MINUTE


async def authenticate(
    rt: Runtime,
    project: Project,
    kind: SessionKind,
    ref: SessionRef,
    duration_minutes: int | None = None,
    custom_claims: dict[str, Any] | None = None,
) -> SessionView:
    """Check a session: one statement; with a duration or claims also one write and its commit.

    Raises Fault(SESSION_NOT_FOUND), Fault(SESSION_DURATION_INVALID), Fault(CLAIMS_TOO_LARGE).
    """
    lifetime = None if duration_minutes is None else lifetime_of_minutes(duration_minutes)
    now = rt.clock()
    found = await _check(rt, project, kind, ref, now)
    if found is None:
        raise Fault(FaultCode.SESSION_NOT_FOUND, "no live session")
    session, view = found
    session = msgspec.structs.replace(session, last_accessed_at=now)
    if lifetime is None and not custom_claims:
        _note_seen(rt, project.id, found[0], now)
        return SessionView(session=session, view=view)
    changed = msgspec.structs.replace(
        session,
        expires_at=session.expires_at if lifetime is None else now + lifetime,
        custom_claims=merged_claims(session.custom_claims, custom_claims or {}),
    )

    async def work(tx: Tx) -> Session | None:
        return await sessions.prolong(tx, project.id, changed)

    prolonged = await rt.db.write(work)
    if prolonged is None:
        raise Fault(FaultCode.SESSION_NOT_FOUND, "the session ended meanwhile")
    return SessionView(session=prolonged, view=view)


async def _check(
    rt: Runtime, project: Project, kind: SessionKind, ref: SessionRef, now: int
) -> tuple[Session, UserView] | None:
    if ref.token is not None:
        return await sessions.check_token(rt.db, project.id, token_hash(kind, ref.token.reveal()), kind, now)
    return await sessions.check_id(rt.db, project.id, ref.session_id, kind, now)


def _note_seen(rt: Runtime, project_id: str, session: Session, now: int) -> None:
    if now - session.last_accessed_at >= SEEN_EVERY:
        rt.seen[project_id, session.id] = now


async def write_seen(rt: Runtime) -> int:
    """Write the last-seen times that checks have noted since the last call, in one transaction; how many."""
    noted = dict(rt.seen)
    if not noted:
        return 0
    for key in noted:
        rt.seen.pop(key, None)

    async def work(tx: Tx) -> None:
        for (project_id, session_id), at in noted.items():
            await sessions.touch(tx, project_id, session_id, at)

    await rt.db.write(work)
    return len(noted)


async def create(
    rt: Runtime,
    project: Project,
    user_id: str,
    wish: SessionWish,
    factor_kind: Any = "issued",
    actor: str = "backend",
    checked: UserView | None = None,
    asks_second_factor: bool = False,
) -> NewSession:
    """Open a session for a user on somebody's word, or on a password: then `checked` is the user whose it was.

    With `asks_second_factor` nothing is opened for a user who has one: Fault(SECOND_FACTOR_NEEDED).

    Raises Fault(USER_NOT_FOUND), Fault(USER_UNAVAILABLE), and Fault(PASSWORD_WRONG) where the password was changed
    since it was checked.
    """
    door = Door(project.id, await rt.projects.data_key(project.id), rt.random)

    async def work(tx: Tx) -> NewSession | Fault | None:
        version = await users.lock(tx, project.id, user_id)
        view = await views.read(tx, project.id, user_id)
        if version is None or view is None:
            return None
        if view.user.status == "disabled":
            raise Fault(FaultCode.USER_UNAVAILABLE, "the user is disabled")
        # The hash may be another one of the same password: somebody else signed in with it at the same time.
        if checked is not None and view.user.password_id != checked.user.password_id:
            raise Fault(FaultCode.PASSWORD_WRONG, "it was changed since it was checked")
        factor = Factor(kind=factor_kind, created_at=tx.now, updated_at=tx.now, last_authenticated_at=tx.now)
        if asks_second_factor and door.is_shut(view):
            return await second_factor.hold(tx, door, view, Attempt(factor=factor))
        session, token = await open_session(tx, project.id, user_id, wish, factor, rt.random)
        deed = Deed(action="session.create", decision=factor_kind, reason="asked_for", actor=actor, dialect=wish.kind)
        await record(tx, project.id, user_id, version, deed, rt.random)
        return NewSession(session=session, token=token, view=view)

    opened = await rt.db.write(work)
    if opened is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    if isinstance(opened, Fault):
        raise opened
    return opened


async def list_for_user(rt: Runtime, project: Project, user_id: str) -> list[Session]:
    """A user's live sessions of every kind, newest first; one statement. Raises Fault(USER_NOT_FOUND)."""
    found = await sessions.of_user(rt.db, project.id, user_id, rt.clock())
    if found is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return found


async def is_alive(rt: Runtime, project: Project, session_id: str) -> bool:
    """Whether a session still lives; one statement."""
    return await sessions.by_id(rt.db, project.id, session_id, rt.clock()) is not None


async def refresh(rt: Runtime, project: Project, token: Secret) -> SessionView:
    """The session of one of Stack's refresh tokens, which is not rotated; one statement.

    Raises Fault(SESSION_NOT_FOUND).
    """
    return await authenticate(rt, project, "stack", SessionRef(token=token))


async def revoke(rt: Runtime, project: Project, kind: SessionKind, ref: SessionRef) -> None:
    """End a session. Raises Fault(SESSION_NOT_FOUND) where it was not alive."""
    now = rt.clock()
    if ref.token is not None:
        ended = await sessions.delete_token(rt.db, project.id, token_hash(kind, ref.token.reveal()), kind, now)
    else:
        ended = await sessions.delete_id(rt.db, project.id, ref.session_id, now)
    if not ended:
        raise Fault(FaultCode.SESSION_NOT_FOUND, "no live session")


async def revoke_of_user(rt: Runtime, project: Project, user_id: str, session_id: str) -> None:
    """End one session of one user. Raises Fault(SESSION_NOT_FOUND) where it is not theirs or not alive."""
    found = await sessions.by_id(rt.db, project.id, session_id, rt.clock())
    if found is None or found.user_id != user_id:
        raise Fault(FaultCode.SESSION_NOT_FOUND, "no live session of this user")
    await revoke(rt, project, found.kind, SessionRef(session_id=session_id))


async def revoke_all(rt: Runtime, project: Project, user_id: str, keep_id: str = "", actor: str = "self") -> int:
    """End all sessions of a user but one, and outdate every request that they began; how many ended.

    Raises Fault(USER_NOT_FOUND).
    """

    async def work(tx: Tx) -> int | None:
        version = await users.lock(tx, project.id, user_id)
        view = await views.read(tx, project.id, user_id)
        if version is None or view is None:
            return None
        user = msgspec.structs.replace(view.user, security_epoch=view.user.security_epoch + 1)
        await users.update(tx, project.id, user)
        ended = await sessions.delete_others(tx, project.id, user_id, keep_id)
        deed = Deed(action="session.revoke_all", decision="done", reason="asked_for", actor=actor, dialect="stytch")
        await record(tx, project.id, user_id, version, deed, rt.random)
        return ended

    ended = await rt.db.write(work)
    if ended is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return ended
