"""Passwords: hash one that a user gets, and check one that somebody brings."""

from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.model import Project, Secret, UserView
from oneself.rules.addresses import fold_email
from oneself.rules.limits import origin_of
from oneself.store import users, views


async def hashed(rt: Runtime, password: Secret) -> str:
    """What is stored of a password. Raises Fault(LIMIT_REACHED) while too many wait."""
    return await rt.hashing.hash(password.reveal(), rt.random)


async def check(rt: Runtime, project: Project, address: str, password: Secret, peer: str = "") -> UserView:
    """The user who signs in with this address and password: two statements at most, none inside a transaction.

    An address that nobody signs in with takes as long as a wrong password, and is limited alike. `peer` is where a
    person's own device calls from. Raises Fault(PASSWORD_WRONG), Fault(USER_UNAVAILABLE), Fault(LIMIT_REACHED) after
    too many wrong ones.
    """
    folded = fold_email(address)
    guesses = _guess(rt, f"{project.id} {folded}", peer)
    owner = await users.sign_in_owner(rt.db, project.id, folded) if folded else None
    view = await views.read(rt.db, project.id, owner[0]) if owner else None
    encoded = view.user.password_hash if view else ""
    matches = await rt.hashing.verify(encoded, password.reveal())
    if view is None or not matches:
        raise Fault(FaultCode.PASSWORD_WRONG, "no such address, or another password")
    _was_right(rt, guesses)
    if view.user.status == "disabled":
        raise Fault(FaultCode.USER_UNAVAILABLE, "the user is disabled")
    return view


async def matches(rt: Runtime, view: UserView, password: Secret) -> bool:
    """Whether a user's password is this one. Raises Fault(LIMIT_REACHED) while too many wait, or after too many wrong
    ones.
    """
    guesses = _guess(rt, view.user.id, "")
    right = await rt.hashing.verify(view.user.password_hash, password.reveal())
    if right:
        _was_right(rt, guesses)
    return right


def _guess(rt: Runtime, account: str, peer: str) -> tuple[str, ...]:
    """Count a try before it is looked at, so that many at once are no way around the limit; gives what was counted."""
    limits = [(f"account {account}", rt.settings.passwords_per_account)]
    if peer:
        limits.append((f"address {origin_of(peer)}", rt.settings.passwords_per_address))
    for key, most in limits:
        wait = rt.passwords.take(key, most, rt.clock())
        if wait:
            raise Fault(FaultCode.LIMIT_REACHED, "too many wrong passwords in this minute", retry_after=wait)
    return tuple(key for key, _ in limits)


def _was_right(rt: Runtime, guesses: tuple[str, ...]) -> None:
    for key in guesses:
        rt.passwords.give_back(key)
