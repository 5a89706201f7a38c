"""`/internal/projects`: projects as their owners make, change and delete them."""

from oneself.actions import projects as action
from oneself.model import ProjectConfig
from oneself.wire.http import Reply
from oneself.wire.stack import config_document, teams
from oneself.wire.stack.access import INTERNAL
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.claims import Bearer
from oneself.wire.stack.config_document import Document
from oneself.wire.stack.configuring import Change, check, configured, shown
from oneself.wire.stack.live import check_user
from oneself.wire.stack.operation import ADMIN, Call, Operation, done, items, operation
from oneself.wire.stack.project_bodies import ChangeBody, CreateBody, config_changes, described
from oneself.wire.stack.refusals import Refused, plain
from oneself.wire.stack.replies import AdminProject, AdminProjects, Success

NEW_PROJECT: Document = {"auth.password.allowSignIn": True, "domains.allowLocalhost": True}


async def create(call: Call, body: CreateBody) -> Reply:
    """Make a project that belongs to a team of the caller's."""
    bearer = _owner(call)
    try:
        await teams.require_membership(call, body.owner_team_id, bearer.user_id)
    except Refused:
        await check_user(call)
        raise
    none: Document = {"base": {}} | {level: {} for level in config_document.LEVELS}
    empty = ProjectConfig(first_party=call.project.config.first_party, extras={config_document.EXTRAS: none})
    changes = NEW_PROJECT | config_changes(body.config)
    check(empty, Change(sets=changes))
    made = await action.create(
        call.rt,
        action.Declaration(
            display_name=body.display_name, owner_team_id=body.owner_team_id, make_keys=False, config=empty
        ),
    )
    project = await configured(call, made.project, Change(sets=changes), described(body))
    return done(call, await shown(call, project))


async def owned(call: Call) -> Reply:
    """List the projects of the caller's teams."""
    bearer = _owner(call)
    rows = await action.owned_by(call.rt, call.project, bearer.user_id)
    if not rows:
        await check_user(call)
    return items(call, [await shown(call, row) for row in rows])


async def read_current(call: Call) -> Reply:
    """Read the project with everything that its administrators may see."""
    return done(call, await shown(call, call.project))


async def update_current(call: Call, body: ChangeBody) -> Reply:
    """Change the project; settings that are there replace what was."""
    project, changes = call.project, config_changes(body.config)
    check(project.config, Change(sets=changes))
    if body.display_name:
        project = await action.rename(call.rt, project, body.display_name)
    project = await configured(call, project, Change(sets=changes), described(body))
    return done(call, await shown(call, project))


async def delete_current(call: Call) -> Reply:
    """Delete the project with everything in it."""
    if call.project.stack_id == INTERNAL:
        raise plain(400, "The internal project cannot be deleted")
    await action.delete(call.rt, call.project)
    return done(call, {"success": True})


def _owner(call: Call) -> Bearer:
    bearer = call.require_user()
    if call.project.stack_id != INTERNAL:
        raise known("EXPECTED_INTERNAL_PROJECT")
    return bearer


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST", "/internal/projects", create, "Make a project", status=201, body=CreateBody, response=AdminProject
    ),
    operation("GET", "/internal/projects", owned, "List own projects", response=AdminProjects),
    operation(
        "GET", "/internal/projects/current", read_current, "Read the project", allowed=ADMIN, response=AdminProject
    ),
    operation(
        "PATCH",
        "/internal/projects/current",
        update_current,
        "Change the project",
        allowed=ADMIN,
        body=ChangeBody,
        response=AdminProject,
    ),
    operation(
        "DELETE",
        "/internal/projects/current",
        delete_current,
        "Delete the project",
        allowed=ADMIN,
        response=Success,
    ),
)
