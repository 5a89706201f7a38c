"""Passwords, as far as the vendor's own suites and migrations need them: set one with a new user, check one."""

from typing import Any

from oneself.actions import passwords, sessions, users
from oneself.actions.users import NewUser, UserChanges
from oneself.faults import Fault, FaultCode
from oneself.model import Secret, Session, UserView
from oneself.wire.stytch import ids
from oneself.wire.stytch.answers import CreatedPasswordAnswer, PasswordAnswer, UserInsideAnswer
from oneself.wire.stytch.bodies import CreatePasswordInput, PasswordInput
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.claims import clean_custom_claims
from oneself.wire.stytch.metadata import merge_metadata
from oneself.wire.stytch.oauth import wish
from oneself.wire.stytch.refusals import Refusal
from oneself.wire.stytch.render import session_body, user_body
from oneself.wire.stytch.users import check_roles, external_name, inside

# NIST SP 800-63B section 5.1.1.2: length is what counts.
MIN_LENGTH = 8
MAX_BYTES = 1024


async def create(call: Call) -> CreatedPasswordAnswer:
    """`POST /v1/passwords`: a new user with an address and a password, and a session if asked for."""
    body: CreatePasswordInput = call.body
    _check_enabled(call)
    _check_strength(body.password, body.email)
    check_roles(body.roles)
    wanted = wish(body.session_duration_minutes, clean_custom_claims(body.session_custom_claims) or {})
    name = body.name
    view = await users.create(
        call.rt,
        call.project,
        NewUser(
            email=body.email or _no_address(),
            first_name=(name.first_name or "") if name else "",
            middle_name=(name.middle_name or "") if name else "",
            last_name=(name.last_name or "") if name else "",
            server_metadata=merge_metadata(None, body.trusted_metadata),
            client_metadata=merge_metadata(None, body.untrusted_metadata),
            external_id=external_name(body.external_id) or "",
            password_hash=await passwords.hashed(call.rt, Secret(body.password)),
        ),
    )
    session, token = None, ""
    if wanted is not None:
        opened = await sessions.create(call.rt, call.project, view.user.id, wanted, "password", actor="self")
        session, token = opened.session, opened.token.reveal()
    rendered = user_body(call.project, view)
    return CreatedPasswordAnswer(
        user_id=rendered.user_id,
        email_id=rendered.emails[0].email_id,
        **await _session(call, view, session, token),
    )


async def authenticate(call: Call) -> PasswordAnswer:
    """`POST /v1/passwords/authenticate`: the user of an address and a password, and a session if asked for."""
    body: PasswordInput = call.body
    _check_enabled(call)
    wanted = wish(body.session_duration_minutes, clean_custom_claims(body.session_custom_claims) or {})
    view = await passwords.check(call.rt, call.project, body.email, Secret(body.password), "stytch")
    session, token = None, ""
    if wanted is not None:
        opened = await sessions.create(
            call.rt, call.project, view.user.id, wanted, "password", actor="self", checked=view
        )
        session, token = opened.session, opened.token.reveal()
    return PasswordAnswer(
        user_id=ids.make("user", call.project, view.user.id),
        **await _session(call, view, session, token),
    )


async def delete(call: Call) -> UserInsideAnswer:
    """`DELETE /v1/users/passwords/{password_id}`: the user signs in with it no more."""

    def removed(view: UserView) -> UserChanges:
        if not view.user.password_hash:
            raise Refusal("password_not_found")
        return UserChanges(password_hash="")

    try:
        user_id = ids.read(ids.PASSWORD, call.project, call.request.params["password_id"])
        view = await users.change(call.rt, call.project, user_id, removed)
    except Fault as fault:
        if fault.code is FaultCode.USER_NOT_FOUND:
            raise Refusal("password_not_found") from None
        raise
    return inside(call, view)


async def _session(call: Call, view: UserView, session: Session | None, token: str) -> dict[str, Any]:
    body = session_body(call.project, session, view) if session is not None else None
    return {
        "session": body,
        "session_token": token,
        "session_jwt": await call.face.jwts.jwt(call.rt, call.project, body) if body is not None else "",
        "user": user_body(call.project, view),
    }


def _check_enabled(call: Call) -> None:
    if not call.project.config.password_enabled:
        raise Refusal("product_not_configured", "Passwords are switched off in this project.")


def _check_strength(password: str, email: str) -> None:
    long_enough = len(password) >= MIN_LENGTH and len(password.encode()) <= MAX_BYTES
    if not long_enough or len(set(password)) < 4 or password.casefold() == email.casefold():
        raise Refusal("weak_password")


def _no_address() -> str:
    raise Fault(FaultCode.EMAIL_INVALID, "an empty address")
