"""The shape of a provider's file: what an outside identity provider is, as frozen values and one
pure function.

Addresses are templates. `{base}`, `{api}` and the like are filled from `Provider.bases` (which a
project may override by the same name, for a self-hosted instance), `{tenant}` and `{client_id}`
from the project's credentials. A project overrides single addresses by their name in
`Provider.endpoints`, or by the name of a document in `Provider.documents` (the first is always
called `userinfo`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oneself.model import Profile

Pairs = tuple[tuple[str, str], ...]
ClientAuth = Literal["post", "basic", "none"]
Rotation = Literal["reusable", "single_use", "unknown"]
EmailProof = Literal["flag", "presence", "conditional", "never", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a provider said about one account, and what the project says about trusting
    it.

    `claims` are those of a verified id_token, or None. `documents` are the user documents by name;
    an optional one that the provider refused is missing. `issuer` is the resolved one (no
    placeholders). `vendor_hosted` is False as soon as the project points any address elsewhere.
    `trusted_email_domains` names the domains whose addresses this provider may vouch for where its
    flag alone is no proof; `*` stands for all. `form` is what came with the redirect itself.
    `tenant` is the one that the addresses name.
    """

    issuer: str
    token: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] | None = None
    vendor_hosted: bool = True
    trusted_email_domains: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    tenant: str = ""

    def trusts(self, email: str) -> bool:
        """Say whether the project trusts this provider for the domain of `email` by name."""
        domain = email.rpartition("@")[2].lower()
        return bool(domain) and any(named == "*" or named.lower() == domain for named in self.trusted_email_domains)

    def vouches(self, email: str) -> bool:
        """Say whether the flag of a vendor whose software others host as well proves `email`: on its own service it
        does, elsewhere an administrator may set it, so there the project has to trust it.
        """
        return self.vendor_hosted or self.trusts(email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One user document that sign-in reads with the access token.

    `always` False means: only where no id_token came. `required` False means: a 401, 403 or 404
    leaves it out. `query`, `headers` and `form` are templates like addresses, and may also name
    `{access_token}`, `{client_secret}` and `{token_hmac}` (HMAC-SHA256 of the access token under
    the client secret, in hex). A `form` makes it a POST. `bearer` False sends no Authorization
    header.
    """

    name: str
    url: str
    headers: Pairs = ()
    query: Pairs = ()
    form: Pairs = ()
    always: bool = True
    required: bool = True
    bearer: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenRule:
    """How this provider's id_tokens are checked (OpenID Connect Core 3.1.3.7).

    `issuers` are all accepted spellings, as templates; `{tid}` and other names are filled from the
    token's own claims. `nonce` says that a nonce which we send comes back. `required` says that an
    answer without an id_token is broken.
    """

    issuers: tuple[str, ...]
    algs: tuple[str, ...] = ("RS256",)
    nonce: bool = True
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """How a grant is kept alive. `kind` `exchange` trades the live access token for a longer one
    instead.

    `grace` is for how many seconds the provider still takes a replaced refresh token.
    `public_client_rotation` is what holds for a client that has no secret, where that differs.
    `params` go along with every refresh (templates); for `exchange` they are the whole grant.
    `redirect_uri` says that our callback URI must be repeated.
    """

    kind: Literal["standard", "exchange", "none"] = "standard"
    rotation: Rotation = "unknown"
    public_client_rotation: Rotation | None = None
    grace: int = 0
    params: Pairs = ()
    redirect_uri: bool = False
    keeps_access_token: bool = True
    # what must be among the scopes asked for, where refresh tokens come only to who asks so
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSecret:
    """The client secret is a token that we sign ourselves with ES256 (RFC 7523 as some use it).

    The credentials' secret is then the private key (PEM), and their options name it: `key_id`, and
    `team_id` as the issuer. `audience` is who reads it, `lifetime` is in seconds.
    """

    audience: str
    lifetime: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """How a grant is handed back: the token is sent as `field` in a form, in JSON, in the query or
    in the address.
    """

    method: Literal["POST", "DELETE", "GET"] = "POST"
    auth: Literal["client", "basic", "post", "client_id", "bearer", "none"] = "client"
    body: Literal["form", "json", "query", "path"] = "form"
    field: str = "token"
    takes: Literal["access", "refresh", "either"] = "either"
    whole_grant: bool = True
    # whether to say which kind of token it is (RFC 7009 2.1)
    hint: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Recognises a reply: its HTTP status is one of `status` (where given), every field of `equals`
    (dotted path) holds one of its texts, and every one of `contains` its text somewhere, whatever
    the case. Numbers and booleans are compared as JSON writes them.
    """

    status: tuple[int, ...] = ()
    equals: tuple[tuple[str, tuple[str, ...]], ...] = ()
    contains: Pairs = ()


def told(name: str, *codes: str) -> Match:
    """Match a reply whose field of that name (a dotted path) is one of `codes`."""
    return Match(equals=((name, codes),))


def error(*codes: str, saying: str = "") -> Match:
    """Match a reply whose `error` is one of `codes` (RFC 6749 5.2), and whose `error_description` holds `saying`."""
    return Match(equals=(("error", codes),), contains=(("error_description", saying),) if saying else ())


def says(what: str, *status: int) -> Match:
    """Match a reply with one of these statuses that has a `message` instead of an `error`, and `what` in it."""
    return Match(status=status, contains=(("message", what),))


# Answers to a refresh after which the same refresh token will never work again. RFC 6749 5.2 names
# the first; the others are what servers say when a person or an administrator took consent back.
DEAD_GRANT = (
    error(
        "invalid_grant",
        "access_denied",
        "consent_required",
        "interaction_required",
        "login_required",
        "invalid_token",
        "unauthorized_client",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One outside identity provider: everything that the engine needs to know, and how to read its
    evidence.
    """

    id: str
    name: str
    kind: Literal["oidc", "oauth2"]
    # the canonical host or `iss` under which accounts are kept, as a template
    issuer: str
    profile: Callable[[Evidence], Profile]
    # what its word on an address is worth: its flag is a proof; the address is there only once it is proved; the flag
    # is one under a further condition; there is no flag; there is no address
    email_proof: EmailProof

    # addresses: authorization, token, and where there are such refresh, revocation, jwks, discovery
    endpoints: Pairs
    bases: Pairs = ()
    default_tenant: str = ""
    documents: tuple[Document, ...] = ()
    id_token: IdTokenRule | None = None

    # the authorize request
    pkce: bool = True
    # issuers behind a discovery document that are sent no challenge unless they announce S256
    no_pkce_issuers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    # those without which the account cannot be told: always asked for
    identity_scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    authorize_params: Pairs = ()
    # options of the credentials that travel to the authorize request under the same name
    option_params: tuple[str, ...] = ()
    # further options that are read for this provider, beside those that any provider may have
    options: tuple[str, ...] = ()
    response_mode: str = ""
    client_id_param: str = "client_id"

    # RFC 9207: the `iss` that comes on redirects (template); compared when there, demanded only
    # where announced
    redirect_issuer: str = ""
    redirect_issuer_required: bool = False
    # `error` (or `error_reason`) words on a redirect which mean that the person said no, beside
    # those that any provider may use
    cancel_words: tuple[str, ...] = ()

    # the token requests
    client_auth: tuple[ClientAuth, ...] = ("basic", "post")
    token_headers: Pairs = (("Accept", "application/json"),)
    token_params: Pairs = ()
    signed_secret: SignedSecret | None = None
    # fields of the answer that may name the granted scopes, the first that is there counts
    answer_scope_fields: tuple[str, ...] = ("scope",)
    # separators that may stand between the granted scopes; blanks always may
    answer_separator: str = " "
    # seconds that an access token lives when the answer does not say; None: it is not known
    default_lifetime: int | None = None
    refresh: Refresh = Refresh()
    revocation: Revocation | None = None

    # how failures are told apart: `transient` first, then `misconfigured`, then `dead_grant` for a
    # refresh or `dead_code` for an exchange, then what RFC 6749 5.2 says
    dead_grant: tuple[Match, ...] = DEAD_GRANT
    dead_code: tuple[Match, ...] = (error("invalid_grant"),)
    misconfigured: tuple[Match, ...] = ()
    transient: tuple[Match, ...] = ()

    def endpoint(self, name: str) -> str:
        """Give the template of an address of `endpoints` or of a document, or nothing."""
        return dict(self.endpoints).get(name) or next(
            (document.url for document in self.documents if document.name == name), ""
        )
