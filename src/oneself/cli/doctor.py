"""`oneself doctor`: look at everything a server stands on, and say what to do where something is not right."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from oneself.actions import projects, restoring
from oneself.actions.runtime import Runtime, client_of
from oneself.app.database import StartRefused, opened_database
from oneself.app.opening import epoch_refusal, mail_server, opened_runtime
from oneself.cli.choosing import choice, settings_of
from oneself.cli.output import OUT, Styled, json_line
from oneself.config import Config, unsafe_for_serving
from oneself.faults import Fault
from oneself.later import Later
from oneself.model import Project
from oneself.store.migrate import schema_status
from oneself.upstream import discovery

_CHECK_MAIL = Later("oneself.mail.smtp", "check")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is right, and if not, what to do."""

    name: str
    ok: bool
    words: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line with all findings.")
@choice
def doctor(as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Look at everything: settings, keys, database, schema, clock, projects, providers. Exit code 1 on any red."""
    config = settings_of(config_file, data)
    findings = [*_settings(config, serving=data is None), *asyncio.run(_collected(config))]
    if as_json:
        json_line({"ok": all(one.ok for one in findings), "findings": findings})
    else:
        for one in findings:
            mark = Styled("✔", "green") if one.ok else Styled("✘", "red")
            OUT.print(mark, " ", Styled(one.name, "bold"), f"  {one.words}")
    sys.exit(0 if all(one.ok for one in findings) else 1)


def _settings(config: Config, *, serving: bool) -> Iterator[Finding]:
    if not serving or config.base_url == "http://localhost":
        yield Finding("settings", True, "of a development folder; `oneself serve` would refuse them")
        return
    unsafe = list(unsafe_for_serving(config))
    if not unsafe:
        yield Finding("settings", True, "fit for serving")
    for words in unsafe:
        yield Finding("settings", False, words)


async def _collected(config: Config) -> list[Finding]:
    mail = await _mail(config)
    if not config.database_url:
        return [mail]
    return [*[finding async for finding in _stored(config)], mail]


async def _mail(config: Config) -> Finding:
    """The mail server, by reaching it and signing in there; nothing is sent."""
    server = mail_server(config)
    if server is None:
        words = "none is configured: no codes are mailed, and nobody is told of a new way in (`smtp.host` sets one)"
        return Finding("mail", True, words)
    where = f"{server.host}:{server.port}"
    try:
        await _CHECK_MAIL.get()(server)
    except Fault as fault:
        return Finding("mail", False, f"{where}: {fault.detail}; look at `smtp` in the settings")
    return Finding("mail", True, f"{where} takes mail from {server.sender}")


async def _stored(config: Config) -> AsyncIterator[Finding]:
    try:
        async with opened_database(config) as db:
            yield Finding("database", True, f"{db.engine} answers")
            if db.clock_difference is not None:
                away = abs(db.clock_difference) // 1000
                yield Finding("clock", True, f"{away} ms from the database's; more than a second is refused")
            status = await schema_status(db)
            refusal = status.refusal
            yield Finding("schema", not refusal, refusal or f"at step {status.version}, as this release needs")
            if refusal:
                return
        async with opened_runtime(config, serving=False) as rt:
            yield Finding("master keys", True, f"{len(rt.ring.ids())} in the ring, {rt.ring.active_id} seals")
            refusal = epoch_refusal(await restoring.state(rt), config.epoch)
            yield Finding("restores", not refusal, refusal or f"the epoch is {config.epoch}, here and in the database")
            for found in await projects.list_all(rt):
                async for finding in _project(rt, found):
                    yield finding
    except StartRefused as refused:
        yield Finding("start", False, str(refused))
    except Fault as fault:
        yield Finding("database", False, fault.detail or fault.code.value)


async def _project(rt: Runtime, found: Project) -> AsyncIterator[Finding]:
    name = f"project {found.display_name}"
    try:
        await rt.projects.data_key(found.id)
    except Fault as fault:
        words = f"its key does not open ({fault.detail}): add the master key that it was made with"
        yield Finding(name, False, words)
        return
    if not found.config.providers:
        yield Finding(name, True, "its key opens; no providers are configured")
    for credentials in found.config.providers:
        yield await _provider(rt, found, name, credentials.config_id)


async def _provider(rt: Runtime, found: Project, name: str, config_id: str) -> Finding:
    try:
        _, client = await client_of(rt, found, config_id)
        await discovery.complete(rt.outbound, client)
    except Fault as fault:
        return Finding(f"{name}, {config_id}", False, fault.detail or fault.code.value)
    return Finding(f"{name}, {config_id}", True, "its client is complete")
