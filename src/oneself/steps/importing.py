"""Take one imported user over, over an open transaction: made new, or given what it lacks here, or refused whole."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from oneself.crypto.passwords import kind_of
from oneself.crypto.seal import DataKey
from oneself.faults import FaultCode, RowRefused
from oneself.model import (
    EmailAddress,
    ExternalAccount,
    Noun,
    PhoneNumber,
    Policy,
    Project,
    SealedTokens,
    TokenSet,
    User,
    UserView,
)
from oneself.rules import accounts as account_rules
from oneself.rules import scopes
from oneself.steps import tokens as sealing
from oneself.steps.recording import Deed, record
from oneself.steps.teams import with_personal_team
from oneself.store import accounts, users, vault, views
from oneself.store.database import Reader, Tx
from oneself.store.retrying import Again

_OTHER_USER = "Decide which of the two it belongs to and take it out of the other."
_BROKEN_LAWS = {
    FaultCode.ACCOUNT_SLOT_TAKEN: "the user has another account at one of its providers that may sign in",
    FaultCode.ACCOUNT_TWIN: "the user has one of its accounts already",
    FaultCode.ACCOUNT_SUBJECT_TAKEN: "another user signs in with one of its accounts",
}


class Arriving(Noun, frozen=True, kw_only=True):
    """An account that comes in with its tokens; `sign_in_if_free` lets the user's other accounts decide."""

    account: ExternalAccount
    tokens: tuple[TokenSet, ...] = ()
    sign_in_if_free: bool = False


class Arrival(Noun, frozen=True, kw_only=True):
    """A user as the file has it, ready to be written. `by_id`: its id is the file's, and is how it is found again."""

    user: User
    by_id: bool
    emails: tuple[EmailAddress, ...] = ()
    phones: tuple[PhoneNumber, ...] = ()
    accounts: tuple[Arriving, ...] = ()
    # ids of addresses, numbers and accounts that the file chose
    chosen_ids: frozenset[str] = frozenset()


class Taken(Noun, frozen=True, kw_only=True):
    """What became of one user, how many accounts and token sets came in with it, and the kind of its password hash, if
    one did.
    """

    outcome: Literal["created", "completed", "unchanged"]
    accounts: int = 0
    token_sets: int = 0
    hash_kind: str = ""


@dataclass(frozen=True, slots=True)
class Importing:
    """The fixed part of one import: where to, under which policy, and how it is told in the audit."""

    project: Project
    key: DataKey
    policy: Policy
    dialect: str
    source: str
    random: Callable[[int], bytes]


@dataclass(slots=True)
class Gains:
    """What the user lacks of what the file has."""

    emails: list[EmailAddress] = field(default_factory=list)
    proofs: list[EmailAddress] = field(default_factory=list)
    phones: list[PhoneNumber] = field(default_factory=list)
    phone_proofs: list[PhoneNumber] = field(default_factory=list)
    accounts: list[Arriving] = field(default_factory=list)
    tokens: list[tuple[str, TokenSet]] = field(default_factory=list)

    def __bool__(self) -> bool:
        lists = (self.emails, self.proofs, self.phones, self.phone_proofs, self.accounts, self.tokens)
        return any(lists)


async def take(tx: Tx, how: Importing, arrival: Arrival) -> Taken:
    """Write one user, whole or not at all. Raises RowRefused, and Again where somebody else moved meanwhile.

    A user who is here already gains what is missing and keeps everything as it is here.
    """
    view = await _find(tx, how, arrival)
    if view is None:
        return await _create(tx, how, arrival)
    return await _complete(tx, how, view, arrival)


async def _find(reader: Reader, how: Importing, arrival: Arrival) -> UserView | None:
    user_id: str | None = arrival.user.id
    if not arrival.by_id:
        user_id = await users.id_by_external_id(reader, how.project.id, arrival.user.external_id)
    return await views.read(reader, how.project.id, user_id) if user_id else None


async def _create(tx: Tx, how: Importing, arrival: Arrival) -> Taken:
    user = arrival.user
    if arrival.by_id and await users.was_deleted(tx, how.project.id, user.id):
        raise RowRefused("a user of this id was deleted here", "Ids never come back. Leave the row out.")
    if user.external_id and await users.id_by_external_id(tx, how.project.id, user.external_id):
        raise RowRefused("another user has its external id", _OTHER_USER)
    await users.insert(tx, how.project.id, user)
    view = await with_personal_team(tx, how.project, UserView(user=user), how.random)
    gains = lacking(how, view, [], arrival)
    taken = await _give(tx, how, view, gains, arrival.chosen_ids, user.version, "created")
    return msgspec.structs.replace(taken, hash_kind=kind_of(user.password_hash))


async def _complete(tx: Tx, how: Importing, seen: UserView, arrival: Arrival) -> Taken:
    user_id = seen.user.id
    if not lacking(how, seen, await vault.of_user(tx, how.project.id, user_id), arrival):
        return Taken(outcome="unchanged")
    version = await users.lock(tx, how.project.id, user_id)
    view = await views.read(tx, how.project.id, user_id)
    if version is None or view is None:
        raise Again("the user was deleted meanwhile")
    gains = lacking(how, view, await vault.of_user(tx, how.project.id, user_id), arrival)
    return await _give(tx, how, view, gains, arrival.chosen_ids, version, "completed")


