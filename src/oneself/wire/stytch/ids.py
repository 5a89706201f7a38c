"""This dialect's identifiers: `<kind>-<env>-<uuid>`, made from ours and read back."""

import re
from typing import NamedTuple

from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.wire.stytch.refusals import Refusal

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_EXTERNAL = re.compile(r"[A-Za-z0-9._|-]{1,128}\Z")
_PROJECT = re.compile(rf"project-(test|live)-{_UUID}\Z")


class Kind(NamedTuple):
    """One kind of id: its prefix, the refusal of a malformed one, the fault of an absent one."""

    prefix: str
    malformed: str
    absent: FaultCode


USER = Kind("user", "invalid_user_id", FaultCode.USER_NOT_FOUND)
EMAIL = Kind("email", "invalid_email_id", FaultCode.EMAIL_NOT_FOUND)
PHONE = Kind("phone-number", "invalid_id", FaultCode.PHONE_NOT_FOUND)
SESSION = Kind("session", "invalid_session_id", FaultCode.SESSION_NOT_FOUND)
REGISTRATION = Kind("oauth-user", "invalid_oauth_user_registration_id", FaultCode.ACCOUNT_NOT_FOUND)
# A user has one password at most, so its id is the user's.
PASSWORD = Kind("password", "invalid_id", FaultCode.USER_NOT_FOUND)
REQUEST = "request-id"

# Any text that begins like this is one of ours, or was meant to be; no external id may look so.
_OURS = re.compile(
    r"(user|email|phone-number|session|oauth-user|password|totp|webauthn-registration|"
    r"biometric-registration|crypto-wallet|project|public-token|secret|oauth-callback|"
    r"request-id|jwk)-(test|live)-"
)


def make(prefix: str, project: Project, uuid: str) -> str:
    """Return our id in this dialect's form."""
    return f"{prefix}-{project.environment}-{uuid}"


def read(kind: Kind, project: Project, text: str) -> str:
    """Return the UUID of an id of this kind.

    Refusal(the kind's) when it is malformed or of another kind; the kind's fault when it belongs to
    the other environment and so to nobody here.
    """
    match = re.fullmatch(rf"{kind.prefix}-(test|live)-({_UUID})", text)
    if match is None:
        raise Refusal(kind.malformed)
    if match[1] != project.environment:
        raise Fault(kind.absent, "an id of the other environment")
    return match[2]


def is_of(prefix: str, text: str) -> bool:
    """Say whether a text is an id of this kind, of either environment."""
    return re.fullmatch(rf"{prefix}-(test|live)-{_UUID}", text) is not None


def looks_ours(text: str) -> bool:
    """Say whether a text begins like an id of this dialect."""
    return _OURS.match(text) is not None


def is_external(text: str) -> bool:
    """Say whether a text may be an external id: its alphabet, its length, and not one of ours."""
    return _EXTERNAL.match(text) is not None and not looks_ours(text)


def is_project(text: str) -> bool:
    """Say whether a text has the form of a project id."""
    return _PROJECT.match(text) is not None
