"""Browser trips: who asked, what was asked for, and the one row that a trip is."""

from typing import Literal

from oneself.model.projects import Policy
from oneself.model.shape import Dialect, Intent, Noun


class Asker(Noun, frozen=True, kw_only=True):
    """Who asked for an attach: the user, the session if there was one, and the user's epoch at that moment."""

    user_id: str
    session_id: str = ""
    security_epoch: int = 0
    by_backend: bool = False


class Trip(Noun, frozen=True, kw_only=True):
    """What a browser trip was started with, frozen: everything that the callback and the redeem must obey."""

    intent: Intent
    policy: Policy
    config_id: str
    provider: str
    scopes: tuple[str, ...] = ()
    # return URIs of the application; Stack uses `login_url` alone
    login_url: str = ""
    signup_url: str = ""
    error_url: str = ""
    after_callback_url: str = ""
    app_state: str = ""
    app_challenge: str = ""
    app_challenge_method: str = ""
    # the key that the application presented, which must still be good when the provider's answer comes; empty: none
    app_key_id: str = ""
    # it presented none on purpose: the project must still do without
    keyless: bool = False
    callback_url: str = ""
    json_mode: bool = False
    nonce: bool = False
    # a trip for more consent: the account of the asker's that must come back; nothing but its tokens changes
    only_account: str = ""


class Flow(Noun, frozen=True, kw_only=True):
    """One row per browser trip; its stage only moves forward: reserved, started, claimed, parked, then gone."""

    id: str
    project_id: str
    dialect: Dialect
    kind: Literal["identity", "handoff"]
    stage: Literal["reserved", "started", "claimed", "parked"]
    config_id: str
    key_id: str
    cookie_bound: bool
    created_at: int
    expires_at: int
    trip: Trip
    asker: Asker | None = None
    parked: bytes = b""
    result: str = ""
