"""Find users: by operands with a cursor, or as a plain listing; one statement each."""

import msgspec

from oneself.actions.runtime import Runtime
from oneself.model import Listing, Noun, Operand, Project, Search, UserView
from oneself.rules.addresses import fold_email, folded_part
from oneself.store.user_search import Conditions, beyond, condition, finds_few, in_team, matching_text, page, restrict

# The most that a listing gives when it is not limited.
MOST = 1000


class Page(Noun, frozen=True, kw_only=True):
    """Users of one page, how many match (-1: not counted, or more than are), and where the next page begins."""

    users: tuple[UserView, ...]
    total: int
    after: tuple[int, str] | None


async def search(rt: Runtime, project: Project, wanted: Search) -> Page:
    """Users that match, newest first."""
    conditions = Conditions(project.id)
    for operand in wanted.operands:
        conditions.add(condition(conditions, _folded(operand)))
    paging = beyond(conditions, "created_at", wanted.after, True) if wanted.after else ""
    limit = wanted.limit
    few = finds_few(wanted.operator, wanted.operands)
    counted = rt.settings.search_total
    found, total = await page(rt.db, conditions, wanted.operator, "-created", paging, limit + 1, counted, few)
    shown = tuple(found[:limit])
    more = len(found) > limit and bool(shown)
    return Page(users=shown, total=total, after=(shown[-1].user.created_at, shown[-1].user.id) if more else None)


async def listing(rt: Runtime, project: Project, wanted: Listing) -> Page:
    """Users by sign-up time."""
    conditions = Conditions(project.id)
    restrict(conditions, wanted)
    if wanted.text:
        conditions.add(matching_text(conditions, wanted.text))
    if wanted.team_id:
        conditions.add(in_team(conditions, wanted.team_id))
    paging = beyond(conditions, "signed_up_at", wanted.after, wanted.descending) if wanted.after else ""
    limit = MOST if wanted.limit is None else wanted.limit
    order = "-signed_up" if wanted.descending else "signed_up"
    found, total = await page(rt.db, conditions, "AND", order, paging, limit + 1, 0, teams=True)
    shown = tuple(found[:limit])
    more = len(found) > limit and bool(shown)
    return Page(users=shown, total=total, after=(shown[-1].user.signed_up_at, shown[-1].user.id) if more else None)


def _folded(operand: Operand) -> Operand:
    """The operand with its texts folded as the column that they are compared with."""
    match operand.name:
        case "emails":
            folded = tuple(fold_email(text) or "" for text in operand.values)
        case "email_prefix":
            folded = tuple(folded_part(text) for text in operand.values)
            if operand.values[0] and not folded[0]:
                return Operand(name="nothing")
        case "name_prefix":
            folded = tuple(" ".join(text.casefold().split()) for text in operand.values)
        case _:
            return operand
    return msgspec.structs.replace(operand, values=folded)
