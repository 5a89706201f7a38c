"""The projects that a process keeps in memory: what changed while it was read is not kept as it was."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from oneself.actions import projects
from oneself.actions.runtime import ProjectDirectory
from oneself.model import ProjectConfig
from oneself.store.projects import BY_ID
from tests.actions.conftest import World


class Slow:
    """A database in which something else happens once, behind one statement of a reader."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.left = 0
        self.then: Callable[[], Awaitable[object]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def all(self, sql: str, *args: Any) -> Any:
        """The statement, and behind it what else happens."""
        rows = await self._inner.all(sql, *args)
        await self._step()
        return rows

    async def one(self, sql: str, *args: Any) -> Any:
        """The same of a statement for one row."""
        row = await self._inner.one(sql, *args)
        await self._step()
        return row

    async def _step(self) -> None:
        self.left -= 1
        if self.left == 0 and self.then is not None:
            await self.then()


# A project takes three statements to read: behind any of them somebody may change it.
@pytest.mark.parametrize("behind", [1, 2, 3])
async def test_a_change_while_a_project_was_read_is_seen(world: World, behind: int) -> None:
    slow: Any = Slow(world.rt.db)
    directory = ProjectDirectory(slow, world.rt.ring, world.rt.random)
    await directory.poll()

    async def switch(enabled: bool) -> None:
        def switched(config: ProjectConfig) -> ProjectConfig:
            return msgspec.structs.replace(config, password_enabled=enabled)

        await projects.change_config(world.rt, world.project, switched)
        await directory.poll()

    slow.left, slow.then = behind, lambda: switch(False)
    await directory.by(BY_ID, world.project.id)
    slow.then = None
    found = await directory.by(BY_ID, world.project.id)
    assert found is not None
    assert not found.config.password_enabled
    await switch(True)
    again = await directory.by(BY_ID, world.project.id)
    assert again is not None
    assert again.config.password_enabled
    assert await directory.data_key(world.project.id) is not None
