"""Open a session, or add a factor to one that is open, over an open transaction."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import ExternalAccount, Factor, Noun, Secret, Session, SessionKind
from oneself.store import sessions
from oneself.store.database import Tx

# Each wire has its own form of session token; the kind also enters the hash, so that no wire takes another's.
_TOKENS: Mapping[str, Callable[[Callable[[int], bytes]], str]] = MappingProxyType(
    {"stytch": opaque.session_token, "stack": opaque.base32_secret, "console": opaque.session_token}
)

MAX_CLAIMS_BYTES = 4096
RESERVED_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})


class SessionWish(Noun, frozen=True, kw_only=True):
    """What a new session shall be: its dialect, how long it lives (microseconds), and where it was asked from."""

    kind: SessionKind
    lifetime: int
    custom_claims: dict[str, Any] = msgspec.field(default_factory=dict)
    ip_address: str = ""
    user_agent: str = ""
    is_impersonation: bool = False


def token_hash(kind: str, token: str) -> bytes:
    """What is stored of a session's token."""
    return opaque.secret_hash(f"session:{kind}", token)


def oauth_factor(account: ExternalAccount, now: int) -> Factor:
    """The factor that a proven external account is."""
    return Factor(
        kind="oauth",
        created_at=now,
        updated_at=now,
        last_authenticated_at=now,
        account_id=account.id,
        provider=account.provider,
        subject=account.subject,
        email_id=account.email_id,
    )


async def open_session(
    tx: Tx, project_id: str, user_id: str, wish: SessionWish, factor: Factor, random: Callable[[int], bytes]
) -> tuple[Session, Secret]:
    """Open a session resting on one factor; its token is given out once, here."""
    token = _TOKENS[wish.kind](random)
    session = Session(
        id=new_uuid(random),
        user_id=user_id,
        kind=wish.kind,
        started_at=tx.now,
        last_accessed_at=tx.now,
        expires_at=tx.now + wish.lifetime,
        factors=(factor,),
        custom_claims=merged_claims({}, wish.custom_claims),
        ip_address=wish.ip_address,
        user_agent=wish.user_agent,
        is_impersonation=wish.is_impersonation,
    )
    await sessions.insert(tx, project_id, session, token_hash(wish.kind, token))
    return session, Secret(token)


async def join_session(tx: Tx, project_id: str, session: Session, wish: SessionWish, factor: Factor) -> Session:
    """Add a factor to a live session, in place of an older proof by the same account, and move its end.

    Raises Fault(SESSION_NOT_FOUND) when it ended meanwhile.
    """
    old = next((f for f in session.factors if f.account_id and f.account_id == factor.account_id), None)
    if old:
        factor = msgspec.structs.replace(factor, created_at=old.created_at)
    joined = msgspec.structs.replace(
        session,
        factors=(*(f for f in session.factors if f is not old), factor),
        last_accessed_at=tx.now,
        expires_at=tx.now + wish.lifetime if wish.lifetime else session.expires_at,
        custom_claims=merged_claims(session.custom_claims, wish.custom_claims),
    )
    if not await sessions.update(tx, project_id, joined):
        raise Fault(FaultCode.SESSION_NOT_FOUND, "the session ended meanwhile")
    return joined


def merged_claims(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Custom claims after a change: a null deletes, reserved names are left out. Raises Fault(CLAIMS_TOO_LARGE)."""
    claims = {**old, **new}
    kept = {name: value for name, value in claims.items() if value is not None and name not in RESERVED_CLAIMS}
    if len(msgspec.json.encode(kept)) > MAX_CLAIMS_BYTES:
        raise Fault(FaultCode.CLAIMS_TOO_LARGE, "custom claims are limited to 4 KB")
    return kept
