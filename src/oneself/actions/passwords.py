"""Passwords: hash one that a user gets, and check one that somebody brings."""

from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.model import Project, Secret, UserView
from oneself.rules.addresses import fold_email
from oneself.store import users, views


async def hashed(rt: Runtime, password: Secret) -> str:
    """What is stored of a password. Raises Fault(LIMIT_REACHED) while too many wait."""
    return await rt.hashing.hash(password.reveal(), rt.random)


async def check(rt: Runtime, project: Project, address: str, password: Secret) -> UserView:
    """The user who signs in with this address and password: two statements at most, none inside a transaction.

    An address that nobody signs in with takes as long as a wrong password. Raises Fault(PASSWORD_WRONG),
    Fault(USER_UNAVAILABLE), Fault(LIMIT_REACHED).
    """
    folded = fold_email(address)
    owner = await users.sign_in_owner(rt.db, project.id, folded) if folded else None
    view = await views.read(rt.db, project.id, owner[0]) if owner else None
    encoded = view.user.password_hash if view else ""
    matches = await rt.hashing.verify(encoded, password.reveal())
    if view is None or not matches:
        raise Fault(FaultCode.PASSWORD_WRONG, "no such address, or another password")
    if view.user.status == "disabled":
        raise Fault(FaultCode.USER_UNAVAILABLE, "the user is disabled")
    return view


async def matches(rt: Runtime, view: UserView, password: Secret) -> bool:
    """Whether a user's password is this one. Raises Fault(LIMIT_REACHED) while too many wait."""
    return await rt.hashing.verify(view.user.password_hash, password.reveal())
