"""Give a provider access token that is valid now: from the vault while fresh, else by one refresh for all who ask."""

import asyncio
from dataclasses import dataclass

import msgspec

from oneself.actions.runtime import Runtime, client_of, post_of, provider_name, tokens_leave
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import Project, SealedTokens, TokenSet
from oneself.rules import scopes as scope_rules
from oneself.rules.lifetimes import SECOND, is_fresh
from oneself.steps import refreshing
from oneself.steps import tokens as sealing
from oneself.steps.refreshing import Failure, Leased, Place
from oneself.store import projects as project_store
from oneself.store import vault
from oneself.store.database import Tx
from oneself.upstream import discovery
from oneself.upstream.client import Client
from oneself.upstream.id_token import after_refresh
from oneself.upstream.identify import probe
from oneself.upstream.replies import tokens_from
from oneself.upstream.tokens import refresh

# Between two looks at a refresh that another process makes, a waiter sleeps for a twentieth of what it has waited,
# within these bounds in seconds: it hears late by that part of the provider's own time at most, and a slow provider
# costs few looks.
_SHORTEST_SLEEP, _LONGEST_SLEEP = 0.02, 0.1
_SLEEP_PART = 20
# After a transient failure the provider is left alone for this long, unless it says otherwise itself.
_COOL_DOWN_SECONDS = 5
# During an outage an access token is handed out while it lives at least this long.
_LAST_USE = 10 * SECOND
AHEAD_BATCH = 100
# Scopes that say who somebody is, or that there be a refresh token: many servers leave them out of a refresh's answer.
_SELDOM_REPEATED = frozenset({"openid", "profile", "email", "offline_access"})
_TRANSIENT = (FaultCode.PROVIDER_UNAVAILABLE, FaultCode.PROVIDER_REPLY_INVALID)


@dataclass(frozen=True, slots=True)
class _Grant:
    """One token set on its way to being fresh."""

    rt: Runtime
    project: Project
    user_id: str
    key: DataKey
    client: Client
    kept: SealedTokens

    @property
    def place(self) -> Place:
        """Where it lies in the vault, and whose it is."""
        return Place(self.project.id, self.user_id, self.kept.account_id, self.kept.scopes, self.rt.random)

    @property
    def row(self) -> sealing.Row:
        """What its tokens are sealed to."""
        return sealing.Row(self.project.id, self.user_id, self.kept.account_id, self.kept.scopes)

    @property
    def trades_access_token(self) -> bool:
        """Whether the provider renews a live access token instead of taking a refresh token."""
        return self.client.provider.refresh.kind == "exchange"

    @property
    def renewable(self) -> bool:
        """Whether there is anything to ask the provider with."""
        return self.kept.has_refresh_token or self.trades_access_token

    @property
    def replay_within(self) -> int | None:
        """For how many microseconds the provider takes a refresh token a second time; None: for ever."""
        return None if self.client.rotation == "reusable" else self.client.provider.refresh.grace * SECOND

    @property
    def provider(self) -> str:
        """What people call the provider."""
        return provider_name(self.client.provider.id)

    def told(self, outcome: str) -> None:
        """Count what came of a refresh."""
        self.rt.numbers.refreshed(self.client.provider.id, outcome)

    def is_fresh(self, kept: SealedTokens) -> bool:
        """Whether the access token may be handed out as it is.

        One that can only be renewed while it lives is renewed in the second half of its life, not in its last minutes.
        """
        now = self.rt.clock()
        if self.trades_access_token and kept.expires_at:
            return now < (kept.obtained_at + kept.expires_at) // 2
        return is_fresh(kept.obtained_at, kept.expires_at, now)


async def fresh(
    rt: Runtime, project: Project, user_id: str, config_id: str, subject: str = "", scopes: tuple[str, ...] = ()
) -> TokenSet:
    """A token set with at least these scopes whose access token lives; one statement when the vault has it.

    `subject` picks one of several accounts at the provider. Raises Fault(PROVIDER_UNKNOWN),
    Fault(PROVIDER_NOT_CONFIGURED), Fault(PROVIDER_NOT_ENABLED), Fault(SHARED_TOKENS_REFUSED), Fault(USER_NOT_FOUND),
    Fault(CONNECTION_MISSING), Fault(SCOPE_MISSING), Fault(RECONNECT_NEEDED) with the fact `ambiguous` where an answer
    was lost, both with the facts `account_id` and `granted` (scopes) for a trip that mends it,
    Fault(PROVIDER_UNAVAILABLE) with the fact `retry_after` in seconds, Fault(PROVIDER_MISCONFIGURED).
    """
    try:
        grants = await _fitting(rt, project, user_id, config_id, subject, scopes)
        stored = await _stored(grants, scopes)
        found = stored or await _refreshed(grants, scopes)
    except Fault as fault:
        rt.numbers.read(fault.code.value)
        raise
    rt.numbers.read("stored" if stored else "refreshed")
    return found


