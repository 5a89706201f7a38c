"""`/projects`: what a project tells its clients, and the public keys of its access tokens."""

from oneself.actions import projects as action
from oneself.actions import signing
from oneself.actions.signing import Use
from oneself.wire.http import Reply
from oneself.wire.stack import render_project
from oneself.wire.stack.fields import Form
from oneself.wire.stack.operation import ANYBODY, Call, Operation, done, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import ClientProject, KeySet


class ProjectPath(Form):
    """A project by its id."""

    project_id: str


class JwksQuery(Form):
    """Whose tokens, beside those of ordinary users, are to be verified."""

    include_restricted: bool = False
    include_anonymous: bool = False


async def current(call: Call) -> Reply:
    """Read the caller's project."""
    return done(call, render_project.client_project(call.project))


async def jwks(call: Call, query: JwksQuery) -> Reply:
    """List the public keys that access tokens are signed with, per audience (RFC 7517)."""
    project = await action.by_stack_id(call.rt, call.params.project_id)
    if project is None:
        raise plain(404, "Project not found")
    uses: list[Use] = ["stack"]
    if query.include_restricted:
        uses.append("stack_restricted")
    if query.include_anonymous:
        uses.append("stack_anonymous")
    keys = [key for use in uses for key in await signing.public_keys(call.rt, project, use)]
    kept = ("cache-control", f"public, max-age={call.rt.settings.jwks_seconds}")
    return done(call, {"keys": keys}, (kept,))


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "GET",
        "/projects/current",
        current,
        "Read the project",
        response=ClientProject,
    ),
    operation(
        "GET",
        "/projects/{project_id}/.well-known/jwks.json",
        jwks,
        "List the public keys of access tokens",
        allowed=ANYBODY,
        params=ProjectPath,
        query=JwksQuery,
        response=KeySet,
    ),
)
