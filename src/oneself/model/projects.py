"""Projects: a tenant, its configuration, policies, provider credentials and keys."""

from typing import Any, Literal

import msgspec

from oneself.model.shape import Noun

# Whose word counts for an e-mail address that a provider calls verified: the provider's, as its facts say; the
# provider's for the named domains alone; nobody's.
EmailTrust = Literal["provider", "domains", "nobody"]


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
    endpoints: dict[str, str] = msgspec.field(default_factory=dict)
    options: dict[str, str] = msgspec.field(default_factory=dict)
    trusted_email_domains: tuple[str, ...] = ()
    # tightens the provider's verdict on addresses, and never loosens it
    email_trust: EmailTrust = "provider"


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
    policies: dict[str, Policy] = msgspec.field(default_factory=dict)
    password_enabled: bool = True
    otp_enabled: bool = False
    require_email_verification: bool = False
    personal_team_on_sign_up: bool = False
    client_team_creation: bool = False
    client_user_deletion: bool = False
    pkce_required_for_oauth: bool = True
    # the provider whose id_tokens Stytch's dialect opens sessions for; none without a name
    migrate_sessions_from: str = ""
    first_party: bool = False
    # tell users by mail of every new way in to their account
    mail_notices: bool = True
    # facts that a dialect keeps for itself (Stack's rendered overrides, descriptions, logo addresses)
    extras: dict[str, Any] = msgspec.field(default_factory=dict)


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
