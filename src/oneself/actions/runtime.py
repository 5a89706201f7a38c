"""The Runtime: everything that actions need, built once, frozen, and passed; never a global."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from oneself.crypto.seal import DataKey, KeyRing
from oneself.faults import Fault, FaultCode
from oneself.mail.server import MailServer
from oneself.model import Project, ProviderCredentials, Secret, TokenSet
from oneself.providers import registry
from oneself.rules.lifetimes import MINUTE, SECOND
from oneself.rules.limits import Meter, origin_of
from oneself.steps.hashing import HashingPool
from oneself.steps.mailing import Post
from oneself.steps.numbers import Numbers
from oneself.steps.sharing import Flights, Turns
from oneself.store import projects as store
from oneself.store.database import Database
from oneself.upstream.client import Client, issuer_of, resolve
from oneself.upstream.http import Outbound

# Clients of providers that are kept resolved; a process that serves more begins anew.
_MOST_CLIENTS = 1024

Random = Callable[[int], bytes]
Clock = Callable[[], int]
# Where a process may die: behind every await of a refresh and a redeem, and inside their transactions.
Point = Literal[
    "callback.claimed",
    "callback.exchanged",
    "callback.parked",
    "redeem.taken",
    "redeem.decided",
    "redeem.applied",
    "redeem.kept",
    "redeem.session",
    "redeem.recorded",
    "redeem.refused",
    "redeem.committed",
    "refresh.read",
    "refresh.lease_written",
    "refresh.leased",
    "refresh.looked",
    "refresh.sending",
    "refresh.answered",
    "refresh.answer_written",
    "refresh.stored",
    "refresh.failure_written",
    "refresh.failure_stored",
    "rewrap.batch_written",
    "rewrap.batch_stored",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decides for all projects. Lifetimes in seconds, sizes in bytes.

    `signing_key_seconds` is how long a key signs before the next one does (0: until somebody asks for another);
    `jwks_seconds` how long clients may keep the published keys.

    `base_url` is the origin that browsers and providers reach us at, without a trailing slash. `starts_per_address` and
    `starts_per_project` are trips begun in a minute, in each process, `mails_per_address` letters of one kind that
    wait for an answer within an hour; 0 is no limit. `search_total` is up to how many matches a search counts.
    `keep_mail` keeps letters for the development page instead of striking them off.
    """

    base_url: str
    access_token_seconds: int = 600
    stack_session_seconds: int = 365 * 86_400
    ticket_seconds: int = 600
    flow_seconds: int = 600
    grant_seconds: int = 300
    signing_key_seconds: int = 180 * 86_400
    jwks_seconds: int = 3_600
    body_limit_bytes: int = 1_048_576
    allow_shared_tokens: bool = False
    probe_tokens: bool = False
    upstream_deadline_seconds: float = 10.0
    refresh_wait_seconds: float = 15.0
    refresh_ahead_seconds: int = 0
    starts_per_address: int = 0
    starts_per_project: int = 0
    passwords_per_account: int = 0
    passwords_per_address: int = 0
    mails_per_address: int = 0
    search_total: int = 1_000
    keep_mail: bool = False
    dev: bool = False
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https, so that cookies may say so."""
        return self.base_url.startswith("https://")

    @property
    def keys_kept(self) -> int:
        """Microseconds that a process signs, verifies and publishes with what it read of signing keys."""
        return min(MINUTE, self.jwks_seconds * SECOND)

    @property
    def key_published_before(self) -> int:
        """Microseconds that a new signing key is published before it signs: a client may keep what a cache had kept
        before, and a process publish what it read before.
        """
        return 2 * self.jwks_seconds * SECOND + self.keys_kept


@dataclass(frozen=True, slots=True)
class SharedCredentials:
    """The server's own client at a provider, which projects may use instead of one of theirs."""

    credentials: ProviderCredentials
    secret: Secret


@dataclass(slots=True)
class _Entry:
    project: Project
    key: DataKey


