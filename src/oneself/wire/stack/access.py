"""Who is calling: the access type, the project, the keys and the user of a request, in the wire's order of checks."""

from dataclasses import dataclass

from oneself.actions import projects, teams
from oneself.actions.runtime import Runtime
from oneself.model import KeyKind, Project, ProjectKey
from oneself.wire.http import Request
from oneself.wire.stack import claims
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.headers import sent
from oneself.wire.stack.refusals import Refused

TYPES = ("client", "server", "admin")
KEYLESS = "__stack_public_client__"
INTERNAL = "internal"

_KEYS: dict[str, tuple[str, KeyKind]] = {
    "client": ("publishable-client-key", "stack_client"),
    "server": ("secret-server-key", "stack_server"),
    "admin": ("super-secret-admin-key", "stack_admin"),
}
_MISSING = {
    "server": "SERVER_AUTHENTICATION_REQUIRED",
    "admin": "ADMIN_AUTHENTICATION_REQUIRED",
}
_WRONG = {
    "client": "INVALID_PUBLISHABLE_CLIENT_KEY",
    "server": "INVALID_SECRET_SERVER_KEY",
    "admin": "INVALID_SUPER_SECRET_ADMIN_KEY",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A request's proven standing: an access type in a project, and the user of its token, if any."""

    access: str
    project: Project
    bearer: claims.Bearer | None


async def identify(rt: Runtime, request: Request) -> Caller | None:
    """Find out who calls, or None for a request without an access type.

    The order of the checks is part of the contract: headers, the access token, the project, the
    key, the branch. Raises the known error of the first that fails.
    """
    access = sent(request, "access-type")
    if not access:
        if _any_credential(request):
            raise known("PROJECT_KEY_WITHOUT_ACCESS_TYPE")
        return None
    if access not in TYPES:
        raise known("INVALID_ACCESS_TYPE", access_type=access)
    stack_id = sent(request, "project-id")
    if not stack_id:
        raise known("ACCESS_TYPE_WITHOUT_PROJECT_ID", request_type=access)
    bearer = await _bearer(rt, request, stack_id)
    project = await projects.by_stack_id(rt, stack_id)
    if project is None:
        raise known("CURRENT_PROJECT_NOT_FOUND", project_id=stack_id)
    await _credentials(rt, request, project, access)
    branch = sent(request, "branch-id")
    if branch and branch != claims.BRANCH:
        raise known("BRANCH_DOES_NOT_EXIST", branch_id=branch)
    return Caller(access, project, bearer)


def require(caller: Caller | None, allowed: tuple[str, ...]) -> None:
    """Check that the access type is one of those that an operation takes; none is no restriction."""
    if not allowed:
        return
    if caller is None:
        raise known("ACCESS_TYPE_REQUIRED")
    if caller.access not in allowed:
        raise insufficient(caller.access, allowed)


def insufficient(actual: str, allowed: tuple[str, ...]) -> Refused:
    """INSUFFICIENT_ACCESS_TYPE, naming what would have done."""
    return known(
        "INSUFFICIENT_ACCESS_TYPE",
        actual_access_type=actual,
        allowed_access_types=list(allowed),
        allowed=" or ".join(f"'{name}'" for name in allowed),
    )


def check_publishable_key(rt: Runtime, project: Project, key: str) -> ProjectKey | None:
    """Check a publishable client key: which it is, or None where none was shown and the project does without."""
    if not key or key == KEYLESS:
        if project.config.require_publishable_client_key:
            raise known("PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT", project_id=project.stack_id)
        return None
    found = projects.matching_key(rt, project, "stack_client", key)
    if found is None:
        raise known("INVALID_PUBLISHABLE_CLIENT_KEY", project_id=project.stack_id)
    return found


async def _bearer(rt: Runtime, request: Request, stack_id: str) -> claims.Bearer | None:
    token = sent(request, "access-token")
    if not token:
        return None
    bearer = await claims.decode(rt, token)
    if bearer.project_id != stack_id:
        raise known(
            "INVALID_PROJECT_FOR_ACCESS_TOKEN",
            expected_project_id=stack_id,
            actual_project_id=bearer.project_id,
        )
    allow_anonymous = sent(request, "allow-anonymous-user") == "true"
    if bearer.is_anonymous and not allow_anonymous:
        raise known("ANONYMOUS_AUTHENTICATION_NOT_ALLOWED")
    allow_restricted = allow_anonymous or sent(request, "allow-restricted-user") == "true"
    if bearer.restricted_reason and not allow_restricted:
        raise known(
            "RESTRICTED_USER_NOT_ALLOWED",
            reason=bearer.restricted_reason,
            restricted_reason={"type": bearer.restricted_reason},
        )
    return bearer


async def _credentials(rt: Runtime, request: Request, project: Project, access: str) -> None:
    admin_token = sent(request, "admin-access-token")
    if admin_token:
        await _check_admin_token(rt, project, admin_token)
        return
    header, kind = _KEYS[access]
    key = sent(request, header)
    if access == "client":
        check_publishable_key(rt, project, key)
    elif not key:
        raise known(_MISSING[access])
    elif not projects.key_matches(rt, project, kind, key):
        raise known(_WRONG[access], project_id=project.stack_id)


async def _check_admin_token(rt: Runtime, project: Project, token: str) -> None:
    """A user of the project `internal` who belongs to the team that owns this project."""
    try:
        bearer = await claims.decode(rt, token)
    except Refused as refusal:
        if refusal.code != "ACCESS_TOKEN_EXPIRED" or not refusal.details:
            raise known("UNPARSABLE_ADMIN_ACCESS_TOKEN") from None
        raise claims.expired_admin(refusal.details) from None
    if bearer.project_id != INTERNAL:
        raise known("INVALID_PROJECT_FOR_ADMIN_ACCESS_TOKEN")
    owners = await projects.by_stack_id(rt, INTERNAL)
    owner = project.owner_team_id
    if owners is None or not owner or not await teams.is_member(rt, owners, owner, bearer.user_id):
        raise known("ADMIN_ACCESS_TOKEN_IS_NOT_ADMIN")


def _any_credential(request: Request) -> bool:
    names = [header for header, _ in _KEYS.values()]
    return any(sent(request, name) for name in (*names, "admin-access-token"))
