"""The access tokens of this wire: which claims they carry, for whom they are, and how they are read back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneself.actions import projects, signing
from oneself.actions.runtime import Runtime
from oneself.actions.signing import Use
from oneself.faults import Fault
from oneself.model import Project, Session, UserView
from oneself.wire.stack import restriction, times
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.refusals import Refused

BRANCH = "main"

# What a token is for: the suffix of its audience, the path of its issuer, the keys that sign it.
AUDIENCES: dict[str, tuple[str, Use]] = {
    "": ("projects", "stack"),
    ":restricted": ("projects-restricted-users", "stack_restricted"),
    ":anon": ("projects-anonymous-users", "stack_anonymous"),
}


class Bearer(msgspec.Struct, frozen=True):
    """The user of a valid access token, as far as the token itself says."""

    user_id: str
    session_id: str
    project_id: str
    is_anonymous: bool
    restricted_reason: str


async def access_token(rt: Runtime, project: Project, view: UserView, session: Session) -> str:
    """Sign an access token for a user's session: exactly the claims that the SDK demands."""
    use, claims = access_claims(rt, project, view, session.id)
    return await signing.sign(rt, project, use, claims)


def access_claims(rt: Runtime, project: Project, view: UserView, session_id: str) -> tuple[Use, dict[str, Any]]:
    """The signing keys' name and the claims of a user's access token."""
    user = view.user
    why = restriction.reason(project, view)
    suffix = ":anon" if user.is_anonymous else ":restricted" if why else ""
    path, use = AUDIENCES[suffix]
    now = times.seconds(rt.clock())
    primary = view.primary_email
    claims = {
        "iss": issuer(rt, path, project.stack_id),
        "aud": project.stack_id + suffix,
        "sub": user.id,
        "iat": now,
        "exp": now + rt.settings.access_token_seconds,
        "project_id": project.stack_id,
        "branch_id": BRANCH,
        "refresh_token_id": session_id,
        "role": "authenticated",
        "name": user.display_name or None,
        "email": primary.address if primary else None,
        "email_verified": bool(primary and primary.verified_at),
        "selected_team_id": user.extras.get("selected_team_id"),
        "signed_up_at": times.seconds(user.signed_up_at),
        "is_anonymous": user.is_anonymous,
        "is_restricted": bool(why),
        "restricted_reason": {"type": why} if why else None,
        "requires_totp_mfa": bool(user.extras.get("totp")),
    }
    return use, claims


def issuer(rt: Runtime, path: str, stack_id: str) -> str:
    """The `iss` of one audience's tokens, which is also the place of their JWKS."""
    return f"{rt.settings.base_url}/api/v1/{path}/{stack_id}"


async def decode(rt: Runtime, token: str) -> Bearer:
    """Read an access token: signature, issuer, audience, flags and time.

    Raises UNPARSABLE_ACCESS_TOKEN or ACCESS_TOKEN_EXPIRED. That the session still lives is not
    asked here (rulings: tokens outlive sign-out, except where something is linked or handed out).
    """
    peeked = signing.peek(rt, token) or {}
    audience = peeked.get("aud")
    if not isinstance(audience, str):
        raise known("UNPARSABLE_ACCESS_TOKEN")
    stack_id, colon, kind = audience.partition(":")
    project = await projects.by_stack_id(rt, stack_id)
    if project is None or colon + kind not in AUDIENCES:
        raise known("UNPARSABLE_ACCESS_TOKEN")
    path, use = AUDIENCES[colon + kind]
    try:
        claims = await signing.verify(rt, project, use, token)
    except Fault:
        raise known("UNPARSABLE_ACCESS_TOKEN") from None
    if not _consistent(claims, issuer(rt, path, stack_id), stack_id, colon + kind):
        raise known("UNPARSABLE_ACCESS_TOKEN")
    if claims["exp"] * times.MICROS_PER_SECOND <= rt.clock():
        raise expired(claims)
    why = claims.get("restricted_reason") or {}
    return Bearer(
        user_id=claims["sub"],
        session_id=claims["refresh_token_id"],
        project_id=stack_id,
        is_anonymous=claims["is_anonymous"],
        restricted_reason=why.get("type", "") if isinstance(why, dict) else "",
    )


def expired(claims: dict[str, Any] | None = None) -> Refused:
    """ACCESS_TOKEN_EXPIRED, as much of it as the claims can tell."""
    claims = claims or {}
    facts: dict[str, Any] = {
        "project_id": claims.get("project_id"),
        "user_id": claims.get("sub"),
        "refresh_token_id": claims.get("refresh_token_id"),
    }
    about = ""
    if "exp" in claims:
        facts["expired_at_millis"] = claims["exp"] * 1000
        about += f" (The access token expired at {times.iso(facts['expired_at_millis'])}.)"
    for label, name in _ABOUT:
        if facts[name]:
            about += f" {label}: {facts[name]}."
    return known("ACCESS_TOKEN_EXPIRED", about=about, **facts)


def expired_admin(details: Mapping[str, Any]) -> Refused:
    """ADMIN_ACCESS_TOKEN_EXPIRED, from the details of the plain refusal."""
    at = details["expired_at_millis"]
    return known("ADMIN_ACCESS_TOKEN_EXPIRED", expired_at=times.iso(at), expired_at_millis=at)


_ABOUT = (
    ("Project ID", "project_id"),
    ("User ID", "user_id"),
    ("Refresh token ID", "refresh_token_id"),
)
_TYPES: dict[str, type] = {
    "sub": str,
    "refresh_token_id": str,
    "exp": int,
    "is_anonymous": bool,
    "is_restricted": bool,
}


def _consistent(claims: dict[str, Any], iss: str, stack_id: str, suffix: str) -> bool:
    if not all(isinstance(claims.get(name), kind) for name, kind in _TYPES.items()):
        return False
    flags = (claims["is_anonymous"], claims["is_restricted"])
    expected = {"": (False, False), ":restricted": (False, True), ":anon": (True, True)}[suffix]
    return (
        claims.get("iss") == iss
        and claims.get("aud") == stack_id + suffix
        and claims.get("project_id") == stack_id
        and claims.get("branch_id") == BRANCH
        and flags == expected
    )
