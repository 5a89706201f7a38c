"""One command against one server's database: open it, ask, close it; and faults in words."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from oneself.actions import projects
from oneself.actions.runtime import Runtime
from oneself.app.database import StartRefused
from oneself.app.opening import opened_runtime
from oneself.cli.choosing import settings_of
from oneself.cli.output import Refused
from oneself.config import Config
from oneself.faults import Fault, FaultCode
from oneself.model import Project

T = TypeVar("T")
_WORDS = {
    FaultCode.USER_NOT_FOUND: "There is no such user. `oneself user list --text ...` finds one by name or e-mail."
}


def ask(config_file: Path | None, data: Path | None, work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `work` on the server that the options name, beside it where it serves.

    Ends the program with the reason where that cannot be.
    """
    return ask_config(settings_of(config_file, data), work)


def ask_config(config: Config, work: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run `work` on the server of these settings. Ends the program with the reason where that cannot be."""

    async def opened() -> T:
        async with opened_runtime(config, serving=False) as rt:
            return await work(rt)

    try:
        return asyncio.run(opened())
    except StartRefused as refused:
        raise Refused("The database cannot be asked.", [str(refused)]) from None
    except Fault as fault:
        why = _WORDS.get(fault.code) or fault.detail or fault.code.value
        raise Refused("That was refused.", [why]) from None


async def find_project(rt: Runtime, name: str) -> Project:
    """A project by any of its ids, or by its name where only one bears it. Ends the program where there is none."""
    ways = (projects.by_id, projects.by_stytch_id, projects.by_stack_id, projects.by_public_token)
    for by in ways:
        found = await by(rt, name)
        if found is not None:
            return found
    everybody = await projects.list_all(rt)
    same = [one for one in everybody if one.display_name == name]
    if len(same) == 1:
        return await projects.by_id(rt, same[0].id) or same[0]
    why = f"{len(same)} projects are called {name!r}: name one by its id" if same else f"no project is called {name!r}"
    raise Refused("There is no such project.", [f"{why}. `oneself project list` shows all."])


async def only_project(rt: Runtime, name: str | None) -> Project:
    """The named project, or the only one there is. Ends the program where that is not clear."""
    if name:
        return await find_project(rt, name)
    everybody = await projects.list_all(rt)
    if len(everybody) == 1:
        return everybody[0]
    if not everybody:
        raise Refused("There is no project yet.", ["Make one with `oneself project create NAME`, or declare it."])
    why = f"There are {len(everybody)} projects. Name one with --project; `oneself project list` shows all."
    raise Refused("Which project?", [why])
