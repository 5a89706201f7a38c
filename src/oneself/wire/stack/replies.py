"""The bodies that this wire answers with, as structs for the OpenAPI description."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType


class Success(msgspec.Struct):
    """Nothing more to say."""

    success: bool


class OAuthProvider(msgspec.Struct):
    """A linked account; `account_id` is for servers alone."""

    user_id: str
    id: str
    provider_config_id: str
    type: str
    allow_sign_in: bool
    allow_connected_accounts: bool
    email: str | UnsetType = UNSET
    account_id: str | UnsetType = UNSET


class OAuthProviders(msgspec.Struct):
    """Linked accounts, oldest first."""

    items: list[OAuthProvider]
    is_paginated: bool


class ConnectedAccount(msgspec.Struct):
    """An account that the application may use for its user."""

    user_id: str
    provider: str
    provider_account_id: str


class ConnectedAccounts(msgspec.Struct):
    """Connected accounts, oldest first."""

    items: list[ConnectedAccount]
    is_paginated: bool


class AccessToken(msgspec.Struct):
    """An access token alone."""

    access_token: str


class CodeSent(msgspec.Struct):
    """A code is on its way: the part of it that the mail's reader need not type."""

    nonce: str


class MaybeSent(msgspec.Struct):
    """A letter is on its way, if anybody has the address."""

    success: str


class CodeChecked(msgspec.Struct):
    """A code could be used."""

    is_code_valid: Literal[True]


class SignedIn(msgspec.Struct):
    """A fresh session's tokens, and whose it is."""

    access_token: str
    refresh_token: str
    user_id: str
    is_new_user: bool | UnsetType = UNSET


class SessionTokens(msgspec.Struct):
    """A fresh session's tokens."""

    access_token: str
    refresh_token: str


class SessionItem(msgspec.Struct):
    """One session of a user; times in milliseconds."""

    id: str
    user_id: str
    created_at: int
    last_used_at: int
    is_impersonation: bool
    is_current_session: bool


class Sessions(msgspec.Struct):
    """Sessions, newest first."""

    items: list[SessionItem]
    is_paginated: bool


class TokenReply(msgspec.Struct):
    """What the token endpoint answers, in both spellings that the SDK reads."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET
    is_new_user: bool | UnsetType = UNSET
    newUser: bool | UnsetType = UNSET  # noqa: N815
    after_callback_redirect_url: str | UnsetType | None = UNSET
    afterCallbackRedirectUrl: str | UnsetType | None = UNSET  # noqa: N815


class Location(msgspec.Struct):
    """Where the browser has to go."""

    location: str


class RedirectUrl(msgspec.Struct):
    """Where the browser has to go, with what it has to bring."""

    redirect_url: str


class RestrictedReason(msgspec.Struct):
    """Why a user is restricted."""

    type: Literal["anonymous", "email_not_verified", "restricted_by_administrator"]


class ContactChannel(msgspec.Struct):
    """An address of a user."""

    user_id: str
    id: str
    value: str
    type: str
    used_for_auth: bool
    is_verified: bool
    is_primary: bool


class ContactChannels(msgspec.Struct):
    """Addresses, oldest first."""

    items: list[ContactChannel]
    is_paginated: bool


class Team(msgspec.Struct):
    """A team; what only servers see is missing for clients."""

    id: str
    display_name: str
    profile_image_url: str | None
    client_metadata: Any
    client_read_only_metadata: Any
    created_at_millis: int | UnsetType = UNSET
    server_metadata: Any = UNSET


class Teams(msgspec.Struct):
    """Teams, oldest first."""

    items: list[Team]
    is_paginated: bool


class UserAccount(msgspec.Struct):
    """A user's account at a provider, as the user's JSON shows it; `id` is the provider config's."""

    id: str
    account_id: str
    email: str | None


class User(msgspec.Struct):
    """A user; what only servers see is missing for clients."""

    id: str
    primary_email: str | None
    primary_email_verified: bool
    display_name: str | None
    client_metadata: Any
    client_read_only_metadata: Any
    profile_image_url: str | None
    signed_up_at_millis: int
    has_password: bool
    auth_with_email: bool
    oauth_providers: list[UserAccount]
    selected_team_id: str | None
    selected_team: dict[str, Any] | None
    requires_totp_mfa: bool
    otp_auth_enabled: bool
    passkey_auth_enabled: bool
    is_anonymous: bool
    is_restricted: bool
    restricted_reason: RestrictedReason | None
    restricted_by_admin: bool
    restricted_by_admin_reason: str | None
    primary_email_auth_enabled: bool | UnsetType = UNSET
    server_metadata: Any = UNSET
    last_active_at_millis: int | UnsetType = UNSET
    restricted_by_admin_private_details: str | UnsetType | None = UNSET
    country_code: str | UnsetType | None = UNSET
    risk_scores: dict[str, Any] | UnsetType = UNSET


class Pagination(msgspec.Struct):
    """Where the next page starts; null after the last."""

    next_cursor: str | None


class Users(msgspec.Struct):
    """A page of users."""

    items: list[User]
    is_paginated: bool
    pagination: Pagination


class EnabledProvider(msgspec.Struct):
    """A provider that users of the project can sign in with."""

    id: str


class ClientConfig(msgspec.Struct):
    """What a project's settings tell its clients."""

    sign_up_enabled: bool
    credential_enabled: bool
    magic_link_enabled: bool
    passkey_enabled: bool
    client_team_creation_enabled: bool
    client_user_deletion_enabled: bool
    allow_user_api_keys: bool
    allow_team_api_keys: bool
    enabled_oauth_providers: list[EnabledProvider]
    domains: list[dict[str, str]]


class ClientProject(msgspec.Struct):
    """A project as its clients see it."""

    id: str
    display_name: str
    config: ClientConfig


class AdminProject(ClientProject):
    """A project as its administrators see it."""

    description: str | None
    logo_url: str | None
    logo_full_url: str | None
    logo_dark_mode_url: str | None
    logo_full_dark_mode_url: str | None
    created_at_millis: int
    is_production_mode: bool
    owner_team_id: str | None
    onboarding_status: str


class AdminProjects(msgspec.Struct):
    """Projects, oldest first."""

    items: list[AdminProject]
    is_paginated: bool


class ConfigString(msgspec.Struct):
    """A configuration as a JSON text."""

    config_string: str


class ApiKeySet(msgspec.Struct):
    """A set of keys: in clear when they are made, their last four characters afterwards."""

    id: str
    description: str
    created_at_millis: int
    expires_at_millis: int
    manually_revoked_at_millis: int | UnsetType = UNSET
    publishable_client_key: str | dict[str, str] | UnsetType = UNSET
    secret_server_key: str | dict[str, str] | UnsetType = UNSET
    super_secret_admin_key: str | dict[str, str] | UnsetType = UNSET


class ApiKeys(msgspec.Struct):
    """Sets of keys, newest first."""

    items: list[ApiKeySet]
    is_paginated: bool


class KeySet(msgspec.Struct):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class ErrorReply(msgspec.Struct):
    """A known error."""

    code: str
    error: str
    details: dict[str, Any] | UnsetType = UNSET
