"""Session JWTs: what they say, how one is made, reused for a minute, and read back."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from oneself.actions import signing
from oneself.actions.runtime import Runtime
from oneself.model import Project
from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import SessionBody
from oneself.wire.stytch.refusals import Refusal

SESSION_CLAIM = "https://stytch.com/session"
VENDOR_CLAIMS = "https://stytch.com/"
RESERVED_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
LIFETIME_SECONDS = 300
REUSE_SECONDS = 60
USE: Literal["stytch"] = "stytch"

_MICROS = 1_000_000


def issuer(project: Project) -> str:
    """Return the issuer that every vendor SDK accepts, whatever address it calls."""
    return f"stytch.com/{project.stytch_id}"


def session_claims(project: Project, session: SessionBody) -> dict[str, Any]:
    """Return the claims of a session's JWT but for its times: custom claims, overruled by ours."""
    return {
        **session.custom_claims,
        "aud": [project.stytch_id],
        "iss": issuer(project),
        "sub": session.user_id,
        SESSION_CLAIM: {
            "id": session.session_id,
            "started_at": session.started_at,
            "last_accessed_at": session.last_accessed_at,
            "expires_at": session.expires_at,
            "attributes": {
                "user_agent": session.attributes.user_agent,
                "ip_address": session.attributes.ip_address,
            },
            "authentication_factors": [_factor_claim(factor) for factor in session.authentication_factors],
            "roles": session.roles,
        },
    }


def _factor_claim(factor: Mapping[str, Any]) -> dict[str, Any]:
    """A factor without its history and without an empty `email_id`."""
    return {
        name: (
            {key: part for key, part in value.items() if key != "email_id" or part}
            if isinstance(value, dict)
            else value
        )
        for name, value in factor.items()
        if name not in ("created_at", "updated_at")
    }


class _Kept(NamedTuple):
    """A token, when it was signed (microseconds), by which key, and over what."""

    at: int
    kid: str
    token: str
    session: SessionBody


class SessionJwts:
    """Signs the JWTs of sessions and hands a fresh one out again while nothing in it has changed.

    An RSA signature is the dearest thing that a session check does. At most `bound` tokens are
    kept, in memory alone; the oldest used goes first. `reuse_seconds` 0 signs every time.
    """

    def __init__(self, bound: int = 4096, reuse_seconds: int = REUSE_SECONDS) -> None:
        self._bound = bound
        self._reuse = reuse_seconds * _MICROS
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    async def jwt(self, rt: Runtime, project: Project, session: SessionBody) -> str:
        """Return a JWT of this session that is younger than the time of reuse."""
        now = rt.clock()
        name = project.stytch_id, session.session_id
        kept = self._kept.get(name)
        kid = await signing.signing_kid(rt, project, USE)
        if kept is not None and 0 <= now - kept.at < self._reuse and kept.kid == kid and _same(kept.session, session):
            self._kept.move_to_end(name)
            return kept.token
        seconds = now // _MICROS
        times = {"iat": seconds, "nbf": seconds, "exp": seconds + LIFETIME_SECONDS}
        token = await signing.sign(rt, project, USE, session_claims(project, session) | times)
        self._kept[name] = _Kept(now, kid, token, session)
        self._kept.move_to_end(name)
        while len(self._kept) > self._bound:
            self._kept.popitem(last=False)
        return token


def _same(kept: SessionBody, session: SessionBody) -> bool:
    """Every check moves the last access, which a token of the last minute still tells well enough."""
    return kept == msgspec.structs.replace(session, last_accessed_at=kept.last_accessed_at)


async def session_of_jwt(rt: Runtime, project: Project, token: str) -> str:
    """Return the session's UUID that a JWT of this project names; an expired JWT names one too.

    Refusal(unable_to_parse_session_jwt | jwt_invalid_audience | jwt_invalid_issuer |
    jwt_invalid_claims). What the token says of its project is looked at first, so that a foreign
    token is called foreign and not broken.
    """
    unverified = signing.peek(rt, token)
    if unverified is None:
        raise Refusal("unable_to_parse_session_jwt")
    audience = unverified.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if project.stytch_id not in named:
        raise Refusal("jwt_invalid_audience")
    if unverified.get("iss") != issuer(project):
        raise Refusal("jwt_invalid_issuer")
    claims = await signing.verify(rt, project, USE, token)
    begins = claims.get("nbf")
    session = claims.get(SESSION_CLAIM)
    session_id = session.get("id") if isinstance(session, dict) else None
    if not isinstance(session_id, str) or not isinstance(begins, int):
        raise Refusal("jwt_invalid_claims")
    if begins * _MICROS > rt.clock() + 60 * _MICROS:
        raise Refusal("jwt_invalid_claims", "The session JWT is not valid yet.")
    return ids.read(ids.SESSION, project, session_id)


def clean_custom_claims(claims: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return custom claims without the reserved names, which are ignored.

    Refusal(stytch_claims_in_custom_claims) for a name of the vendor's own space.
    """
    if claims is None:
        return None
    if any(name.startswith(VENDOR_CLAIMS) for name in claims):
        raise Refusal("stytch_claims_in_custom_claims")
    return {name: value for name, value in claims.items() if name not in RESERVED_CLAIMS}
