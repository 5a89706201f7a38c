"""Exchange a user's one address or number for another one, on the backend's word."""

import msgspec

from oneself.actions.runtime import Runtime, post_of
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, PhoneNumber, Project, UserView
from oneself.rules.addresses import fold_email, is_phone_number
from oneself.steps.mailing import tell_of_addresses
from oneself.steps.people import new_email
from oneself.steps.recording import Deed, record
from oneself.store import users, views
from oneself.store.database import Tx


async def exchange(
    rt: Runtime, project: Project, user_id: str, email: str, phone: str, dialect: Dialect = "stytch"
) -> UserView:
    """Give a user this address, or this number, in place of the only factor that they have.

    Exactly one of `email` and `phone` is not empty. The new one is unproved; another
    address is told of by mail at the one before, where that was proved. Raises Fault(USER_NOT_FOUND),
    Fault(FACTORS_MANY) for a user with more or fewer factors than one address or number, Fault(EMAIL_INVALID),
    Fault(EMAIL_IN_USE), Fault(PHONE_INVALID), Fault(PHONE_IN_USE).
    """
    folded = (fold_email(email) or "") if email else ""
    if email and not folded:
        raise Fault(FaultCode.EMAIL_INVALID, "not an address")
    if phone and not is_phone_number(phone):
        raise Fault(FaultCode.PHONE_INVALID, "not in E.164")
    how = await post_of(rt, project)

    async def work(tx: Tx) -> UserView:
        version = await users.lock(tx, project.id, user_id)
        view = await views.read(tx, project.id, user_id)
        if version is None or view is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        if len(view.emails) + len(view.phones) != 1 or view.accounts or view.user.password_hash:
            raise Fault(FaultCode.FACTORS_MANY, "not exactly one address or number")
        for old in view.emails:
            await users.delete_email(tx, project.id, old.id)
        for number in view.phones:
            await users.delete_phone(tx, project.id, number.id)
        bare = msgspec.structs.replace(view, emails=(), phones=())
        changed = (
            await _with_email(tx, rt, project.id, bare, email.strip(), folded)
            if folded
            else await _with_phone(tx, rt, project.id, bare, phone)
        )
        await tell_of_addresses(tx, how, view, changed.emails)
        deed = Deed(action="user.exchange", decision="changed", reason="asked_for", actor="backend", dialect=dialect)
        await record(tx, project.id, user_id, version, deed, rt.random)
        return changed

    return await rt.db.write(work)


async def _with_email(tx: Tx, rt: Runtime, project_id: str, view: UserView, address: str, folded: str) -> UserView:
    if await users.sign_in_owner(tx, project_id, folded):
        raise Fault(FaultCode.EMAIL_IN_USE, "somebody signs in with it", email=address)
    email = new_email(rt.random, tx.now, view.user.id, address, folded)
    await users.insert_email(tx, project_id, email)
    return msgspec.structs.replace(view, emails=(email,))


async def _with_phone(tx: Tx, rt: Runtime, project_id: str, view: UserView, number: str) -> UserView:
    if await users.phone_by_number(tx, project_id, number):
        raise Fault(FaultCode.PHONE_IN_USE, "somebody has it")
    phone = PhoneNumber(id=new_uuid(rt.random), user_id=view.user.id, number=number, verified_at=0)
    await users.insert_phone(tx, project_id, phone)
    return msgspec.structs.replace(view, phones=(phone,))
