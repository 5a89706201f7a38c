"""Projects of the file: brought to their state however often, with the core's words for everything said."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from oneself.actions import projects
from oneself.actions.runtime import Runtime, client_of
from oneself.app.database import StartRefused
from oneself.app.opening import declare_projects, opened_runtime
from oneself.config import Config, load
from oneself.model import Project
from oneself.rules.policies import DEFAULTS, policy_of

OTHER_ID = "0c5a7b1e-1c0f-4f51-9a3c-0a5f1ab7f0c9"
TEXT = f"""
base_url = "http://localhost:1"
master_keys = "k1:{b64encode(b"1" * 32).decode()}"
[shared_providers.google]
client_id = "ours"
client_secret = "hush"
[[projects]]
id = "5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1"
display_name = "Shop"
[projects.stytch]
project_id = "project-test-7c1f5a7e-4b0d-4f0a-8f43-6c8b4a7a2d10"
secret = "secret-test-s"
public_token = "public-token-test-2b0f3b51-7c8e-4a52-9a4b-1f0f6f0e7a11"
callback_id = "oauth-callback-test-9f0d7a34-0d0c-4e3e-8a55-3b8a3f6c2e12"
[projects.stack]
project_id = "internal"
publishable_client_key = "pck"
secret_server_key = "ssk"
super_secret_admin_key = "sak"
[projects.policies.stytch]
attach_proof = "pkce"
[projects.providers.google]
shared = true
[projects.providers.company]
provider = "oidc"
issuer = "https://sso.example.com"
client_id = "c"
client_secret = "SECRET"
[projects.providers.github]
client_id = "g"
client_secret = "h"
endpoints = {{ token = "https://github.intern/token" }}
"""


def read(folder: Path, migrated_url: str, text: str = TEXT) -> Config:
    (folder / "oneself.toml").write_text(f'database_url = "{migrated_url}"\n{text}')
    return load(folder / "oneself.toml", {})


async def test_everything_that_is_declared_arrives(tmp_path: Path, migrated_url: str) -> None:
    config = read(tmp_path, migrated_url)
    async with opened_runtime(config, serving=False) as rt:
        await declare_projects(rt, config)
        found = await projects.by_stack_id(rt, "internal")
        assert found is not None
        assert found == await projects.by_stytch_id(rt, "project-test-7c1f5a7e-4b0d-4f0a-8f43-6c8b4a7a2d10")
        assert projects.key_matches(rt, found, "stytch_secret", "secret-test-s")
        assert projects.key_matches(rt, found, "stack_client", "pck")
        assert projects.key_matches(rt, found, "stack_server", "ssk")
        assert projects.key_matches(rt, found, "stack_admin", "sak")
        assert not projects.key_matches(rt, found, "stack_admin", "ssk")
        # what the file leaves out of a policy is as the dialect has it
        policy = policy_of(found, "stytch")
        assert policy.attach_proof == "pkce"
        assert policy.email_match == DEFAULTS["stytch"].email_match
        assert policy.keep_last_way_in == DEFAULTS["stytch"].keep_last_way_in
        assert [one.provider for one in found.config.providers] == ["google", "generic_oidc", "github"]
        _, client = await client_of(rt, found, "google")
        assert (client.client_id, client.secret.reveal()) == ("ours", "hush")
        _, client = await client_of(rt, found, "github")
        assert (client.secret.reveal(), client.address("token")) == ("h", "https://github.intern/token")


async def test_declaring_again_changes_nothing_and_a_change_is_made(tmp_path: Path, migrated_url: str) -> None:
    config = read(tmp_path, migrated_url)
    async with opened_runtime(config, serving=False) as rt:
        await declare_projects(rt, config)
        first = await _internal(rt)
        await declare_projects(rt, config)
        assert (await _internal(rt)).version == first.version
        changed = read(tmp_path, migrated_url, TEXT.replace("SECRET", "OTHER").replace('"Shop"', '"Store"'))
        await declare_projects(rt, changed)
        after = await _internal(rt)
        assert after.version > first.version
        assert after.display_name == "Store"
        assert after.keys == first.keys
        _, client = await client_of(rt, after, "company")
        assert client.secret.reveal() == "OTHER"


async def _internal(rt: Runtime) -> Project:
    found = await projects.by_stack_id(rt, "internal")
    assert found is not None
    return found


async def test_an_id_of_another_project_is_refused(tmp_path: Path, migrated_url: str) -> None:
    config = read(tmp_path, migrated_url)
    async with opened_runtime(config, serving=False) as rt:
        await declare_projects(rt, config)
        other = read(tmp_path, migrated_url, TEXT.replace("5d0c1c0e", "6d0c1c0e"))
        with pytest.raises(StartRefused, match="cannot be declared"):
            await declare_projects(rt, other)


async def test_servers_that_start_together_declare_the_same_project(tmp_path: Path, migrated_url: str) -> None:
    """Made by all at once, then changed by all at once: nobody is refused, and there is one."""
    for text in (TEXT, TEXT.replace('"Shop"', '"Other shop"').replace('"sak"', '"another"')):
        config = read(tmp_path, migrated_url, text)
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(opened_runtime(config, serving=False)) for _ in range(6)]
            await asyncio.gather(*(declare_projects(rt, config) for rt in opened))
            for rt in opened:
                (found,) = await projects.list_all(rt)
                assert found.display_name == config.projects[0].display_name
                declared = await projects.by_stack_id(rt, "internal")
                assert declared is not None
                assert projects.key_matches(rt, declared, "stack_admin", "sak" if text is TEXT else "another")
    taken = read(tmp_path, migrated_url, TEXT.replace("5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1", OTHER_ID))
    async with opened_runtime(taken, serving=False) as rt:
        with pytest.raises(StartRefused, match="one of these ids exists already"):
            await declare_projects(rt, taken)
