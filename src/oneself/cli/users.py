"""`oneself user`: list users and show one with all accounts and why they are linked."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from oneself.actions import history, user_search, users
from oneself.actions.runtime import Runtime
from oneself.cli.asking import ask, only_project
from oneself.cli.choosing import choice
from oneself.cli.output import OUT, Styled, json_line, pairs, table
from oneself.model import AuditEntry, Listing, UserView

_HISTORY = 100


@click.command("list")
@click.option("--project", "project_name", help="Which project, by any id or its name; not needed where there is one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@click.option("--text", default="", help="Only users with this in their name or e-mail.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line with all of them.")
@choice
def listing(
    project_name: str | None, limit: int, text: str, as_json: bool, config_file: Path | None, data: Path | None
) -> None:
    """List a project's users, newest first."""

    async def work(rt: Runtime) -> tuple[UserView, ...]:
        found = await only_project(rt, project_name)
        wanted = Listing(limit=limit, text=text, descending=True, include_restricted=True, include_anonymous=True)
        return (await user_search.listing(rt, found, wanted)).users

    found = ask(config_file, data, work)
    if as_json:
        json_line({"users": [_described(view) for view in found]})
        return
    rows = [
        (
            view.user.id,
            _name(view),
            view.primary_email.address if view.primary_email else "",
            ", ".join(account.config_id for account in view.accounts),
            _moment(view.user.created_at),
        )
        for view in found
    ]
    table(("id", "name", "e-mail", "accounts", "created"), rows)


@click.command()
@click.argument("user_id")
@click.option("--project", "project_name", help="Which project, by any id or its name; not needed where there is one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
@choice
def show(user_id: str, project_name: str | None, as_json: bool, config_file: Path | None, data: Path | None) -> None:
    """Show the user USER_ID with addresses, linked accounts, and every decision about them."""

    async def work(rt: Runtime) -> tuple[UserView, list[AuditEntry]]:
        found = await only_project(rt, project_name)
        bare = user_id[-36:]  # with or without a dialect's prefix
        view = await users.read(rt, found, bare)
        return view, await history.of_user(rt, found, bare, _HISTORY)

    view, entries = ask(config_file, data, work)
    told = _described(view)
    told["history"] = [_entry(entry) for entry in entries]
    if as_json:
        json_line(told)
        return
    pairs([("id", view.user.id), ("name", _name(view)), ("status", view.user.status), ("created", told["created_at"])])
    OUT.print(Styled("\nE-mails", "bold"))
    _section(told["emails"], ("address", "verified", "primary"))
    OUT.print(Styled("\nLinked accounts", "bold"))
    _section(told["accounts"], ("config_id", "subject", "email", "email_verified", "allow_sign_in", "linked_at", "id"))
    OUT.print(Styled("\nHistory", "bold"), ", newest first")
    _section(told["history"], ("at", "action", "decision", "reason", "actor", "dialect"))


def _section(entries: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    table(columns, [[str(entry[name]) for name in columns] for entry in entries])


def _described(view: UserView) -> dict[str, Any]:
    return {
        "id": view.user.id,
        "name": _name(view),
        "status": view.user.status,
        "created_at": _moment(view.user.created_at),
        "emails": [
            {"address": email.address, "verified": bool(email.verified_at), "primary": email.is_primary}
            for email in view.emails
        ],
        "accounts": [
            {
                "id": account.id,
                "config_id": account.config_id,
                "provider": account.provider,
                "subject": account.subject,
                "email": account.email,
                "email_verified": account.email_verified,
                "allow_sign_in": account.allow_sign_in,
                "allow_connected_accounts": account.allow_connected_accounts,
                "linked_at": _moment(account.created_at),
            }
            for account in view.accounts
        ],
    }


def _entry(entry: AuditEntry) -> dict[str, str]:
    return {
        "at": _moment(entry.at),
        "action": entry.action,
        "decision": entry.decision,
        "reason": entry.reason,
        "actor": entry.actor,
        "dialect": entry.dialect,
        "account_id": entry.account_id,
    }


def _name(view: UserView) -> str:
    names = " ".join(name for name in (view.user.first_name, view.user.last_name) if name)
    return view.user.display_name or names


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")
