"""Users with all that belongs to them, read in one statement: typed rows joined by UNION ALL, so
that nothing multiplies.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from oneself.model import EmailAddress, ExternalAccount, PhoneNumber, Team, User, UserView
from oneself.store.database import Reader, Row
from oneself.store.statements import listed

# Every branch has the same columns: kind, user, 14 texts, 6 integers, 3 booleans. Constants, not
# NULL, keep them typed.
_TEXTS, _INTEGERS, _BOOLEANS = 14, 6, 3


def branch(kind: str, user: str, texts: str, integers: str, booleans: str) -> str:
    """The select list of one branch, filled up to the common width with constants."""

    def filled(columns: str, width: int, constant: str) -> list[str]:
        given = [column.strip() for column in columns.split(",") if column.strip()]
        return given + [constant] * (width - len(given))

    columns = filled(texts, _TEXTS, "''") + filled(integers, _INTEGERS, "0") + filled(booleans, _BOOLEANS, "FALSE")
    return f"SELECT '{kind}' AS kind, {user} AS owner, " + ", ".join(columns)


USER_BRANCH = branch(
    "user",
    "u.id",
    "u.status, u.display_name, u.first_name, u.middle_name, u.last_name, u.picture_url, u.external_id,"
    " u.client_metadata, u.client_read_only_metadata, u.server_metadata, u.password_hash, u.password_id, u.extras",
    "u.version, u.security_epoch, u.created_at, u.signed_up_at, u.last_active_at",
    "u.is_anonymous",
)
EMAIL_BRANCH = branch(
    "email",
    "e.user_id",
    "e.id, e.address, e.folded, e.verified_by",
    "e.verified_at, e.created_at",
    "e.is_primary, e.claims_sign_in",
)
PHONE_BRANCH = branch("phone", "p.user_id", "p.id, p.number", "p.verified_at, p.created_at", "")
ACCOUNT_BRANCH = branch(
    "account",
    "a.user_id",
    "a.id, a.config_id, a.provider, a.issuer, a.subject, a.email, a.email_id, a.picture_url, a.locale",
    "a.created_at",
    "a.allow_sign_in, a.allow_connected_accounts, a.email_verified",
)


# The team that a user has selected, if the user is in it. Quotes inside a user's own texts are escaped in JSON, so only
# the field itself reads like this.
TEAM_BRANCH = (
    branch(
        "team",
        "s.id",
        "t.id, t.display_name, t.picture_url, t.client_metadata, t.client_read_only_metadata, t.server_metadata",
        "t.created_at",
        "",
    )
    + """ FROM users s JOIN team_members m ON m.project_id = s.project_id AND m.user_id = s.id
        JOIN teams t ON t.project_id = m.project_id AND t.id = m.team_id
        AND strpos(s.extras, '"selected_team_id":"' || t.id || '"') > 0"""
)


def union_for(source: str) -> str:
    """The four branches for the users that the sub-select `source` names (one column, user ids of
    project $1).
    """
    return f"""
    {USER_BRANCH} FROM users u WHERE u.project_id = $1 AND u.id IN ({source})
    UNION ALL {EMAIL_BRANCH} FROM emails e WHERE e.project_id = $1 AND e.user_id IN ({source})
    UNION ALL {PHONE_BRANCH} FROM phones p WHERE p.project_id = $1 AND p.user_id IN ({source})
    UNION ALL {ACCOUNT_BRANCH} FROM external_accounts a WHERE a.project_id = $1 AND a.user_id IN ({source})"""


def union_with_teams(source: str) -> str:
    """The same with the selected teams."""
    return f"{union_for(source)}\n    UNION ALL {TEAM_BRANCH} WHERE s.project_id = $1 AND s.id IN ({source})"


ONE_USER = union_for("$2")
ONE_USER_WITH_TEAM = union_with_teams("$2")
SOME_USERS = union_for("{0}")

# Everybody whom a trip's end may concern: holders of the subject (or of its older form), the owner
# of the address, and the user who asked.
CONCERNED = f"""WITH concerned AS (
    SELECT user_id FROM external_accounts WHERE project_id = $1 AND config_id = $2 AND issuer = $3
        AND subject IN ($4, $5) AND (allow_sign_in OR user_id = $7)
    UNION SELECT user_id FROM emails WHERE project_id = $1 AND folded = $6 AND claims_sign_in
    UNION SELECT id FROM users WHERE project_id = $1 AND id = $7)
    {union_for("SELECT user_id FROM concerned")}"""

# A page of everybody, oldest first, behind a cursor.
PAGE = f"""WITH page AS (
    SELECT id FROM users WHERE project_id = $1 AND (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $4)
    {union_for("SELECT id FROM page")}"""


async def read(reader: Reader, project_id: str, user_id: str) -> UserView | None:
    """One user with emails, phones and accounts, or None; one statement."""
    views = assemble(await reader.all(ONE_USER, project_id, user_id))
    return views.get(user_id)


async def some(reader: Reader, project_id: str, user_ids: Sequence[str]) -> dict[str, UserView]:
    """Some users by their ids, those of them that are there; one statement."""
    places, filled = listed(user_ids, 2)
    return assemble(await reader.all(SOME_USERS.format(places), project_id, *filled))


async def read_with_team(reader: Reader, project_id: str, user_id: str) -> UserView | None:
    """The same with the selected team; one statement."""
    found = await reader.all(ONE_USER_WITH_TEAM, project_id, user_id)
    return assemble(found, with_teams=True).get(user_id)


async def page(reader: Reader, project_id: str, after: tuple[int, str], limit: int) -> list[UserView]:
    """At most `limit` users who were created behind `after` (creation time and id), oldest first; one statement."""
    found = assemble(await reader.all(PAGE, project_id, *after, limit)).values()
    return sorted(found, key=lambda view: (view.user.created_at, view.user.id))


async def concerned(
    reader: Reader,
    project_id: str,
    config_id: str,
    issuer: str,
    subjects: tuple[str, str],
    folded_email: str,
    asker_id: str,
) -> dict[str, UserView]:
    """Everybody whom linking this outside account may concern, by user id; one statement."""
    rows = await reader.all(CONCERNED, project_id, config_id, issuer, subjects[0], subjects[1], folded_email, asker_id)
    return assemble(rows)


def assemble(rows: Iterable[Row], *, with_teams: bool = False) -> dict[str, UserView]:
    """Views by user id from typed rows; rows of other kinds (a session's) are left out. `with_teams` says that the
    selected teams are among them.
    """
    teams: dict[str, Team] = {}
    users: dict[str, User] = {}
    emails: dict[str, list[EmailAddress]] = {}
    phones: dict[str, list[tuple[int, PhoneNumber]]] = {}
    accounts: dict[str, list[ExternalAccount]] = {}
    for row in rows:
        kind, owner = row[0], row[1]
        if kind == "user":
            users[owner] = _user(row)
        elif kind == "email":
            emails.setdefault(owner, []).append(_email(row))
        elif kind == "phone":
            phones.setdefault(owner, []).append((row[17], _phone(row)))
        elif kind == "account":
            accounts.setdefault(owner, []).append(_account(row))
        elif kind == "team":
            teams[owner] = _team(row)
    return {
        user_id: UserView(
            user=user,
            emails=tuple(sorted(emails.get(user_id, ()), key=lambda e: (e.created_at, e.id))),
            phones=tuple(phone for _, phone in sorted(phones.get(user_id, ()), key=lambda p: (p[0], p[1].id))),
            accounts=tuple(sorted(accounts.get(user_id, ()), key=lambda a: (a.created_at, a.id))),
            selected_team=teams.get(user_id) if with_teams else UNSET,
        )
        for user_id, user in users.items()
    }


def _json(text: str) -> dict[str, Any] | None:
    value: dict[str, Any] | None = msgspec.json.decode(text) if text else None
    return value


def _user(row: Row) -> User:
    return User(
        id=row[1],
        status=row[2],
        display_name=row[3],
        first_name=row[4],
        middle_name=row[5],
        last_name=row[6],
        picture_url=row[7],
        external_id=row[8],
        client_metadata=_json(row[9]),
        client_read_only_metadata=_json(row[10]),
        server_metadata=_json(row[11]),
        password_hash=row[12],
        password_id=row[13],
        extras=_json(row[14]) or {},
        version=row[16],
        security_epoch=row[17],
        created_at=row[18],
        signed_up_at=row[19],
        last_active_at=row[20],
        is_anonymous=bool(row[22]),
    )


def _team(row: Row) -> Team:
    return Team(
        id=row[2],
        display_name=row[3],
        picture_url=row[4],
        client_metadata=msgspec.json.decode(row[5]),
        client_read_only_metadata=msgspec.json.decode(row[6]),
        server_metadata=msgspec.json.decode(row[7]),
        created_at=row[16],
    )


def _email(row: Row) -> EmailAddress:
    return EmailAddress(
        user_id=row[1],
        id=row[2],
        address=row[3],
        folded=row[4],
        verified_by=row[5],
        verified_at=row[16],
        created_at=row[17],
        is_primary=bool(row[22]),
        claims_sign_in=bool(row[23]),
    )


def _phone(row: Row) -> PhoneNumber:
    return PhoneNumber(user_id=row[1], id=row[2], number=row[3], verified_at=row[16])


def _account(row: Row) -> ExternalAccount:
    return ExternalAccount(
        user_id=row[1],
        id=row[2],
        config_id=row[3],
        provider=row[4],
        issuer=row[5],
        subject=row[6],
        email=row[7],
        email_id=row[8],
        picture_url=row[9],
        locale=row[10],
        created_at=row[16],
        allow_sign_in=bool(row[22]),
        allow_connected_accounts=bool(row[23]),
        email_verified=bool(row[24]),
    )
