"""Who is calling: the backend with its secret, the browser with its public token, or anybody."""

import re

from oneself.actions import projects
from oneself.actions.runtime import Runtime
from oneself.model import Project, Secret
from oneself.wire.http import Request, basic_credentials
from oneself.wire.stytch import ids
from oneself.wire.stytch.refusals import Refusal

BACKEND = "backend"
BROWSER = "browser"
SIGNED_IN = "signed_in"
ANYBODY = "anybody"

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s\\]+\Z")


async def backend_project(rt: Runtime, request: Request) -> Project:
    """Return the project whose id and secret the Basic header carries; no statement when warm.

    Refusal(invalid_authorization_header | invalid_project_id_authentication |
    invalid_secret_authentication | unauthorized_credentials).
    """
    credentials = basic_credentials(request)
    if credentials is None:
        raise Refusal("invalid_authorization_header")
    project_id, secret = credentials
    project = await projects.by_stytch_id(rt, project_id)
    if project is None:
        if not ids.is_project(project_id):
            raise Refusal("invalid_project_id_authentication")
        raise Refusal("unauthorized_credentials")
    if not projects.key_matches(rt, project, "stytch_secret", secret):
        if not secret.startswith("secret-"):
            raise Refusal("invalid_secret_authentication")
        raise Refusal("unauthorized_credentials")
    return project


async def browser_project(rt: Runtime, request: Request) -> Project:
    """Return the project of the public token in the Basic header.

    Refusal(invalid_authorization_header | unauthorized_credentials).
    """
    credentials = basic_credentials(request)
    if credentials is None:
        raise Refusal("invalid_authorization_header")
    project = await projects.by_public_token(rt, credentials[0])
    if project is None:
        raise Refusal("unauthorized_credentials")
    return project


def browser_session(request: Request) -> Secret | None:
    """Return the session token that stands as the password when the person is signed in; else the
    SDK repeats the public token there.
    """
    credentials = basic_credentials(request)
    if credentials is None or credentials[1] in ("", credentials[0]):
        return None
    return Secret(credentials[1])


def require_origin(project: Project, request: Request) -> None:
    """Refusal(bad_domain_for_stytch_sdk) unless the page that calls may: its `Origin`, which a
    browser always sends across origins, or the page that the SDK says it runs in, is one of the
    project's.

    A call with neither comes from no page, so no page's rights are borrowed.
    """
    origin = request.header("origin") or request.header("x-sdk-parent-host")
    if origin and folded_origin(origin) not in allowed_origins(project):
        raise Refusal("bad_domain_for_stytch_sdk")


def allowed_origins(project: Project) -> frozenset[str]:
    """Return the project's authorised origins, folded for comparing."""
    return frozenset(map(folded_origin, project.config.authorized_origins)) - {""}


def folded_origin(text: str) -> str:
    """Return an origin as browsers write it (RFC 6454 section 6.2): lower case, without the
    scheme's own port and without a path; an empty text for anything else, `null` included.
    """
    origin = text.strip().lower().removesuffix("/")
    if _ORIGIN.match(origin) is None:
        return ""
    for scheme, port in (("http://", ":80"), ("https://", ":443")):
        if origin.startswith(scheme):
            return origin.removesuffix(port)
    return origin
