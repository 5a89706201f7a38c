"""The emulated providers, for the processes that are to die."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes.fleet import emulated


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """Their address."""
    with emulated() as address:
        yield address
