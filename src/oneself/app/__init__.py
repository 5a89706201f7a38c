"""The only place that builds things: settings become a runtime, a runtime becomes the ASGI app."""

from oneself.app.house import EMULATOR_PATH, House
from oneself.app.metrics import Place
from oneself.app.opening import (
    StartRefused,
    check_master_keys,
    declare_projects,
    epoch_refusal,
    mail_server,
    microseconds,
    opened_database,
    opened_runtime,
)

__all__ = [
    "EMULATOR_PATH",
    "House",
    "Place",
    "StartRefused",
    "check_master_keys",
    "declare_projects",
    "epoch_refusal",
    "mail_server",
    "microseconds",
    "opened_database",
    "opened_runtime",
]
