"""The list of the rivals."""

from benchmarks.rivals.node_rivals import AuthJs, BetterAuth
from benchmarks.rivals.pocketbase import PocketBase
from benchmarks.rivals.python_rivals import DjangoAllauth, FastApiUsers
from benchmarks.rivals.rival import Rival

RIVALS: tuple[type[Rival], ...] = (PocketBase, AuthJs, BetterAuth, FastApiUsers, DjangoAllauth)


def on(*databases: str) -> list[type[Rival]]:
    """Those whose rows are in one of these kinds of database."""
    return [kind for kind in RIVALS if kind.database in databases]
