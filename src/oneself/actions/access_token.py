"""Give a provider access token that is valid now: from the vault while fresh, else by one refresh for all who ask."""

from collections.abc import Callable
from dataclasses import dataclass

from oneself.actions.renewing import Grant, opened, renewed
from oneself.actions.runtime import Runtime, client_of, tokens_leave
from oneself.faults import Fault, FaultCode
from oneself.model import Project, TokenSet
from oneself.rules import scopes as scope_rules
from oneself.rules.renewing import lacks, still_serves
from oneself.store import vault
from oneself.upstream.client import Client
from oneself.upstream.identify import probe


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
        credentials, client = await client_of(rt, project, config_id)
        if not tokens_leave(rt, project, credentials):
            raise Fault(FaultCode.SHARED_TOKENS_REFUSED, "tokens of the server's shared client stay here")
        if not credentials.allow_connected_accounts:
            raise Fault(FaultCode.PROVIDER_NOT_ENABLED, "not for connected accounts")
        wanted = _Wanted(rt, project, client, user_id, config_id, subject, scopes)
        found, stored = await rt.reads.share(wanted.key, wanted.found)
    except Fault as fault:
        rt.numbers.read(fault.code.value)
        raise
    rt.numbers.read("stored" if stored else "refreshed")
    return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whose token is asked for, at which provider, and what it is to be good for."""

    rt: Runtime
    project: Project
    client: Client
    user_id: str
    config_id: str
    subject: str
    scopes: tuple[str, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What those have in common who are given the same token."""
        # the version too: whoever knows of another client at the provider must not be given the old one's refusal
        return self.project.id, self.project.version, self.user_id, self.config_id, self.subject, self.scopes

    async def found(self, looked: Callable[[], None]) -> tuple[TokenSet, bool]:
        """The token set, and whether the vault had it."""
        grants = await self._fitting()
        looked()
        stored = await _stored(grants, self.scopes)
        return stored or await _refreshed(grants, self.scopes), stored is not None

    async def _fitting(self) -> list[Grant]:
        """The user's grants at the provider that hold the scopes, in the order in which they are tried."""
        rt, project = self.rt, self.project
        found = await vault.for_user(rt.db, project.id, self.user_id, self.config_id, self.subject)
        rt.reached("refresh.read")
        if found is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        accounts, sets = found
        if not accounts:
            raise Fault(FaultCode.CONNECTION_MISSING, "no such connected account")
        fitting = [kept for kept in sets if scope_rules.covers(kept.scopes, self.scopes)]
        if not fitting:
            widest = max((kept.scopes for kept in sets), key=lambda name: len(name.split()), default="")
            raise Fault(FaultCode.SCOPE_MISSING, "no grant with these scopes", account_id=accounts[0], granted=widest)
        key = await rt.projects.data_key(project.id)
        return [Grant(rt, project, self.user_id, key, self.client, kept) for kept in fitting]


async def _stored(grants: list[Grant], wanted: tuple[str, ...]) -> TokenSet | None:
    """The first access token that is still fresh, asked of the provider itself where the operator wants that."""
    for grant in grants:
        kept, rt = grant.kept, grant.rt
        if kept.dead_at or not grant.is_fresh(kept):
            continue
        tokens = opened(grant, kept)
        if not tokens.access_token or lacks(tokens.scopes, wanted):
            continue
        if not rt.settings.probe_tokens or await probe(rt.outbound, grant.client, tokens.access_token):
            return tokens
    return None


async def _refreshed(grants: list[Grant], wanted: tuple[str, ...]) -> TokenSet:
    """The first grant that can be refreshed; if none can, why the last one could not."""
    place = {"account_id": grants[0].kept.account_id, "granted": grants[0].kept.scopes}
    why = Fault(FaultCode.RECONNECT_NEEDED, "the token has ended, and nothing came with it to renew it by")
    for grant in grants:
        if grant.kept.dead_at or not grant.renewable:
            if grant.kept.dead_at:
                why = Fault(FaultCode.RECONNECT_NEEDED, "the provider ended this grant")
            continue
        narrowed = Fault(FaultCode.SCOPE_MISSING, "the provider has narrowed this grant")
        if grant.is_fresh(grant.kept) and lacks(opened(grant, grant.kept).scopes, wanted):
            why = narrowed  # it would say the same again
            continue
        try:
            found = await renewed(grant)
            if not lacks(found.scopes, wanted):
                return found
            why = narrowed
        except Fault as fault:
            if fault.code is not FaultCode.RECONNECT_NEEDED:
                return _still_alive(grant, fault, wanted)
            why = fault
    # A fault of its own: many may have been given this one, each of whom asked for something else.
    raise Fault(why.code, why.detail, why.step, **{**why.facts, **place}) from why


def _still_alive(grant: Grant, fault: Fault, wanted: tuple[str, ...]) -> TokenSet:
    """What the vault holds, where the provider is away and the access token has a little life left; else the fault."""
    left = grant.kept.expires_at - grant.rt.clock()
    if not still_serves(fault, left, keeps_access_token=grant.client.provider.refresh.keeps_access_token):
        raise fault
    tokens = opened(grant, grant.kept)
    if not tokens.access_token or lacks(tokens.scopes, wanted):
        raise fault
    return tokens
