"""A provider lives in three places and no fourth: its file, the registry, its recorded reply."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from oneself.providers.registry import PROVIDERS
from tests.house.import_table import BY_NAME
from tests.house.source import PACKAGE, ROOT, Module, package, sample

ROOM = BY_NAME["providers"]
NOT_PROVIDERS = {"__init__", *ROOM.shared, *ROOM.collectors}
# Protocols that any issuer may speak, not vendors.
GENERIC = {each.id for each in PROVIDERS if each.id.startswith("generic")}
VENDORS = frozenset(each.id for each in PROVIDERS) - GENERIC
RECORDINGS = ROOT / "tests" / "providers" / "recordings"


def asks_which(module: Module, vendors: frozenset[str]) -> Iterator[str]:
    """Comparisons with a vendor's id, outside the rooms that are about one vendor at a time."""
    if module.name.split(".")[1:2] in (["providers"], ["emulator"]):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare | ast.MatchValue):
            named = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            if named & vendors:
                yield f"{module.at(node)} asks which provider it has"


@pytest.mark.parametrize(
    "text",
    [
        'if provider.id == "google": pass',
        'ok = provider.id in ("apple", "google")',
        'match provider.id:\n    case "google": pass',
    ],
)
def test_a_question_for_one_vendor_is_seen(text: str) -> None:
    assert list(asks_which(sample("oneself.upstream.tokens", text), frozenset({"google"})))


def test_no_code_asks_which_provider_it_has() -> None:
    assert [line for module in package() for line in asks_which(module, VENDORS)] == []


def test_every_provider_file_is_registered_once() -> None:
    files = {file.stem for file in (PACKAGE / "providers").glob("*.py")} - NOT_PROVIDERS
    assert {each.id for each in PROVIDERS} == files
    assert len(PROVIDERS) == len(files)


def test_every_provider_has_a_recorded_reply() -> None:
    recorded = {file.stem.split(".")[0].split("-")[0] for file in RECORDINGS.rglob("*.*")}
    recorded |= {folder.name for folder in RECORDINGS.iterdir() if folder.is_dir()}
    assert {each.id for each in PROVIDERS} - recorded == set()
