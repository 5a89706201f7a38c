"""The nouns of the domain: frozen structs that every room may hold, with no behaviour beyond their own shape.

Times are integers: microseconds since 1970-01-01 UTC. Ids are UUIDv4 text without any dialect's prefix.
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec


class Secret:
    """A text that must not be seen: no readable `repr` or `str`, no equality, no order; `reveal()` gives it back."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the text itself, to the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)


Dialect = Literal["stytch", "stack", "console"]
Intent = Literal["sign_in", "attach"]
SessionKind = Literal["stytch", "stack", "console"]


class Noun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of all nouns: immutable, built by keyword."""


# --- projects ------------------------------------------------------------------------------------------------------


class ProviderCredentials(Noun, frozen=True, kw_only=True):
    """Our client at one provider, as a project configured it; `config_id` is the project's own name for it.

    `client_secret` is sealed with the project's data key. `shared` means that the server's own client is used and that
    the other client fields are empty. `endpoints` overrides addresses by their field name in `providers/spec.py`
    (a self-hosted GitLab, GitHub Enterprise, a test provider). `issuer` is set for generic OIDC.
    """

    config_id: str
    provider: str
    shared: bool = False
    client_id: str = ""
    client_secret: bytes = b""
    allow_sign_in: bool = True
    allow_connected_accounts: bool = True
    issuer: str = ""
    tenant: str = ""
    scopes: tuple[str, ...] = ()
    endpoints: dict[str, str] = {}
    options: dict[str, str] = {}
    trusted_email_domains: tuple[str, ...] = ()


class Policy(Noun, frozen=True, kw_only=True):
    """How one dialect of one project decides about users and accounts; frozen on the flow when a trip starts."""

    sign_up: bool = True
    # what an e-mail owned by somebody means for a new account: join it, refuse, or make another user beside it
    email_match: Literal["link", "refuse", "duplicate"] = "link"
    # a new account whose e-mail the provider does not vouch for, while somebody owns the address
    unverified_email: Literal["create", "refuse"] = "refuse"
    # the owner of the address never proved it
    unverified_owner: Literal["reclaim", "refuse"] = "refuse"
    # whether an address that the provider does not vouch for is stored on a new user at all
    keep_unverified_email: bool = True
    one_sign_in_account_per_provider: bool = True
    keep_last_way_in: bool = False
    # what finishing an attach asks for, beyond the grant: see rulings on who may finish a link
    attach_proof: Literal["asker", "pkce", "session"] = "asker"
    # whether a redeem with a wrong verifier spends the grant
    wrong_verifier_spends: bool = False
    # whether an account that a user already has brings its verified address along, where nobody holds it
    adopt_verified_email: bool = False


class RedirectUrl(Noun, frozen=True, kw_only=True):
    """One return URI that Stytch's dialect allows, what it is for, and whether it is the default for that."""

    url: str
    login: bool = True
    signup: bool = True
    default: bool = False


class TrustedDomain(Noun, frozen=True, kw_only=True):
    """One base URL (exact, or with wildcards) that Stack's dialect trusts for redirects."""

    base_url: str
    handler_path: str = "/handler"


class ProjectConfig(Noun, frozen=True, kw_only=True):
    """Everything of a project that its owner sets: one document, stored with the project's row and its version."""

    providers: tuple[ProviderCredentials, ...] = ()
    redirect_urls: tuple[RedirectUrl, ...] = ()
    authorized_origins: tuple[str, ...] = ()
    trusted_domains: tuple[TrustedDomain, ...] = ()
    allow_localhost: bool = True
    require_publishable_client_key: bool = False
    policies: dict[str, Policy] = {}
    password_enabled: bool = True
    otp_enabled: bool = False
    require_email_verification: bool = False
    personal_team_on_sign_up: bool = False
    client_team_creation: bool = False
    client_user_deletion: bool = False
    pkce_required_for_oauth: bool = True
    first_party: bool = False
    # facts that a dialect keeps for itself (Stack's rendered overrides, descriptions, logo addresses)
    extras: dict[str, Any] = {}


