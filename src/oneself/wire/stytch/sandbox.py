"""The vendor's documented sandbox tokens, in test projects only: fixed answers about a person who is nowhere stored."""

from oneself.model import EmailAddress, Factor, Project, Session, TokenSet, User, UserView
from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import OAuthAnswer, SessionAnswer
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.render import provider_values, session_body, user_body

# Published in the vendor's documentation for everybody's tests; they open nothing.
OAUTH_TOKEN = "hdPVZHHX0UoRa7hJTuuPHi1vlddffSnoweRbVFf5-H8g"
SESSION_TOKEN = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY"

_USER = "e3795c81-f849-4167-bfda-e4a6e9c280fd"
_EMAIL = "23873e89-d4ed-4e92-b3b9-e5c7198fa286"
_SESSION = "eb94233f-8800-4ebd-8645-51dc15f9d028"
_REGISTRATION = "0b6dbdb9-5ac6-4e6b-9ee3-6f6c5aa8d3a2"
_SUBJECT = "sandbox"
_STARTED_AT = 1_630_111_318_935_673
_STARTED_TEXT = "2021-08-28T00:41:58.935673Z"
_HOUR = 3_600_000_000


def is_sandbox(project: Project, token: str | None, sandbox_token: str) -> bool:
    """Say whether a token is the sandbox's, in a project where that means something."""
    return token == sandbox_token and project.environment == "test"


async def session_answer(call: Call) -> SessionAnswer:
    """Return the sandbox session, for an hour from now, with a JWT of the project's own."""
    view = _view()
    body = session_body(call.project, _session(call), view)
    body.started_at = _STARTED_TEXT
    factor = {
        "type": "magic_link",
        "delivery_method": "email",
        "created_at": _STARTED_TEXT,
        "updated_at": _STARTED_TEXT,
        "last_authenticated_at": _STARTED_TEXT,
        "email_factor": {
            "email_id": ids.make("email", call.project, _EMAIL),
            "email_address": view.emails[0].address,
        },
    }
    body.authentication_factors = [factor]
    return SessionAnswer(
        session=body,
        session_token=SESSION_TOKEN,
        session_jwt=await call.face.jwts.jwt(call.rt, call.project, body),
        user=user_body(call.project, view),
    )


async def oauth_answer(call: Call, with_session: bool) -> OAuthAnswer:
    """Return the sandbox sign-in; a session comes with it where a duration asked for one."""
    view = _view()
    session = session_body(call.project, _session(call), view) if with_session else None
    jwt = await call.face.jwts.jwt(call.rt, call.project, session) if session is not None else ""
    return OAuthAnswer(
        user_id=ids.make("user", call.project, _USER),
        provider_subject=_SUBJECT,
        provider_type="Google",
        oauth_user_registration_id=ids.make("oauth-user", call.project, _REGISTRATION),
        provider_values=provider_values(TokenSet(access_token="sandbox")),
        reset_sessions=False,
        session_token=SESSION_TOKEN if session is not None else "",
        session_jwt=jwt,
        user=user_body(call.project, view),
        user_session=session,
        session=session,
    )


def _session(call: Call) -> Session:
    now = call.rt.clock()
    factor = Factor(
        kind="oauth",
        created_at=_STARTED_AT,
        updated_at=_STARTED_AT,
        last_authenticated_at=_STARTED_AT,
        account_id=_REGISTRATION,
        provider="google",
        subject=_SUBJECT,
        email_id=_EMAIL,
    )
    return Session(
        id=_SESSION,
        user_id=_USER,
        kind="stytch",
        started_at=_STARTED_AT,
        last_accessed_at=now,
        expires_at=now + _HOUR,
        factors=(factor,),
    )


def _view() -> UserView:
    user = User(
        id=_USER,
        version=1,
        security_epoch=1,
        status="active",
        created_at=_STARTED_AT,
        signed_up_at=_STARTED_AT,
        last_active_at=_STARTED_AT,
        is_anonymous=False,
        display_name="",
        first_name="",
        middle_name="",
        last_name="",
        picture_url="",
        external_id="",
        client_metadata=None,
        client_read_only_metadata=None,
        server_metadata=None,
        password_hash="",
        password_id="",
        extras={},
    )
    email = EmailAddress(
        id=_EMAIL,
        user_id=_USER,
        address="sandbox@stytch.com",
        folded="sandbox@stytch.com",
        verified_at=_STARTED_AT,
        verified_by="mail",
        is_primary=True,
        claims_sign_in=True,
        created_at=_STARTED_AT,
    )
    return UserView(user=user, emails=(email,))
