"""Opening what the actions need: the database on a schema that fits, the key ring, the way out; and closing it."""

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from oneself.actions import key_ring, projects, restoring
from oneself.actions.runtime import ProjectDirectory, Runtime, Settings, SharedCredentials
from oneself.app.database import StartRefused, microseconds, opened_database
from oneself.app.declaring import declaration, shared_credentials
from oneself.config import Config
from oneself.crypto.seal import KeyRing
from oneself.faults import Fault, FaultCode
from oneself.mail.server import MailServer
from oneself.store.migrate import migrate, schema_status
from oneself.store.restores import RestoreState
from oneself.upstream.http import Outbound
from oneself.upstream.limits import Limits


@asynccontextmanager
async def opened_runtime(
    config: Config, *, upgrade: bool = False, serving: bool = True, keep_mail: bool = False
) -> AsyncIterator[Runtime]:
    """Open what the actions need, on a schema that this code may use; `upgrade` brings it up first.

    `serving` takes a SQLite file for this process alone; tools share it. `keep_mail` keeps letters to be
    looked at. Raises StartRefused.
    """
    try:
        ring = KeyRing.parse(config.master_keys.reveal(), os.urandom)
    except Fault as fault:
        raise StartRefused(
            f"The master keys cannot be used: {fault.detail}. `oneself keys generate` makes one; give it as "
            "ONESELF_MASTER_KEYS_FILE."
        ) from None
    async with opened_database(config, serving=serving) as db:
        if upgrade:
            await migrate(db)
        refusal = (await schema_status(db)).refusal
        if refusal:
            raise StartRefused(f"{refusal[:1].upper()}{refusal[1:]}.")
        outbound = Outbound(
            frozenset(config.allowed_private_hosts),
            clock=microseconds,
            limits=Limits(deadline=_settings(config).upstream_deadline_seconds),
            tls=_trusting(config.provider_ca),
        )
        try:
            rt = Runtime(
                db=db,
                outbound=outbound,
                ring=ring,
                clock=microseconds,
                random=os.urandom,
                projects=ProjectDirectory(db, ring, os.urandom),
                settings=replace(_settings(config), keep_mail=keep_mail),
                mail_server=mail_server(config),
                shared={
                    name: SharedCredentials(*shared_credentials(name, shared))
                    for name, shared in config.shared_providers.items()
                },
            )
            if serving:
                _check_epoch(await restoring.state(rt), config.epoch)
            for key_id, count in (await key_ring.lacking(rt)).items():
                raise StartRefused(
                    f"{count} project(s) are sealed under another master key, {key_id}, which the key ring lacks. Add "
                    "that key to ONESELF_MASTER_KEYS_FILE, below the others."
                )
            yield rt
        finally:
            await outbound.close()


async def declare_projects(rt: Runtime, config: Config) -> None:
    """Bring every project of the settings into its declared state. Raises StartRefused."""
    for declared in config.projects:
        try:
            await projects.declare(rt, declaration(declared))
        except Fault as fault:
            raise StartRefused(_declare_words(declared.display_name, fault)) from None


async def check_master_keys(rt: Runtime) -> None:
    """See that the key ring opens what this database holds, by its oldest and newest projects. Raises StartRefused."""
    found = await projects.list_all(rt)
    for project in {one.id: one for one in (*found[:1], *found[-1:])}.values():
        try:
            await rt.projects.data_key(project.id)
        except Fault as fault:
            raise StartRefused(_declare_words(project.display_name, fault)) from None


def _trusting(authorities: str) -> ssl.SSLContext | None:
    """What calls to providers trust: the machine's authorities and these; None where the machine's are all."""
    if not authorities:
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=authorities)
    return context


def epoch_refusal(found: RestoreState, epoch: int) -> str:
    """Why a server of this epoch must not serve the database, and what to do; empty where it may."""
    if found.is_copy:
        return (
            "The database is a copy that `oneself backup` made, and nobody has restored it: what works once would work "
            "again. Run `oneself restore --after`, or `oneself restore FILE` to put it in another one's place."
        )
    if found.epoch < epoch:
        return (
            f"The database is of the epoch {found.epoch}, and `epoch` beside the key ring is {epoch}: it was put back "
            "from a backup of before the last restore. Run `oneself restore --after`; what works once would work again."
        )
    if found.epoch > epoch:
        return (
            f"The database was restored, and its epoch is {found.epoch} now; `epoch` beside the key ring is {epoch}. "
            f"If the restore was yours, set it to {found.epoch} (ONESELF_EPOCH) for every server of this database."
        )
    return ""


def _check_epoch(found: RestoreState, epoch: int) -> None:
    refusal = epoch_refusal(found, epoch)
    if refusal:
        raise StartRefused(refusal)


def _declare_words(name: str, fault: Fault) -> str:
    if fault.code in (FaultCode.MASTER_KEY_MISSING, FaultCode.SEAL_BROKEN):
        return (
            f"The project {name} is sealed under another master key ({fault.detail}). Add the key that "
            "this database was made with to ONESELF_MASTER_KEYS_FILE."
        )
    return f"The project {name} cannot be declared: {fault.detail or fault.code.value}."


def mail_server(config: Config) -> MailServer | None:
    """The mail server of the settings; None where they name none."""
    smtp = config.smtp
    if not smtp.host:
        return None
    return MailServer(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        sender=smtp.sender,
        user=smtp.user,
        password=smtp.password,
        hello=urlsplit(config.base_url).hostname or "localhost",
    )


def _settings(config: Config) -> Settings:
    return Settings(
        base_url=config.base_url,
        access_token_seconds=config.lifetimes.access_token,
        stack_session_seconds=config.lifetimes.stack_session,
        ticket_seconds=config.lifetimes.ticket,
        flow_seconds=config.lifetimes.flow,
        grant_seconds=config.lifetimes.grant,
        signing_key_seconds=config.lifetimes.signing_key,
        jwks_seconds=config.lifetimes.jwks,
        upstream_deadline_seconds=float(config.limits.provider_seconds),
        body_limit_bytes=config.limits.body_bytes,
        starts_per_address=config.limits.starts_per_address,
        starts_per_project=config.limits.starts_per_project,
        passwords_per_account=config.limits.passwords_per_account,
        passwords_per_address=config.limits.passwords_per_address,
        mails_per_address=config.limits.mails_per_address,
        search_total=config.limits.search_total,
        allow_shared_tokens=config.allow_shared_tokens,
        probe_tokens=config.probe_tokens,
        refresh_ahead_seconds=config.refresh_ahead_seconds,
    )
