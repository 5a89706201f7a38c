"""The settings: read once from file, environment and `*_FILE` secrets, checked, frozen, and passed on.

Nothing in the house reads the environment but this package, and nothing imports a setting: what was
read here travels as a `Config`.
"""

from oneself.config.checks import is_local, unsafe_for_serving
from oneself.config.load import load
from oneself.config.project import (
    DeclaredDomain,
    DeclaredPolicy,
    DeclaredProject,
    DeclaredProvider,
    DeclaredRedirect,
    StackSide,
    StytchSide,
)
from oneself.config.reading import ConfigError
from oneself.config.reference import Setting, settings
from oneself.config.schema import Config, Lifetimes, Limits, SharedProvider, Smtp

__all__ = [
    "Config",
    "ConfigError",
    "DeclaredDomain",
    "DeclaredPolicy",
    "DeclaredProject",
    "DeclaredProvider",
    "DeclaredRedirect",
    "Lifetimes",
    "Limits",
    "Setting",
    "SharedProvider",
    "Smtp",
    "StackSide",
    "StytchSide",
    "is_local",
    "load",
    "settings",
    "unsafe_for_serving",
]
