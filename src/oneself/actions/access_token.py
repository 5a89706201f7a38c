"""Give a provider access token that is valid now: from the vault while fresh, else by one refresh for all who ask."""

import asyncio
from dataclasses import dataclass

import msgspec

from oneself.actions.runtime import Runtime, client_of
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import Project, SealedTokens, TokenSet
from oneself.rules import scopes as scope_rules
from oneself.rules.lifetimes import SECOND, is_fresh
from oneself.steps import tokens as sealing
from oneself.steps.recording import Deed, record
from oneself.store import users, vault
from oneself.store.database import Tx
from oneself.upstream import discovery
from oneself.upstream.client import Client
from oneself.upstream.identify import probe
from oneself.upstream.replies import tokens_from
from oneself.upstream.tokens import refresh

# How long a waiter sleeps between two looks at a refresh that another process makes.
_LOOK_EVERY_SECONDS = 0.1
# After a transient failure the provider is left alone for this long, unless it says otherwise itself.
_COOL_DOWN_SECONDS = 5


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
    def place(self) -> tuple[str, str, str]:
        """What names it in the vault."""
        return self.project.id, self.kept.account_id, self.kept.scopes


async def fresh(
    rt: Runtime, project: Project, user_id: str, config_id: str, subject: str = "", scopes: tuple[str, ...] = ()
) -> TokenSet:
    """A token set with at least these scopes whose access token lives; one statement when the vault has it.

    `subject` picks one of several accounts at the provider. Raises Fault(PROVIDER_UNKNOWN),
    Fault(PROVIDER_NOT_CONFIGURED), Fault(PROVIDER_NOT_ENABLED), Fault(SHARED_TOKENS_REFUSED), Fault(USER_NOT_FOUND),
    Fault(CONNECTION_MISSING), Fault(SCOPE_MISSING), Fault(RECONNECT_NEEDED), Fault(PROVIDER_UNAVAILABLE) with the fact
    `retry_after` in seconds, Fault(PROVIDER_MISCONFIGURED).
    """
    credentials, client = await client_of(rt, project, config_id)
    if credentials.shared and not rt.settings.allow_shared_tokens:
        raise Fault(FaultCode.SHARED_TOKENS_REFUSED, "tokens of the server's shared client stay here")
    if not credentials.allow_connected_accounts:
        raise Fault(FaultCode.PROVIDER_NOT_ENABLED, "not for connected accounts")
    found = await vault.for_user(rt.db, project.id, user_id, config_id, subject)
    if found is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    accounts, sets = found
    if not accounts:
        raise Fault(FaultCode.CONNECTION_MISSING, "no such connected account")
    fitting = [kept for kept in sets if scope_rules.covers(kept.scopes, scopes)]
    if not fitting:
        raise Fault(FaultCode.SCOPE_MISSING, "no grant with these scopes")
    key = await rt.projects.data_key(project.id)
    grants = [_Grant(rt, project, user_id, key, client, kept) for kept in fitting]
    return await _stored(grants) or await _refreshed(grants)


async def _stored(grants: list[_Grant]) -> TokenSet | None:
    """The first access token that is still fresh, asked of the provider itself where the operator wants that."""
    for grant in grants:
        kept, rt = grant.kept, grant.rt
        if kept.dead_at or not is_fresh(kept.obtained_at, kept.expires_at, rt.clock()):
            continue
        opened = _opened(grant, kept)
        if not opened.access_token:
            continue
        if not rt.settings.probe_tokens or await probe(rt.outbound, grant.client, opened.access_token):
            return opened
    return None


async def _refreshed(grants: list[_Grant]) -> TokenSet:
    """The first grant that can be refreshed; if none can, why the last one could not."""
    why = Fault(FaultCode.SCOPE_MISSING, "no grant that can be refreshed")
    for grant in grants:
        if grant.kept.dead_at or not grant.kept.has_refresh_token:
            if grant.kept.dead_at:
                why = Fault(FaultCode.RECONNECT_NEEDED, "the provider ended this grant")
            continue
        try:
            return await _single_flight(grant)
        except Fault as fault:
            if fault.code is not FaultCode.RECONNECT_NEEDED:
                raise
            why = fault
    raise why


async def _single_flight(grant: _Grant) -> TokenSet:
    """One refresh per process: whoever comes while it is under way waits for the same answer."""
    flights = grant.rt.refreshes
    running: asyncio.Task[TokenSet] | None = flights.get(grant.place)
    if running is None:
        running = asyncio.create_task(_refresh_once(grant))
        flights[grant.place] = running
        running.add_done_callback(lambda _: flights.pop(grant.place, None))
    # A caller who goes away must not take the refresh with it: others wait for it.
    return await asyncio.shield(running)