class ProjectDirectory:
    """Projects by every name they have, kept in memory; `poll` drops what another process changed.

    A request with a warm cache costs no statement. Unknown names are not remembered.
    """

    def __init__(self, db: Database, ring: KeyRing, random: Random) -> None:
        self._db = db
        self._ring = ring
        self._random = random
        self._entries: dict[str, _Entry] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._seen = 0
        self._heard: dict[str, int] = {}
        self._forgotten = 0
        self._looked = 0

    async def by(self, statement: str, name: str) -> Project | None:
        """One project by one of the store's BY_ statements and the name that it asks for."""
        project_id = self._names.get((statement, name))
        if project_id is not None:
            entry = self._entries.get(project_id)
            if entry is not None:
                return entry.project
        if "\0" in name:
            return None  # no database text holds one
        while True:
            forgotten = self._forgotten
            project = await store.find(self._db, statement, name)
            if project is None:
                return None
            entry = await self._opened(project)
            # What changed while it was read is read again: nobody would tell of that change a second time.
            if forgotten == self._forgotten:
                self._entries[project.id] = entry
                self._names[statement, name] = project.id
                return project

    async def data_key(self, project_id: str) -> DataKey:
        """The key that seals what belongs to a project. Raises Fault(MASTER_KEY_MISSING) or Fault(PROJECT_UNKNOWN)."""
        entry = self._entries.get(project_id)
        if entry is None:
            await self.by(store.BY_ID, project_id)
            entry = self._entries.get(project_id)
        if entry is None:
            raise Fault(FaultCode.PROJECT_UNKNOWN, "no such project")
        return entry.key

    def forget(self, project_id: str) -> None:
        """Read this project anew at its next use: it was changed here."""
        self._forgotten += 1
        self._entries.pop(project_id, None)

    async def poll(self) -> None:
        """Forget what any process changed or deleted since the last poll; one statement each."""
        # Clocks of several writers differ a little, so the look back overlaps, and finds again what was heard of.
        for project_id, changed_at in await store.changed_since(self._db, max(0, self._seen - 5_000_000)):
            self._seen = max(self._seen, changed_at)
            if self._heard.get(project_id) != changed_at:
                self._heard[project_id] = changed_at
                self.forget(project_id)
        await self._forget_deleted()

    async def _forget_deleted(self) -> None:
        """A project that was deleted elsewhere tells nobody: those in memory are looked for, in turn, 500 a time."""
        held = list(self._entries)
        if not held:
            return
        self._looked %= len(held)
        some = held[self._looked : self._looked + store.PRESENT_AT_ONCE]
        self._looked += len(some)
        there = await store.present(self._db, some)
        for project_id in some:
            if project_id not in there:
                self.forget(project_id)

    async def _opened(self, project: Project) -> _Entry:
        keys = await store.data_keys(self._db, project.id)
        if not keys:
            raise Fault(FaultCode.SEAL_BROKEN, "the project has no data key")
        key_id, wrapped = keys[0]
        opened = self._ring.unwrap(wrapped, project.id, key_id)
        return _Entry(project, DataKey(key_id, opened, self._random))


