"""The bodies that this dialect answers with, as the vendor's strict client models read them."""

from typing import Any

import msgspec


class Answer(msgspec.Struct, kw_only=True):
    """What every success carries; the pipeline fills in `request_id`, and sends `status_code` as
    the HTTP status.
    """

    status_code: int = 200
    request_id: str = ""


class ErrorBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What every refusal carries."""

    status_code: int
    request_id: str
    error_type: str
    error_message: str
    error_url: str


# --- objects -------------------------------------------------------------------------------------


class NameBody(msgspec.Struct):
    """A user's name; what is not known is an empty text."""

    first_name: str
    middle_name: str
    last_name: str


class EmailBody(msgspec.Struct):
    """One address of a user."""

    email_id: str
    email: str
    verified: bool


class PhoneBody(msgspec.Struct):
    """One telephone number of a user."""

    phone_id: str
    phone_number: str
    verified: bool


class ProviderBody(msgspec.Struct):
    """One OAuth registration of a user."""

    provider_type: str
    provider_subject: str
    profile_picture_url: str
    locale: str
    oauth_user_registration_id: str


class PasswordBody(msgspec.Struct):
    """That a user has a password."""

    password_id: str
    requires_reset: bool


class UserFields(msgspec.Struct, kw_only=True):
    """A user's members, shared by the object and by the answer that holds them at its top level."""

    user_id: str
    status: str
    name: NameBody
    emails: list[EmailBody]
    phone_numbers: list[PhoneBody]
    providers: list[ProviderBody]
    password: PasswordBody | None
    trusted_metadata: dict[str, Any]
    untrusted_metadata: dict[str, Any]
    created_at: str
    external_id: str | None
    is_locked: bool
    roles: list[str]
    webauthn_registrations: list[dict[str, Any]] = []
    biometric_registrations: list[dict[str, Any]] = []
    totps: list[dict[str, Any]] = []
    crypto_wallets: list[dict[str, Any]] = []
    lock_created_at: str | None = None
    lock_expires_at: str | None = None


class UserBody(UserFields, kw_only=True):
    """A user inside another answer."""


class AttributesBody(msgspec.Struct):
    """Where a session was opened from."""

    ip_address: str
    user_agent: str


class SessionBody(msgspec.Struct, kw_only=True):
    """A session. The factors are objects with one member named after their provider."""

    session_id: str
    user_id: str
    started_at: str
    last_accessed_at: str
    expires_at: str
    attributes: AttributesBody
    authentication_factors: list[dict[str, Any]]
    custom_claims: dict[str, Any]
    roles: list[str]


class ProviderValues(msgspec.Struct, kw_only=True):
    """The provider's own tokens; what it did not give is an empty text."""

    access_token: str
    refresh_token: str
    id_token: str
    scopes: list[str]
    expires_at: str | None


class KeyBody(msgspec.Struct, kw_only=True):
    """One public key of the project's session JWTs."""

    kty: str
    use: str
    key_ops: list[str]
    alg: str
    kid: str
    n: str
    e: str
    x5c: list[str] = []
    x5tS256: str = ""  # noqa: N815 - the wire's spelling


# --- answers -------------------------------------------------------------------------------------


class AttachAnswer(Answer, kw_only=True):
    """Answer of `oauth/attach`."""

    oauth_attach_token: str


class OAuthAnswer(Answer, kw_only=True):
    """Answer of `oauth/authenticate`; the same session under its newer and its older name."""

    user_id: str
    provider_subject: str
    provider_type: str
    oauth_user_registration_id: str
    provider_values: ProviderValues
    reset_sessions: bool
    session_token: str
    session_jwt: str
    user: UserBody
    user_session: SessionBody | None
    session: SessionBody | None
    user_device: None = None


class NativeAnswer(Answer, kw_only=True):
    """Answer of `oauth/google/id_token/authenticate`; `user_created` says that the person is new."""

    user_id: str
    provider_subject: str
    provider_type: str
    oauth_user_registration_id: str
    reset_sessions: bool
    user_created: bool
    session_token: str
    session_jwt: str
    user: UserBody
    session: SessionBody | None


