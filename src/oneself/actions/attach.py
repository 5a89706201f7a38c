"""Leg 0 of a trip: somebody who is known asks to link an account, and gets a ticket for the browser to start with."""

from oneself.actions.runtime import Runtime, client_of
from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, Flow, Noun, Project, Secret, SessionRef, Trip
from oneself.rules.lifetimes import SECOND
from oneself.rules.policies import policy_of
from oneself.steps.flow_secrets import ticket_hash
from oneself.steps.sessions import token_hash
from oneself.store import flows


class AttachAsker(Noun, frozen=True, kw_only=True):
    """Who asks: a user whom the backend names, or a session; exactly one of them."""

    user_id: str = ""
    session: SessionRef | None = None


async def reserve(
    rt: Runtime, project: Project, config_id: str, asker: AttachAsker, dialect: Dialect = "stytch"
) -> Secret:
    """Open a flow at `reserved` and give out its ticket: one statement, one commit.

    The statement itself checks that the user or session is alive. Raises Fault(PROVIDER_UNKNOWN),
    Fault(PROVIDER_NOT_CONFIGURED), Fault(USER_NOT_FOUND), Fault(SESSION_NOT_FOUND).
    """
    credentials, _ = await client_of(rt, project, config_id)
    now = rt.clock()
    flow_id = new_uuid(rt.random)
    ticket = opaque.new_ticket(flow_id, rt.random)
    flow = Flow(
        id=flow_id,
        project_id=project.id,
        dialect=dialect,
        kind="identity",
        stage="reserved",
        config_id=config_id,
        key_id=rt.ring.flow_key_id,
        cookie_bound=False,
        created_at=now,
        expires_at=now + rt.settings.ticket_seconds * SECOND,
        trip=Trip(
            intent="attach",
            policy=policy_of(project, dialect),
            config_id=config_id,
            provider=credentials.provider,
        ),
    )
    secrets = flows.Secrets(ticket=ticket_hash(ticket))
    if not await _open(rt, flow, secrets, asker):
        code = FaultCode.SESSION_NOT_FOUND if asker.session else FaultCode.USER_NOT_FOUND
        raise Fault(code, "whoever asks is not there")
    return Secret(ticket)


async def _open(rt: Runtime, flow: Flow, secrets: flows.Secrets, asker: AttachAsker) -> bool:
    ref = asker.session
    if ref is None:
        return await flows.open_for_user(rt.db, flow, secrets, asker.user_id)
    if ref.token is not None:
        hashed = token_hash(flow.dialect, ref.token.reveal())
        return await flows.open_for_token(rt.db, flow, secrets, hashed)
    return await flows.open_for_session(rt.db, flow, secrets, ref.session_id)
