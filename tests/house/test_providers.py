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
# "x" is also a letter, a coordinate, a table's short name
WORDS = VENDORS - {"x"}
RECORDINGS = ROOT / "tests" / "providers" / "recordings"
# Modules that may name a vendor, and why: no other does, in any way.
MAY_NAME = {
    "oneself.wire.stytch.wording": "the closed list of names that this dialect's SDKs parse",
    "oneself.wire.stytch.faults": "the one provider that the dialect has an error of its own for",
    "oneself.wire.stytch.sdk": "the dialect's own path for Google's id_tokens",
    "oneself.wire.stytch.sandbox": "the dialect's published examples",
    "oneself.wire.stack.asking": "the scopes and parameters that the dialect is compared by",
    "oneself.wire.stack.native": "the dialect's own path for Apple's id_tokens",
    "oneself.emulator.personas": "people with another address at one vendor",
}


def asks_which(module: Module, vendors: frozenset[str]) -> Iterator[str]:
    """Comparisons with a vendor's id, outside the rooms that are about one vendor at a time."""
    if _about_one_vendor(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Compare | ast.MatchValue):
            named = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            if named & vendors:
                yield f"{module.at(node)} asks which provider it has"


def names_one(module: Module, vendors: frozenset[str]) -> Iterator[str]:
    """Vendors' ids in any text: a key of a table, a member of a set, an argument."""
    if _about_one_vendor(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and id(node) not in module.docstrings and node.value in vendors:
            yield f"{module.at(node)} names {node.value}"


def _about_one_vendor(module: Module) -> bool:
    return module.name.startswith(("oneself.providers.", "oneself.emulator.players"))


@pytest.mark.parametrize(
    "text",
    [
        'if provider.id == "google": pass',
        'ok = provider.id in ("apple", "google")',
        'match provider.id:\n    case "google": pass',
    ],
)
def test_a_question_for_one_vendor_is_seen(text: str) -> None:
    for name in ("oneself.upstream.tokens", "oneself.emulator.authorize"):
        assert list(asks_which(sample(name, text), frozenset({"google"})))
    assert list(asks_which(sample("oneself.emulator.players.google", text), frozenset({"google"}))) == []


@pytest.mark.parametrize(
    "text",
    ['SCOPES = {"google": ("a",)}', 'ODD = frozenset({"google"})', 'SCOPES.get("google")', 'get(id="google")'],
)
def test_a_vendor_by_name_is_seen(text: str) -> None:
    assert list(names_one(sample("oneself.upstream.tokens", text), frozenset({"google"})))
    assert list(names_one(sample("oneself.upstream.tokens", f'"""{text}"""'), frozenset({"google"}))) == []


def test_no_code_asks_which_provider_it_has() -> None:
    assert [line for module in package() for line in asks_which(module, VENDORS)] == []


def test_vendors_are_named_where_a_contract_names_them_and_nowhere_else() -> None:
    found = {module.name: list(names_one(module, WORDS)) for module in package()}
    assert [line for name, lines in found.items() if name not in MAY_NAME for line in lines] == []
    assert [name for name in MAY_NAME if not found[name]] == [], "no leave without need"


@pytest.mark.parametrize("name", sorted(each.id for each in PROVIDERS))
def test_a_provider_lives_in_three_places(name: str) -> None:
    """Its file, its line in the registry, its recorded reply. (The emulator plays what it likes.)"""
    places = {
        module.place
        for module in package()
        if module.name == f"oneself.providers.{name}" or name in _registered(module)
    }
    places |= {str(file.relative_to(ROOT)) for file in RECORDINGS.glob(f"{name}.*")}
    assert places == {
        f"src/oneself/providers/{name}.py",
        "src/oneself/providers/registry.py",
        f"tests/providers/recordings/{name}.json",
    }


def _registered(module: Module) -> set[str]:
    """The providers' files that a module imports."""
    imported = {node.module or "" for node in ast.walk(module.tree) if isinstance(node, ast.ImportFrom)}
    return {name.removeprefix("oneself.providers.") for name in imported if name.startswith("oneself.providers.")}


def test_every_provider_file_is_registered_once() -> None:
    files = {file.stem for file in (PACKAGE / "providers").glob("*.py")} - NOT_PROVIDERS
    assert {each.id for each in PROVIDERS} == files
    assert len(PROVIDERS) == len(files)


def test_a_providers_file_has_twenty_to_sixty_lines() -> None:
    """Data, one small function and why it is so: a file that grows wants a field or a reader that others can use as
    well, and a smaller one does not say enough of its vendor.
    """
    sizes = {file.stem: len(file.read_text("utf-8").splitlines()) for file in (PACKAGE / "providers").glob("*.py")}
    measured = {name: size for name, size in sizes.items() if name not in NOT_PROVIDERS}
    assert len(measured) == len(PROVIDERS)
    assert {name: size for name, size in measured.items() if not 20 <= size <= 60} == {}
