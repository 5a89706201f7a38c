"""`oneself provider`: what is listed, what is to be registered, and what a try of right and wrong credentials says."""

from __future__ import annotations

import asyncio
import json
import os
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest

from oneself.actions import projects, provider_check
from oneself.actions.provider_check import Trial
from oneself.cli.supported import _ADDRESS
from oneself.crypto.seal import KeyRing
from oneself.emulator.players import endpoints_for
from oneself.model import Project, ProjectConfig, ProviderCredentials
from oneself.providers import registry
from oneself.store.opening import open_database
from oneself.upstream.client import OPTIONS
from tests.actions.conftest import Clock, World, declaration, opened_runtime
from tests.server_process import cli

RING = f"k1:{b64encode(b'1' * 32).decode()}"
CALLBACKS = {"stytch": "http://localhost:8000/callback", "stack": "http://localhost:8000/api/callback"}


async def tried(world: World, config_id: str) -> dict[str, Trial]:
    found = await provider_check.trials(world.rt, world.project, config_id, CALLBACKS)
    return {trial.name: trial for trial in found}


async def changed(world: World, config_id: str, **changes: Any) -> None:
    def one(credentials: ProviderCredentials) -> ProviderCredentials:
        return msgspec.structs.replace(credentials, **changes) if credentials.config_id == config_id else credentials

    def all_of(config: ProjectConfig) -> ProjectConfig:
        return msgspec.structs.replace(config, providers=tuple(one(entry) for entry in config.providers))

    world.project = await projects.change_config(world.rt, world.project, all_of)


async def wrong_secret(world: World, config_id: str) -> None:
    sealed = await projects.seal_client_secret(world.rt, world.project.id, config_id, "not-the-secret")
    await changed(world, config_id, client_secret=sealed)


@pytest.mark.parametrize("provider", ["google", "github", "spotify", "generic_oidc"])
async def test_right_and_wrong_secrets(world: World, provider: str) -> None:
    # the emulated provider takes what it is shown first for the registration
    await world.sign_in(provider, "ada")
    assert all(trial.ok for trial in (await tried(world, provider)).values())
    await wrong_secret(world, provider)
    refused = (await tried(world, provider))["credentials"]
    assert refused.ok is False
    assert "client_id and client_secret" in refused.words
    assert "not-the-secret" not in refused.words


async def test_what_an_issuer_publishes(world: World) -> None:
    assert (await tried(world, "generic_oidc"))["discovery"].ok
    await changed(world, "generic_oidc", issuer=f"{world.emulator}/oidc/")
    wrong = (await tried(world, "generic_oidc"))["discovery"]
    assert (wrong.ok, "slash for slash" in wrong.words) == (False, True)
    await changed(world, "generic_oidc", issuer=f"{world.emulator}/nowhere")
    assert (await tried(world, "generic_oidc"))["discovery"].ok is False


async def test_an_outage_is_not_held_against_the_credentials(world: World) -> None:
    await world.control("faults", provider="github", endpoint="token", kind="server_error", times=1)
    trial = (await tried(world, "github"))["credentials"]
    assert trial.ok is None
    assert "Try again" in trial.words
    await world.control("faults", provider="github", endpoint="token", kind="html", times=1)
    assert (await tried(world, "github"))["credentials"].ok is None


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("github", {"client_secret": b""}, "client", "No client_secret is set"),
    ("google", {"endpoints": {"token": "{emulator}/nowhere"}}, "credentials", "/nowhere is no token endpoint"),
    ("google", {"endpoints": {"token": "https://127.0.0.2/token"}}, "credentials", "`allowed_private_hosts`"),
    ("google", {"endpoints": {"token": "http://idp.example/t"}}, "credentials", "without TLS. Mend"),
    ("google", {"endpoints": {"jwks": "{emulator}/nowhere"}}, "keys", "/nowhere: status 404. Is the address right?"),
    ("google", {"endpoints": {"authorization": "{emulator}/nowhere"}}, "redirect URI for stytch", "status 404"),
    ("github", {"options": {"hd": "x", "pkec": "on"}}, "client", "these options here: `hd`, `pkec`."),
    ("generic_oidc", {"issuer": ""}, "discovery", "No issuer is set."),
    ("generic_oidc", {"issuer": "{emulator}"}, "discovery", "Is it the address of an issuer?"),
    ("generic_oidc", {"issuer": "https://10.0.0.1"}, "discovery", "`allowed_private_hosts`"),
]


