"""Proof of an address: mail a code to it, and note that whoever owns the mailbox brought it back."""

import msgspec

from oneself.actions.runtime import Runtime, require_post
from oneself.faults import Fault, FaultCode
from oneself.model import EmailAddress, Project, Secret, UserView
from oneself.rules.return_urls import code_link
from oneself.steps import codes
from oneself.steps.recording import Deed, record
from oneself.steps.verifying import mail_code
from oneself.store import users, views
from oneself.store.database import Tx


async def send(rt: Runtime, project: Project, user_id: str, email_id: str, callback_url: str) -> None:
    """Mail a code to one of a user's addresses: four statements, one commit.

    Raises Fault(REDIRECT_NOT_ALLOWED), Fault(MAIL_OFF), Fault(USER_NOT_FOUND), Fault(EMAIL_NOT_FOUND),
    Fault(EMAIL_VERIFIED), Fault(LIMIT_REACHED).
    """
    code_link(project, callback_url, "")
    how = await require_post(rt, project)

    async def work(tx: Tx) -> None:
        view = await views.read(tx, project.id, user_id)
        if view is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        email = _own(view, email_id)
        if email is None:
            raise Fault(FaultCode.EMAIL_NOT_FOUND, "this user has no such address")
        if email.verified_at:
            raise Fault(FaultCode.EMAIL_VERIFIED, "it is proved already")
        await codes.check_rate(tx, project.id, "verify", email.folded, rt.settings.mails_per_address)
        await mail_code(tx, how, email, callback_url)

    await rt.db.write(work)


async def check(rt: Runtime, project: Project, code: Secret) -> None:
    """Whether a code could be used now; it stays. Raises as `prove` does about the code itself."""
    await codes.look(rt.db, project.id, "verify", code, rt.clock())


async def prove(rt: Runtime, project: Project, code: Secret) -> None:
    """Spend a code, and note that its address is its user's: one commit.

    Raises Fault(CODE_UNKNOWN), also where the user has that address no more, Fault(CODE_EXPIRED), Fault(CODE_USED).
    """

    async def work(tx: Tx) -> None:
        spent = await codes.spend(tx, project.id, "verify", code)
        version = await users.lock(tx, project.id, spent.user_id)
        view = await views.read(tx, project.id, spent.user_id) if version is not None else None
        email = _own(view, spent.email_id) if view is not None else None
        if version is None or email is None or email.folded != spent.folded:
            raise Fault(FaultCode.CODE_UNKNOWN, "the address is not this user's any more")
        if email.verified_at:
            return
        proved = msgspec.structs.replace(email, verified_at=tx.now, verified_by="mail")
        await users.update_email(tx, project.id, proved)
        deed = Deed(action="email.verify", decision="verified", reason="address_proved", actor="self", dialect="stack")
        await record(tx, project.id, spent.user_id, version, deed, rt.random)

    await rt.db.write(work)


def _own(view: UserView, email_id: str) -> EmailAddress | None:
    return next((email for email in view.emails if email.id == email_id), None)
