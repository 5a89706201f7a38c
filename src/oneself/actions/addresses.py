"""A user's e-mail addresses one by one: list, add, read, change and remove them."""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from oneself.actions.runtime import Runtime, post_of
from oneself.faults import Fault, FaultCode
from oneself.model import EmailAddress, Noun, Project, UserView
from oneself.rules.addresses import fold_email
from oneself.steps.mailing import tell_of_addresses
from oneself.steps.people import new_email
from oneself.steps.recording import Deed, record
from oneself.store import users, views
from oneself.store.database import Tx


class AddressFields(Noun, frozen=True, kw_only=True):
    """What an address is to its user; what is unset stays, or is off in a new one.

    `verified` is somebody's word: only those who may give it should be let say it.
    """

    address: str | UnsetType = UNSET
    claims_sign_in: bool | UnsetType = UNSET
    is_primary: bool | UnsetType = UNSET
    verified: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class _Change:
    tx: Tx
    project: Project
    view: UserView


async def listing(rt: Runtime, project: Project, user_id: str) -> tuple[EmailAddress, ...]:
    """A user's addresses, oldest first; one statement. Raises Fault(USER_NOT_FOUND)."""
    view = await views.read(rt.db, project.id, user_id)
    if view is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return view.emails


async def read(rt: Runtime, project: Project, user_id: str, email_id: str) -> EmailAddress:
    """One address of one user; one statement. Raises Fault(USER_NOT_FOUND), Fault(EMAIL_NOT_FOUND)."""
    return _own(await listing(rt, project, user_id), email_id)


async def add(rt: Runtime, project: Project, user_id: str, wanted: AddressFields, actor: str) -> EmailAddress:
    """Give a user another address. One that may sign in is told of by mail at those that were proved before.

    Raises Fault(USER_NOT_FOUND), Fault(EMAIL_INVALID), Fault(EMAIL_OWN_TWICE), Fault(EMAIL_IN_USE).
    """
    address = wanted.address or ""
    folded = _folded(address)
    how = await post_of(rt, project)

    async def work(tx: Tx) -> EmailAddress:
        version, view = await _locked(tx, project, user_id)
        change = _Change(tx, project, view)
        await _check(change, folded, "", bool(wanted.claims_sign_in), address)
        if wanted.is_primary:
            await _demote(change, "")
        email = new_email(
            rt.random,
            tx.now,
            user_id,
            address,
            folded,
            verified_by="backend" if wanted.verified else "",
            is_primary=wanted.is_primary or False,
            claims_sign_in=wanted.claims_sign_in or False,
        )
        await users.insert_email(tx, project.id, email)
        await tell_of_addresses(tx, how, view, (*view.emails, email))
        deed = Deed(action="email.add", decision="added", reason="asked_for", actor=actor, dialect="stack")
        await record(tx, project.id, user_id, version, deed, rt.random)
        return email

    return await rt.db.write(work)


async def change(
    rt: Runtime, project: Project, user_id: str, email_id: str, wanted: AddressFields, actor: str
) -> EmailAddress:
    """Change an address; another text is another mailbox, which nobody has proved yet. It is told of as by `add`.

    Raises as `add`, and Fault(EMAIL_NOT_FOUND).
    """
    how = await post_of(rt, project)

    async def work(tx: Tx) -> EmailAddress:
        version, view = await _locked(tx, project, user_id)
        change = _Change(tx, project, view)
        old = _own(view.emails, email_id)
        new = _changed(old, wanted, tx.now)
        if new == old:
            return old
        if new.folded != old.folded or (new.claims_sign_in and not old.claims_sign_in):
            await _check(change, new.folded, old.id, new.claims_sign_in, new.address)
        if new.is_primary and not old.is_primary:
            await _demote(change, old.id)
        if new.address == old.address:
            await users.update_email(tx, project.id, new)
        else:
            await users.delete_email(tx, project.id, old.id)
            await users.insert_email(tx, project.id, new)
        await tell_of_addresses(tx, how, view, [new if email is old else email for email in view.emails])
        deed = Deed(action="email.change", decision="changed", reason="asked_for", actor=actor, dialect="stack")
        await record(tx, project.id, user_id, version, deed, rt.random)
        return new

    return await rt.db.write(work)


async def remove(rt: Runtime, project: Project, user_id: str, email_id: str, actor: str) -> None:
    """Take an address away. One that was proved is told of by mail, at all that were.

    Raises Fault(USER_NOT_FOUND), Fault(EMAIL_NOT_FOUND).
    """
    how = await post_of(rt, project)

    async def work(tx: Tx) -> None:
        version, view = await _locked(tx, project, user_id)
        gone = _own(view.emails, email_id)
        await users.delete_email(tx, project.id, gone.id)
        await tell_of_addresses(tx, how, view, [email for email in view.emails if email is not gone])
        deed = Deed(action="email.remove", decision="removed", reason="asked_for", actor=actor, dialect="stack")
        await record(tx, project.id, user_id, version, deed, rt.random)

    await rt.db.write(work)


def _changed(old: EmailAddress, wanted: AddressFields, now: int) -> EmailAddress:
    new = old
    if wanted.address is not UNSET and wanted.address != old.address:
        folded = _folded(wanted.address)
        new = msgspec.structs.replace(new, address=wanted.address, folded=folded)
        if folded != old.folded:
            new = msgspec.structs.replace(new, verified_at=0, verified_by="")
    if wanted.claims_sign_in is not UNSET:
        new = msgspec.structs.replace(new, claims_sign_in=wanted.claims_sign_in)
    if wanted.is_primary is not UNSET:
        new = msgspec.structs.replace(new, is_primary=wanted.is_primary)
    if wanted.verified is not UNSET and wanted.verified != bool(new.verified_at):
        proof = "backend" if wanted.verified else ""
        new = msgspec.structs.replace(new, verified_at=now if wanted.verified else 0, verified_by=proof)
    return new


def _folded(address: str) -> str:
    folded = fold_email(address)
    if folded is None:
        raise Fault(FaultCode.EMAIL_INVALID, "not an address")
    return folded


def _own(emails: tuple[EmailAddress, ...], email_id: str) -> EmailAddress:
    for email in emails:
        if email.id == email_id:
            return email
    raise Fault(FaultCode.EMAIL_NOT_FOUND, "this user has no such address")


async def _locked(tx: Tx, project: Project, user_id: str) -> tuple[int, UserView]:
    version = await users.lock(tx, project.id, user_id)
    view = await views.read(tx, project.id, user_id)
    if version is None or view is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return version, view


async def _check(change: _Change, folded: str, own_id: str, claims: bool, address: str) -> None:
    if any(email.folded == folded and email.id != own_id for email in change.view.emails):
        raise Fault(FaultCode.EMAIL_OWN_TWICE, "the user has it already")
    owner = await users.sign_in_owner(change.tx, change.project.id, folded) if claims else None
    if owner and owner[0] != change.view.user.id:
        raise Fault(FaultCode.EMAIL_IN_USE, "somebody signs in with it", email=address)


async def _demote(change: _Change, but_id: str) -> None:
    for email in change.view.emails:
        if email.is_primary and email.id != but_id:
            await users.update_email(change.tx, change.project.id, msgspec.structs.replace(email, is_primary=False))
