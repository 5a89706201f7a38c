"""Hand grants back to their providers after the commit that ended them; failures are retried, and undo nothing."""

import logging

from oneself.actions.runtime import Runtime, client_of
from oneself.faults import Fault, FaultCode
from oneself.model import Project, TokenSet
from oneself.rules.lifetimes import HOUR, SECOND
from oneself.steps import tokens
from oneself.steps.recording import Deed, record
from oneself.store import projects as project_store
from oneself.store import revocations
from oneself.store.database import Tx
from oneself.store.revocations import Due
from oneself.upstream import discovery
from oneself.upstream.client import Client
from oneself.upstream.replies import tokens_from
from oneself.upstream.tokens import refresh, revoke

_LOG = logging.getLogger("oneself.revoking")

BATCH = 20
# The first pause after a failure; each next one is four times as long.
FIRST_PAUSE = 5 * SECOND
LONGEST_PAUSE = 6 * HOUR
# These no later try will mend.
_FOR_GOOD = frozenset({FaultCode.PROVIDER_UNKNOWN, FaultCode.PROVIDER_NOT_CONFIGURED, FaultCode.SEAL_BROKEN})


async def waiting(rt: Runtime) -> int:
    """How many grants of all projects are still to be handed back."""
    return await revocations.count(rt.db)


async def drain(rt: Runtime) -> int:
    """Try every grant that is due, once; how many were tried. One statement where there is none.

    Several processes may do so at once: each grant is taken by one of them.
    """
    tried = 0
    # Each of a batch may use up a whole deadline, one after the other.
    length = int(2 * BATCH * rt.settings.upstream_deadline_seconds * SECOND)
    while await revocations.is_due(rt.db, rt.clock()):
        batch = await rt.db.write(lambda tx: revocations.take(tx, tx.now + length, BATCH))
        for due in batch:
            await _try(rt, due)
        tried += len(batch)
        if not batch:
            break
    return tried


async def _try(rt: Runtime, due: Due) -> None:
    try:
        decision, reason = await _hand_back(rt, due)
    except Fault as fault:
        if fault.code not in _FOR_GOOD and rt.clock() < due.expires_at:
            await _put_off(rt, due, fault)
            return
        decision, reason = "given_up", fault.code.value
        _LOG.warning("a grant of account %s was not handed back: %s", due.account_id, fault)

    async def work(tx: Tx) -> None:
        if await revocations.end(tx, due):
            deed = Deed(
                action="account.revoke",
                decision=decision,
                reason=reason,
                actor="backend",
                dialect="",
                account_id=due.account_id,
            )
            await record(tx, due.project_id, due.user_id, 0, deed, rt.random)

    await rt.db.write(work)


async def _hand_back(rt: Runtime, due: Due) -> tuple[str, str]:
    """What came of it, and why."""
    project = await _project(rt, due)
    credentials, client = await client_of(rt, project, due.config_id)
    if credentials.shared:
        return "left", "the server's shared client may serve the same person elsewhere"
    if await revocations.is_shared(rt.db, due):
        return "left", "another account rests on the same grant"
    client = await discovery.complete(rt.outbound, client)
    held = await _presentable(rt, client, due)
    if held is None:
        return "revoked", "the provider had ended the grant"
    gone = await revoke(
        rt.outbound,
        client,
        access_token=held.access_token,
        refresh_token=held.refresh_token,
        subject=due.subject,
    )
    if gone:
        return "revoked", "the provider ended the grant"
    return "not_offered", "the provider takes no such token back"


async def _presentable(rt: Runtime, client: Client, due: Due) -> TokenSet | None:
    """The grant's tokens, refreshed first where only a living access token can be handed back and it lives no more;
    None where the provider calls the grant dead.

    A fresh pair is kept before it is used: it may be the only living one, and this try may fail.
    """
    key = await rt.projects.data_key(due.project_id)
    row = tokens.Row(due.project_id, due.user_id, due.account_id, due.scopes)
    held = tokens.unseal(key, row, due.sealed)
    rule, now = client.provider.revocation, rt.clock()
    alive = not held.expires_at or held.expires_at > now
    if alive or rule is None or rule.takes != "access" or not held.refresh_token:
        return held
    try:
        answer = await refresh(rt.outbound, client, held.refresh_token, redirect_uri=held.callback_uri)
    except Fault as fault:
        if fault.code is FaultCode.RECONNECT_NEEDED:
            return None
        raise
    fresh = tokens_from(client.provider, answer, now=now, previous=held)
    sealed = tokens.seal(key, row, fresh)
    await rt.db.write(lambda tx: revocations.reseal(tx, due, sealed))
    return fresh


async def _project(rt: Runtime, due: Due) -> Project:
    project = await rt.projects.by(project_store.BY_ID, due.project_id)
    if project is None:
        raise Fault(FaultCode.PROVIDER_NOT_CONFIGURED, "the project is gone")
    return project


async def _put_off(rt: Runtime, due: Due, fault: Fault) -> None:
    asked = fault.facts.get("retry_after")
    wait = max(FIRST_PAUSE * 4 ** min(due.attempts - 1, 12), (asked if isinstance(asked, int) else 0) * SECOND)
    _LOG.info("a grant of account %s is handed back later: %s", due.account_id, fault)
    await rt.db.write(lambda tx: revocations.postpone(tx, due, tx.now + min(wait, LONGEST_PAUSE)))
