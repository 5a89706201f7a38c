"""Sign-in by mail: send a one-time code to an address, and let in whoever brings it."""

from dataclasses import dataclass, field

import msgspec

from oneself.actions.runtime import Runtime, count_start, require_post
from oneself.faults import Fault, FaultCode
from oneself.model import EmailAddress, Factor, Letter, Noun, OneTimeCode, Project, Secret, Session, UserView
from oneself.rules.addresses import fold_email
from oneself.rules.mailed_codes import entry
from oneself.rules.policies import policy_of
from oneself.rules.return_urls import code_link
from oneself.steps import codes, newcomers, second_factor
from oneself.steps.recording import Deed, record
from oneself.steps.second_factor import Attempt, Door
from oneself.steps.sessions import SessionWish, open_session
from oneself.steps.teams import with_personal_team
from oneself.store import sessions, users, views
from oneself.store.database import Tx
from oneself.store.retrying import Again


class SignInCodeRequest(Noun, frozen=True, kw_only=True):
    """Who asks for a code: the address, where the letter's link leads, and the caller's own address for the limits."""

    email: str
    callback_url: str
    peer: str = ""


@dataclass(frozen=True, slots=True)
class LetIn:
    """Who came in by a code, whether they are new, and the session opened for them."""

    view: UserView
    session: Session
    token: Secret = field(repr=False)
    created: bool = False


@dataclass(frozen=True, slots=True)
class _Entering:
    """The fixed part of one redeem."""

    rt: Runtime
    project: Project
    door: Door
    wish: SessionWish


async def send(rt: Runtime, project: Project, wanted: SignInCodeRequest) -> Secret:
    """Mail a code to an address, whether somebody signs in with it or not; gives the nonce: the code without its first
    six characters, which only the mail has. Five statements at most, one commit.

    Raises Fault(OTP_OFF), Fault(EMAIL_INVALID), Fault(REDIRECT_NOT_ALLOWED), Fault(MAIL_OFF), Fault(LIMIT_REACHED),
    Fault(SIGN_UP_CLOSED), Fault(EMAIL_OWNER_UNVERIFIED), Fault(USER_UNAVAILABLE).
    """
    if not project.config.otp_enabled:
        raise Fault(FaultCode.OTP_OFF, "mailed codes are switched off")
    folded = fold_email(wanted.email)
    if folded is None:
        raise Fault(FaultCode.EMAIL_INVALID, "not an address")
    code = codes.new_code(rt.random)
    text = code.reveal()
    link = code_link(project, wanted.callback_url, text)
    how = await require_post(rt, project)
    count_start(rt, project, wanted.peer)
    to = f"{wanted.email.strip().rpartition('@')[0]}@{folded.rpartition('@')[2]}"
    letter = Letter(
        kind="sign_in", to=to, project_name=project.display_name, link=link, code=text[: codes.TYPED].upper()
    )

    async def work(tx: Tx) -> None:
        await codes.check_rate(tx, project.id, "sign_in", folded, rt.settings.mails_per_address)
        owner = await _owner(tx, project, folded)
        if owner is not None:
            _check_entry(*owner)
        elif not policy_of(project, "stack").sign_up:
            raise Fault(FaultCode.SIGN_UP_CLOSED, "sign_up_closed")
        user_id = owner[0].user.id if owner else ""
        kept = OneTimeCode(kind="sign_in", user_id=user_id, address=wanted.email.strip(), folded=folded)
        await codes.mail_parted(tx, how, code, kept, letter)

    await rt.db.write(work)
    return Secret(text[codes.TYPED :])


async def check(rt: Runtime, project: Project, code: Secret) -> None:
    """Whether a code could be redeemed now; it stays, but a wrong guess counts. Raises as `redeem` does about codes."""

    async def work(tx: Tx) -> bool:
        return await codes.is_wrong_guess(tx, project.id, "sign_in", code)

    if await rt.db.write(work):
        raise Fault(FaultCode.CODE_UNKNOWN, "a wrong guess")
    await codes.look_parted(rt.db, project.id, "sign_in", code, rt.clock())


async def redeem(rt: Runtime, project: Project, code: Secret, wish: SessionWish, anonymous_id: str = "") -> LetIn:
    """Spend a code and sign in whoever has the address now, or make them: one commit.

    Raises Fault(CODE_UNKNOWN), Fault(CODE_EXPIRED), Fault(CODE_USED), Fault(CODE_WORN), Fault(SIGN_UP_CLOSED),
    Fault(EMAIL_OWNER_UNVERIFIED), Fault(USER_UNAVAILABLE), and Fault(SECOND_FACTOR_NEEDED), after which the code is
    spent and the sign-in waits.
    """
    door = Door(project.id, await rt.projects.data_key(project.id), rt.random)
    how = _Entering(rt, project, door, wish)

    async def work(tx: Tx) -> LetIn | Fault:
        if await codes.is_wrong_guess(tx, project.id, "sign_in", code):
            return Fault(FaultCode.CODE_UNKNOWN, "a wrong guess")  # as a value: it stays counted
        spent = await codes.spend_parted(tx, project.id, "sign_in", code)
        owner = await _owner(tx, project, spent.folded)
        if owner is None:
            return await _newcomer(tx, how, spent, anonymous_id)
        return await _known(tx, how, spent.folded, owner[0].user.id)

    ended = await rt.db.write(work)
    if isinstance(ended, Fault):
        raise ended
    return ended


