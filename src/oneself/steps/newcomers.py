"""People who come by themselves: a new user with one address, or an anonymous one that grows into it."""

from collections.abc import Callable

import msgspec

from oneself.model import Project, User, UserView
from oneself.steps.people import new_email, new_user
from oneself.store import users, views
from oneself.store.database import Tx

Random = Callable[[int], bytes]


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """Who comes: an address with its folded form and what proved it (nothing: nobody did), and a password's hash and
    id, if there is one. `extras` are added to what the dialects keep of the user.
    """

    address: str
    folded: str
    verified_by: str = ""
    password_hash: str = ""
    password_id: str = ""
    extras: dict[str, object] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Newcomer(folded={self.folded!r})"


async def anonymous(tx: Tx, project: Project, user_id: str) -> UserView | None:
    """The anonymous user to upgrade, locked; None where there is none, or it is not anonymous any more."""
    if not user_id:
        return None
    version = await users.lock(tx, project.id, user_id)
    view = await views.read(tx, project.id, user_id) if version is not None else None
    return view if view is not None and view.user.is_anonymous else None


async def settle_in(tx: Tx, project: Project, random: Random, base: UserView | None, who: Newcomer) -> UserView:
    """Make the user, or let the anonymous one `base` become it; its address is then the primary one and signs in."""
    user = await _written(tx, project, random, base, who)
    others = []
    for old in base.emails if base else ():
        if old.folded == who.folded:
            await users.delete_email(tx, project.id, old.id)
            continue
        kept = msgspec.structs.replace(old, is_primary=False)
        if old.is_primary:
            await users.update_email(tx, project.id, kept)
        others.append(kept)
    email = new_email(random, tx.now, user.id, who.address, who.folded, verified_by=who.verified_by)
    await users.insert_email(tx, project.id, email)
    return UserView(user=user, emails=(*others, email), accounts=base.accounts if base else ())


async def _written(tx: Tx, project: Project, random: Random, base: UserView | None, who: Newcomer) -> User:
    named = {"password_hash": who.password_hash, "password_id": who.password_id}
    if base is None:
        user = new_user(random, tx.now, extras=dict(who.extras), **named)
        await users.insert(tx, project.id, user)
        return user
    user = msgspec.structs.replace(
        base.user, is_anonymous=False, signed_up_at=tx.now, extras={**base.user.extras, **who.extras}, **named
    )
    await users.update(tx, project.id, user)
    return user
