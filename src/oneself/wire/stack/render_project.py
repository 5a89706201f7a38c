"""A project in this wire's JSON, as its clients and as its administrators see it."""

from collections.abc import Mapping
from typing import Any

from oneself.model import Project, ProviderCredentials
from oneself.wire.stack.config_document import FACEBOOK, STRATEGIES, apps_of
from oneself.wire.stack.times import millis

Json = dict[str, Any]
EXTRAS = "stack_project"
DEFAULT_THEME = "1df07ae6-abf3-4a40-83a5-a1a2cbe336ac"


def client_project(project: Project) -> Json:
    """A project as its clients may know it."""
    return {"id": project.stack_id, "display_name": project.display_name, "config": client_config(project)}


def client_config(project: Project) -> Json:
    """The settings that clients need to draw a sign-in page."""
    return _switches(project) | _doors(project)


def admin_project(project: Project, secrets: Mapping[str, str]) -> Json:
    """A project as its administrators see it; `secrets` are the clear client secrets by config id."""
    about = project.config.extras.get(EXTRAS, {})
    policy = project.config.policies.get("stack")
    return {
        "id": project.stack_id,
        "display_name": project.display_name,
        "description": about.get("description"),
        "logo_url": about.get("logo_url"),
        "logo_full_url": about.get("logo_full_url"),
        "logo_dark_mode_url": about.get("logo_dark_mode_url"),
        "logo_full_dark_mode_url": about.get("logo_full_dark_mode_url"),
        "created_at_millis": millis(project.created_at),
        "is_production_mode": about.get("is_production_mode", False),
        "owner_team_id": project.owner_team_id or None,
        "onboarding_status": about.get("onboarding_status", "completed"),
        "config": {
            "allow_localhost": project.config.allow_localhost,
            **_switches(project),
            "oauth_providers": [_provider(entry, secrets.get(entry.config_id, "")) for entry in _sorted(project)],
            **_doors(project),
            "email_config": about.get("email_config", {"type": "shared"}),
            "email_theme": about.get("email_theme", DEFAULT_THEME),
            "create_team_on_sign_up": project.config.personal_team_on_sign_up,
            "team_creator_default_permissions": about.get("team_creator_default_permissions", [{"id": "team_admin"}]),
            "team_member_default_permissions": about.get("team_member_default_permissions", [{"id": "team_member"}]),
            "user_default_permissions": about.get("user_default_permissions", []),
            "oauth_account_merge_strategy": STRATEGIES[policy.email_match if policy else "link"],
        },
    }


def _switches(project: Project) -> Json:
    config = project.config
    about = config.extras.get(EXTRAS, {})
    policy = config.policies.get("stack")
    return {
        "sign_up_enabled": policy.sign_up if policy else True,
        "credential_enabled": config.password_enabled,
        "magic_link_enabled": config.otp_enabled,
        "passkey_enabled": False,
        "client_team_creation_enabled": config.client_team_creation,
        "client_user_deletion_enabled": config.client_user_deletion,
        "allow_user_api_keys": about.get("allow_user_api_keys", False),
        "allow_team_api_keys": about.get("allow_team_api_keys", False),
    }


def _doors(project: Project) -> Json:
    return {
        "enabled_oauth_providers": [{"id": entry.config_id} for entry in _sorted(project) if entry.allow_sign_in],
        "domains": [
            {"domain": domain.base_url, "handler_path": domain.handler_path}
            for domain in sorted(project.config.trusted_domains, key=lambda domain: domain.base_url)
        ],
    }


def _sorted(project: Project) -> list[ProviderCredentials]:
    return sorted(project.config.providers, key=lambda entry: entry.config_id)


def _provider(entry: ProviderCredentials, secret: str) -> Json:
    shown: Json = {
        "provider_config_id": entry.config_id,
        "id": entry.provider,
        "type": "shared" if entry.shared else "standard",
    }
    if not entry.shared:
        shown |= {"client_id": entry.client_id, "client_secret": secret}
    if entry.options.get(FACEBOOK):
        shown["facebook_config_id"] = entry.options[FACEBOOK]
    if entry.tenant:
        shown["microsoft_tenant_id"] = entry.tenant
    if not entry.shared and apps_of(entry):
        shown["apple_bundle_ids"] = apps_of(entry)
    return shown