def unwatched(_point: Point) -> None:
    """What a server does at the named points: nothing."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """All that an action may touch: the database, the way out, keys, time, chance, projects, settings.

    `clock` gives microseconds since 1970 UTC; `random(n)` gives n bytes. `signers` and `proven` belong to
    `actions.signing`, `clients` to `client_of`, `refreshes` to `actions.renewing`, `reads` to
    `actions.access_token`, `seen` to `actions.sessions`, `starts` to `actions.start`: their state in this process.
    `hashing` hashes passwords off the loop; `numbers` is what everybody counts in. `reached` is told of each `Point`
    that work passes; only tests listen, to end the process there.
    """

    db: Database
    outbound: Outbound
    ring: KeyRing
    clock: Clock
    random: Random
    projects: ProjectDirectory
    settings: Settings
    shared: Mapping[str, SharedCredentials] = field(default_factory=dict)
    mail_server: MailServer | None = None
    signers: dict[Any, Any] = field(default_factory=dict)
    proven: OrderedDict[bytes, Any] = field(default_factory=OrderedDict)
    clients: dict[tuple[str, str], tuple[ProviderCredentials, Client]] = field(default_factory=dict)
    refreshes: Flights[TokenSet] = field(default_factory=Flights)
    reads: Turns[tuple[TokenSet, bool]] = field(default_factory=Turns)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    starts: Meter = field(default_factory=Meter)
    passwords: Meter = field(default_factory=Meter)
    hashing: HashingPool = field(default_factory=HashingPool)
    numbers: Numbers = field(default_factory=Numbers)
    reached: Callable[[Point], None] = unwatched


def credentials_of(project: Project, config_id: str) -> ProviderCredentials:
    """The project's credentials of that name. Raises Fault(PROVIDER_NOT_CONFIGURED), for an unknown provider
    Fault(PROVIDER_UNKNOWN).
    """
    for credentials in project.config.providers:
        if credentials.config_id == config_id:
            return credentials
    known = registry.find(config_id)
    if known is None:
        raise Fault(FaultCode.PROVIDER_UNKNOWN, "neither a configured name nor a known provider")
    detail = "known, but this project has no credentials for it"
    raise Fault(FaultCode.PROVIDER_NOT_CONFIGURED, detail, which=known.id)


def tokens_leave(rt: Runtime, project: Project, credentials: ProviderCredentials) -> bool:
    """Whether a provider's tokens may be given to the application: those of the server's shared clients only to the
    operator's own projects, and only where the operator says so.
    """
    return not credentials.shared or (rt.settings.allow_shared_tokens and project.config.first_party)


async def client_of(rt: Runtime, project: Project, config_id: str) -> tuple[ProviderCredentials, Client]:
    """Our client at a provider, ready to call: own credentials opened, or the server's shared ones.

    Raises as `credentials_of`; Fault(PROVIDER_NOT_CONFIGURED) where shared ones are asked for and the server has none.
    """
    credentials = credentials_of(project, config_id)
    kept = rt.clients.get((project.id, config_id))
    # What a change of the project leaves is never the same object, so an outdated client is never given out.
    if kept is None or kept[0] is not credentials:
        kept = credentials, await _resolved(rt, project, credentials)
        if len(rt.clients) >= _MOST_CLIENTS:
            rt.clients.clear()
        rt.clients[project.id, config_id] = kept
    return kept


async def _resolved(rt: Runtime, project: Project, credentials: ProviderCredentials) -> Client:
    provider = registry.get(credentials.provider)
    if credentials.shared:
        common = rt.shared.get(provider.id)
        if common is None:
            detail = "the server shares no client for this provider"
            raise Fault(FaultCode.PROVIDER_NOT_CONFIGURED, detail, which=provider.id)
        client = resolve(registry.get(common.credentials.provider), common.credentials, common.secret)
        # whatever it speaks like, an account is of the provider that the project names
        client = replace(client, issuer=issuer_of(provider, common.credentials))
        if credentials.email_trust == "provider":
            return client
        # the client is the server's; how much of its word counts for its own users is the project's to tighten
        domains = credentials.trusted_email_domains
        return replace(client, email_trust=credentials.email_trust, trusted_email_domains=domains)
    secret = ""
    if credentials.client_secret:
        key = await rt.projects.data_key(project.id)
        secret = key.open(credentials.client_secret, project.id, credentials.config_id, "client_secret").decode()
    return resolve(provider, credentials, Secret(secret))


def count_start(rt: Runtime, project: Project, peer: str) -> None:
    """Whoever is not known may begin only so much in a minute, since each time leaves a row: a trip, a letter.

    An empty `peer` is not counted by address. Raises Fault(LIMIT_REACHED).
    """
    now, settings = rt.clock(), rt.settings
    most = settings.starts_per_address if peer else 0
    wait = rt.starts.take(f"address {origin_of(peer)}", most, now)
    # What one address has too much is not counted against the project: it must not lock others out.
    wait = wait or rt.starts.take(f"project {project.id}", settings.starts_per_project, now)
    if wait:
        raise Fault(FaultCode.LIMIT_REACHED, "too many trips begun in this minute", retry_after=wait)


def provider_name(provider: str) -> str:
    """What people call a provider."""
    known = registry.find(provider)
    return known.name if known else provider


async def post_of(rt: Runtime, project: Project) -> Post | None:
    """How letters of this project leave; None where no mail server is configured and nobody looks at them."""
    if rt.mail_server is None and not rt.settings.keep_mail:
        return None
    key = await rt.projects.data_key(project.id)
    return Post(project, key, rt.random, sent=rt.mail_server is not None)


async def require_post(rt: Runtime, project: Project) -> Post:
    """The same for what is nothing without mail. Raises Fault(MAIL_OFF)."""
    how = await post_of(rt, project)
    if how is None:
        raise Fault(FaultCode.MAIL_OFF, "no mail server is configured")
    return how


def takes_grants_back(project: Project, config_id: str = "") -> bool:
    """Whether a grant of these credentials (without a name: of any of the project's) can be handed back upstream.

    The server's shared clients are left alone: the same person's grant may serve other projects.
    """
    return any(
        config_id in ("", credentials.config_id)
        and not credentials.shared
        and registry.get(credentials.provider).revocation is not None
        for credentials in project.config.providers
    )


def account_issuer(credentials: ProviderCredentials) -> str:
    """The issuer under which accounts of these credentials are kept (part of what identifies an account)."""
    return issuer_of(registry.get(credentials.provider), credentials)
