"""Groups of commands that load a command when it is called: each then starts as fast as its own needs allow."""

import gc
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from oneself.later import Later


class Entry(NamedTuple):
    """A command that is not loaded yet, and the sentence that its group's help shows: the first of its own help."""

    about: str
    command: Later


class LoadingGroup(click.Group):
    """A group whose commands load when they are called; its help loads none of them."""

    def __init__(self, *args: Any, entries: Mapping[str, Entry | click.Command], **more: Any) -> None:
        super().__init__(*args, **more)
        self._entries = entries

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The commands' names, in order."""
        return sorted(self._entries)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None where there is none of that name."""
        entry = self._entries.get(cmd_name)
        if not isinstance(entry, Entry):
            return entry
        # What loads stays: a collector that looks through it again and again, then and afterwards, takes a fifth of
        # the time and finds nothing.
        gc.disable()
        try:
            command: click.Command = entry.command.get()
            gc.freeze()
        finally:
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands as click does, from what the entries say of them."""
        shown = {
            name: click.Command(name, help=entry.about) if isinstance(entry, Entry) else entry
            for name, entry in self._entries.items()
        }
        click.Group(commands=shown).format_commands(ctx, formatter)
