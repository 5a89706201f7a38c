"""Renew provider access tokens before they end, so that no reader waits for it."""

import asyncio

from oneself.actions.renewing import Grant, renewed
from oneself.actions.runtime import Runtime, client_of, tokens_leave
from oneself.faults import Fault
from oneself.store import projects as project_store
from oneself.store import vault

AHEAD_BATCH = 100


async def renew_ending(rt: Runtime, within: int) -> int:
    """Renew what ends within that many microseconds and is past half of its life, so that no reader waits for it; how
    many were tried. What fails is told and cooled down as at a read, and tried again until it ends.

    Several processes may do so at once: the lease is one's. Each provider holds up its own tokens alone.
    """
    tried = 0
    after: vault.Ending | None = None
    while page := await vault.ending(rt.db, rt.clock(), within, after, AHEAD_BATCH):
        grants = [await _grant_of(rt, one) for one in page]
        flights = [renewed(grant) for grant in grants if grant is not None]
        await asyncio.gather(*flights, return_exceptions=True)
        tried += len(flights)
        after = page[-1]
        if len(page) < AHEAD_BATCH:
            break
    return tried


async def _grant_of(rt: Runtime, ending: vault.Ending) -> Grant | None:
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
    return Grant(rt, project, ending.user_id, key, client, ending.kept)
