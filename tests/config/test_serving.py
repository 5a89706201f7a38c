"""Settings that development may have and a serving server must not, each beside its honest twin."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from oneself.config import Config, DeclaredProject, StackSide, unsafe_for_serving
from oneself.config.checks import is_local
from oneself.model import Secret

FIT = Config(
    base_url="https://id.example.com",
    database_url=Secret("postgresql://localhost/oneself"),
    master_keys=Secret("k1:AAAA"),
    workers=2,
)


def stack_project(key: str) -> tuple[DeclaredProject, ...]:
    side = StackSide(project_id="internal", secret_server_key=Secret(key))
    return (DeclaredProject(id="5d0c1c0e-3c0f-4f51-9a3c-0a5f1ab7f0c1", stack=side),)


def test_the_honest_twin_is_fit() -> None:
    assert list(unsafe_for_serving(FIT)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"master_keys": Secret("")}, "No master key"),
        ({"master_keys": Secret("k1:AAAA, dev-1:BBBB")}, "a key that `oneself dev` made"),
        ({"database_url": Secret("")}, "No database"),
        ({"database_url": Secret("sqlite:///x")}, "SQLite, which bears one process"),
        ({"base_url": ""}, "No `base_url`"),
        ({"base_url": "http://id.example.com"}, "is http and not localhost"),
        ({"base_url": "http://localhost.example.com"}, "is http and not localhost"),
        ({"access_log": "full"}, "writes the codes and tokens"),
        ({"projects": stack_project("ssk_change-me")}, "still the example's placeholder"),
        ({"projects": stack_project("this-key-is-for-local-development-only")}, "the whole world knows"),
    ],
)
def test_an_unsafe_setting_is_named_with_what_to_do(changes: dict[str, Any], said: str) -> None:
    told = list(unsafe_for_serving(msgspec.structs.replace(FIT, **changes)))
    assert len(told) == 1
    assert said in told[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"database_url": Secret("sqlite:///x"), "workers": 1},
        {"base_url": "http://localhost:8000"},
        {"base_url": "http://127.0.0.1:8000"},
        {"base_url": "http://[::1]:8000"},
        {"base_url": "http://id.example.com", "allow_http": True},
        {"access_log": "path"},
        {"projects": stack_project("ssk_something")},
        {"base_url": "http://localhost:1", "projects": stack_project("this-key-is-for-local-development-only")},
    ],
)
def test_what_is_safe_is_let_through(changes: dict[str, Any]) -> None:
    assert list(unsafe_for_serving(msgspec.structs.replace(FIT, **changes))) == []


@pytest.mark.parametrize("url", ["http://localhost", "http://app.localhost:1", "http://127.8.9.1", "http://[::1]:2"])
def test_these_are_this_machine(url: str) -> None:
    assert is_local(url)


@pytest.mark.parametrize("url", ["http://notlocalhost", "http://10.0.0.1", "http://128.0.0.1", "https://", "x"])
def test_these_are_not(url: str) -> None:
    assert not is_local(url)
