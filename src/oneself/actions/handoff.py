"""Hand a session from one domain of an application to another: a code for a challenge, the session back for it.

A flow of its own kind: no provider takes part, nothing about users changes, and the session is never prolonged.
"""

from dataclasses import dataclass, field

import msgspec

from oneself.actions.runtime import Runtime
from oneself.crypto import opaque, pkce
from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import Flow, Noun, Project, Secret, Session, Trip, UserView
from oneself.rules.lifetimes import SECOND
from oneself.rules.policies import policy_of
from oneself.steps.flow_secrets import grant_hash
from oneself.steps.sessions import token_hash
from oneself.store import flows, sessions
from oneself.store.database import Tx

# Tells the codes of handoffs from those of provider trips before any statement is spent.
_PREFIX = "h"
_PLACE = "flows.handoff"


class HandoffRequest(Noun, frozen=True, kw_only=True):
    """Which session goes where: the bearer's own session and refresh token, a return URI and an S256 challenge."""

    user_id: str
    session_id: str
    refresh_token: Secret
    redirect_uri: str
    challenge: str
    after_callback_url: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A session that reached its other domain."""

    view: UserView
    session: Session
    token: Secret = field(repr=False)
    after_callback_url: str = ""


class _Parked(Noun, frozen=True, kw_only=True):
    session_id: str
    token: str


def is_code(code: str) -> bool:
    """Whether a code is one of a handoff, by its form."""
    return code.startswith(_PREFIX) and opaque.read_ticket(code.removeprefix(_PREFIX)) is not None


async def check(rt: Runtime, project: Project, user_id: str, session_id: str, refresh_token: Secret) -> None:
    """Check that a refresh token is that of the session behind an access token, and alive; one statement.

    Raises Fault(SESSION_FOREIGN) where it is another's, Fault(SESSION_NOT_FOUND) where it has expired.
    """
    session = await sessions.by_token(rt.db, project.id, token_hash("stack", refresh_token.reveal()), 0)
    if session is None or (session.id, session.user_id) != (session_id, user_id):
        raise Fault(FaultCode.SESSION_FOREIGN, "the refresh token is not of the session behind the access token")
    if session.expires_at <= rt.clock():
        raise Fault(FaultCode.SESSION_NOT_FOUND, "the session has expired")


async def begin(rt: Runtime, project: Project, wanted: HandoffRequest) -> str:
    """Open a handoff and give out its code; two statements, one commit.

    Raises as `check`.
    """
    now = rt.clock()
    await check(rt, project, wanted.user_id, wanted.session_id, wanted.refresh_token)
    flow_id = new_uuid(rt.random)
    code = opaque.new_ticket(flow_id, rt.random)
    key = await rt.projects.data_key(project.id)
    flow = Flow(
        id=flow_id,
        project_id=project.id,
        dialect="stack",
        kind="handoff",
        stage="parked",
        config_id="",
        key_id=rt.ring.flow_key_id,
        cookie_bound=False,
        created_at=now,
        expires_at=now + rt.settings.grant_seconds * SECOND,
        trip=Trip(
            intent="sign_in",
            policy=policy_of(project, "stack"),
            config_id="",
            provider="",
            login_url=wanted.redirect_uri,
            after_callback_url=wanted.after_callback_url,
            app_challenge=wanted.challenge,
            app_challenge_method="S256",
        ),
        parked=_park(key, project.id, flow_id, wanted.session_id, wanted.refresh_token),
    )
    await flows.open_unasked(rt.db, flow, flows.Secrets(grant=grant_hash(code)))
    return _PREFIX + code


async def redeem(rt: Runtime, project: Project, code: Secret, verifier: Secret | None, redirect_uri: str) -> HandedOver:
    """Give the session of a handoff to whoever holds its code and verifier; one commit.

    A wrong verifier spends nothing, anything else that is wrong spends the code. Raises Fault(GRANT_UNKNOWN),
    Fault(VERIFIER_MISMATCH), Fault(GRANT_REDIRECT_MISMATCH).
    """
    ticket = code.reveal().removeprefix(_PREFIX)
    flow_id = opaque.read_ticket(ticket)
    if flow_id is None:
        raise Fault(FaultCode.GRANT_UNKNOWN, "not a code")
    key = await rt.projects.data_key(project.id)

    async def work(tx: Tx) -> HandedOver | Fault:
        flow = await flows.take(tx, project.id, flow_id, grant_hash(ticket), "stack")
        if flow is None or flow.kind != "handoff":
            raise Fault(FaultCode.GRANT_UNKNOWN, "unknown, spent or expired", "take")
        if verifier is None or not pkce.verify("S256", flow.trip.app_challenge, verifier.reveal()):
            raise Fault(FaultCode.VERIFIER_MISMATCH, "not the verifier of this handoff", "redeem")
        if redirect_uri != flow.trip.login_url:
            return Fault(FaultCode.GRANT_REDIRECT_MISMATCH, "another redirect URI than at the start", "redeem")
        parked = _unpark(key, project.id, flow)
        found = await sessions.check_id(tx, project.id, parked.session_id, "stack", tx.now)
        if found is None:
            return Fault(FaultCode.GRANT_UNKNOWN, "the session ended meanwhile", "redeem")
        return HandedOver(found[1], found[0], Secret(parked.token), flow.trip.after_callback_url)

    ended = await rt.db.write(work)
    if isinstance(ended, Fault):
        raise ended
    return ended


def _park(key: DataKey, project_id: str, flow_id: str, session_id: str, token: Secret) -> bytes:
    parked = _Parked(session_id=session_id, token=token.reveal())
    return key.seal(msgspec.json.encode(parked), project_id, flow_id, _PLACE)


def _unpark(key: DataKey, project_id: str, flow: Flow) -> _Parked:
    return msgspec.json.decode(key.open(flow.parked, project_id, flow.id, _PLACE), type=_Parked)
