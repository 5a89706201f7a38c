"""Pages: templates filled in, sent with headers that let nothing foreign in."""

from datetime import UTC, datetime
from typing import Any

import jinja2

from oneself import __version__
from oneself.actions.mailing import KeptLetter
from oneself.model import AuditEntry, EmailAddress, ExternalAccount, UserView
from oneself.wire.console import words
from oneself.wire.http import HTML_TYPE, Reply

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("oneself.wire.console"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
)
_FILES = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


def page(template: str, status: int = 200, cookies: tuple[str, ...] = (), **values: Any) -> Reply:
    """One page, with the `Set-Cookie` values given."""
    text = _ENVIRONMENT.get_template(template).render(version=__version__, **values)
    headers = [*_HEADERS, *(("set-cookie", cookie) for cookie in cookies)]
    return Reply(status, text.encode(), HTML_TYPE, headers)


def file(name: str) -> Reply:
    """One of the files that pages need; KeyError for any other name."""
    kind = _FILES[name]
    text = _ENVIRONMENT.get_template(name).render()
    headers = [("cache-control", "max-age=300"), ("x-content-type-options", "nosniff")]
    return Reply(200, text.encode(), kind, headers)


def redirect(location: str, cookies: tuple[str, ...] = ()) -> Reply:
    """Send the browser on with a GET."""
    headers = [("location", location), *_HEADERS, *(("set-cookie", cookie) for cookie in cookies)]
    return Reply(303, b"", HTML_TYPE, headers)


def person(view: UserView, labels: dict[str, str]) -> dict[str, Any]:
    """A user as the page shows them; `labels` are the providers' names by configuration."""
    accounts = {account.id: account for account in view.accounts}
    shown = [_account(account, labels) for account in view.accounts]
    return {
        "id": view.user.id,
        "name": _name(view),
        "created": _moment(view.user.created_at),
        "accounts": shown,
        "emails": [_email(email, accounts, labels) for email in view.emails],
    }


def story(entries: list[AuditEntry], view: UserView, labels: dict[str, str]) -> list[dict[str, str]]:
    """The audit of one user as the page tells it; accounts that are still linked are named."""
    names = {account.id: _account_name(account, labels) for account in view.accounts}
    return [
        {
            "when": _moment(entry.at),
            "when_iso": _iso(entry.at),
            "about": names.get(entry.account_id, ""),
            "text": words.told(entry.action, entry.decision, entry.reason),
            "action": entry.action,
            "decision": entry.decision,
            "reason": entry.reason,
            "actor": entry.actor,
        }
        for entry in entries
    ]


def letters(found: list[KeptLetter]) -> list[dict[str, Any]]:
    """Letters as the page shows them: the text without what it shows by itself, the link and the code."""
    return [
        {
            "id": letter.id,
            "subject": letter.subject,
            "to": letter.to,
            "state": {"sent": "sent", "waiting": "waits to be sent", "kept": "not sent"}[letter.state],
            "tag": {"sent": "good", "waiting": "open", "kept": ""}[letter.state],
            "when": _moment(letter.at),
            "when_iso": _iso(letter.at),
            "paragraphs": [part for part in letter.text.split("\n\n") if "\n" not in part.strip()],
            "link": letter.link,
            "code": letter.code,
        }
        for letter in found
    ]


def _name(view: UserView) -> str:
    if view.user.display_name:
        return view.user.display_name
    names = " ".join(name for name in (view.user.first_name, view.user.last_name) if name)
    primary = view.primary_email
    return names or (primary.address if primary else f"User {view.user.id[:8]}")


def _account_name(account: ExternalAccount, labels: dict[str, str]) -> str:
    name = labels.get(account.config_id, account.provider)
    return f"{name}, {account.email or account.subject}"


def _account(account: ExternalAccount, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "id": account.id,
        "config_id": account.config_id,
        "provider": labels.get(account.config_id, account.provider),
        "subject": account.subject,
        "email": account.email,
        "verified": account.email_verified,
        "when": _moment(account.created_at),
        "when_iso": _iso(account.created_at),
    }


def _email(email: EmailAddress, accounts: dict[str, ExternalAccount], labels: dict[str, str]) -> dict[str, Any]:
    proof = accounts.get(email.verified_by)
    return {
        "address": email.address,
        "verified": bool(email.verified_at),
        "primary": email.is_primary,
        "by": f"proved by {labels.get(proof.config_id, proof.provider)}" if proof else "",
    }


def _moment(micros: int) -> str:
    return f"{_time(micros):%d %b %Y, %H:%M:%S}"


def _iso(micros: int) -> str:
    return _time(micros).isoformat(timespec="seconds")


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)
