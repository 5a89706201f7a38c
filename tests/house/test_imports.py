"""Arrows go down the import table only, and no import hides; each rule is shown a breach first."""

from __future__ import annotations

import ast
import importlib

import pytest

from tests.house import import_table
from tests.house.source import imports_of, names_of_later, package, sample

KNOWN = frozenset(module.name for module in package()) | {
    "oneself.actions.attach",
    "oneself.actions.runtime",
    "oneself.actions.start",
    "oneself.app",
    "oneself.providers.github",
    "oneself.providers.google",
    "oneself.providers.registry",
    "oneself.providers.spec",
    "oneself.store.users",
    "oneself.wire.http",
    "oneself.wire.stack",
    "oneself.wire.stytch",
}

ALLOWED = [
    ("oneself.model", "import msgspec"),
    ("oneself.rules.linking", "from oneself.model import User"),
    ("oneself.rules.linking", "from datetime import timedelta"),
    ("oneself.providers.google", "from oneself.providers.spec import Provider"),
    ("oneself.providers.registry", "from oneself.providers import github, google"),
    ("oneself.steps.users", "from oneself.store import users"),
    ("oneself.actions.start", "from oneself.actions.runtime import Runtime"),
    ("oneself.actions.start", "from oneself.steps import users"),
    ("oneself.wire.stytch.routes", "from oneself.actions import start"),
    ("oneself.wire.stytch.routes", "from oneself.wire import http"),
    ("oneself.app", "from oneself.wire.stytch import routes"),
    ("oneself.cli.serving", "from oneself import app"),
    ("oneself.emulator.player", "from oneself.providers import google"),
    ("oneself.store.opening", "from oneself.later import Later\nUSERS = Later('oneself.store.users', 'find')"),
]

FORBIDDEN = [
    ("oneself.model", "from oneself.faults import Fault"),
    ("oneself.model", "import uvicorn"),
    ("oneself.faults", "from oneself import model"),
    ("oneself.config.load", "from oneself.faults import Fault"),
    ("oneself.rules.linking", "from oneself.store import users"),
    ("oneself.rules.linking", "import time"),
    ("oneself.rules.linking", "from random import choice"),
    ("oneself.rules.linking", "async def decide(): ..."),
    ("oneself.rules.linking", "import datetime\nnow = datetime.datetime.now()"),
    ("oneself.crypto.seal", "from oneself.model import User"),
    ("oneself.crypto.seal", "from oneself.store import users"),
    ("oneself.providers.google", "from oneself.providers import github"),
    ("oneself.providers.google", "from oneself.providers.github import GITHUB"),
    ("oneself.providers.google", "from oneself.config import Config"),
    ("oneself.providers.google", "import aiohttp"),
    ("oneself.store.users", "from oneself.rules import linking"),
    ("oneself.store.users", "from oneself.actions.start import start"),
    ("oneself.upstream.http", "from oneself.store import users"),
    ("oneself.upstream.http", "from oneself.rules import linking"),
    ("oneself.steps.users", "from oneself.upstream import http"),
    ("oneself.steps.users", "from oneself.actions import start"),
    ("oneself.asgi.routing", "from oneself.faults import Fault"),
    ("oneself.asgi.routing", "from oneself.wire import http"),
    ("oneself.emulator.player", "from oneself.store import users"),
    ("oneself.emulator.player", "from oneself.wire import http"),
    ("oneself.mail.sending", "from oneself.actions import start"),
    ("oneself.actions.attach", "from oneself.actions import start"),
    ("oneself.actions.attach", "from oneself.wire import http"),
    ("oneself.actions.attach", "from oneself.config import Config"),
    ("oneself.actions.attach", "from oneself.emulator import personas"),
    ("oneself.actions.attach", "import uvicorn"),
    ("oneself.actions.attach", "import sqlite3"),
    ("oneself.wire.stytch.routes", "from oneself.store import users"),
    ("oneself.wire.stytch.routes", "from oneself.crypto import seal"),
    ("oneself.wire.stytch.routes", "from oneself.providers import google"),
    ("oneself.wire.stytch.routes", "from oneself.wire.stack import routes"),
    ("oneself.wire.http", "from oneself.wire.stack import routes"),
    ("oneself.wire.stytch.routes", "from oneself.steps import users"),
    ("oneself.background", "from oneself.wire import http"),
    ("oneself.app", "from oneself.cli import main"),
    ("oneself.pantry", "import json"),
    ("oneself.store.opening", "LINKING = Later('oneself.rules.linking', 'decide')"),
    ("oneself.upstream.http", "UVICORN = Later('uvicorn', 'run')"),
]


@pytest.mark.parametrize(("name", "text"), ALLOWED)
def test_the_table_lets_arrows_down(name: str, text: str) -> None:
    assert import_table.violations(sample(name, text), KNOWN) == []


@pytest.mark.parametrize(("name", "text"), FORBIDDEN)
def test_the_table_stops_every_other_arrow(name: str, text: str) -> None:
    assert len(import_table.violations(sample(name, text), KNOWN)) == 1


def test_a_type_checkers_import_is_an_arrow_too() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from oneself.store import users"
    assert import_table.violations(sample("oneself.rules.linking", text), KNOWN)


def test_the_house_keeps_the_table() -> None:
    known = frozenset(module.name for module in package())
    found = [line for module in package() for line in import_table.violations(module, known)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "def work():\n    import json",
        "async def work():\n    from json import loads",
        "class Thing:\n    import json",
        "import importlib\njson = importlib.import_module('json')",
        "json = __import__('json')",
        "loads = Later(f'{name}', 'loads')",
        "loads = Later('json', name)",
        "loads = Later(module='json', name='loads')",
        "loads = Later('json', 'loads', 'dumps')",
    ],
)
def test_a_hidden_import_is_seen(text: str) -> None:
    assert import_table.hidden_imports(sample("oneself.app", text))


def test_no_import_hides() -> None:
    assert [line for module in package() for line in import_table.hidden_imports(module)] == []


def test_what_loads_later_is_there() -> None:
    named = [
        later
        for module in package()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and (later := names_of_later(node))
    ]
    assert len(named) > 20
    for module_name, name in named:
        assert hasattr(importlib.import_module(module_name), name), (module_name, name)


def test_a_circle_is_seen() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert import_table.circles(arrows) == [["a", "b", "c", "a"]]
    assert import_table.circles({"a": {"b"}, "b": set()}) == []


def test_no_circle_of_modules() -> None:
    known = frozenset(module.name for module in package())
    arrows = {
        module.name: {
            arrow.name
            for arrow in imports_of(module, known)
            if arrow.name in known and not arrow.for_types_only and arrow.name != module.name
        }
        for module in package()
    }
    assert import_table.circles(arrows) == []
