"""Which server a command means: the settings of a file, or the folder of `oneself dev`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from oneself.cli.dev_folder import DEFAULT_FOLDER, DevFolderUnusable, database_url, read_ca, read_keys
from oneself.cli.output import Refused
from oneself.config import Config, ConfigError, load
from oneself.model import Secret

F = TypeVar("F", bound=Callable[..., Any])


def choice(command: F) -> F:
    """Give a command the options --config and --data."""
    data = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        help="The folder of `oneself dev`, instead of a configuration.",
    )
    return config_option(data(command))


def config_option(command: F) -> F:
    """Give a command the option --config."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The TOML file with the settings; ONESELF_* variables stand over it.",
    )(command)


def settings_of(config_file: Path | None, data: Path | None) -> Config:
    """The settings that the options name; without any, those of the environment, else the default folder's.

    Ends the program with the reasons where they cannot be used.
    """
    if data is not None and config_file is not None:
        raise Refused("Which server?", ["--config names one and --data another. Give one of the two."])
    try:
        if data is None:
            config = load(config_file)
            if config.database_url or config_file or not DEFAULT_FOLDER.is_dir():
                return config
        return _folder_settings(data or DEFAULT_FOLDER)
    except ConfigError as error:
        raise Refused("The settings cannot be used.", error.problems) from None
    except DevFolderUnusable as error:
        raise Refused("The data folder cannot be used.", [str(error)]) from None


def _folder_settings(folder: Path) -> Config:
    keys = read_keys(folder)
    if keys is None:
        raise DevFolderUnusable(f"{folder} is no folder of `oneself dev`. Start that first, or name its --data.")
    return msgspec.structs.replace(
        Config(),
        base_url="http://localhost",
        database_url=Secret(database_url(folder)),
        master_keys=Secret(keys.master_keys),
        epoch=keys.epoch,
        # where its emulated providers answer while it runs
        allowed_private_hosts=("localhost",),
        provider_ca=read_ca(folder),
    )
