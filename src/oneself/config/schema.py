"""Every setting there is, with its type, its bounds, its default and its explanation.

The explanation is the documentation: `oneself settings`, docs/configuration.md and the words of a
refusal are all made from it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from oneself.config.part import Count, Part, Port, Seconds, Texts
from oneself.config.project import DeclaredProject
from oneself.model import Secret


class Lifetimes(Part, frozen=True):
    """How long things live, in seconds."""

    access_token: Annotated[
        Seconds,
        Meta(description="An access token (JWT) of Stack's dialect. Its SDK needs 60 or more."),
    ] = 600
    stack_session: Annotated[Seconds, Meta(description="A refresh token of Stack's dialect.")] = 365 * 86_400
    console_session: Annotated[Seconds, Meta(description="Being signed in on this server's own pages.")] = 86_400
    flow: Annotated[Seconds, Meta(description="From the start of a browser trip to the provider's answer.")] = 600
    ticket: Annotated[Seconds, Meta(description="An attach token, from its making to the start that spends it.")] = 600
    grant: Annotated[
        Seconds,
        Meta(description="The one-time token or code that an application redeems after a trip."),
    ] = 300
    signing_key: Annotated[
        int,
        Meta(
            description="How long a key signs tokens before the next one does, a day or more; 0 changes keys only when "
            "`oneself keys rotate-signing` asks.",
            ge=0,
            le=10 * 366 * 86_400,
        ),
    ] = 180 * 86_400
    jwks: Annotated[
        int,
        Meta(
            description="How long clients and caches may keep the published keys (JWKS). A new key is published for "
            "twice as long before it signs.",
            ge=1,
            le=86_400,
        ),
    ] = 3_600


class Limits(Part, frozen=True):
    """How much is taken from one caller."""

    body_bytes: Annotated[Count, Meta(description="Largest request body; a larger one is refused with 413.")] = (
        1_048_576
    )
    starts_per_address: Annotated[
        int,
        Meta(
            description="Browser trips that one address (an IPv6 /64) may start in a minute, in each worker; 0 is no "
            "limit.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 120
    starts_per_project: Annotated[
        int,
        Meta(
            description="Browser trips that may be started in a minute in one project, in each worker; 0 is no limit.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 12_000
    passwords_per_account: Annotated[
        int,
        Meta(
            description="Wrong passwords that are looked at for one user in a minute, in each worker; 0 is no limit.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 20
    passwords_per_address: Annotated[
        int,
        Meta(
            description="Wrong passwords that one address (an IPv6 /64) may bring in a minute, in each worker; 0 is no "
            "limit. Stytch's dialect does not count it: there the application's backend calls.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 120
    mails_per_address: Annotated[
        int,
        Meta(
            description="Letters of one kind (to sign in, to verify, to reset) that wait for an answer at one address: "
            "so many in an hour, in one project; 0 is no limit.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 20
    search_total: Annotated[
        int,
        Meta(
            description="Up to so many matches are counted for the `total` of a user search; for more it is -1. Each "
            "search then costs the time of counting so many users; 0 counts none.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 1_000
    provider_seconds: Annotated[
        int, Meta(description="Seconds that one call to a provider may take in all.", ge=1, le=120)
    ] = 10
    database_connections: Annotated[
        int, Meta(description="Connections to PostgreSQL that each worker keeps.", ge=1, le=100)
    ] = 6


class Smtp(Part, frozen=True):
    """The mail server for messages to users; without a host no mail is sent."""

    host: Annotated[str, Meta(description="Name of the mail server.")] = ""
    port: Annotated[Port, Meta(description="Port of the mail server.")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How the connection is protected; `none` is for a relay on the same machine."),
    ] = "starttls"
    user: Annotated[str, Meta(description="Account to sign in with, if the server asks.")] = ""
    password: Annotated[Secret, Meta(description="Password of that account.")] = Secret("")
    sender: Annotated[
        str,
        Meta(
            description="Address that messages come from: `id@example.com`, or `Name <id@example.com>`; without a "
            "name, the project's."
        ),
    ] = ""


class SharedProvider(Part, frozen=True):
    """The server's own client at one provider, which projects may use instead of one of their own."""

    client_id: Annotated[str, Meta(description="Client id at the provider.")]
    client_secret: Annotated[Secret, Meta(description="Client secret at the provider.")] = Secret("")
    speaks: Annotated[
        Literal["", "generic_oauth2", "generic_oidc"],
        Meta(
            description="How the server at these addresses really speaks, where a test server stands in for the "
            "vendor's. Accounts are still of the provider that it stands for."
        ),
    ] = ""
    issuer: Annotated[str, Meta(description="Issuer URL, for `generic_oidc`.")] = ""
    tenant: Annotated[str, Meta(description="Tenant, where the provider has tenants.")] = ""
    scopes: Annotated[Texts, Meta(description="Scopes to ask for instead of the provider's own.")] = ()
    endpoints: Annotated[dict[str, str], Meta(description="Addresses that replace the provider's, by their name.")] = (
        msgspec.field(default_factory=dict)
    )
    trusted_email_domains: Annotated[
        Texts,
        Meta(
            description="Domains for which the word of other addresses than the vendor's counts, or of "
            "`generic_oidc` and `generic_oauth2`; `*` is every domain."
        ),
    ] = ()
    options: Annotated[dict[str, str], Meta(description="Further options that this provider knows.")] = msgspec.field(
        default_factory=dict
    )


