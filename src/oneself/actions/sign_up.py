"""New people who come by themselves, without a provider: with a password, or without telling who they are."""

from dataclasses import dataclass, field
from typing import Literal

from oneself.actions.runtime import Runtime, post_of
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Factor, Noun, Project, Secret, Session, UserView
from oneself.rules.addresses import fold_email
from oneself.rules.policies import policy_of
from oneself.steps import newcomers
from oneself.steps.people import new_user
from oneself.steps.recording import Deed, record
from oneself.steps.sessions import SessionWish, open_session
from oneself.steps.teams import with_personal_team
from oneself.steps.verifying import mail_code
from oneself.store import users
from oneself.store.database import Tx

Way = Literal["password", "anonymous"]


class PasswordSignUp(Noun, frozen=True, kw_only=True):
    """Who signs up: an address, a hash that is ready to store, and the anonymous user it has been until now, if any."""

    email: str
    password_hash: str
    session: SessionWish
    anonymous_id: str = ""
    # where the link of the letter leads that asks to prove the address; without one, or a mail server, none is written
    verification_url: str = ""


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A user just made (or grown out of an anonymous one), and the session opened for it."""

    view: UserView
    session: Session
    token: Secret = field(repr=False)


async def with_password(rt: Runtime, project: Project, wanted: PasswordSignUp) -> SignedUp:
    """Make a user with an unproven address and a password, and sign it in; one transaction.

    An anonymous user is upgraded in place and keeps what it had. A letter that asks to prove the address is two
    statements more. Raises Fault(SIGN_UP_CLOSED), Fault(EMAIL_INVALID), Fault(EMAIL_IN_USE),
    Fault(REDIRECT_NOT_ALLOWED).
    """
    _check_open(project)
    folded = fold_email(wanted.email)
    if folded is None:
        raise Fault(FaultCode.EMAIL_INVALID, "not an address")
    how = await post_of(rt, project) if wanted.verification_url else None

    async def work(tx: Tx) -> SignedUp:
        if await users.sign_in_owner(tx, project.id, folded):
            raise Fault(FaultCode.EMAIL_IN_USE, "somebody signs in with it", email=wanted.email)
        base = await newcomers.anonymous(tx, project, wanted.anonymous_id)
        who = newcomers.Newcomer(
            address=wanted.email,
            folded=folded,
            password_hash=wanted.password_hash,
            password_id=new_uuid(rt.random),
        )
        view = await newcomers.settle_in(tx, project, rt.random, base, who)
        if how is not None:
            await mail_code(tx, how, view.emails[-1], wanted.verification_url)
        reason = "anonymous_upgraded" if base else "asked_for"
        return await _signed_in(tx, rt, project, view, wanted.session, "password", reason)

    return await rt.db.write(work)


async def anonymously(rt: Runtime, project: Project, wish: SessionWish) -> SignedUp:
    """Make a user who has told nothing, and sign it in; one transaction. Raises Fault(SIGN_UP_CLOSED)."""
    _check_open(project)

    async def work(tx: Tx) -> SignedUp:
        user = new_user(rt.random, tx.now, is_anonymous=True)
        await users.insert(tx, project.id, user)
        return await _signed_in(tx, rt, project, UserView(user=user), wish, "anonymous", "asked_for")

    return await rt.db.write(work)


def _check_open(project: Project) -> None:
    if not policy_of(project, "stack").sign_up:
        raise Fault(FaultCode.SIGN_UP_CLOSED, "sign_up_closed")


async def _signed_in(
    tx: Tx, rt: Runtime, project: Project, view: UserView, wish: SessionWish, kind: Way, reason: str
) -> SignedUp:
    factor = Factor(kind=kind, created_at=tx.now, updated_at=tx.now, last_authenticated_at=tx.now)
    session, token = await open_session(tx, project.id, view.user.id, wish, factor, rt.random)
    view = await with_personal_team(tx, project, view, rt.random)
    deed = Deed(action="user.sign_up", decision=kind, reason=reason, actor="self", dialect=wish.kind)
    await record(tx, project.id, view.user.id, view.user.version, deed, rt.random)
    return SignedUp(view, session, token)
