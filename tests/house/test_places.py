"""Where things live and what files say; each rule is shown a breach before it looks at the house."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import places, source
from tests.house.source import Module, around, package, sample

Rule = Callable[[Module], Iterator[str]]

LARGEST_LINES = 400
FEW_LINES = 200
FEW_SHARE = 0.15
MEDIAN_LINES = 100

BREACHES: list[tuple[Rule, str, str]] = [
    (places.sql, "oneself.actions.start", 'Q = "SELECT id FROM users WHERE id = $1"'),
    (places.sql, "oneself.actions.start", 'Q = """\n  INSERT INTO users (id) VALUES ($1)"""'),
    (places.sql, "oneself.app", 'Q = f"UPDATE users SET name = {1}"'),
    (places.sql, "oneself.cli.keys", 'Q = "PRAGMA wal_checkpoint"'),
    (places.sql, "oneself.wire.http", 'Q = "WITH a AS (SELECT 1) SELECT * FROM a"'),
    (places.composed_sql, "oneself.store.users", 'name = "x"\nQ = f"SELECT id FROM {name} WHERE id = $1"'),
    (places.composed_sql, "oneself.store.users", 'def find(n):\n    return f"SELECT id FROM t WHERE n = {n}"'),
    (places.environment, "oneself.app", "import os\nport = os.environ['PORT']"),
    (places.environment, "oneself.app", "import os\nport = os.getenv('PORT')"),
    (places.environment, "oneself.app", "from os import environ"),
    (places.environment, "oneself.cli.dev", "import click\nclick.option('--port', envvar='PORT')"),
    (places.docstrings, "oneself.app", "import json"),
    (places.docstrings, "oneself.app", '"""App."""\ndef build() -> None:\n    return'),
    (places.docstrings, "oneself.app", '"""App."""\nclass A:\n    """A."""\n    def b(self): return 1'),
    (places.stubs, "oneself.app", "def build():\n    raise NotImplementedError"),
    (places.stubs, "oneself.app", "def build():\n    ..."),
    (places.stubs, "oneself.app", 'def build():\n    """Build."""\n    pass'),
    (places.skips, "tests.test_a", "import pytest\n@pytest.mark.skip\ndef test_a(): assert 1"),
    (places.skips, "tests.test_a", "import pytest\ndef test_a(): pytest.xfail('later')"),
    (places.skips, "tests.test_a", "import pytest\njson = pytest.importorskip('json')"),
    (places.skips, "tests.test_a", "from pytest import skip"),
]

HONEST: list[tuple[Rule, str, str]] = [
    (places.sql, "oneself.store.users", 'Q = "SELECT id FROM users WHERE id = $1"'),
    (places.sql, "oneself.wire.console", 'WORDS = "Select an account from the list"'),
    (places.sql, "oneself.cli.keys", '"""SELECT what FROM which is prose here."""'),
    (places.composed_sql, "oneself.store.users", 'Q = f"SELECT {_COLUMNS} FROM users WHERE id = $1"'),
    (places.composed_sql, "oneself.store.users", 'def tell(n):\n    return f"the schema is {n}"'),
    (places.environment, "oneself.config.load", "import os\nport = os.environ['PORT']"),
    (places.docstrings, "oneself.app", '"""App."""\ndef _hidden(): return 1'),
    (places.stubs, "oneself.store.database", "class Tx(Protocol):\n    def run(self) -> int: ..."),
    (places.skips, "tests.test_a", "def test_a(page): page.skip_link.click()"),
]

RULES_FOR_THE_PACKAGE: list[Rule] = [
    places.sql,
    places.composed_sql,
    places.environment,
    places.docstrings,
    places.stubs,
]


@pytest.mark.parametrize(("rule", "name", "text"), BREACHES)
def test_a_breach_is_seen(rule: Rule, name: str, text: str) -> None:
    assert list(rule(sample(name, text)))


@pytest.mark.parametrize(("rule", "name", "text"), HONEST)
def test_an_honest_module_is_let_be(rule: Rule, name: str, text: str) -> None:
    assert list(rule(sample(name, text))) == []


@pytest.mark.parametrize("rule", RULES_FOR_THE_PACKAGE)
def test_the_house_keeps(rule: Rule) -> None:
    assert [line for module in package() for line in rule(module)] == []


def test_no_test_skips() -> None:
    assert [line for module in around() for line in places.skips(module)] == []


@pytest.mark.parametrize("name", ["utils.py", "store/helpers.py", "session_manager.py", "common/x.py"])
def test_a_name_that_says_nothing_is_seen(name: str) -> None:
    assert list(places.file_name(Path(name)))


def test_every_file_name_says_what_is_inside() -> None:
    names = [file.relative_to(source.ROOT) for file in source.tracked()]
    assert [line for name in names for line in places.file_name(name)] == []


def test_unfinished_work_is_seen() -> None:
    words = ("TO" + "DO", "FIX" + "ME")
    assert all(list(places.unfinished(Path("a.py"), f"# {word}: later")) for word in words)
    assert list(places.unfinished(Path("a.py"), "nothing left to do")) == []


def test_nothing_is_left_unfinished() -> None:
    assert [line for file, text in source.texts() for line in places.unfinished(file, text)] == []


def test_a_path_out_of_the_repository_is_seen() -> None:
    assert list(places.outside(Path("a.md"), "as ../sha" + "red/spec says"))
    assert list(places.outside(Path("a.md"), "in /wo" + "rk/main/src"))
    assert list(places.outside(Path("a.md"), "see /docs/work/flow.md")) == []


def test_nothing_points_out_of_the_repository() -> None:
    assert [line for file, text in source.texts() for line in places.outside(file, text)] == []


def test_files_are_short() -> None:
    sizes = {module.place: places.lines(module) for module in package()}
    long = sorted((place for place, size in sizes.items() if size > FEW_LINES), key=lambda p: -sizes[p])
    assert [place for place in long if sizes[place] > LARGEST_LINES] == []
    assert len(long) <= FEW_SHARE * len(sizes), long
    assert statistics.median(sizes.values()) <= MEDIAN_LINES


def test_the_package_ships_its_types() -> None:
    assert (source.PACKAGE / "py.typed").exists()