def lacking(how: Importing, view: UserView, sets: Sequence[SealedTokens], arrival: Arrival) -> Gains:
    """What the user lacks of what the file has; what is there already stays as it is."""
    gains = Gains()
    emails = {email.folded: email for email in view.emails}
    for email in arrival.emails:
        held = emails.get(email.folded)
        if held is None:
            gains.emails.append(msgspec.structs.replace(email, user_id=view.user.id))
        elif email.verified_at and not held.verified_at:
            gains.proofs.append(held)
    phones = {phone.number: phone for phone in view.phones}
    for phone in arrival.phones:
        known = phones.get(phone.number)
        if known is None:
            gains.phones.append(msgspec.structs.replace(phone, user_id=view.user.id))
        elif phone.verified_at and not known.verified_at:
            gains.phone_proofs.append(known)
    for arriving in arrival.accounts:
        linked = next((row for row in view.accounts if _same(row, arriving.account)), None)
        if linked is None:
            account = msgspec.structs.replace(arriving.account, user_id=view.user.id)
            gains.accounts.append(msgspec.structs.replace(arriving, account=account))
        account_id = linked.id if linked else arriving.account.id
        kept = {one.scopes: one for one in sets if one.account_id == account_id}
        for tokens in arriving.tokens:
            old = kept.get(scopes.canonical(tokens.scopes))
            if old is None or _newer(how, view.user.id, tokens, old):
                gains.tokens.append((account_id, tokens))
    return gains


def _same(left: ExternalAccount, right: ExternalAccount) -> bool:
    return (left.config_id, left.issuer, left.subject) == (right.config_id, right.issuer, right.subject)


def _newer(how: Importing, user_id: str, tokens: TokenSet, kept: SealedTokens) -> bool:
    """Whether the file's tokens outlive ours or can be refreshed where ours cannot; over a grant that the provider
    ended, whether they are others.
    """
    if not kept.dead_at:
        later = tokens.expires_at > kept.expires_at > 0
        return later or (bool(tokens.refresh_token) and not kept.has_refresh_token)
    place = sealing.Row(how.project.id, user_id, kept.account_id, kept.scopes)
    old = sealing.unseal(how.key, place, kept.sealed)
    return (tokens.access_token, tokens.refresh_token) != (old.access_token, old.refresh_token)


async def _give(
    tx: Tx,
    how: Importing,
    view: UserView,
    gains: Gains,
    chosen_ids: frozenset[str],
    version: int,
    outcome: Literal["created", "completed"],
) -> Taken:
    project_id, user_id = how.project.id, view.user.id
    new_ids = [*(one.id for one in gains.emails), *(one.id for one in gains.phones)]
    new_ids += [one.account.id for one in gains.accounts]
    for part_id in new_ids:
        if part_id in chosen_ids and await users.part_id_in_use(tx, project_id, part_id):
            raise RowRefused("one of the ids in the row is in use here", "Take the id out; a new one will be made.")
    await _give_addresses(tx, how, view, gains)
    linked = list(view.accounts)
    for arriving in gains.accounts:
        linked.append(await _link(tx, how, allowed(how, linked, arriving)))
    for account_id, tokens in gains.tokens:
        await sealing.keep(tx, how.key, project_id, user_id, account_id, tokens)
    for deed in deeds_of(how, outcome, [account.id for account in linked[len(view.accounts) :]]):
        await record(tx, project_id, user_id, version, deed, how.random)
    return Taken(outcome=outcome, accounts=len(gains.accounts), token_sets=len(gains.tokens))


def deeds_of(how: Importing, outcome: Literal["created", "completed"], account_ids: Iterable[str]) -> Iterator[Deed]:
    """What the audit tells of a user and of the accounts that came in."""
    told = Deed(
        action="user.import", decision=outcome, reason=f"{how.source}_file", actor="operator", dialect=how.dialect
    )
    yield told
    for account_id in account_ids:
        yield msgspec.structs.replace(told, action="account.import", decision="linked", account_id=account_id)


async def _give_addresses(tx: Tx, how: Importing, view: UserView, gains: Gains) -> None:
    project_id, has_primary = how.project.id, view.primary_email is not None
    for email in gains.emails:
        if email.claims_sign_in and await users.sign_in_owner(tx, project_id, email.folded):
            raise RowRefused("another user signs in with one of its addresses", _OTHER_USER)
        await users.insert_email(
            tx, project_id, msgspec.structs.replace(email, is_primary=email.is_primary and not has_primary)
        )
    for held in gains.proofs:
        await users.update_email(
            tx, project_id, msgspec.structs.replace(held, verified_at=tx.now, verified_by="import")
        )
    for phone in gains.phones:
        if await users.phone_by_number(tx, project_id, phone.number):
            raise RowRefused("another user has one of its telephone numbers", _OTHER_USER)
        await users.insert_phone(tx, project_id, phone)
    for known in gains.phone_proofs:
        await users.verify_phone(tx, project_id, known.id)


def allowed(how: Importing, linked: Sequence[ExternalAccount], arriving: Arriving) -> ExternalAccount:
    """The account as it comes in beside the user's others, which decide where the file leaves it open."""
    account = arriving.account
    if arriving.sign_in_if_free and how.policy.one_sign_in_account_per_provider:
        taken = any(row.config_id == account.config_id and row.allow_sign_in for row in linked)
        account = msgspec.structs.replace(account, allow_sign_in=not taken)
    return account


async def _link(tx: Tx, how: Importing, account: ExternalAccount) -> ExternalAccount:
    others = await accounts.in_the_way(tx, how.project.id, account)
    broken = account_rules.explain(account, others, how.policy)
    if broken is not None:
        raise RowRefused(_BROKEN_LAWS[broken], _OTHER_USER)
    if not await accounts.insert(tx, how.project.id, account, account_rules.slot(how.policy, account.id)):
        raise Again("another request linked this account first")
    return account
