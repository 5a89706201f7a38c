"""Leg 2 of a trip: claim the flow, learn from the provider who came, preview the decision, and park what was proved."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from oneself.actions.runtime import Runtime, client_of
from oneself.crypto import opaque
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, Flow, Identity, Noun, Project, ProviderCredentials
from oneself.rules import return_urls
from oneself.rules.keys import is_live
from oneself.rules.lifetimes import SECOND
from oneself.rules.linking import Create, Decision, Refuse, decide
from oneself.steps import tokens
from oneself.steps.flow_secrets import cookie_hash, grant_hash, state_hash
from oneself.steps.linking import read_facts
from oneself.store import flows
from oneself.store import projects as project_store
from oneself.upstream import discovery
from oneself.upstream.client import Client
from oneself.upstream.identify import identify
from oneself.upstream.redirects import check_iss, refusal
from oneself.upstream.tokens import exchange_code


class CallbackRequest(Noun, frozen=True, kw_only=True):
    """What the browser brought back. `config_id` is the provider that the path names, empty where it names none;
    `cookie` the value found under the flow's cookie name; `callback_id` the one in the path, if the dialect has one.
    """

    dialect: Dialect
    state: str
    params: dict[str, str]
    cookie: str = ""
    config_id: str = ""
    callback_id: str = ""


@dataclass(frozen=True, slots=True)
class Landing:
    """How a callback ended: a grant, or a fault that the face may show or send to the application.

    `return_url` is where a success goes (allow-listed). `grant` is in clear for the redirect, empty on a fault.
    """

    project: Project
    flow: Flow
    fault: Fault | None = None
    grant: str = field(default="", repr=False)
    new_user: bool = False
    return_url: str = ""


async def finish(rt: Runtime, came: CallbackRequest) -> Landing:
    """Bring a trip home: at most four statements and two commits, the network between them.

    Raises Fault(FLOW_UNKNOWN) for a state that names no flow here; everything later is in the Landing. A browser that
    repeats its callback gets the same redirect again, without a second exchange.
    """
    named = opaque.read_state(came.state)
    if named is None:
        raise Fault(FaultCode.FLOW_UNKNOWN, "not a state of ours")
    project = await rt.projects.by(project_store.BY_ID, named[0])
    if project is None or (came.callback_id and came.callback_id != project.stytch_callback_id):
        raise Fault(FaultCode.FLOW_UNKNOWN, "the state is of no project here")
    flow = await _claim(rt, project, named[1], came)
    if isinstance(flow, Landing):
        return flow
    try:
        return await _land(rt, project, flow, came)
    except Fault as fault:
        return Landing(project, flow, fault=fault)


async def _claim(rt: Runtime, project: Project, flow_id: str, came: CallbackRequest) -> Flow | Landing:
    hashed, cookie = state_hash(came.state), cookie_hash(came.cookie)
    now = rt.clock()
    flow = await flows.claim(rt.db, project.id, flow_id, hashed, came.dialect, came.config_id, cookie, now)
    if flow is not None:
        rt.reached("callback.claimed")
        return flow
    found = await flows.explain(rt.db, project.id, flow_id, hashed)
    if found is None or found[0].dialect != came.dialect:
        raise Fault(FaultCode.FLOW_UNKNOWN, "no such flow")
    flow, bound_to = found
    if flow.cookie_bound and not opaque.equal(bound_to, cookie):
        return _refused(project, flow, FaultCode.FLOW_COOKIE_MISSING)
    if flow.stage == "parked" and flow.expires_at > now:
        return _again(rt, project, flow, came)
    if flow.stage in ("claimed", "parked"):
        return _refused(project, flow, FaultCode.FLOW_USED)
    if flow.expires_at <= now:
        return _refused(project, flow, FaultCode.FLOW_EXPIRED)
    return _refused(project, flow, FaultCode.FLOW_PROVIDER_MISMATCH)


def _refused(project: Project, flow: Flow, code: FaultCode) -> Landing:
    return Landing(project, flow, fault=Fault(code, "the flow cannot be claimed", "claim"))


def _again(rt: Runtime, project: Project, flow: Flow, came: CallbackRequest) -> Landing:
    """The same browser repeats a callback that was answered already: the derived grant is the same."""
    if not flow.cookie_bound:
        return _refused(project, flow, FaultCode.FLOW_USED)
    grant = opaque.derive_grant(rt.ring.flow_key(flow.key_id), came.state)
    return Landing(project, flow, grant=grant, return_url=flow.result)


async def _land(rt: Runtime, project: Project, flow: Flow, came: CallbackRequest) -> Landing:
    credentials, client = await client_of(rt, project, flow.config_id)
    _check_app_key(rt, project, flow)
    client = await discovery.complete(rt.outbound, client)
    check_iss(client, came.params)
    refused = refusal(client.provider, came.params)
    if refused is not None:
        raise refused
    _check_return_url(project, flow)
    identity = await _identify(rt, flow, client, came.state, came.params)
    decision = await _preview(rt, project, flow, credentials, identity)
    if isinstance(decision, Refuse):
        raise Fault(decision.code, decision.reason, "preview", email=identity.profile.email)
    new_user = isinstance(decision, Create)
    return_url = (flow.trip.signup_url if new_user else "") or flow.trip.login_url
    grant = opaque.derive_grant(rt.ring.flow_key(flow.key_id), came.state)
    await _park(rt, project, flow, identity, grant, return_url)
    return Landing(project, flow, grant=grant, new_user=new_user, return_url=return_url)


async def _identify(rt: Runtime, flow: Flow, client: Client, state: str, params: Mapping[str, str]) -> Identity:
    code = params.get("code", "")
    if not code:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "neither a code nor an error came", "callback")
    flow_key = rt.ring.flow_key(flow.key_id)
    verifier = opaque.derive_verifier(flow_key, state)
    answer = await exchange_code(rt.outbound, client, code, flow.trip.callback_url, verifier)
    rt.reached("callback.exchanged")
    identity = await identify(
        rt.outbound,
        client,
        answer,
        nonce=opaque.derive_nonce(flow_key, state) if flow.trip.nonce else None,
        now=rt.clock(),
        asked_scopes=flow.trip.scopes,
        form=params,
    )
    kept = msgspec.structs.replace(identity.tokens, callback_uri=flow.trip.callback_url)
    return msgspec.structs.replace(identity, tokens=kept)


async def _preview(
    rt: Runtime, project: Project, flow: Flow, credentials: ProviderCredentials, identity: Identity
) -> Decision:
    facts = await read_facts(
        rt.db,
        project.id,
        flow.trip,
        flow.asker,
        identity.profile,
        credentials.allow_sign_in,
        credentials.allow_connected_accounts,
    )
    return decide(facts, flow.trip.policy)


def _check_app_key(rt: Runtime, project: Project, flow: Flow) -> None:
    """What the application began the trip with must still be enough: a key may be revoked while somebody is away."""
    trip = flow.trip
    if trip.keyless and project.config.require_publishable_client_key:
        raise Fault(FaultCode.APP_KEY_NEEDED, "the project asks for a key by now", "callback")
    now = rt.clock()
    if trip.app_key_id and not any(key.id == trip.app_key_id and is_live(key, now) for key in project.keys):
        raise Fault(FaultCode.APP_KEY_GONE, "the key was revoked or expired meanwhile", "callback")


def _check_return_url(project: Project, flow: Flow) -> None:
    """What its dialect did not check at the start is checked before anything else happens."""
    trip = flow.trip
    if not trip.signup_url and not return_urls.is_trusted(project, trip.login_url):
        raise Fault(FaultCode.REDIRECT_NOT_ALLOWED, "not a trusted domain", "callback", which="redirect_uri")


async def _park(rt: Runtime, project: Project, flow: Flow, identity: Identity, grant: str, return_url: str) -> None:
    key = await rt.projects.data_key(project.id)
    parked = tokens.park(key, project.id, flow.id, identity)
    until = rt.clock() + rt.settings.grant_seconds * SECOND
    if not await flows.park(rt.db, project.id, flow.id, grant_hash(grant), parked, return_url, until):
        raise Fault(FaultCode.FLOW_EXPIRED, "the flow was swept meanwhile", "park")
    rt.reached("callback.parked")


def error_url(landing: Landing) -> str:
    """Where an application wants to hear of a fault: its return URI, else its error URI, if trusted; else nothing."""
    trip = landing.flow.trip
    for url in (trip.login_url, trip.error_url):
        if url and return_urls.is_trusted(landing.project, url):
            return url
    return ""
