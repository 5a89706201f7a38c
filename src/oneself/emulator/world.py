"""Everything that the emulated providers remember: in memory, in one process, and bounded."""

import base64
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import msgspec

from oneself.emulator.clients import Client
from oneself.emulator.personas import Persona
from oneself.emulator.player import Player, Scene
from oneself.emulator.trouble import Trouble
from oneself.later import Later

if TYPE_CHECKING:
    from oneself.emulator.keys import KeyRings

_KEY_RINGS = Later("oneself.emulator.keys", "KeyRings")

MAX_TOKENS = 50_000
MAX_CLIENTS = 1_000
MAX_PERSONAS = 5_000

T = TypeVar("T")


class Bounded(OrderedDict[str, T]):
    """A dict that forgets its oldest entry when it grows over its limit."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: str, value: T) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            self.popitem(last=False)


@dataclass(slots=True)
class Grant:
    """What one person allowed one client at one provider, once. Times in seconds."""

    provider: str
    client_id: str
    persona: str
    scopes: tuple[str, ...]
    asked: Mapping[str, str]
    first: bool
    granted_at: int
    refreshes: int = 0
    revoked: bool = False
    access: list["Token"] = field(default_factory=list)


@dataclass(slots=True)
class Code:
    """An authorization code, bound to its grant, redirect URI and PKCE challenge."""

    grant: Grant
    redirect_uri: str
    redirect_sent: bool
    challenge: str
    method: str
    expires_at: int
    used: bool = False


@dataclass(slots=True)
class Token:
    """An access or refresh token. `expires_at` in seconds, None for never.

    `spent` says that it was used up, `dead` that it was taken back.
    """

    value: str
    grant: Grant
    expires_at: int | None
    dead: bool = False
    spent: bool = False

    def alive(self, now: int) -> bool:
        """Say whether the token still opens anything at `now` (seconds)."""
        unexpired = self.expires_at is None or now < self.expires_at
        return unexpired and not self.dead and not self.spent and not self.grant.revoked


@dataclass(slots=True)
class Pick:
    """A choice made beforehand for the next authorization requests, by the control API."""

    provider: str
    persona: str
    times: int


@dataclass
class World:
    """The state of all emulated providers, with the clock and the randomness they use.

    `clock` gives microseconds since the epoch; `skew` moves a provider's clock by seconds.
    """

    base_url: str
    clock: Callable[[], int]
    random: Callable[[int], bytes]
    players: Mapping[str, Player]
    cast: tuple[Persona, ...]
    accept_any_client: bool = False
    vendor_issuers: bool = True
    declared: tuple[Client, ...] = ()
    clients: Bounded[Client] = field(default_factory=lambda: Bounded(MAX_CLIENTS))
    personas: dict[str, Persona] = field(default_factory=dict)
    # who came by any name, where a provider signs anybody in; no page lists them
    guests: Bounded[Persona] = field(default_factory=lambda: Bounded(MAX_PERSONAS))
    codes: Bounded[Code] = field(default_factory=lambda: Bounded(MAX_TOKENS))
    access: Bounded[Token] = field(default_factory=lambda: Bounded(MAX_TOKENS))
    refresh: Bounded[Token] = field(default_factory=lambda: Bounded(MAX_TOKENS))
    consents: Bounded[bool] = field(default_factory=lambda: Bounded(MAX_TOKENS))
    troubles: list[Trouble] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    skew: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self.reset()

    @cached_property
    def keys(self) -> "KeyRings":
        """The keys that sign id_tokens; what signs loads at the first of them."""
        rings: KeyRings = _KEY_RINGS.get()(self.random)
        return rings

    def reset(self) -> None:
        """Forget everything but the declared clients, the first personas and the keys."""
        for store in (self.codes, self.access, self.refresh, self.consents, self.clients, self.guests):
            store.clear()
        for listed in (self.troubles, self.picks):
            listed.clear()
        self.counts.clear()
        self.skew.clear()
        self.personas = {persona.id: persona for persona in self.cast}
        self.add_clients(self.declared)

    def add_clients(self, clients: Iterable[Client]) -> None:
        """Register clients, or replace those of the same provider and id."""
        for client in clients:
            self.clients[f"{client.provider}/{client.client_id}"] = client

    def now(self, provider: str) -> int:
        """Give the time in seconds by this provider's clock."""
        skew = self.skew.get(provider, self.skew.get("*", 0))
        return self.clock() // 1_000_000 + skew

    def root(self, player: Player) -> str:
        """Give the address under which a provider is served."""
        return f"{self.base_url}/{player.id}"

    def issuer(self, player: Player) -> str:
        """Give what a provider calls itself in `iss`: the vendor's name, or its root here."""
        root = self.root(player)
        fixed = "{root}" not in player.issuer
        template = player.local_issuer if fixed and not self.vendor_issuers else player.issuer
        return template.format(root=root)

    def redirect_issuer(self, player: Player) -> str:
        """Give the `iss` of redirects (RFC 9207), or nothing where the provider sends none."""
        return player.redirect_issuer.format(issuer=self.issuer(player), root=self.root(player))

    def find_client(self, provider: str, client_id: str) -> Client | None:
        """Find a registered client; with `accept_any_client`, an unknown one registers itself."""
        found = self.clients.get(f"{provider}/{client_id}") or self.clients.get(f"/{client_id}")
        if found is None and self.accept_any_client and client_id:
            found = Client(client_id=client_id, provider=provider, learning=True)
            self.add_clients([found])
        return found

    def learn(self, client: Client, *, redirect_uri: str = "", secret: str = "") -> Client:
        """Take what an undeclared client shows first as its registration."""
        if not client.learning:
            return client
        uris = client.redirect_uris
        if redirect_uri and redirect_uri not in uris:
            uris = (*uris[-19:], redirect_uri)
        known = msgspec.structs.replace(client, redirect_uris=uris, client_secret=client.client_secret or secret)
        self.add_clients([known])
        return known

    def opaque(self, prefix: str = "") -> str:
        """Make a random text for a code or token: 32 bytes in base64url behind its prefix."""
        return prefix + base64.urlsafe_b64encode(self.random(32)).rstrip(b"=").decode()

    def persona(self, name: str) -> Persona | None:
        """Find a persona or a guest by id."""
        return self.personas.get(name) or self.guests.get(name)

    def scene(self, player: Player, grant: Grant) -> Scene | None:
        """Set the scene for a grant; None when its person or client is gone."""
        persona = self.persona(grant.persona)
        client = self.find_client(player.id, grant.client_id)
        if persona is None or client is None:
            return None
        return Scene(
            root=self.root(player),
            issuer=self.issuer(player),
            persona=persona.at(player.id),
            client=client,
            subject=player.subject(persona),
            scopes=grant.scopes,
            now=self.now(player.id),
            asked=grant.asked,
            first=grant.first,
            refreshes=grant.refreshes,
        )

    def revoke(self, grant: Grant) -> None:
        """End a grant and all its tokens; the next sign-in is a first consent again."""
        grant.revoked = True
        self.consents.pop(consent_key(grant.provider, grant.client_id, grant.persona), None)

    def revoke_person(self, grant: Grant) -> None:
        """End all grants of the same person to the same client at the same provider."""
        same = (grant.provider, grant.client_id, grant.persona)
        for store in (self.access, self.refresh):
            for token in store.values():
                held = token.grant
                if (held.provider, held.client_id, held.persona) == same:
                    held.revoked = True
        self.revoke(grant)


def consent_key(provider: str, client_id: str, persona: str) -> str:
    """Give the key under which a consent is remembered."""
    return f"{provider}\n{client_id}\n{persona}"
