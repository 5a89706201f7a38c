"""Searches over users: conditions put together from fixed pieces, values always as parameters, one statement each."""

from collections.abc import Sequence

from oneself.model import Listing, Operand, UserView
from oneself.store.database import Reader, Value
from oneself.store.views import assemble, union_for, union_with_teams

# Greater than every character that an address can hold.
_LAST = "\U0010ffff"


class Conditions:
    """SQL conditions with numbered parameters; every piece of text is from this file, every value a parameter."""

    def __init__(self, *first: Value) -> None:
        self.args: list[Value] = list(first)
        self._parts: list[str] = []

    def param(self, value: Value) -> str:
        """The placeholder of one more parameter."""
        self.args.append(value)
        return f"${len(self.args)}"

    def params(self, values: Sequence[Value]) -> str:
        """Placeholders of several parameters, for IN."""
        return ", ".join(self.param(value) for value in values)

    def add(self, condition: str) -> None:
        """One more condition."""
        self._parts.append(condition)

    def joined(self, operator: str) -> str:
        """All conditions joined; true where there is none."""
        return f" {operator} ".join(f"({part})" for part in self._parts) or "TRUE"


def has_email(condition: str) -> str:
    """A condition on any address of the user."""
    return f"EXISTS (SELECT 1 FROM emails e WHERE e.project_id = u.project_id AND e.user_id = u.id AND ({condition}))"


def has_phone(condition: str) -> str:
    """A condition on any number of the user."""
    return f"EXISTS (SELECT 1 FROM phones p WHERE p.project_id = u.project_id AND p.user_id = u.id AND ({condition}))"


def among(*sources: str) -> str:
    """The user is one of those that own what few have: the sub-selects are asked first, each of its own index."""
    asked = sources[0] if len(sources) == 1 else f"SELECT project_id, user_id FROM ({' UNION '.join(sources)}) AS found"
    return f"(u.project_id, u.id) IN ({asked})"


def owners(table: str, condition: str) -> str:
    """The users of the project who own such a row of another table."""
    return f"SELECT project_id, user_id FROM {table} WHERE project_id = $1 AND ({condition})"


async def page(
    reader: Reader,
    conditions: Conditions,
    operator: str,
    order: str,
    paging: str,
    limit: int,
    count_to: int,
    few: bool = False,
    teams: bool = False,
) -> tuple[list[UserView], int]:
    """One page of users with all that belongs to them, and how many match; -1 for more than `count_to` (0: none).

    `order` is `created` or `signed_up`, with `-` in front for descending; `paging` one more condition that the total
    does not count. `few` says that an operand's own index finds the users who can match, so that no index which begins
    with the project is to be walked for them; `teams` wants the selected teams too. One statement.
    """
    column = "created_at" if order.endswith("created") else "signed_up_at"
    way = "DESC" if order.startswith("-") else "ASC"
    # An index holds the bare column and cannot be asked for anything else.
    project = "u.project_id || ''" if few else "u.project_id"
    where = f"{project} = $1 AND ({conditions.joined(operator)})"
    count = _count(where, int(count_to)) if count_to else "SELECT -1"
    sql = f"""
    WITH page AS (SELECT u.id AS user_id, u.{column} AS at FROM users u WHERE {where} AND ({paging or "TRUE"})
        ORDER BY u.{column} {way}, u.id {way} LIMIT {int(limit)})
    SELECT 'total' AS kind, '' AS owner, {", ".join(["''"] * 14)}, ({count}), 0, 0, 0, 0, 0, FALSE, FALSE, FALSE
    UNION ALL {(union_with_teams if teams else union_for)("SELECT user_id FROM page")}"""
    rows = await reader.all(sql, *conditions.args)
    total = next(row[16] for row in rows if row[0] == "total")
    found = list(assemble(rows, with_teams=teams).values())
    found.sort(key=lambda view: (getattr(view.user, column), view.user.id), reverse=way == "DESC")
    return found, total


def _count(where: str, most: int) -> str:
    """A statement for how many match, or -1 for more than `most`: to count all would cost more with every user."""
    some = f"SELECT 1 FROM users u WHERE {where} LIMIT {most + 1}"
    return f"SELECT CASE WHEN count(*) > {most} THEN -1 ELSE count(*) END FROM ({some}) AS matching"


