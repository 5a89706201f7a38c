"""`oneself backup` and `oneself restore`: a copy taken while servers go on, put back so that nothing works twice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from oneself.actions import restoring
from oneself.actions.restoring import Proof, Restored
from oneself.actions.runtime import Runtime
from oneself.app.database import microseconds
from oneself.cli.asking import ask_config
from oneself.cli.choosing import choice, settings_of
from oneself.cli.dev_folder import write_epoch
from oneself.cli.output import ERR, OUT, Refused, json_line, pairs, progress
from oneself.config import Config
from oneself.faults import Fault
from oneself.model import Secret
from oneself.store import sqlite_backup
from oneself.store.opening import database_at
from oneself.store.sqlite import MEMORY, SqliteDatabase

_ITS_OWN_TOOLS = (
    "Copies of PostgreSQL are its own tools' work: pg_dump, or base backups with write-ahead logs. Once one is put "
    "back, run `oneself restore --after`."
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def backup(file: Path, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Copy a SQLite database into the new FILE, as it is at one moment, while its server goes on.

    The copy is looked through, every page and reference, and everything sealed in it is opened with the key ring,
    before it bears its name. No server serves it before `oneself restore`. The key ring is not in it: keep that
    elsewhere.
    """
    config = settings_of(config_file, data)
    source = _sqlite(config)
    if file.exists():
        raise Refused("The file is there already.", [f"Nothing is written over {file}: name another, or remove it."])
    with _beside(file) as partial:
        _copied(source, partial)
        proof = _proven(config, partial)
        try:
            sqlite_backup.mark(partial)
            file.hardlink_to(partial)
        except (Fault, OSError) as error:
            raise Refused("The backup could not be made.", [str(error)]) from None
    if as_json:
        json_line({"file": str(file), "holds": proof})
        return
    _print(proof)
    OUT.print(f"{file} is whole. It is worth nothing without the key ring, of which it has no copy.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--after", is_flag=True, help="The database was put back by its own tools already: do the rest.")
@click.option("--check", is_flag=True, help="Change nothing: prove that FILE, or the database, is whole and opens.")
@click.option("--replace", is_flag=True, help="Put FILE in the place of a database that is there; that one is kept.")
@click.option(
    "--end-sessions",
    is_flag=True,
    help="End all sessions: those that were ended since the backup would live again. Everybody signs in anew.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def restore(
    file: Path | None,
    after: bool,
    check: bool,
    replace: bool,
    end_sessions: bool,
    as_json: bool,
    config_file: Path | None,
    data: Path | None,
) -> None:
    """Put the backup FILE in the place of a SQLite database, or with --after finish what other tools put back.

    Stop every server first. What works once is void from then on: trips, attach tokens, grants, mailed codes. Grants of
    providers that take a refresh token once, and that may have used it since the backup, are told as lost at their next
    use. A new epoch begins, which belongs beside the key ring; the command says where to set it.
    """
    config = settings_of(config_file, data)
    if check:
        _check(config, file, as_json)
        return
    if bool(file) == after:
        raise Refused("What is to be restored?", ["Name the FILE of a backup, or say --after. `--help` says more."])
    restored = _put_back(config, file, replace, end_sessions) if file else _after(config, end_sessions)
    where = "ONESELF_EPOCH, or `epoch` in the TOML file, for every server of this database"
    if data is not None:
        write_epoch(data, restored.epoch)
        where = f"already set in {data}"
    if as_json:
        json_line(restored)
        return
    pairs([(name.replace("_", " "), str(count)) for name, count in msgspec.structs.asdict(restored.voided).items()])
    OUT.print(f"The database is of the epoch {restored.epoch} now. Set it beside the key ring: {where}.")
    if not end_sessions:
        OUT.print("Sessions live on, also those that were ended since the backup; --end-sessions would end them.")


def _check(config: Config, file: Path | None, as_json: bool) -> None:
    """Prove that a backup, or the database itself, is whole."""
    if file is None:
        proof = ask_config(config, _prove)
    else:
        with _beside(file) as partial:
            _copied(file, partial)
            proof = _proven(config, partial)
    if as_json:
        json_line(proof)
        return
    _print(proof)
    OUT.print("All of it is there, and everything sealed opens with this key ring.")


def _put_back(config: Config, file: Path, replace: bool, end_sessions: bool) -> Restored:
    """Prove and finish a copy of the backup beside its future place, then let it take that."""
    target = _sqlite(config)
    if target.exists() and not replace:
        raise Refused(
            "A database is there already.", [f"--replace puts the backup in the place of {target}, which is kept."]
        )
    try:
        with sqlite_backup.unserved(target), _beside(target) as partial:
            _copied(file, partial)
            _proven(config, partial)
            restored = _finished(_at(config, partial), end_sessions)
            if target.exists():
                _set_aside(target, restored.epoch)
            partial.rename(target)
    except Fault as fault:
        raise Refused("Nothing was restored.", [f"{fault.detail}."]) from None
    return restored


def _after(config: Config, end_sessions: bool) -> Restored:
    """Finish what other tools put back; on SQLite with the file's lock held, so that no server serves it meanwhile."""
    if config.engine != "sqlite":
        return _finished(config, end_sessions)
    try:
        with sqlite_backup.unserved(_sqlite(config)):
            return _finished(config, end_sessions)
    except Fault as fault:
        raise Refused("Nothing was restored.", [f"{fault.detail}."]) from None


def _set_aside(target: Path, epoch: int) -> None:
    """Keep the database that was there, with what SQLite wrote beside it, under another name."""
    for ending in ("", "-wal", "-shm"):
        old = target.with_name(f"{target.name}{ending}")
        if old.exists():
            old.rename(target.with_name(f"{target.name}.before-epoch-{epoch}{ending}"))
    ERR.print(f"The database that was there is {target.name}.before-epoch-{epoch} now.")


def _finished(config: Config, end_sessions: bool) -> Restored:
    async def work(rt: Runtime) -> Restored:
        return await restoring.finish(rt, config.epoch, end_sessions=end_sessions)

    return ask_config(config, work)


def _proven(config: Config, copied: Path) -> Proof:
    return ask_config(_at(config, copied), _prove)


async def _prove(rt: Runtime) -> Proof:
    return await restoring.prove(rt)


def _at(config: Config, path: Path) -> Config:
    """The same settings over another SQLite file."""
    return msgspec.structs.replace(config, database_url=Secret(f"sqlite:///{path.resolve()}"))


def _sqlite(config: Config) -> Path:
    """The file of a SQLite database, on a schema that this release knows. Ends the program where there is none."""
    if config.engine != "sqlite":
        raise Refused("This is not a SQLite database.", [_ITS_OWN_TOOLS])
    database = database_at(config.database_url.reveal(), microseconds)
    if not isinstance(database, SqliteDatabase) or database.path == MEMORY:
        raise Refused("This database is no file.", ["There is nothing to copy of one that lives in memory."])
    return Path(database.path)


def _copied(source: Path, partial: Path) -> None:
    try:
        with progress("copying", "parts") as tell:
            sqlite_backup.copy(source, partial, tell)
    except (Fault, OSError) as error:
        why = error.detail if isinstance(error, Fault) else str(error)
        raise Refused("The database could not be copied.", [f"{why}."]) from None


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A name beside a file for something that is not whole yet; what is left under it goes in the end."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    try:
        yield partial
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            partial.with_name(f"{partial.name}{ending}").unlink(missing_ok=True)


def _print(proof: Proof) -> None:
    pairs([(name.replace("_", " "), str(count)) for name, count in msgspec.structs.asdict(proof).items()])