async def _fitting(
    rt: Runtime, project: Project, user_id: str, config_id: str, subject: str, scopes: tuple[str, ...]
) -> list[_Grant]:
    """The user's grants at the provider that hold the scopes, in the order in which they are tried."""
    credentials, client = await client_of(rt, project, config_id)
    if not tokens_leave(rt, project, credentials):
        raise Fault(FaultCode.SHARED_TOKENS_REFUSED, "tokens of the server's shared client stay here")
    if not credentials.allow_connected_accounts:
        raise Fault(FaultCode.PROVIDER_NOT_ENABLED, "not for connected accounts")
    found = await vault.for_user(rt.db, project.id, user_id, config_id, subject)
    rt.reached("refresh.read")
    if found is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    accounts, sets = found
    if not accounts:
        raise Fault(FaultCode.CONNECTION_MISSING, "no such connected account")
    fitting = [kept for kept in sets if scope_rules.covers(kept.scopes, scopes)]
    if not fitting:
        widest = max((kept.scopes for kept in sets), key=lambda name: len(name.split()), default="")
        raise Fault(FaultCode.SCOPE_MISSING, "no grant with these scopes", account_id=accounts[0], granted=widest)
    key = await rt.projects.data_key(project.id)
    return [_Grant(rt, project, user_id, key, client, kept) for kept in fitting]


async def _stored(grants: list[_Grant], wanted: tuple[str, ...]) -> TokenSet | None:
    """The first access token that is still fresh, asked of the provider itself where the operator wants that."""
    for grant in grants:
        kept, rt = grant.kept, grant.rt
        if kept.dead_at or not grant.is_fresh(kept):
            continue
        opened = _opened(grant, kept)
        if not opened.access_token or _lacks(opened, wanted):
            continue
        if not rt.settings.probe_tokens or await probe(rt.outbound, grant.client, opened.access_token):
            return opened
    return None


def _lacks(tokens: TokenSet, wanted: tuple[str, ...]) -> bool:
    """Whether the provider has narrowed the grant since the consent, and took something that is wanted now."""
    return bool({*wanted} - {*tokens.scopes} - _SELDOM_REPEATED)


async def ahead(rt: Runtime, within: int) -> int:
    """Renew what ends within that many microseconds and is past half of its life, so that no reader waits for it; how
    many were tried. What fails is told and cooled down as at a read, and tried again until it ends.

    Several processes may do so at once: the lease is one's. Each provider holds up its own tokens alone.
    """
    tried = 0
    after: vault.Ending | None = None
    while page := await vault.ending(rt.db, rt.clock(), within, after, AHEAD_BATCH):
        grants = [await _grant_of(rt, one) for one in page]
        flights = [_single_flight(grant) for grant in grants if grant is not None]
        await asyncio.gather(*flights, return_exceptions=True)
        tried += len(flights)
        after = page[-1]
        if len(page) < AHEAD_BATCH:
            break
    return tried


async def _grant_of(rt: Runtime, ending: vault.Ending) -> _Grant | None:
    """The grant of a row that ends soon; None where nobody may read it, or it cannot be asked for now."""
    project = await rt.projects.by(project_store.BY_ID, ending.project_id)
    if project is None:
        return None
    try:
        credentials, client = await client_of(rt, project, ending.config_id)
        if not credentials.allow_connected_accounts or not tokens_leave(rt, project, credentials):
            return None
        key = await rt.projects.data_key(project.id)
    except Fault:
        return None
    return _Grant(rt, project, ending.user_id, key, client, ending.kept)


async def settle(rt: Runtime) -> None:
    """Wait for every refresh of this process that is under way, so that a stop leaves none without an outcome.

    Each ends within the outbound deadline.
    """
    await asyncio.gather(*rt.refreshes.values(), return_exceptions=True)


async def _refreshed(grants: list[_Grant], wanted: tuple[str, ...]) -> TokenSet:
    """The first grant that can be refreshed; if none can, why the last one could not."""
    place = {"account_id": grants[0].kept.account_id, "granted": grants[0].kept.scopes}
    why = Fault(FaultCode.RECONNECT_NEEDED, "the token has ended, and nothing came with it to renew it by")
    for grant in grants:
        if grant.kept.dead_at or not grant.renewable:
            if grant.kept.dead_at:
                why = Fault(FaultCode.RECONNECT_NEEDED, "the provider ended this grant")
            continue
        narrowed = Fault(FaultCode.SCOPE_MISSING, "the provider has narrowed this grant")
        if grant.is_fresh(grant.kept) and _lacks(_opened(grant, grant.kept), wanted):
            why = narrowed  # it would say the same again
            continue
        try:
            found = await _single_flight(grant)
            if not _lacks(found, wanted):
                return found
            why = narrowed
        except Fault as fault:
            if fault.code is not FaultCode.RECONNECT_NEEDED:
                return _still_alive(grant, fault)
            why = fault
    why.facts |= place
    raise why


