"""One emulator for all tests of this folder, made new before each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.rig import Rig, running


@pytest.fixture(scope="session")
def emulator_running() -> Iterator[Rig]:
    with running() as rig:
        yield rig


@pytest.fixture
def rig(emulator_running: Rig) -> Rig:
    """The emulator with its first personas, one client, no faults, and the clock set right."""
    emulator_running.clock.moved = 0
    emulator_running.emulator.world.reset()
    return emulator_running


@pytest.fixture(scope="session")
def local_running() -> Iterator[Rig]:
    with running(vendor_issuers=False) as rig:
        yield rig


@pytest.fixture
def local(local_running: Rig) -> Rig:
    """An emulator whose issuers are its own addresses, as discovery demands."""
    local_running.emulator.world.reset()
    return local_running
