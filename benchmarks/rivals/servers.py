"""The list of the rivals."""

from benchmarks.rivals.node_rivals import AuthJs, BetterAuth
from benchmarks.rivals.pocketbase import PocketBase
from benchmarks.rivals.python_rivals import DjangoAllauth, FastApiUsers
from benchmarks.rivals.rival import Rival

RIVALS: tuple[type[Rival], ...] = (PocketBase, AuthJs, BetterAuth, FastApiUsers, DjangoAllauth)
