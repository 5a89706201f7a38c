"""The settings of a development server: one project with fixed keys, and every provider that is emulated."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from oneself.app.house import EMULATOR_PATH
from oneself.cli import dev_folder
from oneself.cli.dev_folder import DevKeys, Tls
from oneself.config import (
    Config,
    DeclaredProject,
    DeclaredProvider,
    DeclaredRedirect,
    Limits,
    StackSide,
    StytchSide,
)
from oneself.emulator import endpoints_for
from oneself.model import Secret
from oneself.providers.registry import PROVIDERS
from oneself.providers.spec import Provider

PROJECT_NAME = "Development"
APPLICATIONS = ("http://localhost:3000/authenticate", "http://localhost:3000/")
_CLIENT_ID = "oneself-dev"
# what the emulated OAuth server's documents look like, which no standard says
_OAUTH2_PATHS = {
    "subject_path": "id",
    "email_path": "profile.mail",
    "email_verified_path": "profile.mail_ok",
    "name_path": "profile.title",
    "picture_path": "profile.image",
}


def labels() -> dict[str, str]:
    """What the project's providers are called, by the names that it gives them."""
    return {_name(one): one.name for one in PROVIDERS}


def settings(
    base_url: str, folder: Path, keys: DevKeys, tls: Tls | None = None, applications: Iterable[str] = ()
) -> Config:
    """The settings of the development server whose data are in `folder`.

    `applications` are the URLs where applications take people back, beside the usual ones of an application on port
    3000; the first is the one that a start without any means.
    """
    project = keys.project
    urls = tuple(dict.fromkeys((*applications, *APPLICATIONS)))
    return Config(
        base_url=base_url,
        database_url=Secret(dev_folder.database_url(folder)),
        master_keys=Secret(keys.master_keys),
        epoch=keys.epoch,
        # the emulated providers answer on this very port
        allowed_private_hosts=(_host_and_port(base_url),),
        provider_ca=tls.ca_pem if tls else "",
        log_level="warning",
        # scripts and test suites begin hundreds of trips from this one machine
        limits=Limits(starts_per_address=0, starts_per_project=0, mails_per_address=0),
        projects=(
            DeclaredProject(
                id=project.id,
                display_name=PROJECT_NAME,
                stytch=StytchSide(
                    project_id=project.stytch.project_id,
                    secret=Secret(project.stytch.secret),
                    public_token=project.stytch.public_token,
                    callback_id=keys.callback_id,
                ),
                stack=StackSide(
                    project_id=project.stack.project_id,
                    publishable_client_key=Secret(project.stack.publishable_client_key),
                    secret_server_key=Secret(project.stack.secret_server_key),
                    super_secret_admin_key=Secret(project.stack.super_secret_admin_key),
                ),
                redirect_urls=tuple(DeclaredRedirect(url=url, default=place == 0) for place, url in enumerate(urls)),
                authorized_origins=tuple(dict.fromkeys(_origins(urls))),
                otp_enabled=True,
                providers={_name(one): _declared(one, f"{base_url}{EMULATOR_PATH}", keys) for one in PROVIDERS},
            ),
        ),
    )


def _name(provider: Provider) -> str:
    """The project's own name for a provider: that of the protocol where no vendor stands behind it."""
    return provider.id.removeprefix("generic_")


def _declared(provider: Provider, emulator: str, keys: DevKeys) -> DeclaredProvider:
    """Our client at one emulated provider."""
    generic = provider.issuer == "{issuer}"
    issuer = f"{emulator}/{_name(provider)}" if generic else ""
    if generic and provider.kind == "oidc":
        return DeclaredProvider(
            provider=provider.id, client_id=_CLIENT_ID, client_secret=Secret(keys.client_secret), issuer=issuer
        )
    signing = {"key_id": _CLIENT_ID, "team_id": _CLIENT_ID} if provider.signed_secret else {}
    return DeclaredProvider(
        provider=provider.id,
        client_id=_CLIENT_ID,
        client_secret=Secret(keys.signing_key if provider.signed_secret else keys.client_secret),
        issuer=issuer,
        endpoints=endpoints_for(provider.id, emulator),
        options=_OAUTH2_PATHS if generic else signing,
        # the emulator stands for the vendor itself, whose word on addresses counts
        trusted_email_domains=("*",),
    )


def _host_and_port(base_url: str) -> str:
    """The server as outbound calls are allowed to it: this port alone, the scheme's own too."""
    parts = urlsplit(base_url)
    return f"{parts.hostname}:{parts.port or {'http': 80, 'https': 443}[parts.scheme]}"


def _origins(urls: Iterable[str]) -> Iterator[str]:
    for url in urls:
        parts = urlsplit(url)
        yield f"{parts.scheme}://{parts.netloc}"
