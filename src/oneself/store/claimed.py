"""Which of many values are taken in a project: ids, names, addresses, numbers and accounts, asked for together."""

from collections.abc import Sequence

from oneself.store.database import Reader
from oneself.store.statements import listed

USER_IDS = """
SELECT id FROM users WHERE project_id = $1 AND id IN ({0})
UNION ALL SELECT id FROM user_tombstones WHERE project_id = $1 AND id IN ({0})"""

EXTERNAL_IDS = """
SELECT external_id, id FROM users WHERE project_id = $1 AND external_id <> '' AND external_id IN ({0})"""

PART_IDS = """
SELECT id FROM emails WHERE project_id = $1 AND id IN ({0})
UNION ALL SELECT id FROM phones WHERE project_id = $1 AND id IN ({0})
UNION ALL SELECT id FROM external_accounts WHERE project_id = $1 AND id IN ({0})"""

SIGN_IN_ADDRESSES = "SELECT folded FROM emails WHERE project_id = $1 AND claims_sign_in AND folded IN ({0})"

NUMBERS = "SELECT number FROM phones WHERE project_id = $1 AND number IN ({0})"

SIGN_IN_SUBJECTS = """
SELECT subject FROM external_accounts
WHERE project_id = $1 AND config_id = $2 AND issuer = $3 AND allow_sign_in AND subject IN ({0})"""


async def taken(reader: Reader, statement: str, project_id: str, values: Sequence[str], *of: str) -> set[str]:
    """Those of the values that one of this file's statements finds. `of` are its other parameters: for subjects the
    credentials and the issuer.
    """
    if not values:
        return set()
    places, filled = listed(values, 2 + len(of))
    return {row[0] for row in await reader.all(statement.format(places), project_id, *of, *filled)}


async def by_external_id(reader: Reader, project_id: str, external_ids: Sequence[str]) -> dict[str, str]:
    """The users whom the project itself calls so, by that name."""
    if not external_ids:
        return {}
    places, filled = listed(external_ids, 2)
    return {row[0]: row[1] for row in await reader.all(EXTERNAL_IDS.format(places), project_id, *filled)}
