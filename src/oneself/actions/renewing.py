"""Renew one grant's access token: one call to the provider, whoever asks and in however many processes."""

import asyncio
from dataclasses import dataclass

import msgspec

from oneself.actions.runtime import Runtime, post_of, provider_name
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import Project, SealedTokens, TokenSet
from oneself.rules.lifetimes import SECOND, is_fresh
from oneself.rules.renewing import COOL_DOWN_SECONDS, failure, lacks, later, pause
from oneself.steps import refreshing
from oneself.steps import tokens as sealing
from oneself.steps.refreshing import Leased, Place
from oneself.store import vault
from oneself.store.database import Tx
from oneself.upstream import discovery
from oneself.upstream.client import Client
from oneself.upstream.id_token import after_refresh
from oneself.upstream.replies import tokens_from
from oneself.upstream.tokens import refresh


@dataclass(frozen=True, slots=True)
class Grant:
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


def opened(grant: Grant, kept: SealedTokens) -> TokenSet:
    """The tokens in a row of the vault. Raises Fault(SEAL_BROKEN)."""
    return sealing.unseal(grant.key, grant.row, kept.sealed)


async def renewed(grant: Grant) -> TokenSet:
    """Fresh tokens, by one refresh for all of this process who want them now.

    Raises Fault(RECONNECT_NEEDED), with the fact `ambiguous` where an answer was lost, Fault(CONNECTION_MISSING),
    Fault(PROVIDER_UNAVAILABLE) with the fact `retry_after` in seconds, Fault(PROVIDER_MISCONFIGURED).
    """
    return await grant.rt.refreshes.join(grant.place.key, lambda: _refresh_once(grant))


async def settle(rt: Runtime) -> None:
    """Wait for every refresh of this process that is under way, so that a stop leaves none without an outcome.

    Each ends within the outbound deadline.
    """
    while True:
        await rt.reads.settle()
        await rt.refreshes.settle()
        if not (len(rt.reads) or len(rt.refreshes)):
            return


async def _refresh_once(grant: Grant) -> TokenSet:
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
            raise later(kept.retry_at - now)
        if kept.lease_until <= now:
            leased = await _lease(grant, kept)
            answered = await _call(grant, kept, leased.fence) if leased is not None else None
            if answered is not None:
                return answered
        elif now > give_up:
            raise later(SECOND)
        else:
            await asyncio.sleep(pause(now - began))
        kept = await vault.one(rt.db, *grant.place.key)
        rt.reached("refresh.looked")


def _settled(grant: Grant, kept: SealedTokens) -> TokenSet | None:
    """What another made of it meanwhile: fresh tokens, or the news that the grant is dead."""
    if kept.dead_at:
        raise Fault(FaultCode.RECONNECT_NEEDED, "the provider ended this grant")
    if kept.fence != grant.kept.fence and grant.is_fresh(kept):
        return opened(grant, kept)
    return None


async def _lease(grant: Grant, kept: SealedTokens) -> Leased | None:
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


async def _call(grant: Grant, kept: SealedTokens, fence: int) -> TokenSet | None:
    """Ask the provider, outside any transaction, and write down what came of it under the fence; None where the grant
    is dead and another took its place, which is to be looked at.
    """
    rt = grant.rt
    old = opened(grant, kept)
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
    narrower = lacks(new.scopes, old.scopes)
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


async def _ready(grant: Grant) -> Client:
    """The client with all its addresses; what fails here was never a refresh, so no grant is in doubt."""
    try:
        return await discovery.complete(grant.rt.outbound, grant.client)
    except Fault as fault:
        fault.facts["sent"] = False
        raise


async def _overtaken(grant: Grant, new: TokenSet) -> TokenSet:
    """What counts where the answer came too late: the tokens of a newer grant, or that the account is gone."""
    kept = await vault.one(grant.rt.db, *grant.place.key)
    if kept is None:
        raise Fault(FaultCode.CONNECTION_MISSING, "the account was unlinked meanwhile")
    return _settled(grant, kept) or new


def _row(grant: Grant, kept: SealedTokens, new: TokenSet) -> SealedTokens:
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


async def _replaced(tx: Tx, grant: Grant, kept: SealedTokens, fence: int) -> bool:
    """Before anybody is disconnected: whether a sign-in that nobody redeemed left tokens that can stand in."""
    found = await sealing.candidate(tx, grant.key, grant.row)
    if found is None:
        return False
    row = _row(grant, kept, found)
    usable = row.has_refresh_token or (bool(found.access_token) and grant.is_fresh(row))
    return usable and await refreshing.replace(tx, grant.place, row, fence)


async def _failed(grant: Grant, kept: SealedTokens, fence: int, fault: Fault) -> bool:
    """Give the lease back. Only the provider's own word that the grant is dead disconnects anybody; True where other
    tokens took a dead grant's place.
    """
    rt = grant.rt
    dead = fault.code is FaultCode.RECONNECT_NEEDED
    wait = fault.facts.get("retry_after")
    seconds = wait if isinstance(wait, int) else COOL_DOWN_SECONDS
    failed = failure(fault, single_use=grant.replay_within is not None)
    post = await post_of(rt, grant.project)

    async def work(tx: Tx) -> tuple[bool, bool]:
        ambiguous = replaced = False
        if not dead:
            await refreshing.postpone(tx, grant.place, fence, failed, tx.now + seconds * SECOND)
        elif await _replaced(tx, grant, kept, fence):
            replaced = True
        else:
            ambiguous = await refreshing.end(tx, grant.place, fence, post, grant.provider)
        rt.reached("refresh.failure_written")
        return ambiguous, replaced

    ambiguous, replaced = await rt.db.write(work)
    rt.reached("refresh.failure_stored")
    grant.told("replaced" if replaced else "revoked" if dead else failed)
    if dead:
        fault.facts["ambiguous"] = ambiguous
    else:
        fault.facts.setdefault("retry_after", seconds)
    return replaced
