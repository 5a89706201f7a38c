"""Take many imported users over at once, in a few statements: those of whom nothing is here, and those who are whole.

Whoever meets anything here, be it an id, an address or an account of somebody else, is left to `steps.importing`, which
looks at one user at a time and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from oneself.crypto.ids import new_uuid
from oneself.crypto.passwords import kind_of
from oneself.model import AuditEntry, ExternalAccount, SealedTokens, Team, User, UserView
from oneself.rules import accounts as account_rules
from oneself.rules import scopes
from oneself.steps import tokens as sealing
from oneself.steps.importing import Arrival, Importing, Taken, allowed, deeds_of, lacking
from oneself.steps.recording import entry_of
from oneself.steps.teams import own_team
from oneself.store import accounts, audit, claimed, teams, users, vault, views
from oneself.store.database import Reader, Tx
from oneself.store.vault import NewTokens

Key = tuple[str, ...]

_ASKED = {
    "user": claimed.USER_IDS,
    "external_id": claimed.EXTERNAL_IDS,
    "part": claimed.PART_IDS,
    "email": claimed.SIGN_IN_ADDRESSES,
    "phone": claimed.NUMBERS,
}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """All rows of a user of whom nothing is here, as they are written."""

    arrival: Arrival
    keys: Sequence[Key]
    accounts: tuple[tuple[ExternalAccount, str], ...]
    tokens: tuple[NewTokens, ...]

    @property
    def taken(self) -> Taken:
        """What will have become of the row."""
        return Taken(
            outcome="created",
            accounts=len(self.accounts),
            token_sets=len(self.tokens),
            hash_kind=kind_of(self.arrival.user.password_hash),
        )


def keys_of(arrival: Arrival) -> list[Key]:
    """What no two users may share: a kind, and values of that kind; the first key names the user itself."""
    user = arrival.user
    keys: list[Key] = [("user", user.id) if arrival.by_id else ("external_id", user.external_id)]
    if arrival.by_id and user.external_id:
        keys.append(("external_id", user.external_id))
    keys += [("email", email.folded) for email in arrival.emails if email.claims_sign_in]
    keys += [("phone", phone.number) for phone in arrival.phones]
    keys += [("part", part_id) for part_id in sorted(arrival.chosen_ids)]
    for one in arrival.accounts:
        if one.account.allow_sign_in:
            keys.append(("account", one.account.config_id, one.account.issuer, one.account.subject))
    return keys


async def seen(reader: Reader, how: Importing, arrivals: Sequence[Arrival]) -> list[bool | None]:
    """Of each user, whether all of the row is here already; None where the user is not. Three statements at most."""
    project_id = how.project.id
    named = [one.user.external_id for one in arrivals if not one.by_id]
    by_name = await claimed.by_external_id(reader, project_id, named)
    ids = [one.user.id if one.by_id else by_name.get(one.user.external_id, "") for one in arrivals]
    asked = [one for one in ids if one]
    found = await views.some(reader, project_id, asked) if asked else {}
    kept: dict[str, list[SealedTokens]] = {}
    for one in await vault.of_users(reader, project_id, [*found]) if found else ():
        kept.setdefault(one.account_id, []).append(one)

    def whole(user_id: str, arrival: Arrival) -> bool | None:
        view = found.get(user_id)
        if view is None:
            return None
        return not lacking(how, view, [each for row in view.accounts for each in kept.get(row.id, ())], arrival)

    return [whole(user_id, arrival) for user_id, arrival in zip(ids, arrivals, strict=True)]


def newcomer(how: Importing, arrival: Arrival, keys: Sequence[Key]) -> Newcomer | None:
    """What to write for a user of whom nothing is here, with the keys of `keys_of`; None for a row that takes a closer
    look.
    """
    if how.project.config.personal_team_on_sign_up and arrival.user.extras.get("selected_team_id"):
        return None
    linked: list[ExternalAccount] = []
    for arriving in arrival.accounts:
        account = allowed(how, linked, arriving)
        if account_rules.explain(account, linked, how.policy) is not None:
            return None
        linked.append(account)
    return Newcomer(
        arrival=arrival,
        keys=keys,
        accounts=tuple((one, account_rules.slot(how.policy, one.id)) for one in linked),
        tokens=tuple(_sealed(how, arrival)),
    )


def _sealed(how: Importing, arrival: Arrival) -> list[NewTokens]:
    sealed: list[NewTokens] = []
    for arriving in arrival.accounts:
        for tokens in arriving.tokens:
            name = scopes.canonical(tokens.scopes)
            row = sealing.Row(how.project.id, arrival.user.id, arriving.account.id, name)
            sealed.append(sealing.new_tokens(how.key, row, tokens))
    return sealed


async def create(tx: Tx, how: Importing, newcomers: Sequence[Newcomer]) -> list[bool]:
    """Write those of whom nothing is here indeed; False for the others."""
    project_id = how.project.id
    taken = await _taken(tx, project_id, [key for one in newcomers for key in one.keys])
    free = [taken.isdisjoint(one.keys) for one in newcomers]
    made = [one for one, is_free in zip(newcomers, free, strict=True) if is_free]
    owners: list[tuple[User, Team]] = []
    if how.project.config.personal_team_on_sign_up:
        owners = [own_team(UserView(user=one.arrival.user), how.random, tx.now) for one in made]
    await users.insert_all(tx, project_id, [user for user, _ in owners] or [one.arrival.user for one in made])
    await teams.insert_all(tx, project_id, [(team, user.id) for user, team in owners])
    await users.insert_emails(tx, project_id, [email for one in made for email in one.arrival.emails])
    await users.insert_phones(tx, project_id, [phone for one in made for phone in one.arrival.phones])
    await accounts.insert_all(tx, project_id, [account for one in made for account in one.accounts])
    await vault.put_all(tx, project_id, [tokens for one in made for tokens in one.tokens])
    await audit.insert_all(tx, project_id, [entry for one in made for entry in _entries(how, one, tx.now)])
    return free


def _entries(how: Importing, made: Newcomer, now: int) -> list[AuditEntry]:
    deeds = deeds_of(how, "created", [account.id for account, _ in made.accounts])
    user = made.arrival.user
    return [entry_of(user.id, user.version, deed, now, new_uuid(how.random)) for deed in deeds]


async def _taken(reader: Reader, project_id: str, keys: Sequence[Key]) -> set[Key]:
    """Those of the keys that somebody here has."""
    by_kind: dict[Key, list[str]] = {}
    for key in keys:
        by_kind.setdefault(key[:-1], []).append(key[-1])
    found: set[Key] = set()
    for kind, values in by_kind.items():
        statement = _ASKED.get(kind[0], claimed.SIGN_IN_SUBJECTS)
        found |= {(*kind, one) for one in await claimed.taken(reader, statement, project_id, values, *kind[1:])}
    return found