def _still_alive(grant: _Grant, fault: Fault) -> TokenSet:
    """What the vault holds, where the provider is away and the access token has a little life left; else the fault."""
    alive = grant.kept.expires_at - grant.rt.clock() > _LAST_USE
    # the lost answer may have ended the access token with the refresh token
    killed = _is_lost(fault) and not grant.client.provider.refresh.keeps_access_token
    if fault.code not in _TRANSIENT or not alive or killed:
        raise fault
    return _opened(grant, grant.kept)


async def _single_flight(grant: _Grant) -> TokenSet:
    """One refresh per process: whoever comes while it is under way waits for the same answer."""
    flights, place = grant.rt.refreshes, grant.place.key
    running: asyncio.Task[TokenSet] | None = flights.get(place)
    if running is None:
        running = asyncio.create_task(_refresh_once(grant))
        flights[place] = running

        def landed(flight: asyncio.Task[TokenSet]) -> None:
            flights.pop(place, None)
            # asked for here, so that nobody is told of it where all who waited have gone away
            if not flight.cancelled():
                flight.exception()

        running.add_done_callback(landed)
    # A caller who goes away must not take the refresh with it: others wait for it.
    return await asyncio.shield(running)


async def _refresh_once(grant: _Grant) -> TokenSet:
    """Over all processes: take the lease and call, or wait for whoever holds it."""
    rt = grant.rt
    began = rt.clock()
    give_up = began + int(rt.settings.refresh_wait_seconds * SECOND)
    kept: SealedTokens | None = grant.kept
    while True:
        if kept is None:
            raise Fault(FaultCode.CONNECTION_MISSING, "the account was unlinked meanwhile")
        settled = _settled(grant, kept)
        if settled is not None:
            return settled
        now = rt.clock()
        if kept.retry_at > now:
            raise _later(kept.retry_at - now)
        if kept.lease_until <= now:
            leased = await _lease(grant, kept)
            answered = await _call(grant, kept, leased.fence) if leased is not None else None
            if answered is not None:
                return answered
        elif now > give_up:
            raise _later(SECOND)
        else:
            waited = (now - began) / SECOND
            await asyncio.sleep(min(max(_SHORTEST_SLEEP, waited / _SLEEP_PART), _LONGEST_SLEEP))
        kept = await vault.one(rt.db, *grant.place.key)
        rt.reached("refresh.looked")


def _settled(grant: _Grant, kept: SealedTokens) -> TokenSet | None:
    """What another made of it meanwhile: fresh tokens, or the news that the grant is dead."""
    if kept.dead_at:
        raise Fault(FaultCode.RECONNECT_NEEDED, "the provider ended this grant")
    if kept.fence != grant.kept.fence and grant.is_fresh(kept):
        return _opened(grant, kept)
    return None


async def _lease(grant: _Grant, kept: SealedTokens) -> Leased | None:
    """The right to call, with the journal row that says so; None where another was first."""
    rt = grant.rt
    owner = new_uuid(rt.random)
    length = 2 * int(rt.settings.upstream_deadline_seconds * SECOND) + 2 * SECOND
    post = await post_of(rt, grant.project)

    async def work(tx: Tx) -> Leased | None:
        leased = await refreshing.lease(tx, grant.place, kept, owner, length, grant.replay_within)
        if leased is not None and leased.given_up:
            if await _replaced(tx, grant, kept, leased.fence):
                leased = None
            else:
                await refreshing.ask_to_reconnect(tx, grant.place, post, grant.provider)
        rt.reached("refresh.lease_written")
        return leased

    leased = await rt.db.write(work)
    rt.reached("refresh.leased")
    if leased is not None and leased.given_up:
        grant.told("given_up")
        raise Fault(FaultCode.RECONNECT_NEEDED, "an earlier refresh has no known outcome", ambiguous=True)
    return leased


