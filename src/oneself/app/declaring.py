"""From the settings' words to the core's nouns: declared projects, their policies, and shared clients."""

from typing import Any

import msgspec

from oneself.actions.projects import Declaration, DeclaredProvider, Keys
from oneself.config import DeclaredPolicy, DeclaredProject, SharedProvider, StackSide, StytchSide
from oneself.config import DeclaredProvider as ProviderSettings
from oneself.model import (
    Policy,
    ProjectConfig,
    ProviderCredentials,
    RedirectUrl,
    Secret,
    TrustedDomain,
)
from oneself.providers import registry
from oneself.rules.policies import DEFAULTS


def declaration(wanted: DeclaredProject) -> Declaration:
    """Say in the core's words what the file says of a project."""
    stytch = wanted.stytch or StytchSide(project_id="")
    stack = wanted.stack or StackSide(project_id="")
    return Declaration(
        id=wanted.id,
        display_name=wanted.display_name,
        environment=wanted.environment,
        stytch_id=stytch.project_id,
        stytch_public_token=stytch.public_token,
        stytch_callback_id=stytch.callback_id,
        stack_id=stack.project_id,
        make_keys=False,
        keys=Keys(
            stytch_secret=stytch.secret.reveal(),
            stack_client=stack.publishable_client_key.reveal(),
            stack_server=stack.secret_server_key.reveal(),
            stack_admin=stack.super_secret_admin_key.reveal(),
        ),
        providers=tuple(_provider(name, said) for name, said in wanted.providers.items()),
        config=_config(wanted),
    )


def shared_credentials(name: str, said: SharedProvider) -> tuple[ProviderCredentials, Secret]:
    """The server's own client at a provider, and its secret; of the provider that it speaks like, where it says so."""
    kind = said.speaks or name
    known = registry.find(kind)
    credentials = ProviderCredentials(
        config_id=name,
        provider=known.id if known else kind,
        client_id=said.client_id,
        issuer=said.issuer,
        tenant=said.tenant,
        scopes=said.scopes,
        endpoints=said.endpoints,
        options=said.options,
        trusted_email_domains=said.trusted_email_domains,
    )
    return credentials, said.client_secret


def _config(wanted: DeclaredProject) -> ProjectConfig:
    return ProjectConfig(
        redirect_urls=tuple(
            RedirectUrl(url=one.url, login=one.login, signup=one.signup, default=one.default)
            for one in wanted.redirect_urls
        ),
        authorized_origins=wanted.authorized_origins,
        trusted_domains=tuple(
            TrustedDomain(base_url=one.base_url, handler_path=one.handler_path) for one in wanted.trusted_domains
        ),
        allow_localhost=wanted.allow_localhost,
        require_publishable_client_key=wanted.require_publishable_client_key,
        policies={name: _policy(name, said) for name, said in wanted.policies.items()},
        password_enabled=wanted.password_enabled,
        otp_enabled=wanted.otp_enabled,
        require_email_verification=wanted.require_email_verification,
        personal_team_on_sign_up=wanted.personal_team_on_sign_up,
        client_team_creation=wanted.client_team_creation,
        client_user_deletion=wanted.client_user_deletion,
        pkce_required_for_oauth=wanted.pkce_required_for_oauth,
        migrate_sessions_from=wanted.migrate_sessions_from,
        first_party=wanted.first_party,
        mail_notices=wanted.mail_notices,
    )


def _policy(dialect: Any, said: DeclaredPolicy) -> Policy:
    """The dialect's own policy, with what the file says over it."""
    given = {name: value for name, value in msgspec.structs.asdict(said).items() if value is not None}
    base: Policy = DEFAULTS[dialect]
    return msgspec.structs.replace(base, **given)


def _provider(name: str, said: ProviderSettings) -> DeclaredProvider:
    known = registry.find(said.provider or name)
    return DeclaredProvider(
        client_secret=said.client_secret.reveal(),
        credentials=ProviderCredentials(
            config_id=name,
            provider=known.id if known else said.provider or name,
            shared=said.shared,
            client_id=said.client_id,
            allow_sign_in=said.allow_sign_in,
            allow_connected_accounts=said.allow_connected_accounts,
            issuer=said.issuer,
            tenant=said.tenant,
            scopes=said.scopes,
            endpoints=said.endpoints,
            options=said.options,
            trusted_email_domains=said.trusted_email_domains,
            email_trust=said.email_trust,
        ),
    )
