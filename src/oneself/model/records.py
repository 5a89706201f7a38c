"""What is kept of what happened: audit entries, and token sets as the vault holds them."""

from oneself.model.shape import Noun


class AuditEntry(Noun, frozen=True, kw_only=True):
    """One decision and its reason: who did what to whom. Ids only: no address, no secret.

    `actor` is who did it: `self`, `backend`, `admin`, `operator`. `user_version` orders the entries of one user.
    """

    id: str
    user_id: str
    user_version: int
    at: int
    action: str
    decision: str
    reason: str
    actor: str
    dialect: str
    account_id: str = ""
    flow_id: str = ""


class SealedTokens(Noun, frozen=True, kw_only=True):
    """One token set as the vault keeps it; `scopes` is the sorted, space-separated set that names it.

    `dead_at` is when the provider called the grant dead (0: alive); `retry_at` when it may be asked again after a
    transient failure; `lease_until` until when `lease_owner` alone may refresh. Microseconds all.
    """

    account_id: str
    scopes: str
    sealed: bytes
    has_refresh_token: bool
    obtained_at: int
    expires_at: int
    dead_at: int
    fence: int
    lease_owner: str
    lease_until: int
    retry_at: int