@pytest.mark.parametrize(("provider", "changes", "name", "words"), WRONG)
async def test_each_mistake_is_told_by_what_to_mend(
    world: World, provider: str, changes: dict[str, Any], name: str, words: str
) -> None:
    changes = dict(changes)
    if "endpoints" in changes:
        wrong = {key: url.format(emulator=world.emulator) for key, url in changes["endpoints"].items()}
        changes["endpoints"] = {**endpoints_for(provider, world.emulator), **wrong}
    if "issuer" in changes:
        changes["issuer"] = changes["issuer"].format(emulator=world.emulator)
    await changed(world, provider, **changes)
    trial = (await tried(world, provider))[name]
    assert trial.ok is False
    assert words in trial.words


async def test_a_key_that_is_none_and_an_unnamed_one(world: World) -> None:
    for provider, options, words in (
        ("apple", {"key_id": "K", "team_id": "T"}, "the secret is no P-256 key. Give"),
        ("apple", {}, "key_id or team_id is missing. Give"),
        ("generic_oauth2", {}, "Nobody could be told apart: no subject_path is configured."),
    ):
        sealed = await projects.seal_client_secret(world.rt, world.project.id, "new", "no key")
        entry = ProviderCredentials(
            config_id="new",
            provider=provider,
            client_id="c",
            client_secret=sealed,
            endpoints=endpoints_for(provider, world.emulator),
            options=options,
        )
        await with_entry(world, entry)
        assert words in " ".join(trial.words for trial in (await tried(world, "new")).values() if trial.ok is False)


async def with_entry(world: World, entry: ProviderCredentials) -> None:
    def all_of(config: ProjectConfig) -> ProjectConfig:
        others = tuple(one for one in config.providers if one.config_id != entry.config_id)
        return msgspec.structs.replace(config, providers=(*others, entry))

    world.project = await projects.change_config(world.rt, world.project, all_of)


@pytest.mark.parametrize("registered", [["stytch", "stack"], ["stytch"], []])
async def test_redirect_uris_that_are_registered_and_those_that_are_not(world: World, registered: list[str]) -> None:
    await world.control(
        "clients",
        client_id="google-client",
        client_secret="google-secret",
        provider="google",
        redirect_uris=[CALLBACKS[dialect] for dialect in registered],
    )
    found = await tried(world, "google")
    assert found["credentials"].ok, "the token endpoint says nothing of them"
    for dialect, url in CALLBACKS.items():
        trial = found[f"redirect URI for {dialect}"]
        # one that is refused beside one that is taken may be of a dialect that nobody speaks
        assert trial.ok is (True if dialect in registered else None if registered else False)
        assert (url in trial.words) is (dialect not in registered)


async def test_a_client_without_an_id(world: World) -> None:
    await changed(world, "github", client_id="")
    assert (await tried(world, "github"))["client"].ok is False


@pytest.fixture
async def operated(migrated_url: str, emulator: str) -> AsyncIterator[tuple[Project, dict[str, str]]]:
    """A project with emulated providers in a database that the command line reaches, and its settings."""
    db = await open_database(migrated_url, Clock(), clock_limit=None)
    rt = await opened_runtime(db, Clock(), KeyRing.parse(RING, os.urandom), emulator)
    wanted = declaration(emulator)
    async with aiohttp.ClientSession() as http:
        await http.post(f"{emulator}/_control/reset")
    # only two, so that the command has little to try
    github, spotify = wanted.providers[1], wanted.providers[2]
    made = await projects.create(rt, msgspec.structs.replace(wanted, providers=(github, spotify)))
    found = await provider_check.trials(rt, made.project, "github", CALLBACKS)
    assert all(trial.ok for trial in found)
    await rt.outbound.close()
    await db.close()
    yield (
        made.project,
        {
            "ONESELF_DATABASE_URL": migrated_url,
            "ONESELF_MASTER_KEYS": RING,
            "ONESELF_BASE_URL": "https://login.example",
            "ONESELF_ALLOWED_PRIVATE_HOSTS": urlsplit(emulator).netloc,
        },
    )


