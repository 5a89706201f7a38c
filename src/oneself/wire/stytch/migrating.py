"""`POST /v1/sessions/migrate`: people who are signed in at another system are signed in here, with its id_token."""

from oneself.actions import native
from oneself.actions.native import NativeRequest
from oneself.model import Secret
from oneself.wire.stytch.answers import ForeignTokenAnswer
from oneself.wire.stytch.bodies import MigrateInput
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.claims import clean_custom_claims
from oneself.wire.stytch.oauth import oauth_answer, wish
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.sessions import KIND


async def migrate(call: Call) -> ForeignTokenAnswer:
    """The user whom an id_token of the project's other issuer names, by the law of every sign-in; a session where a
    duration asks for one.

    The token must be made for the client id that the project has there: one that another application got proves nothing
    here. Refusal(product_not_configured), and what a sign-in can be refused with.
    """
    body: MigrateInput = call.body
    source = call.project.config.migrate_sessions_from
    if not source:
        raise Refusal("product_not_configured", "No external token source is configured in this project.")
    claims = clean_custom_claims(body.session_custom_claims) or {}
    redeemed = await native.redeem(
        call.rt,
        call.project,
        NativeRequest(
            dialect=KIND,
            config_id=source,
            id_token=Secret(body.session_token),
            # The nonce was the other system's own affair, when it was signed in there.
            nonce_needed=False,
            session=wish(body.session_duration_minutes, claims),
        ),
    )
    full = await oauth_answer(call, redeemed, None)
    return ForeignTokenAnswer(
        user_id=full.user_id,
        session=full.session,
        session_token=full.session_token,
        session_jwt=full.session_jwt,
        user=full.user,
    )
