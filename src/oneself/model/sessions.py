"""Sessions, and the factors that they rest on."""

from typing import Any, Literal

import msgspec

from oneself.model.shape import Noun, Secret, SessionKind


class Factor(Noun, frozen=True, kw_only=True):
    """One proof that a session rests on; an OAuth factor names the account that proved it."""

    kind: Literal["oauth", "password", "email_otp", "anonymous", "impersonation", "issued"]
    created_at: int
    updated_at: int
    last_authenticated_at: int
    account_id: str = ""
    provider: str = ""
    subject: str = ""
    email_id: str = ""


class Session(Noun, frozen=True, kw_only=True):
    """Signed-in state at our side. `kind` is the dialect that made it: a wire authenticates only its own kind."""

    id: str
    user_id: str
    kind: SessionKind
    started_at: int
    last_accessed_at: int
    expires_at: int
    factors: tuple[Factor, ...] = ()
    custom_claims: dict[str, Any] = msgspec.field(default_factory=dict)
    ip_address: str = ""
    user_agent: str = ""
    is_impersonation: bool = False


class SessionRef(Noun, frozen=True, kw_only=True):
    """A session by exactly one of its token or its id (out of a token of ours that was verified)."""

    token: Secret | None = None
    session_id: str = ""
