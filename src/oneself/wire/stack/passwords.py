"""Sign-up and sign-in with a password, its change, and sign-up without telling anything."""

from typing import Any

from msgspec import UNSET, UnsetType

from oneself.actions import password_reset, passwords, return_urls, sessions, sign_up
from oneself.actions import users as user_actions
from oneself.actions.password_reset import ResetRequest
from oneself.faults import Fault, FaultCode
from oneself.model import Secret, Session, UserView
from oneself.wire.http import Reply
from oneself.wire.stack import claims
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.fields import CodeBody, Form, Password, SignInEmail, Url
from oneself.wire.stack.live import own_session, require_live_session
from oneself.wire.stack.operation import CLIENT, Call, Operation, done, operation
from oneself.wire.stack.refusals import plain
from oneself.wire.stack.replies import CodeChecked, MaybeSent, SignedIn, Success
from oneself.wire.stack.users import hash_of

# All that whoever asks for a reset is told.
MAYBE = "maybe, only if user with e-mail exists"


class Challenged(Form, kw_only=True):
    """What a bot challenge would bring; taken and not looked at."""

    bot_challenge_token: str | UnsetType = UNSET
    bot_challenge_phase: str | UnsetType = UNSET
    bot_challenge_unavailable: str | UnsetType = UNSET


class SignUpBody(Challenged, kw_only=True):
    """Somebody new."""

    email: SignInEmail
    password: Password
    verification_callback_url: Url | UnsetType = UNSET


class SignInBody(Form):
    """Somebody known."""

    email: SignInEmail
    password: Password


class UpdateBody(Form):
    """Another password for the one that is there."""

    old_password: Password
    new_password: Password


class SetBody(Form):
    """A first password."""

    password: Password


class SendResetBody(Form):
    """Who forgot the password, and where the letter's link leads."""

    email: SignInEmail
    callback_url: Url


class ResetBody(CodeBody):
    """A code out of a mail, and another password."""

    password: Password


async def up(call: Call, body: SignUpBody) -> Reply:
    """Sign up with an address and a password; an anonymous caller becomes the new user."""
    _check_enabled(call)
    url = body.verification_callback_url
    if url and not return_urls.is_trusted(call.project, url):
        raise known("REDIRECT_URL_NOT_WHITELISTED")
    made = await sign_up.with_password(
        call.rt,
        call.project,
        sign_up.PasswordSignUp(
            email=body.email.lower(),
            password_hash=await hash_of(call, body.password),
            session=own_session(call),
            anonymous_id=call.bearer.user_id if call.bearer and call.bearer.is_anonymous else "",
            verification_url=url or "",
        ),
    )
    return done(call, await signed_in(call, made.view, made.session, made.token))


async def sign_in(call: Call, body: SignInBody) -> Reply:
    """Sign in with an address and a password."""
    _check_enabled(call)
    view = await passwords.check(
        call.rt, call.project, body.email, Secret(body.password), "stack", peer=call.request.peer
    )
    made = await sessions.create(
        call.rt,
        call.project,
        view.user.id,
        own_session(call),
        factor_kind="password",
        actor="self",
        checked=view,
        asks_second_factor=True,
    )
    return done(call, await signed_in(call, made.view, made.session, made.token))


async def anonymous(call: Call) -> Reply:
    """Sign up without telling anything."""
    made = await sign_up.anonymously(call.rt, call.project, own_session(call))
    return done(call, await signed_in(call, made.view, made.session, made.token))


async def update(call: Call, body: UpdateBody) -> Reply:
    """Change the caller's password; every other session ends."""
    _check_enabled(call)
    bearer = call.require_user()
    await require_live_session(call)
    view = await user_actions.read(call.rt, call.project, bearer.user_id)
    if not view.user.password_hash:
        raise known("USER_DOES_NOT_HAVE_PASSWORD")
    if not await passwords.matches(call.rt, view, Secret(body.old_password)):
        raise known("PASSWORD_CONFIRMATION_MISMATCH")
    return await _store(call, view, await hash_of(call, body.new_password))


async def first(call: Call, body: SetBody) -> Reply:
    """Give the caller a first password."""
    _check_enabled(call)
    bearer = call.require_user()
    await require_live_session(call)
    view = await user_actions.read(call.rt, call.project, bearer.user_id)
    if view.user.password_hash:
        raise plain(400, "User already has a password set.")
    return await _store(call, view, await hash_of(call, body.password))


async def send_reset(call: Call, body: SendResetBody) -> Reply:
    """Mail a code for another password, if somebody signs in with the address; the answer does not tell."""
    _check_enabled(call)
    wanted = ResetRequest(email=body.email.lower(), callback_url=body.callback_url, peer=call.request.peer)
    await password_reset.send(call.rt, call.project, wanted)
    return done(call, {"success": MAYBE})


async def check_reset(call: Call, body: CodeBody) -> Reply:
    """Tell whether a code could be used, without using it."""
    await password_reset.check(call.rt, call.project, Secret(body.code))
    return done(call, {"is_code_valid": True})


async def reset(call: Call, body: ResetBody) -> Reply:
    """Take another password for a mailed code; every session ends."""
    _check_enabled(call)
    code = Secret(body.code)
    # a wrong code is told before anything costly is done for it
    await password_reset.check(call.rt, call.project, code)
    await password_reset.reset(call.rt, call.project, code, await hash_of(call, body.password))
    return done(call, {"success": True})


async def _store(call: Call, before: UserView, password_hash: str) -> Reply:
    bearer = call.require_user()

    def change(now: UserView) -> user_actions.UserChanges:
        if now.user.password_id != before.user.password_id:
            raise Fault(FaultCode.PASSWORD_WRONG, "another request changed it meanwhile")
        return user_actions.UserChanges(password_hash=password_hash, keep_session_id=bearer.session_id)

    await user_actions.change(call.rt, call.project, bearer.user_id, change, dialect="stack", actor="self")
    return done(call, {"success": True})


async def signed_in(call: Call, view: UserView, session: Session, token: Secret) -> dict[str, Any]:
    """What a sign-in answers."""
    return {
        "access_token": await claims.access_token(call.rt, call.project, view, session),
        "refresh_token": token.reveal(),
        "user_id": view.user.id,
    }


def _check_enabled(call: Call) -> None:
    if not call.project.config.password_enabled:
        raise known("PASSWORD_AUTHENTICATION_NOT_ENABLED")


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/auth/password/sign-up",
        up,
        "Sign up with a password",
        name="passwords_sign_up",
        allowed=CLIENT,
        body=SignUpBody,
        response=SignedIn,
    ),
    operation("POST", "/auth/password/sign-in", sign_in, "Sign in with a password", body=SignInBody, response=SignedIn),
    operation(
        "POST",
        "/auth/password/update",
        update,
        "Change the password",
        body=UpdateBody,
        response=Success,
    ),
    operation(
        "POST",
        "/auth/password/set",
        first,
        "Set a first password",
        name="passwords_set",
        body=SetBody,
        response=Success,
    ),
    operation(
        "POST",
        "/auth/password/send-reset-code",
        send_reset,
        "Mail a code for another password",
        body=SendResetBody,
        response=MaybeSent,
    ),
    operation(
        "POST", "/auth/password/reset", reset, "Take another password for a code", body=ResetBody, response=Success
    ),
    operation(
        "POST",
        "/auth/password/reset/check-code",
        check_reset,
        "Look at a code for another password",
        body=CodeBody,
        response=CodeChecked,
    ),
    operation("POST", "/auth/anonymous/sign-up", anonymous, "Sign up anonymously", response=SignedIn),
)
