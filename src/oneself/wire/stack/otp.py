"""Sign-in by a mailed one-time code, which the vendor also calls a magic link."""

from oneself.actions import sign_in_codes
from oneself.actions.sign_in_codes import SignInCodeRequest
from oneself.model import Secret
from oneself.wire.http import Reply
from oneself.wire.stack.fields import CodeBody, SignInEmail, Url
from oneself.wire.stack.live import own_session
from oneself.wire.stack.operation import Call, Operation, done, operation
from oneself.wire.stack.passwords import Challenged, signed_in
from oneself.wire.stack.replies import CodeChecked, CodeSent, SignedIn


class SendBody(Challenged, kw_only=True):
    """Where the code goes, and where its link leads."""

    email: SignInEmail
    callback_url: Url


async def send(call: Call, body: SendBody) -> Reply:
    """Mail a code to sign in with; the answer is the part of it that the mail's reader need not type."""
    wanted = SignInCodeRequest(email=body.email.lower(), callback_url=body.callback_url, peer=call.request.peer)
    nonce = await sign_in_codes.send(call.rt, call.project, wanted)
    return done(call, {"nonce": nonce.reveal()})


async def sign_in(call: Call, body: CodeBody) -> Reply:
    """Sign in or up with a mailed code; an anonymous caller becomes the new user."""
    anonymous_id = call.bearer.user_id if call.bearer and call.bearer.is_anonymous else ""
    made = await sign_in_codes.redeem(call.rt, call.project, Secret(body.code), own_session(call), anonymous_id)
    told = await signed_in(call, made.view, made.session, made.token)
    return done(call, told | {"is_new_user": made.created})


async def check(call: Call, body: CodeBody) -> Reply:
    """Tell whether a code could be used, without using it."""
    await sign_in_codes.check(call.rt, call.project, Secret(body.code))
    return done(call, {"is_code_valid": True})


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST", "/auth/otp/send-sign-in-code", send, "Mail a code to sign in with", body=SendBody, response=CodeSent
    ),
    operation("POST", "/auth/otp/sign-in", sign_in, "Sign in with a mailed code", body=CodeBody, response=SignedIn),
    operation(
        "POST",
        "/auth/otp/sign-in/check-code",
        check,
        "Look at a mailed code",
        body=CodeBody,
        response=CodeChecked,
    ),
)
