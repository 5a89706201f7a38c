"""What sign-ins leave that nobody redeemed: tokens that a provider gave, and that may have ended an earlier grant.

Where the account that came back belongs to somebody, its tokens become a candidate, for the day on which the provider
calls the account's own grant dead. Else they are handed back to the provider.
"""

from oneself.actions.runtime import Runtime, credentials_of, takes_grants_back
from oneself.faults import Fault
from oneself.model import Flow, Identity, Project
from oneself.rules import scopes as scope_rules
from oneself.rules.lifetimes import GRANTS_HANDED_BACK_FOR
from oneself.steps import tokens
from oneself.store import accounts, candidates, flows, revocations
from oneself.store import projects as project_store
from oneself.store.database import Tx

BATCH = 50


async def collect(rt: Runtime) -> int:
    """Empty every trip whose grant has expired unredeemed; how many. One statement where there is none.

    Several processes may do so at once: each trip is emptied by one of them.
    """
    emptied = 0
    while left := await flows.unredeemed(rt.db, rt.clock(), BATCH):
        for flow in left:
            await _one(rt, flow)
        emptied += len(left)
        if len(left) < BATCH:
            break
    return emptied


async def _one(rt: Runtime, flow: Flow) -> None:
    project = await rt.projects.by(project_store.BY_ID, flow.project_id)
    if project is None:
        return  # the trip goes with it
    key = await rt.projects.data_key(project.id)
    try:
        identity = tokens.unpark(key, project.id, flow.id, flow.parked)
    except Fault:
        identity = None  # what does not open is of no use to anybody

    async def work(tx: Tx) -> None:
        if not await flows.empty(tx, project.id, flow.id) or identity is None:
            return
        held = identity.tokens
        if not (held.refresh_token or held.access_token):
            return
        name = scope_rules.canonical(held.scopes)
        profile = identity.profile
        owner = await accounts.sign_in_owner(tx, project.id, flow.config_id, profile.issuer, profile.subject)
        if owner is not None:
            account_id, user_id = owner
            sealed = tokens.seal_candidate(key, tokens.Row(project.id, user_id, account_id, name), held)
            await candidates.put(tx, project.id, account_id, name, sealed, held.expires_at)
        elif _can_go_back(project, flow):
            await _hand_back(tx, flow, identity, name)

    async def _hand_back(tx: Tx, flow: Flow, identity: Identity, name: str) -> None:
        """The trip's own id stands in the account's place: there is no account."""
        sealed = tokens.seal(key, tokens.Row(project.id, "", flow.id, name), identity.tokens)
        profile = identity.profile
        where = (flow.config_id, profile.issuer, profile.subject)
        await revocations.note(tx, project.id, flow.id, name, where, sealed, GRANTS_HANDED_BACK_FOR)

    await rt.db.write(work)


def _can_go_back(project: Project, flow: Flow) -> bool:
    try:
        credentials_of(project, flow.config_id)
    except Fault:
        return False  # the provider was taken out of the project meanwhile
    return takes_grants_back(project, flow.config_id)
