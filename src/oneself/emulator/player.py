"""What a player is: how one emulated provider behaves, as frozen values and small pure functions.

A player is typed from the vendor's documentation, beside and apart from the adapter of the same
provider. The engine (authorize, tokens, resources) asks the player whatever providers differ in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from oneself.emulator.answers import Answer, Json, Refusal
from oneself.emulator.clients import Client
from oneself.emulator.personas import Persona


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that a player may look at when it says something about one person to one client.

    `root` is the address under which this provider is served, `issuer` what it calls itself.
    `asked` is the authorization request. `now` is in seconds, by the provider's own clock. `first`
    says that this person had not consented to this client before; `refreshes` counts how often the
    grant was refreshed. `headers` (lower case), `query` and `path` are those of a resource call,
    `token` and `expires_at` (seconds) its access token.
    """

    root: str
    issuer: str
    persona: Persona
    client: Client
    subject: str
    scopes: tuple[str, ...]
    now: int
    asked: Mapping[str, str] = field(default_factory=dict)
    first: bool = False
    refreshes: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    token: str = ""
    expires_at: int | None = None

    def has(self, *scopes: str) -> bool:
        """Say whether any of these scopes was granted."""
        return any(scope in self.scopes for scope in scopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """Tokens that were just made. Empty texts and None mean: there is none, or it is not said."""

    scene: Scene
    access_token: str
    expires_in: int | None
    refresh_token: str = ""
    refresh_expires_in: int | None = None
    id_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """How refresh tokens of one client behave.

    `rotation`: `reusable` ones stay although a new one is given; `single_use` ones die when used;
    `same` means that the answer repeats the one that was used. `gives_new(n)` says whether the answer
    to the n-th refresh (from 1) carries a refresh token. `seconds` is its life, None for ever;
    `slides` says whether a new one begins a new life or inherits the end of the first.
    """

    granted: Callable[[Scene], bool] = lambda _scene: True
    rotation: Literal["reusable", "single_use", "same"] = "reusable"
    gives_new: Callable[[int], bool] = lambda _count: False
    kills_access: bool = False
    reuse_kills_grant: bool = False
    seconds: int | None = None
    slides: bool = True
    needs_redirect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """How id_tokens are made: `claims` adds to iss, aud, sub, iat, exp, and nonce and at_hash."""

    claims: Callable[[Scene], Json]
    granted: Callable[[Scene], bool] = lambda scene: scene.has("openid")
    alg: Literal["RS256", "ES256"] = "RS256"
    seconds: int = 3600
    nonce: bool = True
    at_hash: bool = True
    on_refresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A document that an access token opens. `scopes`: one of them is needed, where any is named."""

    name: str
    path: str
    answer: Callable[[Scene], Answer]
    methods: tuple[str, ...] = ("GET",)
    scopes: tuple[str, ...] = ()
    # where the token stands: the Authorization header (Bearer, or Twitch's OAuth), a form field, or
    # a field of the path or the query
    token_in: Literal["bearer", "bearer_or_query", "oauth", "form", "query", "path"] = "bearer"
    token_field: str = "token"


_DONE = Answer(body={})
_NO_CLIENT = Answer(status=401, body={"error": "invalid_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Where a grant can be handed back, how the client proves itself there, and what dies."""

    name: str = "revocation"
    path: str
    methods: tuple[str, ...] = ("POST",)
    body: Literal["form", "json", "query", "path", "bearer"] = "form"
    field: str = "token"
    client: Literal["none", "any", "basic", "post", "id"] = "any"
    kills: Literal["grant", "token", "person"] = "grant"
    takes: Literal["any", "access", "refresh"] = "any"
    done: Answer = _DONE
    unknown: Answer = _DONE
    refused: Answer = _NO_CLIENT


def flagged(persona: Persona) -> str:
    """Word what a provider with a flag says of the address."""
    return "verified" if persona.email_verified else "not verified"


def unflagged(_persona: Persona) -> str:
    """Word what a provider without a flag says of the address."""
    return "says nothing of its proof"


def withheld(_persona: Persona) -> str:
    """Word what a provider says that never shows an address."""
    return "not shown to anybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One emulated provider. Paths are below its root; `issuer` is a template with `{root}`.

    `overrides` names the addresses as a project's credentials do, for `endpoints_for`.
    """

    id: str
    name: str
    issuer: str
    # what it calls itself where no vendor's name may be used
    local_issuer: str = "{root}"
    subject: Callable[[Persona], str]
    overrides: Mapping[str, str]
    # what it says of a person's address, in a few words, for the page where one is picked
    email_words: Callable[[Persona], str] = flagged
    quirks: tuple[str, ...] = ()

    authorization_path: str
    client_id_param: str = "client_id"
    # what a client usually asks for, adds to the request, and to the address of the documents: the
    # index page previews a persona with these
    sign_in_scopes: tuple[str, ...] = ()
    sign_in_params: Mapping[str, str] = field(default_factory=dict)
    document_query: Mapping[str, str] = field(default_factory=dict)
    scope_separators: str = " "
    pkce: tuple[str, ...] = ("S256", "plain")
    pkce_default: str = "plain"
    pkce_required: bool = False
    # where a challenge is looked at, and not just passed over
    pkce_when: Callable[[Mapping[str, str]], bool] = lambda _asked: True
    response_modes: tuple[str, ...] = ("query",)
    response_type_needed: bool = True
    # what this provider alone demands of the parameters and of the raw query: (error, description)
    check: Callable[[Mapping[str, str], str], tuple[str, str] | None] = lambda _asked, _query: None
    redirect_issuer: str = ""
    redirect_extras: Callable[[Scene], dict[str, str]] = lambda _scene: {}
    redirect_fragment: str = ""
    # whether any name signs in: an unknown login_hint becomes a persona
    any_login: bool = False
    denial: Mapping[str, str] = field(
        default_factory=lambda: {
            "error": "access_denied",
            "error_description": "The user denied the request",
        }
    )
    code_prefix: str = ""
    code_seconds: int = 600

    token_path: str
    token_aliases: tuple[str, ...] = ()
    token_methods: tuple[str, ...] = ("POST",)
    refresh_path: str = ""
    client_auth: tuple[Literal["basic", "post", "jwt"], ...] = ("basic", "post")
    secret_param: str = "client_secret"
    json_requests: bool = False
    form_answers: bool = False
    access_prefix: Callable[[Client], str] = lambda _client: ""
    access_seconds: Callable[[Client], int | None] = lambda _client: 3600
    refresh_prefix: str = ""
    refresh: Callable[[Client], Refresh | None] = lambda _client: Refresh()
    # a grant that trades a live access token for a longer one (Facebook): its grant_type and field
    exchange: tuple[str, str] | None = None
    # whether new tokens end the access tokens of an older grant, by the scopes of both (old, new)
    ends_older: Callable[[tuple[str, ...], tuple[str, ...]], bool] | None = None
    id_token: IdToken | None = None
    # the status of errors in general; GitHub answers 200
    error_status: int = 400
    token_answer: Callable[[Issued], Json]
    refuse: Callable[[Refusal], Answer]

    resources: tuple[Resource, ...] = ()
    refuse_api: Callable[[Literal["missing", "dead", "scope"]], Answer]
    revocations: tuple[Revocation, ...] = ()
    jwks_path: str = ""
    # further members of every published key, from the issuer
    jwks_extras: Callable[[str], Json] = lambda _issuer: {}
    # the metadata, from root, issuer and the fields of the path
    discovery: Callable[[str, str, Mapping[str, str]], Json] | None = None
    discovery_path: str = "/.well-known/openid-configuration"

    def vouches(self, persona: Persona) -> Literal["yes", "no", "quiet", "none"]:
        """Say what it makes of a person's address: proved, not proved, nothing said of that, or none shown."""
        person = persona.at(self.id)
        if not person.email or self.email_words is withheld:
            return "none"
        if self.email_words is unflagged:
            return "quiet"
        return "yes" if self.email_words(person).startswith(("verified", "confirmed")) else "no"

    def split(self, scope: str) -> tuple[str, ...]:
        """Give the scopes of a `scope` parameter in order, each once."""
        for separator in self.scope_separators:
            scope = scope.replace(separator, " ")
        return tuple(dict.fromkeys(scope.split()))

    def routes(self) -> dict[str, str]:
        """Give every path (a template) with the name that counters and faults know it by."""
        named = {self.authorization_path: "authorization", self.token_path: "token"}
        named |= dict.fromkeys(self.token_aliases, "token")
        if self.refresh_path:
            named[self.refresh_path] = "refresh"
        if self.jwks_path:
            named[self.jwks_path] = "jwks"
        if self.discovery is not None:
            named[self.discovery_path] = "discovery"
        named |= {place.path: place.name for place in self.resources}
        return named | {place.path: place.name for place in self.revocations}
