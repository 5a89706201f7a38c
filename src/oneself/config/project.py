"""The settings of one project that the file owns: ids and keys in both dialects, return URLs, policies, providers."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from oneself.config.part import Part, Texts
from oneself.model import Secret


class DeclaredProvider(Part, frozen=True):
    """A project's client at one provider. The table's name is the project's own name for it."""

    provider: Annotated[str, Meta(description="Which provider this is; without it, the table's name says so.")] = ""
    shared: Annotated[
        bool,
        Meta(description="Use the server's client from `shared_providers`; then no client is given here."),
    ] = False
    client_id: Annotated[str, Meta(description="Client id at the provider.")] = ""
    client_secret: Annotated[Secret, Meta(description="Client secret at the provider.")] = Secret("")
    allow_sign_in: Annotated[bool, Meta(description="People may sign in with it.")] = True
    allow_connected_accounts: Annotated[
        bool, Meta(description="The application may read the provider's tokens of its users.")
    ] = True
    issuer: Annotated[str, Meta(description="Issuer URL, for `generic_oidc`.")] = ""
    tenant: Annotated[str, Meta(description="Tenant, where the provider has tenants.")] = ""
    scopes: Annotated[Texts, Meta(description="Scopes to ask for instead of the provider's own.")] = ()
    endpoints: Annotated[
        dict[str, str],
        Meta(
            description="Addresses that replace the provider's, by their name: a self-hosted "
            "GitLab, GitHub Enterprise, a test provider."
        ),
    ] = msgspec.field(default_factory=dict)
    options: Annotated[dict[str, str], Meta(description="Further options that this provider knows.")] = msgspec.field(
        default_factory=dict
    )
    trusted_email_domains: Annotated[
        Texts,
        Meta(
            description="Domains whose e-mail addresses this provider may vouch for where its own "
            "word is not enough; `*` is all of them."
        ),
    ] = ()
    email_trust: Annotated[
        Literal["provider", "domains", "nobody"],
        Meta(
            description="Whose addresses count as verified where the provider says so: all (`provider`), those of "
            "`trusted_email_domains` alone (`domains`), or none (`nobody`). It tightens, and never loosens."
        ),
    ] = "provider"


class DeclaredPolicy(Part, frozen=True):
    """How one dialect of the project decides; what is left out is as that dialect's contract has it."""

    sign_up: Annotated[bool | None, Meta(description="New people may come in by themselves.")] = None
    email_match: Annotated[
        Literal["link", "refuse", "duplicate"] | None,
        Meta(
            description="What a new account with somebody's e-mail does: join that user (both "
            "sides verified), be refused, or become another user."
        ),
    ] = None
    unverified_email: Annotated[
        Literal["create", "refuse"] | None,
        Meta(description="A new account with somebody's e-mail for which the provider does not vouch."),
    ] = None
    unverified_owner: Annotated[
        Literal["reclaim", "refuse"] | None,
        Meta(description="The e-mail's present owner never proved it."),
    ] = None
    keep_unverified_email: Annotated[
        bool | None, Meta(description="Store an address that the provider does not vouch for.")
    ] = None
    one_sign_in_account_per_provider: Annotated[
        bool | None,
        Meta(description="One user signs in with one account of each provider at most."),
    ] = None
    keep_last_way_in: Annotated[bool | None, Meta(description="Refuse to remove the last way in that a user has.")] = (
        None
    )
    attach_proof: Annotated[
        Literal["asker", "pkce", "session"] | None,
        Meta(description="What finishing an attach asks for besides the one-time token."),
    ] = None
    wrong_verifier_spends: Annotated[
        bool | None, Meta(description="A redeem with a wrong PKCE verifier spends the one-time token.")
    ] = None
    adopt_verified_email: Annotated[
        bool | None,
        Meta(description="A known account's new verified address is added to its user, where nobody holds it."),
    ] = None


class StytchSide(Part, frozen=True):
    """The project's ids and keys in Stytch's dialect; fixed, so that clients can be configured first."""

    project_id: Annotated[str, Meta(description="`project-test-<uuid>` or `project-live-<uuid>`.")]
    secret: Annotated[Secret, Meta(description="Backend secret, `secret-test-...`.")] = Secret("")
    public_token: Annotated[str, Meta(description="Browser token, `public-token-test-<uuid>`; made if left out.")] = ""
    callback_id: Annotated[
        str,
        Meta(
            description="`oauth-callback-test-<uuid>`: the end of the callback URL that is "
            "registered at providers; made if left out."
        ),
    ] = ""