async def _owner(tx: Tx, project: Project, folded: str) -> tuple[UserView, EmailAddress] | None:
    """Who signs in with an address, and that address of theirs."""
    found = await users.sign_in_owner(tx, project.id, folded)
    view = await views.read(tx, project.id, found[0]) if found else None
    if found is None or view is None:
        return None
    return view, next(email for email in view.emails if email.id == found[2])


def _check_entry(view: UserView, email: EmailAddress) -> None:
    if view.user.status == "disabled":
        raise Fault(FaultCode.USER_UNAVAILABLE, "the user is disabled")
    if entry(view, email) == "refuse":
        raise Fault(FaultCode.EMAIL_OWNER_UNVERIFIED, "its owner never proved it", email=email.address)


async def _known(tx: Tx, how: _Entering, folded: str, user_id: str) -> LetIn | Fault:
    """The owner of the address as it is now, under its lock."""
    version = await users.lock(tx, how.project.id, user_id)
    view = await views.read(tx, how.project.id, user_id) if version is not None else None
    email = next((e for e in view.emails if e.folded == folded and e.claims_sign_in), None) if view else None
    if version is None or view is None or email is None:
        raise Again("the address changed hands this moment")
    _check_entry(view, email)
    reclaimed = entry(view, email) == "reclaim"
    view = await _proved(tx, how, view, email)
    factor = _factor(tx.now, email.id)
    if how.door.is_shut(view):
        return await second_factor.hold(tx, how.door, view, Attempt(factor=factor))
    session, token = await open_session(tx, how.project.id, user_id, how.wish, factor, how.rt.random)
    reason = "address_first_proved" if reclaimed else "address_proved"
    await _record(tx, how, view, "SignIn", reason)
    return LetIn(view, session, token)


async def _proved(tx: Tx, how: _Entering, view: UserView, email: EmailAddress) -> UserView:
    """The user as somebody whose mailbox answered: awake, with mailed codes on; at the first proof alone in here."""
    user = view.user
    extras = {**user.extras, "otp_auth_enabled": True}
    status = "active" if user.status == "pending" else user.status
    changed = msgspec.structs.replace(user, extras=extras, status=status)
    emails = view.emails
    if not email.verified_at:
        changed = msgspec.structs.replace(changed, security_epoch=user.security_epoch + 1)
        proved = msgspec.structs.replace(email, verified_at=tx.now, verified_by="mail")
        await users.update_email(tx, how.project.id, proved)
        for other in emails:
            if other.id != email.id:
                await users.delete_email(tx, how.project.id, other.id)
        await sessions.delete_others(tx, how.project.id, user.id)
        emails = (proved,)
    if changed != user:
        await users.update(tx, how.project.id, changed)
    return msgspec.structs.replace(view, user=changed, emails=emails)


async def _newcomer(tx: Tx, how: _Entering, spent: OneTimeCode, anonymous_id: str) -> LetIn:
    if not policy_of(how.project, how.wish.kind).sign_up:
        raise Fault(FaultCode.SIGN_UP_CLOSED, "sign_up_closed")
    base = await newcomers.anonymous(tx, how.project, anonymous_id)
    who = newcomers.Newcomer(
        address=spent.address, folded=spent.folded, verified_by="mail", extras={"otp_auth_enabled": True}
    )
    view = await newcomers.settle_in(tx, how.project, how.rt.random, base, who)
    factor = _factor(tx.now, view.emails[-1].id)
    session, token = await open_session(tx, how.project.id, view.user.id, how.wish, factor, how.rt.random)
    view = await with_personal_team(tx, how.project, view, how.rt.random)
    await _record(tx, how, view, "Create", "anonymous_upgraded" if base else "address_proved")
    return LetIn(view, session, token, created=True)


async def _record(tx: Tx, how: _Entering, view: UserView, decision: str, reason: str) -> None:
    deed = Deed(action="code.sign_in", decision=decision, reason=reason, actor="self", dialect=how.wish.kind)
    await record(tx, how.project.id, view.user.id, view.user.version, deed, how.rt.random)


def _factor(now: int, email_id: str) -> Factor:
    return Factor(kind="email_otp", created_at=now, updated_at=now, last_authenticated_at=now, email_id=email_id)
