"""The backend's two legs of an OAuth trip: reserve an attach, redeem what came back."""

from typing import Any

from oneself.actions import attach as attaching
from oneself.actions import redeem
from oneself.actions.attach import AttachAsker
from oneself.actions.redeem import Redeemed, RedeemRequest
from oneself.actions.sessions import SessionWish, lifetime_of_minutes
from oneself.model import Secret, SessionRef
from oneself.wire.stytch import ids, sandbox
from oneself.wire.stytch.answers import AttachAnswer, OAuthAnswer
from oneself.wire.stytch.arguments import count, session_ref, user_id
from oneself.wire.stytch.bodies import AttachInput, OAuthInput
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.claims import clean_custom_claims
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.render import provider_values, session_body, user_body
from oneself.wire.stytch.sessions import KIND
from oneself.wire.stytch.wording import provider_type


async def attach(call: Call) -> AttachAnswer:
    """`POST /v1/oauth/attach`: a ticket that links an account of `provider` to a chosen user."""
    body: AttachInput = call.body
    given = count(body.user_id, body.session_token, body.session_jwt)
    if given != 1:
        raise Refusal("too_many_user_selection_arguments" if given else "no_user_selection_arguments")
    if body.user_id is not None:
        asker = AttachAsker(user_id=await user_id(call, body.user_id))
    else:
        asker = AttachAsker(session=await session_ref(call, body.session_token, body.session_jwt))
    ticket = await attaching.reserve(call.rt, call.project, body.provider, asker)
    return AttachAnswer(oauth_attach_token=ticket.reveal())


async def authenticate(call: Call) -> OAuthAnswer:
    """`POST /v1/oauth/authenticate`: what the trip proved becomes a user, and a session if a
    duration asks for one.
    """
    body: OAuthInput = call.body
    if count(body.session_token, body.session_jwt) > 1:
        raise Refusal("too_many_session_arguments")
    join = None
    if count(body.session_token, body.session_jwt):
        join = await session_ref(call, body.session_token, body.session_jwt)
    claims = clean_custom_claims(body.session_custom_claims) or {}
    if sandbox.is_sandbox(call.project, body.token, sandbox.OAUTH_TOKEN):
        return await sandbox.oauth_answer(call, with_session=body.session_duration_minutes is not None)
    request = RedeemRequest(
        dialect=KIND,
        grant=Secret(body.token),
        verifier=Secret(body.code_verifier) if body.code_verifier is not None else None,
        session=wish(body.session_duration_minutes, claims),
        join=join,
        custom_claims=claims,
    )
    redeemed = await redeem.redeem(call.rt, call.project, request)
    return await oauth_answer(call, redeemed, join)


def wish(minutes: int | None, claims: dict[str, Any], ip_address: str = "", user_agent: str = "") -> SessionWish | None:
    """Return the session that a duration asks for; none without a duration.

    Fault(session_duration_invalid).
    """
    if minutes is None:
        return None
    return SessionWish(
        kind=KIND,
        lifetime=lifetime_of_minutes(minutes),
        custom_claims=claims,
        ip_address=ip_address,
        user_agent=user_agent,
    )


async def oauth_answer(call: Call, redeemed: Redeemed, join: SessionRef | None) -> OAuthAnswer:
    """Render what a redeem gave; a session that was joined keeps its token, and a JWT that named it
    gets none back.
    """
    project, account = call.project, redeemed.account
    session = None
    session_token = session_jwt = ""
    if redeemed.session is not None:
        session = session_body(project, redeemed.session, redeemed.view)
        session_jwt = await call.face.jwts.jwt(call.rt, project, session)
        token = redeemed.session_token or (join.token if join is not None else None)
        session_token = token.reveal() if token is not None else ""
    return OAuthAnswer(
        user_id=ids.make("user", project, redeemed.view.user.id),
        provider_subject=account.subject,
        provider_type=provider_type(account.provider, account.config_id),
        oauth_user_registration_id=ids.make("oauth-user", project, account.id),
        provider_values=provider_values(redeemed.tokens),
        reset_sessions=redeemed.reset_sessions,
        session_token=session_token,
        session_jwt=session_jwt,
        user=user_body(project, redeemed.view),
        user_session=session,
        session=session,
    )