async def _call(grant: _Grant, kept: SealedTokens, fence: int) -> TokenSet | None:
    """Ask the provider, outside any transaction, and write down what came of it under the fence; None where the grant
    is dead and another took its place, which is to be looked at.
    """
    rt = grant.rt
    old = _opened(grant, kept)
    try:
        client = await _ready(grant)
        spend = old.access_token if grant.trades_access_token else old.refresh_token
        rt.reached("refresh.sending")
        answer = await refresh(rt.outbound, client, spend, redirect_uri=old.callback_uri)
        rt.reached("refresh.answered")
        new = tokens_from(client.provider, answer, now=rt.clock(), asked=old.scopes, previous=old)
        new = msgspec.structs.replace(new, id_token=after_refresh(client, old.id_token, new.id_token))
    except Fault as fault:
        if await _failed(grant, kept, fence, fault):
            return None
        raise
    # The set keeps its name: what was granted at the consent. What is left of that is sealed in it.
    narrower = _lacks(new, old.scopes)
    new = msgspec.structs.replace(new, callback_uri=old.callback_uri)
    answered = _row(grant, kept, new)

    async def work(tx: Tx) -> bool:
        single_use = grant.replay_within is not None
        stored = await refreshing.keep(tx, grant.place, answered, fence, kept.sealed, single_use=single_use)
        if stored and narrower:
            await refreshing.narrowed(tx, grant.place)
        rt.reached("refresh.answer_written")
        return stored

    stored = await rt.db.write(work)
    rt.reached("refresh.stored")
    grant.told("fresh" if stored else "overtaken")
    return new if stored else await _overtaken(grant, new)


async def _ready(grant: _Grant) -> Client:
    """The client with all its addresses; what fails here was never a refresh, so no grant is in doubt."""
    try:
        return await discovery.complete(grant.rt.outbound, grant.client)
    except Fault as fault:
        fault.facts["sent"] = False
        raise


async def _overtaken(grant: _Grant, new: TokenSet) -> TokenSet:
    """What counts where the answer came too late: the tokens of a newer grant, or that the account is gone."""
    kept = await vault.one(grant.rt.db, *grant.place.key)
    if kept is None:
        raise Fault(FaultCode.CONNECTION_MISSING, "the account was unlinked meanwhile")
    return _settled(grant, kept) or new


def _row(grant: _Grant, kept: SealedTokens, new: TokenSet) -> SealedTokens:
    """The vault's row with new tokens in it."""
    return msgspec.structs.replace(
        kept,
        sealed=sealing.seal(grant.key, grant.row, new),
        has_refresh_token=bool(new.refresh_token),
        obtained_at=grant.rt.clock(),
        expires_at=new.expires_at,
        dead_at=0,
        retry_at=0,
    )


async def _replaced(tx: Tx, grant: _Grant, kept: SealedTokens, fence: int) -> bool:
    """Before anybody is disconnected: whether a sign-in that nobody redeemed left tokens that can stand in."""
    found = await sealing.candidate(tx, grant.key, grant.row)
    if found is None:
        return False
    row = _row(grant, kept, found)
    usable = row.has_refresh_token or (bool(found.access_token) and grant.is_fresh(row))
    return usable and await refreshing.replace(tx, grant.place, row, fence)


async def _failed(grant: _Grant, kept: SealedTokens, fence: int, fault: Fault) -> bool:
    """Give the lease back. Only the provider's own word that the grant is dead disconnects anybody; True where other
    tokens took a dead grant's place.
    """
    rt = grant.rt
    dead = fault.code is FaultCode.RECONNECT_NEEDED
    wait = fault.facts.get("retry_after")
    seconds = wait if isinstance(wait, int) else _COOL_DOWN_SECONDS
    failure = _failure(grant, fault)
    post = await post_of(rt, grant.project)

    async def work(tx: Tx) -> tuple[bool, bool]:
        ambiguous = replaced = False
        if not dead:
            await refreshing.postpone(tx, grant.place, fence, failure, tx.now + seconds * SECOND)
        elif await _replaced(tx, grant, kept, fence):
            replaced = True
        else:
            ambiguous = await refreshing.end(tx, grant.place, fence, post, grant.provider)
        rt.reached("refresh.failure_written")
        return ambiguous, replaced

    ambiguous, replaced = await rt.db.write(work)
    rt.reached("refresh.failure_stored")
    grant.told("replaced" if replaced else "revoked" if dead else failure)
    if dead:
        fault.facts["ambiguous"] = ambiguous
    else:
        fault.facts.setdefault("retry_after", seconds)
    return replaced


def _failure(grant: _Grant, fault: Fault) -> Failure:
    """The class of an outcome that is neither fresh tokens nor a dead grant (docs/decisions.md, "The vault")."""
    if fault.code is FaultCode.PROVIDER_MISCONFIGURED:
        return "misconfigured"
    return "ambiguous" if _is_lost(fault) and grant.replay_within is not None else "unavailable"


def _is_lost(fault: Fault) -> bool:
    """Whether the provider may have acted on a request whose answer never reached us, or could not be read."""
    return fault.code in _TRANSIENT and fault.facts.get("sent", True) is True and "status" not in fault.facts


def _opened(grant: _Grant, kept: SealedTokens) -> TokenSet:
    return sealing.unseal(grant.key, grant.row, kept.sealed)


def _later(micros: int) -> Fault:
    seconds = max(1, -(-micros // SECOND))
    return Fault(FaultCode.PROVIDER_UNAVAILABLE, "the provider failed a moment ago", retry_after=seconds, sent=False)