KeyKind = Literal["stytch_secret", "stytch_public", "stack_client", "stack_server", "stack_admin"]


class ProjectKey(Noun, frozen=True, kw_only=True):
    """One key of a project: only its hash, what it may do, and until when (microseconds; 0 is for ever)."""

    id: str
    kind: KeyKind
    hash: bytes
    last_four: str
    set_id: str
    description: str = ""
    created_at: int = 0
    expires_at: int = 0
    revoked_at: int = 0


class Project(Noun, frozen=True, kw_only=True):
    """One tenant: its ids in every dialect, its configuration and keys, and the version that caches compare."""

    id: str
    display_name: str
    environment: Literal["test", "live"]
    stytch_id: str
    stytch_public_token: str
    stytch_callback_id: str
    stack_id: str
    version: int
    created_at: int
    config: ProjectConfig
    keys: tuple[ProjectKey, ...] = ()
    owner_team_id: str = ""


# --- users ---------------------------------------------------------------------------------------------------------


class EmailAddress(Noun, frozen=True, kw_only=True):
    """One address of a user; `folded` is what uniqueness compares, `verified_at` 0 means never proved."""

    id: str
    user_id: str
    address: str
    folded: str
    verified_at: int
    verified_by: str
    is_primary: bool
    claims_sign_in: bool
    created_at: int


class PhoneNumber(Noun, frozen=True, kw_only=True):
    """One telephone number of a user, in E.164."""

    id: str
    user_id: str
    number: str
    verified_at: int


class User(Noun, frozen=True, kw_only=True):
    """One person in one project. `version` orders the changes of this user; `security_epoch` outdates old requests."""

    id: str
    version: int
    security_epoch: int
    status: Literal["active", "pending", "disabled"]
    created_at: int
    signed_up_at: int
    last_active_at: int
    is_anonymous: bool
    display_name: str
    first_name: str
    middle_name: str
    last_name: str
    picture_url: str
    external_id: str
    client_metadata: dict[str, Any] | None
    client_read_only_metadata: dict[str, Any] | None
    server_metadata: dict[str, Any] | None
    password_hash: str
    password_id: str
    extras: dict[str, Any]


class ExternalAccount(Noun, frozen=True, kw_only=True):
    """One account at one provider, linked to one user; `email_id` names the address of ours that it proved."""

    id: str
    user_id: str
    config_id: str
    provider: str
    issuer: str
    subject: str
    allow_sign_in: bool
    allow_connected_accounts: bool
    email: str
    email_verified: bool
    email_id: str
    picture_url: str
    locale: str
    created_at: int


class UserView(Noun, frozen=True, kw_only=True):
    """A user with all that belongs to them, as the dialects show it; lists are in order of creation."""

    user: User
    emails: tuple[EmailAddress, ...] = ()
    phones: tuple[PhoneNumber, ...] = ()
    accounts: tuple[ExternalAccount, ...] = ()

    @property
    def primary_email(self) -> EmailAddress | None:
        """The address marked as primary, if any."""
        return next((email for email in self.emails if email.is_primary), None)


class Team(Noun, frozen=True, kw_only=True):
    """A group of users of one project, as far as it describes itself; who is in it is asked separately."""

    id: str
    display_name: str
    picture_url: str = ""
    client_metadata: Any = None
    client_read_only_metadata: Any = None
    server_metadata: Any = None
    created_at: int = 0


# --- sessions ------------------------------------------------------------------------------------------------------


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
    custom_claims: dict[str, Any] = {}
    ip_address: str = ""
    user_agent: str = ""
    is_impersonation: bool = False


class SessionRef(Noun, frozen=True, kw_only=True):
    """A session by exactly one of its token or its id (out of a token of ours that was verified)."""

    token: Secret | None = None
    session_id: str = ""