class Config(Part, frozen=True):
    """All settings of one server."""

    base_url: Annotated[
        str,
        Meta(
            description="The origin under which browsers and SDKs reach this server, without a "
            "path: `https://id.example.com`. Without it: http://localhost with the "
            "port."
        ),
    ] = ""
    allow_http: Annotated[
        bool,
        Meta(
            description="Take an http `base_url` that is not localhost. Only for a closed test "
            "network: everything secret then travels in clear."
        ),
    ] = False
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 8000
    workers: Annotated[int, Meta(description="Processes that share the port. SQLite bears one.", ge=1, le=256)] = 1
    stop_seconds: Annotated[
        Seconds,
        Meta(description="How long requests that run may take to end when the server is stopped."),
    ] = 10
    database_url: Annotated[
        Secret,
        Meta(
            description="`postgresql://user:password@host/name` (several hosts are fine) or `sqlite:///path/to/file`."
        ),
    ] = Secret("")
    master_keys: Annotated[
        Secret,
        Meta(
            description="The key ring that everything sealed hangs on: `id:base64` entries, one "
            "per line or parted by commas, the active one first. `oneself keys "
            "generate` makes one."
        ),
    ] = Secret("")
    epoch: Annotated[
        int,
        Meta(
            description="How often the database was restored from a backup. It belongs beside the key ring, outside of "
            "the database: a server refuses one of another epoch. `oneself restore` says what to set.",
            ge=0,
            le=1_000_000_000,
        ),
    ] = 0
    trusted_proxies: Annotated[
        Texts,
        Meta(
            description="Addresses or networks of proxies whose X-Forwarded-For is believed; from "
            "anybody else it is ignored."
        ),
    ] = ()
    allowed_private_hosts: Annotated[
        Texts,
        Meta(
            description="Hosts (`name` or `name:port`) that outbound calls may reach although "
            "they are at private addresses or speak plain http."
        ),
    ] = ()
    provider_ca: Annotated[
        str,
        Meta(
            description="Certificates (PEM) of authorities that calls to providers trust beside the machine's own: for "
            "a provider of your own under a private authority. ONESELF_PROVIDER_CA_FILE names a file with them."
        ),
    ] = ""
    allow_shared_tokens: Annotated[
        bool,
        Meta(description="Give first-party projects the tokens that shared clients got. Off: nobody gets them."),
    ] = False
    probe_tokens: Annotated[
        bool,
        Meta(
            description="Ask the provider whether a stored token still lives before giving it "
            "out, as Stack Auth does. Costs one outbound call per read."
        ),
    ] = False
    refresh_ahead_seconds: Annotated[
        int,
        Meta(
            description="Renew provider tokens in the background this long before they end, so that no read waits for "
            "a provider: 900 is a good value. Costs one call for each token's life, read or not. 0: at the first read "
            "that needs it.",
            ge=0,
            le=86_400,
        ),
    ] = 0
    access_log: Annotated[
        Literal["off", "path", "full"],
        Meta(
            description="Log each request: `path` without the query; `full` with it, and so with "
            "codes and tokens, which `oneself serve` refuses."
        ),
    ] = "off"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="What is worth a log line.")
    ] = "info"
    log_format: Annotated[Literal["text", "json"], Meta(description="Log lines for people or for machines.")] = "text"
    metrics_token: Annotated[
        Secret,
        Meta(
            description="Serve Prometheus' metrics under `/metrics` to whoever sends this as a bearer token; 24 "
            "characters or more. Without it there is no such path."
        ),
    ] = Secret("")
    lifetimes: Annotated[Lifetimes, Meta(description="How long things live.")] = Lifetimes()
    limits: Annotated[Limits, Meta(description="How much is taken from one caller.")] = Limits()
    smtp: Annotated[Smtp, Meta(description="The mail server.")] = Smtp()
    shared_providers: Annotated[
        dict[str, SharedProvider],
        Meta(description="The server's own clients at providers, by the provider's id."),
    ] = msgspec.field(default_factory=dict)
    projects: Annotated[tuple[DeclaredProject, ...], Meta(description="Projects that this file owns.")] = ()

    @property
    def engine(self) -> Literal["sqlite", "postgresql", ""]:
        """Which database the address names, or nothing if it names none that we know."""
        scheme = self.database_url.reveal().partition(":")[0].lower()
        if scheme in ("postgres", "postgresql"):
            return "postgresql"
        return "sqlite" if scheme == "sqlite" else ""
