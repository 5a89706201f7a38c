"""A user's own team: made when the user signs up, where the project wants that."""

from collections.abc import Callable

import msgspec

from oneself.crypto.ids import new_uuid
from oneself.model import Project, Team, User, UserView
from oneself.store import teams, users
from oneself.store.database import Tx

NAMELESS = "Personal Team"


def personal_name(view: UserView) -> str:
    """What the own team of a user is called."""
    primary = view.primary_email
    name = view.user.display_name or (primary.address if primary else "")
    return f"{name}'s Team" if name else NAMELESS


def own_team(view: UserView, random: Callable[[int], bytes], now: int) -> tuple[User, Team]:
    """A user who has selected a team of its own, and that team, made now (microseconds)."""
    team = Team(id=new_uuid(random), display_name=personal_name(view), created_at=now)
    return msgspec.structs.replace(view.user, extras={**view.user.extras, "selected_team_id": team.id}), team


async def with_personal_team(tx: Tx, project: Project, view: UserView, random: Callable[[int], bytes]) -> UserView:
    """Give a new user a team of its own, and select it; the user as it then is.

    A user who was anonymous has one already: it only gets its name. Nothing happens where the project wants none.
    Two to four statements.
    """
    if not project.config.personal_team_on_sign_up:
        return view
    selected = str(view.user.extras.get("selected_team_id") or "")
    known = await teams.find(tx, project.id, selected) if selected else None
    if known is not None:
        if known.display_name == NAMELESS:
            await teams.update(tx, project.id, msgspec.structs.replace(known, display_name=personal_name(view)))
        return view
    user, team = own_team(view, random, tx.now)
    await teams.insert(tx, project.id, team)
    await teams.add_member(tx, project.id, team.id, user.id)
    await users.update(tx, project.id, user)
    return msgspec.structs.replace(view, user=user)