# --- providers' words ----------------------------------------------------------------------------------------------


class EmailVerdict(StrEnum):
    """What a provider says of the address that it sent; only VERIFIED may ever link by itself."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    SILENT = "silent"
    ABSENT = "absent"


class Profile(Noun, frozen=True, kw_only=True):
    """What we conclude about an outside account from the evidence; `legacy_subject` finds rows keyed by an old id."""

    subject: str
    issuer: str
    email: str = ""
    email_verdict: EmailVerdict = EmailVerdict.ABSENT
    display_name: str = ""
    first_name: str = ""
    last_name: str = ""
    picture_url: str = ""
    locale: str = ""
    legacy_subject: str = ""

    @property
    def email_verified(self) -> bool:
        """True only where the provider vouches for the address."""
        return self.email_verdict is EmailVerdict.VERIFIED and bool(self.email)


class TokenSet(Noun, frozen=True, kw_only=True):
    """What one grant of a provider gave us, in clear: only ever in memory, on its way to or from a seal.

    `expires_at` is 0 where the provider did not say. `scopes` are those granted, else those asked for. `callback_uri`
    is ours, which some providers want to see again when the grant is refreshed.
    """

    access_token: str
    refresh_token: str = ""
    id_token: str = ""
    scopes: tuple[str, ...] = ()
    expires_at: int = 0
    token_type: str = "Bearer"
    callback_uri: str = ""

    def __repr__(self) -> str:
        return f"TokenSet(scopes={self.scopes!r}, expires_at={self.expires_at})"


class Identity(Noun, frozen=True, kw_only=True):
    """A proven outside account: the profile and the tokens that came with it."""

    profile: Profile
    tokens: TokenSet


# --- trips ---------------------------------------------------------------------------------------------------------


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
    # the key that the application presented, checked again where the dialect says so
    app_key_kind: str = ""
    callback_url: str = ""
    json_mode: bool = False
    nonce: bool = False


class Flow(Noun, frozen=True, kw_only=True):
    """One row per browser trip; its stage only moves forward: reserved, started, claimed, parked, then gone."""

    id: str
    project_id: str
    dialect: Dialect
    kind: Literal["identity", "handoff", "challenge"]
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


# --- what happened -------------------------------------------------------------------------------------------------


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


# --- searches ------------------------------------------------------------------------------------------------------

OperandName = Literal[
    "created_after",
    "created_before",
    "created_between",
    "status",
    "user_ids",
    "external_ids",
    "name_prefix",
    "phones",
    "phone_ids",
    "phone_verified",
    "phone_contains",
    "emails",
    "email_ids",
    "email_verified",
    "email_prefix",
    "providers",
    "password_exists",
    "nothing",
]


class Operand(Noun, frozen=True, kw_only=True):
    """One condition. The search folds texts where their column is folded; times are microseconds.

    `number` and `until` are the two ends of `created_between`, both left out.
    """

    name: OperandName
    values: tuple[str, ...] = ()
    number: int = 0
    until: int = 0
    flag: bool = False


class Search(Noun, frozen=True, kw_only=True):
    """Operands joined by AND or OR; newest users first, after the cursor (created_at, id) where one is given."""

    operator: Literal["AND", "OR"] = "AND"
    operands: tuple[Operand, ...] = ()
    limit: int = 100
    after: tuple[int, str] | None = None


class Listing(Noun, frozen=True, kw_only=True):
    """A plain listing of users by sign-up time, after the cursor (signed_up_at, id) where one is given.

    `text` is searched in names and addresses, and compared with the id; it is folded already.
    """

    limit: int | None = None
    after: tuple[int, str] | None = None
    descending: bool = False
    text: str = ""
    include_restricted: bool = False
    include_anonymous: bool = False
    only_anonymous: bool = False
    # whether a user without a verified primary address counts as restricted
    unverified_is_restricted: bool = False
