"""Reads the arguments that several operations share: whose user, which session."""

import re

from oneself.actions import users
from oneself.model import Secret, SessionRef
from oneself.wire.stytch import ids
from oneself.wire.stytch.call import Call
from oneself.wire.stytch.claims import session_of_jwt
from oneself.wire.stytch.refusals import Refusal

_TOKEN = re.compile(r"[A-Za-z0-9_-]{44}\Z")


async def user_id(call: Call, text: str) -> str:
    """Return the UUID of the user that `text` names, by our id or by the project's external id.

    Ids of ours are not looked up here: the action finds out whether the user exists. Refusal(
    invalid_user_id), Fault(user_not_found).
    """
    if ids.looks_ours(text):
        return ids.read(ids.USER, call.project, text)
    if not ids.is_external(text):
        raise Refusal("invalid_user_id")
    return await users.id_of_external_id(call.rt, call.project, text)


async def session_ref(call: Call, token: str | None, jwt: str | None) -> SessionRef:
    """Return the session that exactly one of a token and a JWT names; the caller has counted them.

    Refusal(invalid_session_token), and the refusals of a JWT.
    """
    if token is not None or jwt is None:
        return token_ref(token or "")
    return SessionRef(session_id=await session_of_jwt(call.rt, call.project, jwt))


def token_ref(token: str) -> SessionRef:
    """Return the session that a token names. Refusal(invalid_session_token) for a text that cannot
    be one.
    """
    if _TOKEN.match(token) is None:
        raise Refusal("invalid_session_token")
    return SessionRef(token=Secret(token))


def count(*values: object) -> int:
    """Return how many arguments were given at all."""
    return sum(value is not None for value in values)