def restrict(conditions: Conditions, wanted: Listing) -> None:
    """Leave out the users that a listing does not show unless it is asked to."""
    if wanted.only_anonymous:
        conditions.add("u.is_anonymous")
        return
    if wanted.include_anonymous:
        return
    conditions.add("NOT u.is_anonymous")
    if not wanted.include_restricted:
        # Quotes inside a user's own texts are escaped in JSON, so only the field itself reads like this.
        conditions.add("strpos(u.extras, '\"restricted_by_admin\":true') = 0")
    if not wanted.include_restricted and wanted.unverified_is_restricted:
        conditions.add(has_email("e.is_primary AND e.verified_at > 0"))


def condition(conditions: Conditions, operand: Operand) -> str:
    """The condition of one operand, folded already; an empty list of values matches nobody."""
    values, number, flag = operand.values, operand.number, operand.flag
    some = conditions.params(values) if operand.name in _LISTS and values else ""
    match operand.name:
        case "created_after":
            return f"u.created_at > {conditions.param(number)}"
        case "created_before":
            return f"u.created_at < {conditions.param(number)}"
        case "created_between":
            after, before = conditions.param(number), conditions.param(operand.until)
            return f"u.created_at > {after} AND u.created_at < {before}"
        case "status":
            return f"u.status = {conditions.param(values[0])}"
        case "name_prefix":
            return _name_prefix(conditions, values[0])
        case "phone_contains":
            return among(owners("phones", f"strpos(number, {conditions.param(values[0])}) > 0"))
        case "email_prefix":
            return _email_prefix(conditions, values[0])
        case "phone_verified":
            return has_phone("p.verified_at > 0" if flag else "p.verified_at = 0")
        case "email_verified":
            return has_email("e.verified_at > 0" if flag else "e.verified_at = 0")
        case "password_exists":
            return "u.password_hash <> ''" if flag else "u.password_hash = ''"
        case _:
            return _LISTS[operand.name].format(some) if some else "FALSE"


_LISTS = {
    "user_ids": among("SELECT project_id, id FROM users WHERE project_id = $1 AND id IN ({})"),
    "external_ids": among(
        "SELECT project_id, id FROM users WHERE project_id = $1 AND external_id <> '' AND external_id IN ({})"
    ),
    "phones": among(owners("phones", "number IN ({})")),
    "phone_ids": among(owners("phones", "id IN ({})")),
    "emails": among(owners("emails", "folded IN ({})")),
    "email_ids": among(owners("emails", "id IN ({})")),
    "providers": among(owners("external_accounts", "allow_sign_in AND provider IN ({})")),
}


_OWN_INDEX = frozenset({*_LISTS, "email_prefix", "phone_contains"})


def finds_few(operator: str, operands: Sequence[Operand]) -> bool:
    """Whether an index of an operand's own finds every user who can match: all must match one, or there is but one."""
    own = any(operand.name in _OWN_INDEX and operand.values for operand in operands)
    return own and (operator == "AND" or len(operands) == 1)


def _name_prefix(conditions: Conditions, text: str) -> str:
    """Any word of the name begins so; the column holds them folded, apart by single spaces."""
    return f"strpos(' ' || u.folded_name, {conditions.param(' ' + text)}) > 0"


def _email_prefix(conditions: Conditions, text: str) -> str:
    """The address or its domain begins so: both columns are in the order of bytes, where a beginning is one range."""
    first, behind = conditions.param(text), conditions.param(text + _LAST)
    ranges = (f"{column} >= {first} AND {column} < {behind}" for column in ("folded", "domain"))
    return among(*(owners("emails", each) for each in ranges))


def matching_text(conditions: Conditions, text: str) -> str:
    """The id is this text, or a name or an address holds it (folded)."""
    same, part = conditions.param(text), conditions.param(text)
    in_email = has_email(f"strpos(e.folded, {part}) > 0")
    return f"u.id = {same} OR strpos(u.folded_name, {part}) > 0 OR {in_email}"


def in_team(conditions: Conditions, team_id: str) -> str:
    """The user is a member of this team."""
    return (
        "EXISTS (SELECT 1 FROM team_members m WHERE m.project_id = u.project_id AND m.user_id = u.id"
        f" AND m.team_id = {conditions.param(team_id)})"
    )


def beyond(conditions: Conditions, column: str, after: tuple[int, str], descending: bool) -> str:
    """Behind a cursor of (time, id), in the order of the page."""
    at, user_id = conditions.param(after[0]), conditions.param(after[1])
    return f"(u.{column}, u.id) {'<' if descending else '>'} ({at}, {user_id})"