class CreatedUserAnswer(Answer, kw_only=True):
    """Answer of `users` create."""

    status_code: int = 201
    user_id: str
    email_id: str
    phone_id: str
    status: str
    user: UserBody


class UserAnswer(UserFields, kw_only=True):
    """Answer of `users` get: the user's members beside the answer's own."""

    status_code: int = 200
    request_id: str = ""


class ChangedUserAnswer(Answer, kw_only=True):
    """Answer of `users` update."""

    user_id: str
    emails: list[EmailBody]
    phone_numbers: list[PhoneBody]
    crypto_wallets: list[dict[str, Any]]
    user: UserBody


class UserInsideAnswer(Answer, kw_only=True):
    """Answer of whatever takes something off a user."""

    user_id: str
    user: UserBody


class UserIdAnswer(Answer, kw_only=True):
    """Answer of `users` delete."""

    user_id: str


class ResultsMetadata(msgspec.Struct):
    """How many users a search matches in all, and where its next page begins."""

    total: int
    next_cursor: str | None


class SearchAnswer(Answer, kw_only=True):
    """Answer of `users/search`."""

    results: list[UserBody]
    results_metadata: ResultsMetadata


class ConnectedAppsAnswer(Answer, kw_only=True):
    """Answer of a user's connected apps; this server has no such product, so it is empty."""

    connected_apps: list[dict[str, Any]] = []


class SessionsAnswer(Answer, kw_only=True):
    """Answer of `sessions` get."""

    sessions: list[SessionBody]


class SessionAnswer(Answer, kw_only=True):
    """Answer of `sessions/authenticate`."""

    session: SessionBody
    session_token: str
    session_jwt: str
    user: UserBody


class PasswordAnswer(Answer, kw_only=True):
    """Answer of `passwords/authenticate`."""

    user_id: str
    session: SessionBody | None
    session_token: str
    session_jwt: str
    user: UserBody
    user_device: None = None


class ForeignTokenAnswer(PasswordAnswer, kw_only=True):
    """Answer of whatever opens a session for a token that somebody else made: `migrate` and its like."""


class CreatedPasswordAnswer(PasswordAnswer, kw_only=True):
    """Answer of `passwords` create."""

    email_id: str


class KeysAnswer(Answer, kw_only=True):
    """Answer of the JWKS address."""

    keys: list[KeyBody]


# --- answers of the browser SDK ------------------------------------------------------------------


class CaptchaSettings(msgspec.Struct, frozen=True):
    """That no captcha is asked for."""

    enabled: bool = False


class BootstrapAnswer(Answer, kw_only=True):
    """How the browser SDK is to behave. A missing `password_config` would switch PKCE off there."""

    project_name: str
    pkce_required_for_oauth: bool
    disable_sdk_watermark: bool = True
    cname_domain: None = None
    email_domains: list[str] = []
    captcha_settings: CaptchaSettings = CaptchaSettings()
    pkce_required_for_email_magic_links: bool = True
    pkce_required_for_password_resets: bool = True
    pkce_required_for_sso: bool = True
    slug_pattern: None = None
    create_organization_enabled: bool = False
    password_config: None = None
    dfp_protected_auth_enabled: bool = False
    rbac_policy: None = None
    siwe_required_for_crypto_wallets: bool = False
    vertical: str = "CONSUMER"
    opaque_errors: bool = False


class SdkUserAnswer(Answer, kw_only=True):
    """Answer of whatever takes something off oneself; the SDK reads the user from `__user`."""

    user_id: str
    user: UserBody
    full_user: UserBody = msgspec.field(name="__user")


class SdkChangedUserAnswer(ChangedUserAnswer, kw_only=True):
    """Answer of changing oneself."""

    full_user: UserBody = msgspec.field(name="__user")
