"""What an emulated provider answers: HTTP answers as values, and refusals in the words of the RFC."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

Json = dict[str, Any]


class Refusal(StrEnum):
    """Why a token request is refused; every player has its own words for each."""

    REQUEST = "request"
    GRANT_TYPE = "grant_type"
    CLIENT = "client"
    SECRET = "secret"
    CLIENT_WAY = "client_way"
    CODE = "code"
    REDIRECT = "redirect"
    VERIFIER = "verifier"
    SCOPE = "scope"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. `body` is a JSON value, or text for the other kinds."""

    status: int = 200
    body: Any = None
    kind: Literal["json", "form", "html", "text", "empty"] = "json"
    headers: tuple[tuple[str, str], ...] = ()


def rfc6749(refusal: Refusal) -> Answer:
    """Refuse in the words of RFC 6749 section 5.2; 401 with a challenge where the client failed."""
    match refusal:
        case Refusal.REQUEST:
            return failure(400, "invalid_request", "The request is malformed.")
        case Refusal.GRANT_TYPE:
            return failure(400, "unsupported_grant_type", "This grant type is not supported.")
        case Refusal.CLIENT | Refusal.SECRET | Refusal.CLIENT_WAY:
            said = failure(401, "invalid_client", "Client authentication failed.")
            return Answer(status=401, body=said.body, headers=(("WWW-Authenticate", 'Basic realm="token"'),))
        case Refusal.CODE:
            return failure(400, "invalid_grant", "The code is unknown, expired or used.")
        case Refusal.REDIRECT:
            return failure(400, "invalid_grant", "redirect_uri is not the one of the request.")
        case Refusal.VERIFIER:
            return failure(400, "invalid_grant", "code_verifier does not match.")
        case Refusal.REFRESH:
            return failure(400, "invalid_grant", "The refresh token is expired or revoked.")
        case Refusal.SCOPE:
            return failure(400, "invalid_scope", "The scope exceeds what was granted.")


def failure(status: int, error: str, description: str = "", **more: Any) -> Answer:
    """Make a JSON refusal with `error`, `error_description` where given, and further fields."""
    body: Json = {"error": error}
    if description:
        body["error_description"] = description
    return Answer(status=status, body={**body, **more})


def present(fields: Mapping[str, Any]) -> Json:
    """Leave out what is None or an empty text: most providers drop a field that they cannot fill."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}