class StackSide(Part, frozen=True):
    """The project's id and keys in Stack Auth's dialect."""

    project_id: Annotated[str, Meta(description="A UUID, or `internal`.")]
    publishable_client_key: Annotated[Secret, Meta(description="Client key, `pck_...`.")] = Secret("")
    secret_server_key: Annotated[Secret, Meta(description="Server key, `ssk_...`.")] = Secret("")
    super_secret_admin_key: Annotated[Secret, Meta(description="Admin key, `sak_...`.")] = Secret("")


class DeclaredRedirect(Part, frozen=True):
    """One return URL that Stytch's dialect allows, compared as a whole."""

    url: Annotated[str, Meta(description="The URL, with its path and query.")]
    login: Annotated[bool, Meta(description="Allowed for people who exist.")] = True
    signup: Annotated[bool, Meta(description="Allowed for people who are new.")] = True
    default: Annotated[bool, Meta(description="Used when a start names none.")] = False


class DeclaredDomain(Part, frozen=True):
    """One base URL that Stack's dialect trusts for redirects; `*` and `**` are wildcards."""

    base_url: Annotated[str, Meta(description="Scheme, host and port.")]
    handler_path: Annotated[str, Meta(description="Where that application's handler is.")] = "/handler"


class DeclaredProject(Part, frozen=True):
    """A project that this file owns: made at start if it is missing, brought to this state if not."""

    id: Annotated[str, Meta(description="A UUID that stays the same; it names the project for good.")]
    display_name: Annotated[str, Meta(description="Name that people see.")] = "Project"
    environment: Annotated[Literal["test", "live"], Meta(description="Goes into the ids of Stytch's dialect.")] = "test"
    stytch: Annotated[StytchSide | None, Meta(description="Ids and keys in Stytch's dialect; made if left out.")] = None
    stack: Annotated[
        StackSide | None,
        Meta(description="Ids and keys in Stack Auth's dialect; made if left out."),
    ] = None
    redirect_urls: Annotated[tuple[DeclaredRedirect, ...], Meta(description="Return URLs of Stytch's dialect.")] = ()
    authorized_origins: Annotated[
        Texts, Meta(description="Origins from which browsers may call Stytch's frontend API.")
    ] = ()
    trusted_domains: Annotated[
        tuple[DeclaredDomain, ...], Meta(description="Where Stack's dialect may redirect to.")
    ] = ()
    allow_localhost: Annotated[bool, Meta(description="Stack's dialect may redirect to any port of localhost.")] = True
    require_publishable_client_key: Annotated[bool, Meta(description="Stack's clients must send their key.")] = False
    password_enabled: Annotated[bool, Meta(description="People may have passwords.")] = True
    otp_enabled: Annotated[bool, Meta(description="People may sign in with a mailed code.")] = False
    require_email_verification: Annotated[
        bool, Meta(description="People are restricted until their e-mail is proved (Stack).")
    ] = False
    personal_team_on_sign_up: Annotated[bool, Meta(description="Everybody gets a team of their own (Stack).")] = False
    client_team_creation: Annotated[bool, Meta(description="Clients may create teams (Stack).")] = False
    client_user_deletion: Annotated[bool, Meta(description="People may delete themselves (Stack).")] = False
    migrate_sessions_from: Annotated[
        str,
        Meta(
            description="A name from `providers`: Stytch's `sessions/migrate` opens a session for an id_token of that "
            "issuer, made for its client id here. Without it the call is refused."
        ),
    ] = ""
    pkce_required_for_oauth: Annotated[bool, Meta(description="What Stytch's browser SDK is told: use PKCE.")] = True
    first_party: Annotated[bool, Meta(description="Belongs to the operator; may read tokens of shared clients.")] = (
        False
    )
    mail_notices: Annotated[
        bool,
        Meta(
            description="Tell people by mail of every change of their ways in: an account linked, an address that may "
            "sign in or is gone, a new password, a second factor switched on, off or replaced."
        ),
    ] = True
    policies: Annotated[
        dict[Literal["stytch", "stack", "console"], DeclaredPolicy],
        Meta(description="How users and accounts are decided about, by dialect."),
    ] = msgspec.field(default_factory=dict)
    providers: Annotated[
        dict[str, DeclaredProvider],
        Meta(description="The providers that people may use here, by the project's name for them."),
    ] = msgspec.field(default_factory=dict)