async def _refresh_once(grant: _Grant) -> TokenSet:
    """Over all processes: take the lease and call, or wait for whoever holds it."""
    rt = grant.rt
    give_up = rt.clock() + int(rt.settings.refresh_wait_seconds * SECOND)
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
            fence = await _lease(grant, kept)
            if fence is not None:
                return await _call(grant, kept, fence)
        elif now > give_up:
            raise _later(SECOND)
        else:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        kept = await vault.one(rt.db, *grant.place)


def _settled(grant: _Grant, kept: SealedTokens) -> TokenSet | None:
    """What another made of it meanwhile: fresh tokens, or the news that the grant is dead."""
    if kept.dead_at:
        raise Fault(FaultCode.RECONNECT_NEEDED, "the provider ended this grant")
    if kept.fence != grant.kept.fence and is_fresh(kept.obtained_at, kept.expires_at, grant.rt.clock()):
        return _opened(grant, kept)
    return None


async def _lease(grant: _Grant, kept: SealedTokens) -> int | None:
    """The right to call, with the journal row that says so; None where another was first.

    A lease that ran out with its journal still open is a call whose outcome nobody knows. Where the provider takes a
    refresh token twice, it is simply made again; where it does not, the grant is declared ambiguous, once.
    """
    rt = grant.rt
    length = 2 * int(rt.settings.upstream_deadline_seconds * SECOND) + 2 * SECOND

    async def work(tx: Tx) -> int | None:
        open_call = await vault.unanswered(tx, *grant.place)
        fence = await vault.lease(tx, grant.project.id, kept, new_uuid(rt.random), tx.now + length)
        if fence is not None and open_call and grant.client.rotation != "reusable":
            await vault.release(tx, *grant.place, fence, 0, tx.now)
            await _record(tx, grant, "ambiguous", "an earlier refresh has no known outcome")
            return -1
        return fence

    fence = await rt.db.write(work)
    if fence == -1:
        raise Fault(FaultCode.RECONNECT_NEEDED, "an earlier refresh has no known outcome", ambiguous=True)
    return fence


async def _call(grant: _Grant, kept: SealedTokens, fence: int) -> TokenSet:
    """Ask the provider, outside any transaction, and write down what came of it under the fence."""
    rt = grant.rt
    old = _opened(grant, kept)
    try:
        client = await discovery.complete(rt.outbound, grant.client)
        spend = old.access_token if client.provider.refresh.kind == "exchange" else old.refresh_token
        answer = await refresh(rt.outbound, client, spend, redirect_uri="")
        new = tokens_from(client.provider, answer, now=rt.clock(), asked=old.scopes, previous=old)
    except Fault as fault:
        await _failed(grant, fence, fault)
        raise
    # The set keeps its name: what was granted at the consent, whatever the refresh's answer repeats of it.
    new = msgspec.structs.replace(new, scopes=old.scopes)
    answered = msgspec.structs.replace(
        kept,
        sealed=sealing.seal(grant.key, grant.project.id, grant.user_id, kept.account_id, new),
        has_refresh_token=bool(new.refresh_token),
        obtained_at=rt.clock(),
        expires_at=new.expires_at,
        dead_at=0,
        retry_at=0,
    )

    async def work(tx: Tx) -> bool:
        return await vault.store(tx, grant.project.id, answered, fence)

    await rt.db.write(work)
    return new


async def _failed(grant: _Grant, fence: int, fault: Fault) -> None:
    """Give the lease back. Only the provider's own word that the grant is dead disconnects anybody."""
    rt = grant.rt
    dead = fault.code is FaultCode.RECONNECT_NEEDED
    wait = fault.facts.get("retry_after")
    seconds = wait if isinstance(wait, int) else _COOL_DOWN_SECONDS

    async def work(tx: Tx) -> None:
        retry_at = 0 if dead else tx.now + seconds * SECOND
        done = await vault.release(tx, *grant.place, fence, retry_at, tx.now if dead else 0)
        if dead and done:
            await _record(tx, grant, "revoked", "the provider ended the grant")

    await rt.db.write(work)
    fault.facts.setdefault("retry_after", seconds)


async def _record(tx: Tx, grant: _Grant, decision: str, reason: str) -> None:
    version = await users.lock(tx, grant.project.id, grant.user_id) or 0
    deed = Deed(
        action="token.refresh",
        decision=decision,
        reason=reason,
        actor="backend",
        dialect="",
        account_id=grant.kept.account_id,
    )
    await record(tx, grant.project.id, grant.user_id, version, deed, grant.rt.random)


def _opened(grant: _Grant, kept: SealedTokens) -> TokenSet:
    return sealing.unseal(grant.key, grant.project.id, grant.user_id, kept.account_id, kept.sealed)


def _later(micros: int) -> Fault:
    seconds = max(1, -(-micros // SECOND))
    return Fault(FaultCode.PROVIDER_UNAVAILABLE, "the provider failed a moment ago", retry_after=seconds)
