"""`oneself migrate`: bring the database's schema up to this release."""

import asyncio
from pathlib import Path

import click

from oneself.app.database import StartRefused, opened_database
from oneself.cli.choosing import choice, settings_of
from oneself.cli.output import ERR, OUT, Refused
from oneself.config import Config
from oneself.faults import Fault
from oneself.store.migrate import Progress, SchemaStatus, schema_status
from oneself.store.migrate import migrate as apply


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where steps are to be applied.")
@choice
def migrate(check: bool, config_file: Path | None, data: Path | None) -> None:
    """Bring the database's schema up to this release.

    Servers of the release before may go on meanwhile. Running it twice, or twice at once, does no harm.
    """
    config = settings_of(config_file, data)
    if not config.database_url:
        raise Refused("Which database?", ["Set `database_url` (ONESELF_DATABASE_URL), or name a --config."])
    try:
        before, after = asyncio.run(_migrate(config, check))
    except StartRefused as refused:
        raise Refused("The database cannot be migrated.", [str(refused)]) from None
    except Fault as fault:
        raise Refused(
            "The database could not be migrated.", [f"{fault.detail or fault.code.value}. Run it again."]
        ) from None
    if check and before.refusal:
        raise Refused("The schema is not this release's.", [f"Steps to apply: {', '.join(before.pending) or 'none'}."])
    OUT.print(f"The schema is at step {after.version}; this release needs {after.code}.")


async def _migrate(config: Config, check: bool) -> tuple[SchemaStatus, SchemaStatus]:
    async with opened_database(config, patient=True) as db:
        before = await schema_status(db)
        return before, before if check else await apply(db, _tell)


def _tell(progress: Progress) -> None:
    state = "done" if progress.done else "waiting for a lock" if progress.waiting else "..."
    rows = f", {progress.rows} rows" if progress.rows else ""
    ERR.print(f"{progress.name} ({progress.index} of {progress.total}){rows} {state}")
