"""Passwords: hash one that a user gets, check one that somebody brings, and hash that one anew where it is time."""

import logging

from oneself.actions.runtime import Runtime
from oneself.crypto.passwords import kind_of, needs_rehash
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, Project, Secret, UserView
from oneself.rules.addresses import fold_email
from oneself.rules.limits import origin_of
from oneself.steps.recording import Deed, record
from oneself.store import users, views
from oneself.store.database import Tx

_LOG = logging.getLogger("oneself.passwords")


async def hashed(rt: Runtime, password: Secret) -> str:
    """What is stored of a password. Raises Fault(LIMIT_REACHED) while too many wait."""
    return await rt.hashing.hash(password.reveal(), rt.random)


async def check(
    rt: Runtime, project: Project, address: str, password: Secret, dialect: Dialect, peer: str = ""
) -> UserView:
    """The user who signs in with this address and password: two statements at most, none inside a transaction.

    The first right password for an imported or outdated hash is hashed anew: two statements more, and a commit.

    An address that nobody signs in with takes as long as a wrong password for a hash of ours, and is limited alike; an
    imported hash takes as long as its own parameters say. `peer` is where a person's own device calls from. Raises
    Fault(PASSWORD_WRONG), Fault(USER_UNAVAILABLE), Fault(LIMIT_REACHED) after too many wrong ones.
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
    if needs_rehash(encoded):
        await _rehash(rt, project, view, password, dialect)
    return view


async def _rehash(rt: Runtime, project: Project, view: UserView, password: Secret, dialect: Dialect) -> None:
    """Keep a hash of today's parameters in place of the one that was just verified.

    It is no change of the password: its id and the user's epoch stay, no session ends, nobody is written to. Whatever
    goes wrong, the person is in; the next sign-in tries again.
    """
    user, before = view.user, view.user.password_hash

    async def work(tx: Tx) -> None:
        version = await users.rehash(tx, project.id, user.id, before, encoded)
        if version is not None:
            reason = f"was_{kind_of(before)}"
            deed = Deed(action="password.rehash", decision="rehashed", reason=reason, actor="self", dialect=dialect)
            await record(tx, project.id, user.id, version, deed, rt.random)

    try:
        encoded = await hashed(rt, password)
        await rt.db.write(work)
    except Fault as fault:
        _LOG.info("a password is not hashed anew this time: %s", fault)
    except Exception:
        # a bug here must not keep people out who were told that their password is right
        _LOG.exception("a password cannot be hashed anew")


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
