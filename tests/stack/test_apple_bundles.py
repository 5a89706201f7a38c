"""The bundle ids of a project's apps, from the doors that set them to the option that sign-in on a device reads."""

from __future__ import annotations

import msgspec
import pytest

from oneself.actions.native import APPS
from oneself.model import ProjectConfig
from oneself.wire.stack import config_document
from oneself.wire.stack.config_document import Misfit
from oneself.wire.stack.project_bodies import Config, Provider, config_changes

PATH = "auth.oauth.providers"


def configured(changes: dict[str, object], before: ProjectConfig | None = None) -> ProjectConfig:
    """A configuration after changes at its lowest level."""
    config = before or ProjectConfig()
    kept = config_document.override(config_document.overrides_of(config), "environment", changes)
    return config_document.typed(config, kept, {})


def with_bundles(*ids: str) -> ProjectConfig:
    entry = Provider(id="apple", type="standard", client_id="c", client_secret="s", apple_bundle_ids=list(ids))
    return configured(config_changes(Config(oauth_providers=[entry])))


def test_bundle_ids_become_the_apps_of_the_credentials() -> None:
    config = with_bundles("com.example.app", "com.example.other")
    assert config.providers[0].options == {APPS: "com.example.app com.example.other"}
    assert config_document.apps_of(config.providers[0]) == ["com.example.app", "com.example.other"]
    assert with_bundles().providers[0].options == {}


def test_they_are_replaced_with_the_list_and_other_options_stay() -> None:
    before = with_bundles("com.example.app")
    more = msgspec.structs.replace(before.providers[0], options={**before.providers[0].options, "key_id": "K1"})
    before = msgspec.structs.replace(before, providers=(more,))
    after = configured({f"{PATH}.apple.appleBundles": {"a": {"bundleId": "com.example.new"}}}, before)
    assert after.providers[0].options == {"key_id": "K1", APPS: "com.example.new"}
    assert configured({f"{PATH}.apple.appleBundles": None}, before).providers[0].options == {"key_id": "K1"}


def test_a_first_change_keeps_what_the_operator_declared() -> None:
    declared = msgspec.structs.replace(with_bundles("com.example.app"), extras={})
    after = configured({"auth.allowSignUp": False}, declared)
    assert after.providers[0].options == {APPS: "com.example.app"}


@pytest.mark.parametrize("bundles", ["x", ["x"], {"a": "x"}, {"a": {}}, {"a": {"bundleId": "two words"}}])
def test_what_is_no_bundle_id_is_refused(bundles: object) -> None:
    with pytest.raises(Misfit):
        configured({PATH: {"apple": {"type": "apple", "isShared": False, "appleBundles": bundles}}})
