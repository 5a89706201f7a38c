"""Development identity providers that imitate the real ones, with their shapes, quirks and faults.

A separate ASGI application (`create_emulator`), mounted beside the server by `oneself dev` or run
alone by `python -m oneself.emulator`. It is a real OAuth server for any client, not only for ours:
nothing here is derived from the adapters in `oneself.providers`, so that it does not repeat their
mistakes.
"""

from oneself.emulator.app import Emulator, create_emulator
from oneself.emulator.clients import Client
from oneself.emulator.personas import PERSONAS, Persona
from oneself.emulator.players import PLAYERS, endpoints_for

__all__ = [
    "PERSONAS",
    "PLAYERS",
    "Client",
    "Emulator",
    "Persona",
    "create_emulator",
    "endpoints_for",
]
