"""The bodies that this dialect takes, and how bytes become them: strict about types, indifferent to
what it does not know.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from oneself.wire.stytch.refusals import Refusal

T = TypeVar("T")

Text = Annotated[str, Meta(max_length=65_536)]
# Described, but not enforced while decoding: each has a refusal of its own.
Minutes = Annotated[int, Meta(extra_json_schema={"minimum": 5, "maximum": 527_040})]
Limit = Annotated[int, Meta(extra_json_schema={"minimum": 0, "maximum": 1000})]


class Body(msgspec.Struct, kw_only=True):
    """Base of all bodies. Members that are not named are ignored: one vendor SDK repeats path
    parameters in bodies. A null counts as absent.
    """


class NameInput(Body, kw_only=True):
    """The parts of a name."""

    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text | None = None


class AttributesInput(Body, kw_only=True):
    """What the backend knows of the person's device."""

    ip_address: Text | None = None
    user_agent: Text | None = None


class AttachInput(Body, kw_only=True):
    """Body of `oauth/attach`."""

    provider: Text
    user_id: Text | None = None
    session_token: Text | None = None
    session_jwt: Text | None = None


class SdkAttachInput(Body, kw_only=True):
    """Body of `oauth/attach` in the browser; the user is the session's."""

    provider: Text


class OAuthInput(Body, kw_only=True):
    """Body of `oauth/authenticate`."""

    token: Text
    session_duration_minutes: Minutes | None = None
    session_token: Text | None = None
    session_jwt: Text | None = None
    session_custom_claims: dict[str, Any] | None = None
    code_verifier: Text | None = None
    telemetry_id: Text | None = None


class SdkOAuthInput(Body, kw_only=True):
    """Body of `oauth/authenticate` in the browser."""

    token: Text
    session_duration_minutes: Minutes
    code_verifier: Text | None = None


class SdkNativeInput(Body, kw_only=True):
    """Body of `oauth/google/id_token/authenticate`, which apps on devices send."""

    id_token: Text
    session_duration_minutes: Minutes
    nonce: Text | None = None
    oauth_attach_token: Text | None = None


class CreateUserInput(Body, kw_only=True):
    """Body of `users` create."""

    email: Text | None = None
    phone_number: Text | None = None
    name: NameInput | None = None
    attributes: AttributesInput | None = None
    create_user_as_pending: bool | None = None
    trusted_metadata: dict[str, Any] | None = None
    untrusted_metadata: dict[str, Any] | None = None
    external_id: Text | None = None
    roles: list[Text] | None = None


class ChangeUserInput(Body, kw_only=True):
    """Body of `users` update."""

    name: NameInput | None = None
    attributes: AttributesInput | None = None
    trusted_metadata: dict[str, Any] | None = None
    untrusted_metadata: dict[str, Any] | None = None
    external_id: Text | None = None
    roles: list[Text] | None = None


class ExchangeInput(Body, kw_only=True):
    """Body of `exchange_primary_factor`."""

    email_address: Text | None = None
    phone_number: Text | None = None


class CreatePasswordInput(Body, kw_only=True):
    """Body of `passwords` create."""

    email: Text
    password: Text
    session_duration_minutes: Minutes | None = None
    session_custom_claims: dict[str, Any] | None = None
    trusted_metadata: dict[str, Any] | None = None
    untrusted_metadata: dict[str, Any] | None = None
    name: NameInput | None = None
    external_id: Text | None = None
    roles: list[Text] | None = None


class PasswordInput(Body, kw_only=True):
    """Body of `passwords/authenticate`."""

    email: Text
    password: Text
    session_duration_minutes: Minutes | None = None
    session_custom_claims: dict[str, Any] | None = None


class MigrateInput(Body, kw_only=True):
    """Body of `sessions/migrate`."""

    session_token: Text
    session_duration_minutes: Minutes | None = None
    session_custom_claims: dict[str, Any] | None = None


class AccessTokenInput(Body, kw_only=True):
    """Body of `sessions/exchange_access_token`."""

    access_token: Text
    session_duration_minutes: Minutes | None = None
    session_custom_claims: dict[str, Any] | None = None


class AttestInput(Body, kw_only=True):
    """Body of `sessions/attest`."""

    profile_id: Text
    token: Text
    session_duration_minutes: Minutes | None = None
    session_custom_claims: dict[str, Any] | None = None


class QueryInput(Body, kw_only=True):
    """What a search asks for. The operands are looked at one by one, each with its own refusal."""

    operator: Any = None
    operands: list[dict[str, Any]] | None = None


class SearchInput(Body, kw_only=True):
    """Body of `users/search`."""

    limit: Limit | None = None
    cursor: Text | None = None
    query: QueryInput | None = None


class AuthorizationCheck(Body, kw_only=True):
    """A question about the session's roles."""

    resource_id: Text
    action: Text


class SessionInput(Body, kw_only=True):
    """Body of `sessions/authenticate`."""

    session_token: Text | None = None
    session_jwt: Text | None = None
    session_duration_minutes: Minutes | None = None
    session_custom_claims: dict[str, Any] | None = None
    authorization_check: AuthorizationCheck | None = None


class SdkSessionInput(Body, kw_only=True):
    """Body of `sessions/authenticate` in the browser."""

    session_duration_minutes: Minutes | None = None


class RevokeInput(Body, kw_only=True):
    """Body of `sessions/revoke`."""

    session_id: Text | None = None
    session_token: Text | None = None
    session_jwt: Text | None = None


class SessionsQuery(Body, kw_only=True):
    """Query of `sessions` get."""

    user_id: Text


class StartQuery(Body, kw_only=True):
    """Query of an OAuth start; besides these, any `provider_<name>` goes to the provider."""

    public_token: Text
    login_redirect_url: Text | None = None
    signup_redirect_url: Text | None = None
    custom_scopes: Text | None = None
    code_challenge: Text | None = None
    oauth_attach_token: Text | None = None


class CallbackQuery(Body, kw_only=True):
    """Query, or form, of an OAuth callback."""

    state: Text | None = None
    code: Text | None = None
    error: Text | None = None


MAX_DEPTH = 64

_NUL = b"\\u0000"


def read_body(data: bytes, kind: type[T]) -> T:
    """Return a JSON body as `kind`; nothing at all is an empty object.

    Refusal(bad_request) for what is not JSON, Refusal(invalid_argument) for a member of the wrong
    type, a missing one, a NUL character in any text (no database text holds one), or nesting deeper
    than 64.
    """
    if not data.strip():
        data = b"{}"
    try:
        if not data.isascii():
            data.decode()  # the decoder below does not look into members that nobody asked for
        if _NUL in data or data.count(b"[") + data.count(b"{") > MAX_DEPTH:
            _check(msgspec.json.decode(data), MAX_DEPTH)
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as wrong:
        raise Refusal("invalid_argument", f"The request body is invalid: {wrong}") from None
    except (ValueError, RecursionError):
        raise Refusal("bad_request", "The request body is not valid JSON.") from None


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise Refusal("invalid_argument", "A text holds a NUL character.")
    elif isinstance(value, dict | list):
        if not depth:
            raise Refusal("invalid_argument", "The request body is nested too deep.")
        for part in value:
            _check(part, depth - 1)
        if isinstance(value, dict):
            for part in value.values():
                _check(part, depth - 1)
