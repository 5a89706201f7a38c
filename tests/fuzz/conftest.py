"""One server per database for all tests of this folder, its descriptions, and the people of two projects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests import postgres_server
from tests.conftest import ENGINES
from tests.fuzz import described
from tests.fuzz.described import DIALECTS, Description, Dialect
from tests.fuzz.ground import Watch, ground_of
from tests.fuzz.letters import Mailbox
from tests.fuzz.people import People
from tests.fuzz.sides import Side
from tests.fuzz.stack_side import StackSide
from tests.fuzz.standing import OURS, PROJECTS, RING, THEIRS, Standing, standing
from tests.fuzz.stytch_side import StytchSide
from tests.fuzz.trying import Trial

SIDES: dict[Dialect, Side] = {"stytch": StytchSide(), "stack": StackSide()}


@dataclass
class World:
    """A running server, what it publishes, and two projects with people in them."""

    server: Standing
    descriptions: dict[Dialect, Description]
    ours: People
    theirs: People
    watch: Watch
    engine: str

    def trial(self, dialect: Dialect) -> Trial:
        """A fresh count of what goes wrong in one dialect."""
        return Trial(self.ours, SIDES[dialect], self.watch)

    def cleared(self) -> None:
        """Begin anew without people."""
        self.ours.forget()
        self.theirs.forget()
        self.watch.clear([keys.id for keys in PROJECTS])


@pytest.fixture(scope="session", params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world on each database."""
    folder = tmp_path_factory.mktemp(f"fuzz-{request.param}")
    database_url = f"sqlite:///{folder / 'oneself.sqlite3'}"
    if request.param == "postgresql":
        cluster: postgres_server.Cluster = request.getfixturevalue("postgres")
        database_url = cluster.url(cluster.create_database())
    with standing(folder, database_url) as server:
        line = server.line()
        ground = ground_of(database_url)
        yield World(
            server,
            {dialect: described.read(line, dialect) for dialect in DIALECTS},
            People(line, OURS, server.emulator_url, Mailbox(ground, RING, OURS.id)),
            People(line, THEIRS, server.emulator_url, Mailbox(ground, RING, THEIRS.id)),
            Watch(ground),
            str(request.param),
        )
        ground.close()


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    name: Dialect = request.param
    return name


@dataclass(frozen=True)
class Budget:
    """How much is tried: a seeded sample, unless the environment asks for more.

    FUZZ_CASES: bad requests per operation (0: all there are); FUZZ_EXAMPLES: property-based ones; FUZZ_SEED: another
    sample.
    """

    cases: int
    examples: int
    seed: int


@pytest.fixture(scope="session")
def budget() -> Budget:
    names = {"FUZZ_CASES": 24, "FUZZ_EXAMPLES": 15, "FUZZ_SEED": 0}
    found = Budget(*(int(os.environ.get(name, default)) for name, default in names.items()))
    print(f"\n{' '.join(f'{name}={value}' for name, value in zip(names, vars(found).values(), strict=True))}")
    return found
