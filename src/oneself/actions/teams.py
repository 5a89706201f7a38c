"""Teams: make, read, list, change and delete them; who is in them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from oneself.actions.runtime import Runtime
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Noun, Project, Team
from oneself.store import teams, users, views
from oneself.store.database import Tx


class TeamFields(Noun, frozen=True, kw_only=True):
    """What describes a team; what is unset stays, or is empty in a new one."""

    display_name: str | UnsetType = UNSET
    picture_url: str | UnsetType = UNSET
    client_metadata: Any = UNSET
    client_read_only_metadata: Any = UNSET
    server_metadata: Any = UNSET

    def given(self) -> dict[str, Any]:
        """The fields that are set."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not UNSET}


async def create(rt: Runtime, project: Project, wanted: TeamFields, creator_id: str = "") -> Team:
    """Make a team, with its creator in it where one is named. Raises Fault(USER_NOT_FOUND)."""

    async def work(tx: Tx) -> Team:
        team = Team(id=new_uuid(rt.random), created_at=tx.now, **({"display_name": ""} | wanted.given()))
        await teams.insert(tx, project.id, team)
        if creator_id:
            if await users.lock(tx, project.id, creator_id) is None:
                raise Fault(FaultCode.USER_NOT_FOUND, "the creator is not there")
            await teams.add_member(tx, project.id, team.id, creator_id)
        return team

    return await rt.db.write(work)


async def read(rt: Runtime, project: Project, team_id: str) -> Team:
    """One team; one statement. Raises Fault(TEAM_NOT_FOUND)."""
    team = await teams.find(rt.db, project.id, team_id)
    if team is None:
        raise Fault(FaultCode.TEAM_NOT_FOUND, "no such team", team_id=team_id)
    return team


async def by_ids(rt: Runtime, project: Project, team_ids: Sequence[str]) -> dict[str, Team]:
    """Several teams by their ids, as far as they are there; one statement, none for no ids."""
    return await teams.by_ids(rt.db, project.id, team_ids)


async def listing(rt: Runtime, project: Project, user_id: str | None) -> list[Team]:
    """The teams of a user, or with None all of the project's; one statement. Raises Fault(USER_NOT_FOUND)."""
    if user_id is None:
        return await teams.all_of_project(rt.db, project.id)
    found = await teams.of_user(rt.db, project.id, user_id)
    if found is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return found


async def change(rt: Runtime, project: Project, team_id: str, wanted: TeamFields) -> Team:
    """Change what describes a team. Raises Fault(TEAM_NOT_FOUND)."""

    async def work(tx: Tx) -> Team | None:
        old = await teams.find(tx, project.id, team_id)
        if old is None:
            return None
        new = msgspec.structs.replace(old, **wanted.given())
        return new if await teams.update(tx, project.id, new) else None

    team = await rt.db.write(work)
    if team is None:
        raise Fault(FaultCode.TEAM_NOT_FOUND, "no such team", team_id=team_id)
    return team


async def delete(rt: Runtime, project: Project, team_id: str) -> None:
    """Delete a team; users who had it selected have none selected then. Raises Fault(TEAM_NOT_FOUND)."""

    async def work(tx: Tx) -> bool:
        for user_id in sorted(await teams.members(tx, project.id, team_id)):
            await _deselect(tx, project.id, user_id, team_id)
        return await teams.delete(tx, project.id, team_id)

    if not await rt.db.write(work):
        raise Fault(FaultCode.TEAM_NOT_FOUND, "no such team", team_id=team_id)


async def is_member(rt: Runtime, project: Project, team_id: str, user_id: str) -> bool:
    """Whether a user is in a team; one statement."""
    return await teams.is_member(rt.db, project.id, team_id, user_id)


async def add_member(rt: Runtime, project: Project, team_id: str, user_id: str) -> None:
    """Put a user into a team. Raises Fault(TEAM_NOT_FOUND), Fault(USER_NOT_FOUND), Fault(TEAM_MEMBER_TWICE)."""

    async def work(tx: Tx) -> None:
        if await teams.find(tx, project.id, team_id) is None:
            raise Fault(FaultCode.TEAM_NOT_FOUND, "no such team", team_id=team_id)
        if await users.lock(tx, project.id, user_id) is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        if not await teams.add_member(tx, project.id, team_id, user_id):
            raise Fault(FaultCode.TEAM_MEMBER_TWICE, "the user is in the team already")

    await rt.db.write(work)


async def remove_member(rt: Runtime, project: Project, team_id: str, user_id: str) -> None:
    """Take a user out of a team. Raises Fault(TEAM_MEMBER_NOT_FOUND)."""

    async def work(tx: Tx) -> None:
        await _deselect(tx, project.id, user_id, team_id)
        if not await teams.remove_member(tx, project.id, team_id, user_id):
            raise Fault(FaultCode.TEAM_MEMBER_NOT_FOUND, "not in the team", team_id=team_id, user_id=user_id)

    await rt.db.write(work)


async def _deselect(tx: Tx, project_id: str, user_id: str, team_id: str) -> None:
    version = await users.lock(tx, project_id, user_id)
    view = await views.read(tx, project_id, user_id) if version is not None else None
    if view is None or view.user.extras.get("selected_team_id") != team_id:
        return
    extras = {**view.user.extras, "selected_team_id": None}
    await users.update(tx, project_id, msgspec.structs.replace(view.user, extras=extras))
