"""The settings: read once from file, environment and `*_FILE` secrets, checked, frozen, and passed on.

Nothing in the house reads the environment but this package, and nothing imports a setting: what was
read here travels as a `Config`.
"""

from oneself.config.checks import unsafe_for_serving
from oneself.config.load import ConfigError, load
from oneself.config.reference import Setting, settings
from oneself.config.schema import (
    Config,
    DeclaredPolicy,
    DeclaredProject,
    DeclaredProvider,
    Lifetimes,
    Limits,
    SharedProvider,
    Smtp,
    StackSide,
    StytchSide,
)

__all__ = [
    "Config",
    "ConfigError",
    "DeclaredPolicy",
    "DeclaredProject",
    "DeclaredProvider",
    "Lifetimes",
    "Limits",
    "Setting",
    "SharedProvider",
    "Smtp",
    "StackSide",
    "StytchSide",
    "load",
    "settings",
    "unsafe_for_serving",
]
