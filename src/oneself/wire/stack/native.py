"""Sign-in with Apple on a device: the app got an id_token there, and no browser goes anywhere."""

from msgspec import UNSET, UnsetType

from oneself.actions import native
from oneself.actions.native import NativeRequest
from oneself.model import Secret
from oneself.wire.http import Reply
from oneself.wire.stack.fields import LooseForm
from oneself.wire.stack.live import SESSION_KIND, own_session
from oneself.wire.stack.operation import Call, Operation, done, operation
from oneself.wire.stack.passwords import signed_in
from oneself.wire.stack.replies import SignedIn


class AppleBody(LooseForm):
    """What the app got; a `nonce` is held against the token's, as it is or hashed by SHA-256."""

    id_token: str
    nonce: str | UnsetType = UNSET


async def apple(call: Call, body: AppleBody) -> Reply:
    """Sign in or up with what Apple gave an app whose bundle id the project names."""
    wanted = NativeRequest(
        dialect=SESSION_KIND,
        config_id="apple",
        id_token=Secret(body.id_token),
        nonce=Secret(body.nonce) if body.nonce else None,
        # This wire's contract asks for a token alone, and takes those of apps only.
        nonce_needed=False,
        web_client=False,
        session=own_session(call),
        asks_second_factor=True,
    )
    made = await native.redeem(call.rt, call.project, wanted)
    assert made.session is not None
    assert made.session_token is not None
    told = await signed_in(call, made.view, made.session, made.session_token)
    return done(call, told | {"is_new_user": made.created})


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "POST",
        "/auth/oauth/callback/apple/native",
        apple,
        "Sign in with what Apple gave an app on a device",
        body=AppleBody,
        response=SignedIn,
    ),
)
