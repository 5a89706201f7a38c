"""The operator's face: every command of `oneself`, each of which loads when it is called."""

import click

from oneself import __version__
from oneself.cli.loading import Entry, LoadingGroup
from oneself.later import Later


@click.group(
    cls=LoadingGroup,
    entries={
        "generate": Entry(
            "Make a master key, or with --project a project's ids and keys.",
            Later("oneself.cli.new_keys", "generate"),
        ),
        "status": Entry(
            "Show what hangs on each master key and which may be removed, and the keys that sign tokens.",
            Later("oneself.cli.keys", "status"),
        ),
        "rotate": Entry(
            "Wrap every project's key under the first master key, while the servers go on.",
            Later("oneself.cli.keys", "rotate"),
        ),
        "rotate-signing": Entry(
            "Put new keys behind the JWTs of both dialects, while the servers go on.",
            Later("oneself.cli.keys", "rotate_signing"),
        ),
    },
)
def keys() -> None:
    """Make keys, and rotate the key ring and the keys that sign tokens."""


@click.group(
    cls=LoadingGroup,
    entries={
        "create": Entry(
            "Make a project called NAME and print its keys, which are shown this once.",
            Later("oneself.cli.projects", "create"),
        ),
        "list": Entry(
            "List all projects, oldest first.",
            Later("oneself.cli.projects", "listing"),
        ),
        "show": Entry(
            "Show the project NAME (any of its ids, or its name).",
            Later("oneself.cli.projects", "show"),
        ),
        "delete": Entry(
            "Delete the project NAME with its users, and destroy the key that seals its secrets.",
            Later("oneself.cli.projects", "delete"),
        ),
    },
)
def project() -> None:
    """Make projects, list them, show one, delete one."""


@click.group(
    cls=LoadingGroup,
    entries={
        "list": Entry(
            "List all supported providers.",
            Later("oneself.cli.supported", "listing"),
        ),
        "show": Entry(
            "Show what NAME is (a provider, or a project's own name for one), and the redirect URIs to register there.",
            Later("oneself.cli.providers", "show"),
        ),
        "check": Entry(
            "Try the project's credentials for NAME, or for all its providers.",
            Later("oneself.cli.providers", "check"),
        ),
    },
)
def provider() -> None:
    """See what is supported, what to register where, and try credentials."""


@click.group(
    cls=LoadingGroup,
    entries={
        "list": Entry(
            "List a project's users, newest first.",
            Later("oneself.cli.users", "listing"),
        ),
        "show": Entry(
            "Show the user USER_ID with addresses, linked accounts, and every decision about them.",
            Later("oneself.cli.users", "show"),
        ),
    },
)
def user() -> None:
    """List users, show one."""


@click.group(
    cls=LoadingGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    entries={
        "dev": Entry(
            "Set up everything and run it: database, keys, a project, emulated providers, a page to try it.",
            Later("oneself.cli.dev", "dev"),
        ),
        "serve": Entry(
            "Serve in production.",
            Later("oneself.cli.serve", "serve"),
        ),
        "migrate": Entry(
            "Bring the database's schema up to this release.",
            Later("oneself.cli.migrate", "migrate"),
        ),
        "doctor": Entry(
            "Look at everything: settings, keys, database, schema, clock, projects, providers.",
            Later("oneself.cli.doctor", "doctor"),
        ),
        "project": project,
        "provider": provider,
        "user": user,
        "import": Entry(
            "Import users, linked accounts and tokens out of FILE, so that nobody has to consent again.",
            Later("oneself.cli.importing", "import_users"),
        ),
        "export": Entry(
            "Write all users of a project with their linked accounts, one JSON object a line, or CSV.",
            Later("oneself.cli.exporting", "export_users"),
        ),
        "backup": Entry(
            "Copy a SQLite database into the new FILE, as it is at one moment, while its server goes on.",
            Later("oneself.cli.backups", "backup"),
        ),
        "restore": Entry(
            "Put the backup FILE in the place of a SQLite database, or with --after finish what other tools put back.",
            Later("oneself.cli.backups", "restore"),
        ),
        "keys": keys,
        "settings": Entry(
            "List every setting: where it stands in the file, its variable, its default and its meaning.",
            Later("oneself.cli.settings", "settings"),
        ),
        "emulator": Entry(
            "Emulated identity providers for development.",
            Later("oneself.emulator.__main__", "main"),
        ),
    },
)
@click.version_option(__version__, prog_name="oneself")
def main() -> None:
    """Oneself: one person, many logins. It speaks Stytch's and Stack Auth's APIs.

    Begin with `oneself dev`.
    """
