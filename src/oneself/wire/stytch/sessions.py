"""Sessions of this dialect: list, check, extend, revoke, and the public keys of their JWTs."""

from typing import Literal

from oneself.actions import projects, sessions, signing
from oneself.model import SessionRef
from oneself.wire.http import Reply
from oneself.wire.stytch import ids, sandbox
from oneself.wire.stytch.answers import Answer, KeysAnswer, SessionAnswer, SessionsAnswer
from oneself.wire.stytch.arguments import count, session_ref, user_id
from oneself.wire.stytch.bodies import RevokeInput, SessionInput
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.claims import USE, clean_custom_claims
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.render import key_body, session_body, user_body

KIND: Literal["stytch"] = "stytch"


async def get(call: Call) -> SessionsAnswer:
    """`GET /v1/sessions`: every live session of a user."""
    named = call.request.query.get("user_id", "")
    found = await sessions.list_for_user(call.rt, call.project, await user_id(call, named))
    return SessionsAnswer(sessions=[session_body(call.project, session, None) for session in found])


async def authenticate(call: Call) -> SessionAnswer:
    """`POST /v1/sessions/authenticate`: by token or JWT; a JWT that has expired is answered with a
    fresh one while its session lives.
    """
    body: SessionInput = call.body
    given = count(body.session_token, body.session_jwt)
    if given != 1:
        raise Refusal("too_many_session_arguments" if given else "no_session_arguments")
    claims = clean_custom_claims(body.session_custom_claims)
    if sandbox.is_sandbox(call.project, body.session_token, sandbox.SESSION_TOKEN):
        return await sandbox.session_answer(call)
    ref = await session_ref(call, body.session_token, body.session_jwt)
    if body.authorization_check is not None:
        # No policy is configured in this dialect, so no role grants anything.
        await sessions.authenticate(call.rt, call.project, KIND, ref)
        raise Refusal("consumer_session_authorization_error")
    return await answer(call, ref, body.session_duration_minutes, claims)


async def answer(
    call: Call, ref: SessionRef, duration: int | None, claims: dict[str, object] | None = None
) -> SessionAnswer:
    """Check a session and render it with its user and a JWT; the token is echoed if it was sent.

    `duration` is in minutes. Fault(session_not_found), Fault(session_duration_invalid),
    Fault(claims_too_large).
    """
    found = await sessions.authenticate(call.rt, call.project, KIND, ref, duration, claims)
    rendered = session_body(call.project, found.session, found.view)
    return SessionAnswer(
        session=rendered,
        session_token=ref.token.reveal() if ref.token is not None else "",
        session_jwt=await call.face.jwts.jwt(call.rt, call.project, rendered),
        user=user_body(call.project, found.view),
    )


async def revoke(call: Call) -> Answer:
    """`POST /v1/sessions/revoke`: by id, token or JWT."""
    body: RevokeInput = call.body
    given = count(body.session_id, body.session_token, body.session_jwt)
    if given != 1:
        raise Refusal("too_many_session_revoke_arguments" if given else "no_session_revoke_arguments")
    if body.session_id is not None:
        ref = SessionRef(session_id=ids.read(ids.SESSION, call.project, body.session_id))
    else:
        ref = await session_ref(call, body.session_token, body.session_jwt)
    await sessions.revoke(call.rt, call.project, KIND, ref)
    return Answer()


async def jwks(call: Call) -> KeysAnswer | Reply:
    """`GET /v1/sessions/jwks/{project_id}`: for anybody, with or without credentials."""
    project_id = call.request.params["project_id"]
    project = await projects.by_stytch_id(call.rt, project_id)
    if project is None:
        raise Refusal("project_not_found")
    call.belongs_to(project)
    keys = await signing.public_keys(call.rt, project, USE)
    return KeysAnswer(keys=[key_body(key) for key in keys])
