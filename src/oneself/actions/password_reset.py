"""A forgotten password: mail a code to whoever signs in with an address, and take another password for it."""

import msgspec

from oneself.actions.runtime import Runtime, count_start, post_of, require_post
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import EmailAddress, Letter, Noun, OneTimeCode, Project, Secret, UserView
from oneself.rules.addresses import fold_email
from oneself.rules.lifetimes import MAILED_CODE
from oneself.rules.mailed_codes import reset_entry
from oneself.rules.return_urls import code_link
from oneself.steps import codes, mailing
from oneself.steps.recording import Deed, record
from oneself.store import sessions, users, views
from oneself.store.database import Tx


class ResetRequest(Noun, frozen=True, kw_only=True):
    """Who forgot: the address, where the letter's link leads, and the caller's own address for the limits."""

    email: str
    callback_url: str
    peer: str = ""


async def send(rt: Runtime, project: Project, wanted: ResetRequest) -> None:
    """Mail a code to an address, if somebody signs in with it; whoever asks does not learn whether.

    A code is kept in either case, so that the limit and the time that it takes tell nothing. Five statements at most,
    one commit. Raises Fault(EMAIL_INVALID), Fault(REDIRECT_NOT_ALLOWED), Fault(MAIL_OFF), Fault(LIMIT_REACHED).
    """
    folded = fold_email(wanted.email)
    if folded is None:
        raise Fault(FaultCode.EMAIL_INVALID, "not an address")
    code = codes.new_code(rt.random)
    link = code_link(project, wanted.callback_url, code.reveal())
    how = await require_post(rt, project)
    count_start(rt, project, wanted.peer)

    async def work(tx: Tx) -> None:
        await codes.check_rate(tx, project.id, "reset", folded, rt.settings.mails_per_address)
        found = await users.sign_in_owner(tx, project.id, folded)
        view = await views.read(tx, project.id, found[0]) if found else None
        email = _open(view, folded) if view is not None else None
        if view is None or email is None:
            nobodys = OneTimeCode(kind="reset", folded=folded)
            await codes.keep(tx, project.id, code, nobodys, MAILED_CODE)
            return
        kept = OneTimeCode(
            kind="reset",
            user_id=view.user.id,
            email_id=email.id,
            address=email.address,
            folded=folded,
            security_epoch=view.user.security_epoch,
        )
        letter = Letter(kind="reset", to=mailing.mailbox(email), project_name=project.display_name, link=link)
        await codes.mail(tx, how, code, kept, letter)

    await rt.db.write(work)


async def check(rt: Runtime, project: Project, code: Secret) -> None:
    """Whether a code could be used now; it stays. Raises as `reset` does about the code itself."""
    await codes.look(rt.db, project.id, "reset", code, rt.clock())


async def reset(rt: Runtime, project: Project, code: Secret, password_hash: str) -> None:
    """Spend a code and take another password: one commit. Every session ends, and every other code for it is outdated.

    Raises Fault(CODE_UNKNOWN), also where the user or the address is gone, Fault(CODE_USED), and Fault(CODE_EXPIRED)
    for a code that is too old or was outdated by another change of the user's ways in.
    """
    how = await post_of(rt, project)

    async def work(tx: Tx) -> None:
        spent = await codes.spend(tx, project.id, "reset", code)
        version = await users.lock(tx, project.id, spent.user_id)
        view = await views.read(tx, project.id, spent.user_id) if version is not None else None
        email = _open(view, spent.folded) if view is not None else None
        if version is None or view is None or email is None or email.id != spent.email_id:
            raise Fault(FaultCode.CODE_UNKNOWN, "the address opens nobody's password any more")
        if view.user.security_epoch != spent.security_epoch:
            raise Fault(FaultCode.CODE_EXPIRED, "the user's ways in have changed since")
        view = await _renewed(tx, rt, project, view, email, password_hash)
        reason = "address_proved" if email.verified_at else "address_first_proved"
        deed = Deed(action="password.reset", decision="changed", reason=reason, actor="self", dialect="stack")
        await record(tx, project.id, view.user.id, version, deed, rt.random)
        await mailing.tell(tx, how, view, "password_changed")

    await rt.db.write(work)


async def _renewed(
    tx: Tx, rt: Runtime, project: Project, view: UserView, email: EmailAddress, password_hash: str
) -> UserView:
    """The user with the new password and nobody inside; the mailbox is proved by the code that came out of it."""
    user = msgspec.structs.replace(
        view.user,
        password_hash=password_hash,
        password_id=new_uuid(rt.random),
        security_epoch=view.user.security_epoch + 1,
        status="active" if view.user.status == "pending" else view.user.status,
    )
    await users.update(tx, project.id, user)
    await sessions.delete_others(tx, project.id, user.id)
    emails = view.emails
    if not email.verified_at:
        proved = msgspec.structs.replace(email, verified_at=tx.now, verified_by="mail")
        await users.update_email(tx, project.id, proved)
        # Addresses that whoever was inside added could bring them back.
        for other in emails:
            if other.id != email.id:
                await users.delete_email(tx, project.id, other.id)
        emails = (proved,)
    return msgspec.structs.replace(view, user=user, emails=emails)


def _open(view: UserView, folded: str) -> EmailAddress | None:
    """The address of a user by which a mailed code may change the password; None where none may."""
    email = next((one for one in view.emails if one.folded == folded and one.claims_sign_in), None)
    if email is None or view.user.status == "disabled":
        return None
    return email if email.verified_at or reset_entry(view) == "reclaim" else None
