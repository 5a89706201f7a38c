"""`/teams` and `/team-memberships`: groups of users, as far as accounts and projects need them."""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, UnsetType

from oneself.actions import teams as action
from oneself.model import UserView
from oneself.wire.http import Reply
from oneself.wire.stack import render
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import Form, ImageUrl, Json, UserId, Uuid
from oneself.wire.stack.operation import SERVER, Call, Operation, done, items, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import Success, Team, Teams


class ClientChange(Form):
    """What members may change of a team."""

    display_name: str | UnsetType = UNSET
    profile_image_url: ImageUrl | UnsetType | None = UNSET
    client_metadata: Json = UNSET


class ServerChange(ClientChange):
    """What a server may change of a team."""

    client_read_only_metadata: Json = UNSET
    server_metadata: Json = UNSET


class ClientCreate(Form, kw_only=True):
    """A new team of the caller's."""

    display_name: str
    profile_image_url: ImageUrl | UnsetType | None = UNSET
    client_metadata: Json = UNSET
    creator_user_id: UserId | UnsetType = UNSET


class ServerCreate(ClientCreate, kw_only=True):
    """A new team."""

    client_read_only_metadata: Json = UNSET
    server_metadata: Json = UNSET


class TeamPath(Form):
    """One team."""

    team_id: Uuid


class MemberPath(TeamPath):
    """One user in one team."""

    user_id: UserId


class ListQuery(Form):
    """Whose teams."""

    user_id: UserId | UnsetType = UNSET


async def create(call: Call, body: ClientCreate) -> Reply:
    """Make a team; a client becomes its first member."""
    creator = body.creator_user_id or ""
    if call.access == "client":
        bearer = call.require_user()
        if not call.project.config.client_team_creation:
            raise plain(403, "Client team creation is disabled for this project")
        if creator and creator != bearer.user_id:
            raise plain(
                403,
                "You cannot create a team as a user that is not yourself. Make sure you set the "
                "creator_user_id to 'me'.",
            )
        creator = bearer.user_id
    team = await action.create(call.rt, call.project, _fields(body), creator)
    return done(call, render.team(team, call.access))


async def listing(call: Call, query: ListQuery) -> Reply:
    """List teams, oldest first: a user's own, or with server access anybody's or all."""
    user_id = query.user_id or ""
    call.require_self(user_id, "You are only allowed to list your own teams")
    rows = await action.listing(call.rt, call.project, user_id or None)
    return items(call, [render.team(row, call.access) for row in rows])


async def read(call: Call) -> Reply:
    """Read a team; clients only one that they are in."""
    await _require_member(call)
    return done(call, render.team(await action.read(call.rt, call.project, call.params.team_id), call.access))


async def update(call: Call, body: ClientChange) -> Reply:
    """Change a team."""
    await _require_member(call)
    team = await action.change(call.rt, call.project, call.params.team_id, _fields(body))
    return done(call, render.team(team, call.access))


async def delete(call: Call) -> Reply:
    """Delete a team."""
    await _require_member(call)
    await action.delete(call.rt, call.project, call.params.team_id)
    return done(call, {"success": True})


async def join(call: Call) -> Reply:
    """Put a user into a team."""
    await action.add_member(call.rt, call.project, call.params.team_id, call.params.user_id)
    return done(call, {"team_id": call.params.team_id, "user_id": call.params.user_id})


async def leave(call: Call) -> Reply:
    """Take a user out of a team; clients only themselves."""
    call.require_self(call.params.user_id, "You can only leave a team yourself")
    await action.remove_member(call.rt, call.project, call.params.team_id, call.params.user_id)
    return done(call, {"success": True})


async def selected(call: Call, views: Iterable[UserView]) -> dict[str, Any]:
    """The JSON of the teams that users have selected, by id; a statement only for those not read with their users."""
    listed = list(views)
    wanted = {
        str(team_id)
        for view in listed
        if view.selected_team is UNSET and (team_id := view.user.extras.get("selected_team_id"))
    }
    found = await action.by_ids(call.rt, call.project, sorted(wanted))
    found |= {view.selected_team.id: view.selected_team for view in listed if view.selected_team}
    return {team_id: render.team(team, call.access) for team_id, team in found.items()}


async def require_membership(call: Call, team_id: str, user_id: str) -> None:
    """Check that a user is in a team. Raises TEAM_MEMBERSHIP_NOT_FOUND."""
    if not await action.is_member(call.rt, call.project, team_id, user_id):
        raise known("TEAM_MEMBERSHIP_NOT_FOUND", team_id=team_id, user_id=user_id)


async def _require_member(call: Call) -> None:
    if call.access != "client":
        return
    bearer = call.require_user()
    if not await action.is_member(call.rt, call.project, call.params.team_id, bearer.user_id):
        raise known("TEAM_NOT_FOUND", team_id=call.params.team_id)


def _fields(body: ClientChange | ClientCreate) -> action.TeamFields:
    image = body.profile_image_url
    return action.TeamFields(
        display_name=body.display_name,
        picture_url="" if image is None else image,
        client_metadata=body.client_metadata,
        client_read_only_metadata=getattr(body, "client_read_only_metadata", UNSET),
        server_metadata=getattr(body, "server_metadata", UNSET),
    )


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST", "/teams", create, "Make a team", status=201, body=ServerCreate, client_body=ClientCreate, response=Team
    ),
    operation("GET", "/teams", listing, "List teams", query=ListQuery, response=Teams),
    operation("GET", "/teams/{team_id}", read, "Read a team", params=TeamPath, response=Team),
    operation(
        "PATCH",
        "/teams/{team_id}",
        update,
        "Change a team",
        params=TeamPath,
        body=ServerChange,
        client_body=ClientChange,
        response=Team,
    ),
    operation("DELETE", "/teams/{team_id}", delete, "Delete a team", params=TeamPath, response=Success),
    operation(
        "POST",
        "/team-memberships/{team_id}/{user_id}",
        join,
        "Put a user into a team",
        allowed=SERVER,
        status=201,
        params=MemberPath,
    ),
    operation(
        "DELETE",
        "/team-memberships/{team_id}/{user_id}",
        leave,
        "Take a user out of a team",
        params=MemberPath,
        response=Success,
    ),
)
