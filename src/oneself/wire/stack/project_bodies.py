"""What administrators send of a project, and the configuration keys that it means."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from oneself.wire.stack.fields import Email, Form, HttpUrl, ImageUrl, Json, Uuid

Choice = bool | UnsetType


class Domain(Form):
    """A trusted domain."""

    domain: HttpUrl
    handler_path: str


class Provider(Form, kw_only=True):
    """A provider of the project: the server's shared client, or one of its own."""

    id: str
    type: Literal["shared", "standard"]
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET
    facebook_config_id: str | UnsetType = UNSET
    microsoft_tenant_id: str | UnsetType = UNSET
    apple_bundle_ids: list[str] | UnsetType = UNSET


class MailServer(Form, kw_only=True):
    """The project's own mail server: kept and shown; this server's own is the one that is used."""

    type: Literal["shared", "standard"]
    host: str | UnsetType = UNSET
    port: Annotated[int, Meta(ge=0, le=65_535)] | UnsetType = UNSET
    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET
    sender_name: str | UnsetType = UNSET
    sender_email: Email | UnsetType = UNSET


class Permission(Form):
    """A permission by its id."""

    id: str


class Config(Form):
    """The settings of a project; what is not there stays."""

    sign_up_enabled: Choice = UNSET
    credential_enabled: Choice = UNSET
    magic_link_enabled: Choice = UNSET
    passkey_enabled: Choice = UNSET
    client_team_creation_enabled: Choice = UNSET
    client_user_deletion_enabled: Choice = UNSET
    allow_localhost: Choice = UNSET
    allow_user_api_keys: Choice = UNSET
    allow_team_api_keys: Choice = UNSET
    email_config: MailServer | UnsetType = UNSET
    email_theme: str | UnsetType = UNSET
    domains: list[Domain] | UnsetType = UNSET
    oauth_providers: list[Provider] | UnsetType = UNSET
    create_team_on_sign_up: Choice = UNSET
    team_creator_default_permissions: list[Permission] | UnsetType = UNSET
    team_member_default_permissions: list[Permission] | UnsetType = UNSET
    user_default_permissions: list[Permission] | UnsetType = UNSET
    oauth_account_merge_strategy: Literal["link_method", "raise_error", "allow_duplicates"] | UnsetType = UNSET
    require_email_verification: Choice = UNSET


class ChangeBody(Form, kw_only=True):
    """What to change of a project."""

    display_name: Annotated[str, Meta(min_length=1, max_length=256)] | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    logo_url: ImageUrl | UnsetType | None = UNSET
    logo_full_url: ImageUrl | UnsetType | None = UNSET
    logo_dark_mode_url: ImageUrl | UnsetType | None = UNSET
    logo_full_dark_mode_url: ImageUrl | UnsetType | None = UNSET
    is_production_mode: Choice = UNSET
    onboarding_status: str | UnsetType = UNSET
    onboarding_state: Json = UNSET
    config: Config | UnsetType = UNSET


class CreateBody(ChangeBody, kw_only=True):
    """A new project."""

    display_name: Annotated[str, Meta(min_length=1, max_length=256)]
    owner_team_id: Uuid
    is_development_environment: Choice = UNSET


_KEYS: tuple[tuple[str, str], ...] = (
    ("sign_up_enabled", "auth.allowSignUp"),
    ("credential_enabled", "auth.password.allowSignIn"),
    ("magic_link_enabled", "auth.otp.allowSignIn"),
    ("passkey_enabled", "auth.passkey.allowSignIn"),
    ("client_team_creation_enabled", "teams.allowClientTeamCreation"),
    ("client_user_deletion_enabled", "users.allowClientUserDeletion"),
    ("allow_localhost", "domains.allowLocalhost"),
    ("create_team_on_sign_up", "teams.createPersonalTeamOnSignUp"),
    ("oauth_account_merge_strategy", "auth.oauth.accountMergeStrategy"),
    ("require_email_verification", "onboarding.requireEmailVerification"),
)
# Kept and shown, without any effect here.
_SHOWN = (
    "allow_user_api_keys",
    "allow_team_api_keys",
    "email_config",
    "email_theme",
    "team_creator_default_permissions",
    "team_member_default_permissions",
    "user_default_permissions",
)
_DESCRIBED = (
    "description",
    "logo_url",
    "logo_full_url",
    "logo_dark_mode_url",
    "logo_full_dark_mode_url",
    "is_production_mode",
    "onboarding_status",
)


def config_changes(config: Config | UnsetType) -> dict[str, Any]:
    """The flat configuration keys that a body's settings mean; lists replace what was there."""
    if config is UNSET:
        return {}
    changes = {key: value for name, key in _KEYS if (value := getattr(config, name)) is not UNSET}
    if config.domains is not UNSET:
        changes["domains.trustedDomains"] = {
            str(index): {"baseUrl": domain.domain, "handlerPath": domain.handler_path}
            for index, domain in enumerate(config.domains)
        }
    if config.oauth_providers is not UNSET:
        changes["auth.oauth.providers"] = {entry.id: _provider(entry) for entry in config.oauth_providers}
    return changes


def described(body: ChangeBody) -> dict[str, Any]:
    """What a body says of a project that is only kept and shown."""
    said = {name: value for name in _DESCRIBED if (value := getattr(body, name)) is not UNSET}
    if body.config is not UNSET:
        config = body.config
        for name in _SHOWN:
            value = getattr(config, name)
            if name.endswith("_permissions") and value is not UNSET:
                value = [{"id": permission.id} for permission in value]
            elif isinstance(value, MailServer):
                value = msgspec.to_builtins(value)
            if value is not UNSET:
                said[name] = value
    return said


def _provider(entry: Provider) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "type": entry.id,
        "isShared": entry.type == "shared",
        "clientId": entry.client_id,
        "clientSecret": entry.client_secret,
        "facebookConfigId": entry.facebook_config_id,
        "microsoftTenantId": entry.microsoft_tenant_id,
        # What is made through this door may do everything; flags are set through the configuration.
        "allowSignIn": True,
        "allowConnectedAccounts": True,
    }
    if entry.apple_bundle_ids:
        shown["appleBundles"] = {str(index): {"bundleId": one} for index, one in enumerate(entry.apple_bundle_ids)}
    return {name: value for name, value in shown.items() if value is not UNSET}
