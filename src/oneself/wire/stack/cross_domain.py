"""`/auth/oauth/cross-domain/authorize`: a session goes from one domain of an application to another, by a code."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from oneself.actions import handoff, return_urls
from oneself.faults import Fault
from oneself.model import Secret
from oneself.wire.http import Reply
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import Form, Url
from oneself.wire.stack.headers import sent
from oneself.wire.stack.live import check_user
from oneself.wire.stack.operation import CLIENT, Call, Operation, done, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import RedirectUrl


class AuthorizeBody(Form, kw_only=True):
    """Where the session shall go, and what its taker will prove."""

    redirect_uri: Url
    state: Annotated[str, Meta(min_length=1, max_length=512)]
    code_challenge: Annotated[str, Meta(pattern="^[A-Za-z0-9._~-]{43,128}$")]
    code_challenge_method: Literal["S256"] = "S256"
    after_callback_redirect_url: Url | UnsetType = UNSET


async def authorize(call: Call, body: AuthorizeBody) -> Reply:
    """Make a code for the caller's own session."""
    bearer = call.require_user()
    refresh_token = Secret(sent(call.request, "refresh-token"))
    if not refresh_token:
        raise plain(400, "Cross-domain auth handoff requires passing the current refresh token.")
    after = body.after_callback_redirect_url or ""
    wanted = handoff.HandoffRequest(
        user_id=bearer.user_id,
        session_id=bearer.session_id,
        refresh_token=refresh_token,
        redirect_uri=body.redirect_uri,
        challenge=body.code_challenge,
        after_callback_url=after,
    )
    try:
        code = await _begun(call, wanted)
    except Fault:
        await check_user(call)
        raise
    location = return_urls.with_query(body.redirect_uri, [("code", code), ("state", body.state)])
    return done(call, {"redirect_url": location})


async def _begun(call: Call, wanted: handoff.HandoffRequest) -> str:
    """The code; whether the URLs are trusted is told to nobody who does not bring the session."""
    urls = (wanted.redirect_uri, wanted.after_callback_url)
    if all(return_urls.is_trusted(call.project, url) for url in urls if url):
        return await handoff.begin(call.rt, call.project, wanted)
    await handoff.check(call.rt, call.project, wanted.user_id, wanted.session_id, wanted.refresh_token)
    raise known("REDIRECT_URL_NOT_WHITELISTED")


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/auth/oauth/cross-domain/authorize",
        authorize,
        "Hand the session over to another domain",
        allowed=CLIENT,
        body=AuthorizeBody,
        response=RedirectUrl,
    ),
)
