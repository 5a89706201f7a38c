"""Real servers for the tests of this dialect: `oneself dev`, and one with projects of other minds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import server_process
from tests.stytch import variants
from tests.stytch.rig import Rig


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One `oneself dev` process for all tests of this folder; each test makes its own people."""
    folder: Path = tmp_path_factory.mktemp("stytch") / "data"
    with server_process.dev(folder) as server:
        yield Rig.of(server.announced)


@pytest.fixture(scope="session")
def minds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Rig]]:
    """One server with a project per policy, by the policy's name."""
    with variants.serving(tmp_path_factory.mktemp("variants")) as rigs:
        yield rigs
