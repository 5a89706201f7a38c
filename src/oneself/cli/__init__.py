"""The operator's face: every command of `oneself`."""

import click

from oneself import __version__
from oneself.cli.backups import backup, restore
from oneself.cli.dev import dev
from oneself.cli.doctor import doctor
from oneself.cli.exporting import export_users
from oneself.cli.importing import import_users
from oneself.cli.keys import keys
from oneself.cli.migrate import migrate
from oneself.cli.projects import project
from oneself.cli.providers import provider
from oneself.cli.serve import serve
from oneself.cli.settings import settings
from oneself.cli.users import user
from oneself.emulator.__main__ import main as emulator


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="oneself")
def main() -> None:
    """Oneself: one person, many logins. It speaks Stytch's and Stack Auth's APIs.

    Begin with `oneself dev`.
    """


COMMANDS = (
    dev,
    serve,
    migrate,
    doctor,
    project,
    provider,
    user,
    import_users,
    export_users,
    backup,
    restore,
    keys,
    settings,
)
for command in COMMANDS:
    main.add_command(command)
main.add_command(emulator, "emulator")
