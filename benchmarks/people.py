"""The people of the benchmark: who they are at the provider, and the rows that know them at the server.

They are written with the store's own statements, so that thousands are there in a moment.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from oneself.crypto import opaque
from oneself.crypto.ids import new_uuid
from oneself.emulator import PLAYERS, Persona
from oneself.model import ExternalAccount, Factor
from oneself.steps.sessions import token_hash
from oneself.store import accounts, sessions, users

PROVIDER = "google"
# The real issuer: the emulator says the same, because a project overrides only the provider's addresses.
ISSUER = "https://accounts.google.com"
YEAR = 365 * 86_400 * 1_000_000

Statement = tuple[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the server knows, with a session of each dialect in clear."""

    persona: Persona
    user_id: str
    stytch_token: str
    stack_token: str


def personas(count: int, prefix: str) -> list[Persona]:
    """That many people who can sign in at the provider."""
    return [
        Persona(id=name, name=f"Person {name}", given_name="Person", family_name=name, email=f"{name}@example.com")
        for name in (f"{prefix}{n}" for n in range(count))
    ]


def known(cast: list[Persona]) -> list[Person]:
    """These personas as users of the server."""
    return [
        Person(persona, new_uuid(os.urandom), opaque.session_token(os.urandom), opaque.base32_secret(os.urandom))
        for persona in cast
    ]


def rows(project_id: str, people: list[Person], now: int) -> Iterator[Statement]:
    """What to write so that the server knows these people, statement by statement; `now` in microseconds."""
    users_, emails, linked, opened = [], [], [], []
    for person in people:
        persona, user_id = person.persona, person.user_id
        email_id, account = new_uuid(os.urandom), _account(person, now)
        users_.append(user_row(project_id, user_id, persona, now))
        emails.append((project_id, email_id, user_id, persona.email, persona.email, now, account.id, True, True, now))
        linked.append(account_row(project_id, account, email_id))
        for kind, token in (("stytch", person.stytch_token), ("stack", person.stack_token)):
            hashed = token_hash(kind, token)
            opened.append(session_row(project_id, new_uuid(os.urandom), user_id, kind, hashed, now, account.id))
    yield users.INSERT, users_
    yield users.INSERT_EMAIL, emails
    yield accounts.INSERT, linked
    yield sessions.INSERT, opened


def subject(persona: Persona) -> str:
    """What the provider calls this person."""
    return PLAYERS[PROVIDER].subject(persona)


def user_row(project_id: str, user_id: str, persona: Persona, now: int) -> tuple[Any, ...]:
    """The parameters of `users.INSERT`."""
    names = (persona.name, persona.given_name, "", persona.family_name, persona.name.casefold())
    nothing = ("", "", "", "", "", "", "", "")
    return (project_id, user_id, 1, 1, "active", now, now, now, False, *names, *nothing)


def session_row(
    project_id: str, session_id: str, user_id: str, kind: str, hashed: bytes, now: int, account_id: str
) -> tuple[Any, ...]:
    """The parameters of `sessions.INSERT`, for a session with one factor."""
    factor = Factor(
        kind="oauth",
        created_at=now,
        updated_at=now,
        last_authenticated_at=now,
        account_id=account_id,
        provider=PROVIDER,
    )
    factors = msgspec.json.encode((factor,)).decode()
    return (project_id, session_id, user_id, kind, hashed, now, now, now + YEAR, factors, "{}", "", "", False)


def account_row(project_id: str, account: ExternalAccount, email_id: str) -> tuple[Any, ...]:
    """The parameters of `accounts.INSERT`. The slot is the account's id, as where a user may have several."""
    return (
        *(project_id, account.id, account.user_id, account.config_id, account.provider, account.issuer),
        *(account.subject, account.id, True, True, account.email, True, email_id, "", "", account.created_at),
    )


def _account(person: Person, now: int) -> ExternalAccount:
    return ExternalAccount(
        id=new_uuid(os.urandom),
        user_id=person.user_id,
        config_id=PROVIDER,
        provider=PROVIDER,
        issuer=ISSUER,
        subject=subject(person.persona),
        allow_sign_in=True,
        allow_connected_accounts=True,
        email=person.persona.email,
        email_verified=True,
        email_id="",
        picture_url="",
        locale="",
        created_at=now,
    )
