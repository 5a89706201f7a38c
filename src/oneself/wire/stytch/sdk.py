"""What the browser SDK calls: the same verbs for whoever is signed in there, and its bootstrap."""

from collections.abc import Awaitable, Callable

from oneself.actions import accounts, native, projects, redeem, sessions, users
from oneself.actions import attach as attaching
from oneself.actions.attach import AttachAsker
from oneself.actions.native import NativeRequest
from oneself.actions.redeem import RedeemRequest
from oneself.actions.sessions import SessionView, SessionWish
from oneself.faults import Fault, FaultCode
from oneself.model import Secret, SessionRef, UserView
from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import (
    Answer,
    AttachAnswer,
    BootstrapAnswer,
    ConnectedAppsAnswer,
    NativeAnswer,
    OAuthAnswer,
    SdkChangedUserAnswer,
    SdkUserAnswer,
    SessionAnswer,
    UserAnswer,
    UserInsideAnswer,
)
from oneself.wire.stytch.arguments import token_ref
from oneself.wire.stytch.bodies import (
    ChangeUserInput,
    SdkAttachInput,
    SdkNativeInput,
    SdkOAuthInput,
    SdkSessionInput,
)
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.oauth import oauth_answer, wish
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.render import email_body, phone_body, user_body, user_members
from oneself.wire.stytch.sessions import KIND, answer
from oneself.wire.stytch.users import changes

MAX_USER_AGENT = 512


async def bootstrap(call: Call) -> BootstrapAnswer:
    """`GET /sdk/v1/projects/bootstrap/{public_token}`: how the SDK is to behave."""
    named = await projects.by_public_token(call.rt, call.request.params["public_token"])
    if named is None or named.id != call.project.id:
        raise Refusal("public_token_not_found")
    return BootstrapAnswer(
        project_name=named.display_name,
        pkce_required_for_oauth=named.config.pkce_required_for_oauth,
    )


async def events(_call: Call) -> Answer:
    """`POST /sdk/v1/events`: telemetry, taken and dropped."""
    return Answer()


async def attach(call: Call) -> AttachAnswer:
    """`POST /sdk/v1/oauth/attach`: a ticket to link an account to whoever is signed in."""
    body: SdkAttachInput = call.body
    asker = AttachAsker(session=_session(call))
    ticket = await attaching.reserve(call.rt, call.project, body.provider, asker)
    return AttachAnswer(oauth_attach_token=ticket.reveal())


async def authenticate(call: Call) -> OAuthAnswer:
    """`POST /sdk/v1/oauth/authenticate`: redeem in the browser, with PKCE where the project asks
    for it, into the session that is signed in or a new one.
    """
    body: SdkOAuthInput = call.body
    if call.project.config.pkce_required_for_oauth and body.code_verifier is None:
        raise Fault(FaultCode.VERIFIER_MISSING, "the project wants PKCE of browsers")
    join = _session(call) if call.session is not None else None
    redeemed = await redeem.redeem(
        call.rt,
        call.project,
        RedeemRequest(
            dialect=KIND,
            grant=Secret(body.token),
            verifier=Secret(body.code_verifier) if body.code_verifier is not None else None,
            session=_own_wish(call, body.session_duration_minutes),
            join=join,
        ),
    )
    return await oauth_answer(call, redeemed, join)


async def google_id_token(call: Call) -> NativeAnswer:
    """`POST /sdk/v1/oauth/google/id_token/authenticate`: what Google gave an app on the device
    becomes a user and a session, or with an attach token an account of whom it was given out for.
    """
    body: SdkNativeInput = call.body
    join = _session(call) if call.session is not None else None
    redeemed = await native.redeem(
        call.rt,
        call.project,
        NativeRequest(
            dialect=KIND,
            config_id="google",
            id_token=Secret(body.id_token),
            nonce=Secret(body.nonce) if body.nonce else None,
            ticket=Secret(body.oauth_attach_token) if body.oauth_attach_token else None,
            session=_own_wish(call, body.session_duration_minutes),
            join=join,
        ),
    )
    full = await oauth_answer(call, redeemed, join)
    return NativeAnswer(
        user_id=full.user_id,
        provider_subject=full.provider_subject,
        provider_type=full.provider_type,
        oauth_user_registration_id=full.oauth_user_registration_id,
        reset_sessions=full.reset_sessions,
        user_created=redeemed.created,
        session_token=full.session_token,
        session_jwt=full.session_jwt,
        user=full.user,
        session=full.session,
    )


