"""The example file and the documentation say what the schema says, and nothing else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oneself.cli.settings import markdown_table
from oneself.config import DeclaredPolicy, DeclaredProject, load, settings, unsafe_for_serving
from oneself.crypto.seal import KeyRing
from oneself.model import Policy, ProjectConfig

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "oneself.example.toml"


@pytest.fixture
def everything_on(tmp_path: Path) -> Path:
    """The example with every setting that is off turned on."""
    file = tmp_path / "all.toml"
    file.write_text(re.sub(r"^#(?=[a-z\[])", "", EXAMPLE.read_text(), flags=re.MULTILINE))
    return file


def paths(value: Any, at: str = "") -> set[str]:
    """The paths of all settings in a tree as the reference writes them."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {path for entry in value for path in paths(entry, f"{at}[]")}
    if not isinstance(value, dict):
        return {at}
    found = {at} if at else set()
    for name, inner in value.items():
        named = at.endswith(("shared_providers", "policies", "providers"))
        step = "<name>" if named else name
        found |= paths(inner, f"{at}.{step}" if at else step)
    return found


def test_the_example_loads_as_it_stands_and_with_everything_on(everything_on: Path) -> None:
    assert load(EXAMPLE, {}).projects[0].display_name == "Shop"
    assert load(everything_on, {}).smtp.host == "smtp.example.com"


def test_every_setting_appears_in_the_example(everything_on: Path) -> None:
    there = paths(tomllib.loads(everything_on.read_text()))
    assert {setting.path for setting in settings()} - there == set()


def test_the_examples_secrets_are_refused_for_serving() -> None:
    told = "\n".join(unsafe_for_serving(load(EXAMPLE, {})))
    for name in ("master_keys", "stytch.secret", "stack.secret_server_key", "providers.github.client_secret"):
        assert name in told


def test_the_examples_master_key_has_the_form_of_one() -> None:
    KeyRing.parse(load(EXAMPLE, {}).master_keys.reveal(), lambda count: b"0" * count)


def test_the_documentation_holds_the_table_of_all_settings() -> None:
    assert markdown_table() in (ROOT / "docs" / "configuration.md").read_text()


def test_every_setting_is_explained_in_a_sentence() -> None:
    for setting in settings():
        assert len(setting.member.description) > 10, setting.path
        assert setting.member.description.endswith("."), setting.path


def test_a_policy_of_the_file_is_a_policy_of_the_core() -> None:
    ours = {field.name for field in msgspec.structs.fields(DeclaredPolicy)}
    assert ours == {field.name for field in msgspec.structs.fields(Policy)}


def test_every_property_of_a_project_can_be_declared() -> None:
    ours = {field.name for field in msgspec.structs.fields(DeclaredProject)}
    theirs = {field.name for field in msgspec.structs.fields(ProjectConfig)}
    # `extras` are a dialect's own facts, never an operator's
    assert theirs - ours == {"extras"}
