"""What loads when it is first asked for: the one place of the house that imports by name.

An import at the top of a file is paid for by every start that reaches the file, and most starts need little: a command
that makes a key needs no HTTP client, and a server on SQLite no driver of PostgreSQL. Such things are named here, and
their modules load at the first use. The name stands in the source as plain text, so that the house rules read it as an
import like any other.
"""

from importlib import import_module
from typing import Any, NamedTuple


class Later(NamedTuple):
    """Something in a module that is not loaded yet: the module's dotted name, and the thing's name in it."""

    module: str
    name: str

    def get(self) -> Any:
        """The thing itself. The first call loads its module, which may take a tenth of a second; any thread may."""
        return getattr(import_module(self.module), self.name)
