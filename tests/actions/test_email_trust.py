"""A project believes a provider's word on addresses less than its facts say, and never more."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from oneself.actions import native, projects
from oneself.actions.native import APPS, NativeRequest
from oneself.actions.runtime import SharedCredentials
from oneself.model import EmailVerdict, ProjectConfig, ProviderCredentials, Secret
from oneself.providers.google import GOOGLE
from oneself.providers.spec import Evidence
from oneself.upstream.client import resolve
from oneself.upstream.trust import concluded
from tests.actions.conftest import WISH, World
from tests.actions.test_native import APP, id_token


async def believing(world: World, **changes: Any) -> None:
    """Change what the project makes of Google's word."""

    def one(credentials: ProviderCredentials) -> ProviderCredentials:
        return msgspec.structs.replace(credentials, **changes) if credentials.config_id == "google" else credentials

    def all_of(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, providers=tuple(one(entry) for entry in config.providers))

    world.project = await projects.change_config(world.rt, world.project, all_of)


async def links(world: World) -> bool:
    """Whether Google's word joins its account to the user whose address GitHub proved."""
    github = await world.sign_in("github", "ada")
    google = await world.sign_in("google", "ada")
    return google.view.user.id == github.view.user.id


async def test_by_default_the_providers_word_counts(world: World) -> None:
    assert await links(world)


async def test_nobodys_word(world: World) -> None:
    await believing(world, email_trust="nobody")
    assert not await links(world)


@pytest.mark.parametrize(("domains", "believed"), [(("corp.example",), True), (("other.example",), False), ((), False)])
async def test_the_named_domains_alone(world: World, domains: tuple[str, ...], believed: bool) -> None:
    await believing(world, email_trust="domains", trusted_email_domains=domains)
    assert await links(world) is believed


async def test_on_a_device_and_with_the_servers_client_as_well(world: World) -> None:
    github = await world.sign_in("github", "ada")
    own = next(entry for entry in world.project.config.providers if entry.config_id == "google")
    common = msgspec.structs.replace(own, options={APPS: APP})
    shared = {"google": SharedCredentials(common, Secret("google-secret"))}
    world.rt = dataclasses.replace(world.rt, shared=shared)
    await believing(world, shared=True, email_trust="nobody")
    wanted = NativeRequest(dialect="stytch", config_id="google", id_token=await id_token(world), session=WISH)
    ended = await native.redeem(world.rt, world.project, wanted)
    assert ended.view.user.id != github.view.user.id
    await believing(world, email_trust="provider")
    other = NativeRequest(dialect="stytch", config_id="google", id_token=await id_token(world, "grace"), session=WISH)
    assert (await native.redeem(world.rt, world.project, other)).view.emails


@pytest.mark.parametrize("trust", ["provider", "domains", "nobody"])
@pytest.mark.parametrize("said", [False, None, "false", 1, "1", []])
def test_no_setting_makes_a_verified_address(trust: Any, said: object) -> None:
    credentials = ProviderCredentials(
        config_id="google", provider="google", trusted_email_domains=("*",), email_trust=trust
    )
    client = resolve(GOOGLE, credentials, Secret(""))
    claims = {"sub": "1", "email": "ada@corp.example", "email_verified": said}
    evidence = Evidence(issuer=client.issuer, claims=claims, trusted_email_domains=client.trusted_email_domains)
    assert concluded(client, evidence).email_verdict is not EmailVerdict.VERIFIED
