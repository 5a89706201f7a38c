"""One development server for all tests of its pages; each test is another person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server_process import ServerProcess, dev


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A fresh `oneself dev`, for the tests of one file."""
    with dev(tmp_path_factory.mktemp("console") / "data") as running:
        yield running
