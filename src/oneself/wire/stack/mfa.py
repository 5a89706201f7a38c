"""The second factor of a sign-in."""

from typing import Literal

from oneself.actions import second_factor
from oneself.actions.second_factor import SecondFactor
from oneself.model import Secret
from oneself.wire.http import Reply
from oneself.wire.stack.fields import CodeBody
from oneself.wire.stack.live import own_session
from oneself.wire.stack.operation import Call, Operation, done, operation
from oneself.wire.stack.passwords import signed_in
from oneself.wire.stack.replies import SignedIn


class MfaBody(CodeBody):
    """The attempt's code, and the password of this half minute."""

    type: Literal["totp"]
    totp: str


async def sign_in(call: Call, body: MfaBody) -> Reply:
    """Finish a sign-in that waits for its second factor."""
    wanted = SecondFactor(code=Secret(body.code), password=Secret(body.totp), session=own_session(call))
    made = await second_factor.sign_in(call.rt, call.project, wanted)
    return done(call, await signed_in(call, made.view, made.session, made.token) | {"is_new_user": False})


OPERATIONS: tuple[Operation, ...] = (
    operation("POST", "/auth/mfa/sign-in", sign_in, "Sign in with a second factor", body=MfaBody, response=SignedIn),
)
