"""`POST /auth/oauth/token`: codes and refresh tokens become access tokens (RFC 6749 section 3.2)."""

from typing import Any, Literal

from oneself.actions import handoff, projects, redeem, sessions
from oneself.model import Project, Secret
from oneself.wire.http import Reply
from oneself.wire.stack import claims
from oneself.wire.stack.access import KEYLESS
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import LooseForm
from oneself.wire.stack.live import own_session
from oneself.wire.stack.operation import ANYBODY, Call, Operation, done, operation
from oneself.wire.stack.replies import TokenReply

SCOPE = "legacy"
NO_CACHE = (("pragma", "no-cache"),)


class TokenBody(LooseForm):
    """A grant of either kind; what the other kind needs may be missing."""

    grant_type: Literal["authorization_code", "refresh_token"]
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    refresh_token: str = ""
    client_id: str = ""
    client_secret: str = ""


async def exchange(call: Call, body: TokenBody) -> Reply:
    """Redeem a code (this is where sign-in and linking are committed), or refresh an access token."""
    project = await _client(call, body)
    if body.grant_type == "refresh_token":
        return await _refresh(call, project, body)
    if handoff.is_code(body.code):
        return await _hand_over(call, project, body)
    return await _redeem(call, project, body)


async def _client(call: Call, body: TokenBody) -> Project:
    stack_id, hash_sign, branch = body.client_id.partition("#")
    project = await projects.by_stack_id(call.rt, stack_id)
    if project is None or (hash_sign and branch != claims.BRANCH):
        raise known("INVALID_OAUTH_CLIENT_ID_OR_SECRET")
    secret = body.client_secret
    if not secret or secret == KEYLESS:
        if project.config.require_publishable_client_key:
            raise known("PUBLISHABLE_CLIENT_KEY_REQUIRED_FOR_PROJECT", project_id=project.stack_id)
        if not secret and body.grant_type == "refresh_token":
            raise known("INVALID_OAUTH_CLIENT_ID_OR_SECRET")
    elif not projects.key_matches(call.rt, project, "stack_client", secret):
        raise known("INVALID_OAUTH_CLIENT_ID_OR_SECRET")
    return project


async def _refresh(call: Call, project: Project, body: TokenBody) -> Reply:
    found = await sessions.refresh(call.rt, project, Secret(body.refresh_token))
    token = await claims.access_token(call.rt, project, found.view, found.session)
    return done(call, _tokens(call, token), NO_CACHE)


async def _redeem(call: Call, project: Project, body: TokenBody) -> Reply:
    rt = call.rt
    wanted = redeem.RedeemRequest(
        dialect="stack",
        grant=Secret(body.code),
        verifier=Secret(body.code_verifier) if body.code_verifier else None,
        redirect_uri=body.redirect_uri,
        session=own_session(call),
        asks_second_factor=True,
    )
    redeemed = await redeem.redeem(rt, project, wanted)
    assert redeemed.session is not None
    assert redeemed.session_token is not None
    token = await claims.access_token(rt, project, redeemed.view, redeemed.session)
    return _opened(call, token, redeemed.session_token, redeemed.created, redeemed.trip.after_callback_url)


async def _hand_over(call: Call, project: Project, body: TokenBody) -> Reply:
    """The code of a cross-domain authorize: the same session, for another domain of the application."""
    verifier = Secret(body.code_verifier) if body.code_verifier else None
    over = await handoff.redeem(call.rt, project, Secret(body.code), verifier, body.redirect_uri)
    token = await claims.access_token(call.rt, project, over.view, over.session)
    return _opened(call, token, over.token, False, over.after_callback_url)


def _opened(call: Call, access_token: str, refresh_token: Secret, created: bool, after_url: str) -> Reply:
    answer = _tokens(call, access_token) | {
        "refresh_token": refresh_token.reveal(),
        "is_new_user": created,
        "newUser": created,
        "after_callback_redirect_url": after_url or None,
        "afterCallbackRedirectUrl": after_url or None,
    }
    return done(call, answer, NO_CACHE)


def _tokens(call: Call, access_token: str) -> dict[str, Any]:
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": call.rt.settings.access_token_seconds,
        "scope": SCOPE,
    }


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/auth/oauth/token",
        exchange,
        "Redeem an authorization code or a refresh token",
        allowed=ANYBODY,
        body=TokenBody,
        response=TokenReply,
    ),
)