async def check(call: Call) -> SessionAnswer:
    """`POST /sdk/v1/sessions/authenticate`."""
    body: SdkSessionInput = call.body
    return await answer(call, _session(call), body.session_duration_minutes)


async def revoke(call: Call) -> Answer:
    """`POST /sdk/v1/sessions/revoke`."""
    await sessions.revoke(call.rt, call.project, KIND, _session(call))
    return Answer()


async def me(call: Call) -> UserAnswer:
    """`GET /sdk/v1/users/me`."""
    found = await _signed_in(call)
    return UserAnswer(**user_members(call.project, found.view))


async def change_me(call: Call) -> SdkChangedUserAnswer:
    """`PUT /sdk/v1/users/me`: the person's own name and untrusted metadata."""
    body: ChangeUserInput = call.body
    if body.trusted_metadata is not None:
        raise Refusal("cannot_update_trusted_metadata")
    found = await _signed_in(call)
    own = ChangeUserInput(name=body.name, untrusted_metadata=body.untrusted_metadata)
    view = await users.change(call.rt, call.project, found.view.user.id, changes(own))
    rendered = user_body(call.project, view)
    return SdkChangedUserAnswer(
        user_id=rendered.user_id,
        emails=[email_body(call.project, email) for email in view.emails],
        phone_numbers=[phone_body(call.project, phone) for phone in view.phones],
        crypto_wallets=[],
        user=rendered,
        full_user=rendered,
    )


async def delete_registration(call: Call) -> SdkUserAnswer:
    """`DELETE /sdk/v1/users/oauth/{oauth_user_registration_id}`, of the person's own."""
    found = await _signed_in(call)
    named = call.request.params["oauth_user_registration_id"]
    account_id = ids.read(ids.REGISTRATION, call.project, named)
    view = await accounts.remove(call.rt, call.project, account_id, found.view.user.id, dialect=KIND, actor="self")
    return _user_answer(call, view)


async def delete_email(call: Call) -> SdkUserAnswer:
    """`DELETE /sdk/v1/users/emails/{email_id}`, of the person's own."""
    email_id = ids.read(ids.EMAIL, call.project, call.request.params["email_id"])
    return await _take_off(call, FaultCode.EMAIL_NOT_FOUND, email_id, users.remove_email)


async def delete_phone(call: Call) -> SdkUserAnswer:
    """`DELETE /sdk/v1/users/phone_numbers/{phone_id}`, of the person's own."""
    phone_id = ids.read(ids.PHONE, call.project, call.request.params["phone_id"])
    return await _take_off(call, FaultCode.PHONE_NOT_FOUND, phone_id, users.remove_phone)


def of_nobody(refuse: Callable[[Call], Awaitable[UserInsideAnswer]]) -> Callable[[Call], Awaitable[UserInsideAnswer]]:
    """The delete of a factor that nobody has, for somebody who is signed in."""

    async def delete(call: Call) -> UserInsideAnswer:
        await _signed_in(call)
        return await refuse(call)

    return delete


async def connected_apps(call: Call) -> ConnectedAppsAnswer:
    """`GET /sdk/v1/users/connected_apps`: none."""
    await _signed_in(call)
    return ConnectedAppsAnswer()


async def revoke_connected_app(call: Call) -> Answer:
    """`POST /sdk/v1/users/connected_apps/{connected_app_id}/revoke`: there is none."""
    await _signed_in(call)
    raise Refusal("connected_app_not_found")


def _own_wish(call: Call, minutes: int) -> SessionWish | None:
    """The session that the person's own device asks for."""
    return wish(minutes, {}, call.request.peer, call.request.header("user-agent")[:MAX_USER_AGENT])


def _session(call: Call) -> SessionRef:
    """The session of the call. A text that cannot be a token is no session of anybody."""
    return token_ref(call.session.reveal() if call.session is not None else "")


async def _signed_in(call: Call) -> SessionView:
    return await sessions.authenticate(call.rt, call.project, KIND, _session(call))


async def _take_off(
    call: Call, absent: FaultCode, thing_id: str, remove: Callable[..., Awaitable[UserView]]
) -> SdkUserAnswer:
    view = (await _signed_in(call)).view
    own = [email.id for email in view.emails] + [phone.id for phone in view.phones]
    if thing_id not in own:
        raise Fault(absent, "not the person's own")
    return _user_answer(call, await remove(call.rt, call.project, thing_id))


def _user_answer(call: Call, view: UserView) -> SdkUserAnswer:
    rendered = user_body(call.project, view)
    return SdkUserAnswer(user_id=rendered.user_id, user=rendered, full_user=rendered)