async def asked(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = await asyncio.to_thread(cli, "provider", *arguments, env=env)
    return done.returncode, done.stdout, done.stderr


async def test_the_list_names_every_provider() -> None:
    told = json.loads((await asked("list", "--json"))[1])["providers"]
    assert [one["id"] for one in told] == [provider.id for provider in registry.PROVIDERS]
    lines = (await asked("list"))[1].splitlines()
    assert len(lines) == len(registry.PROVIDERS) + 1
    assert lines[1].split("\t")[:2] == ["google", "Google"]


async def test_show_names_what_to_register(operated: tuple[Project, dict[str, str]]) -> None:
    project, env = operated
    status, out, err = await asked("show", "github", "--json", env=env)
    assert status == 0, err
    assert json.loads(out)["redirect_uris"] == {
        "stytch": f"https://login.example/v1/oauth/callback/{project.stytch_callback_id}",
        "stack": "https://login.example/api/v1/auth/oauth/callback/github",
    }
    assert json.loads(out)["configured"] is True
    assert "https://login.example/api/v1/auth/oauth/callback/apple" in (await asked("show", "apple", env=env))[1]
    status, _, err = await asked("show", "nowhere", env=env)
    assert status == 1
    assert "neither configured nor known" in err


async def test_check_tells_right_from_wrong_and_says_so_by_its_exit_code(
    operated: tuple[Project, dict[str, str]], emulator: str
) -> None:
    project, env = operated
    status, out, err = await asked("check", "--json", env=env)
    assert status == 0, out + err
    told = json.loads(out)
    assert told["ok"] is True
    assert set(told["providers"]) == {"github", "spotify"}
    names = {"credentials", "redirect URI for stytch", "redirect URI for stack"}
    assert {trial["name"] for trial in told["providers"]["github"]} == names
    async with aiohttp.ClientSession() as http:
        client = {"client_id": "Iv1.test", "client_secret": "another", "provider": "github"}
        async with http.post(f"{emulator}/_control/clients", json=client) as answer:
            assert answer.status < 300, await answer.text()
    status, out, _ = await asked("check", "github", "--project", project.id, env=env)
    assert status == 1
    assert "✘ github, credentials" in out
    assert "Copy client_id and client_secret" in out
    status, out, _ = await asked("check", "apple", env=env)
    assert status == 1
    assert "no credentials for it" in out


def test_the_documentation_names_every_provider_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "providers.md").read_text("utf-8")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    shown = {row[0].strip("`"): row[1:] for row in cells if len(row) == 7}
    assert set(shown) == {provider.id for provider in registry.PROVIDERS}
    for provider in registry.PROVIDERS:
        name, address, pkce, refresh, scope, revokes = shown[provider.id]
        rule = provider.refresh
        assert name == provider.name
        assert address == _ADDRESS[provider.email_proof]
        assert (pkce, revokes) == ("yes" if provider.pkce else "no", "yes" if provider.revocation else "no")
        assert refresh == (rule.kind if rule.kind != "standard" else rule.rotation.replace("_", " "))
        assert scope == (f"`{rule.scope}`" if rule.scope else "")
    options = {option for row in cells if len(row) == 3 for option in re.findall(r"`(\w+)`", row[0])}
    taken = {option for provider in registry.PROVIDERS for option in (*provider.option_params, *provider.options)}
    assert options - {"authorize", "token", "name"} == taken | OPTIONS
