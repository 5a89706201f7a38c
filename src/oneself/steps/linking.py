"""Read the facts of a link, and carry a decision out: the only code that changes whom an account belongs to."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from oneself.crypto.ids import new_uuid
from oneself.model import Asker, EmailAddress, ExternalAccount, Policy, Profile, Trip, User, UserView
from oneself.rules import accounts as account_rules
from oneself.rules.addresses import fold_email
from oneself.rules.linking import Create, Facts, Link, Reclaim, SignIn
from oneself.steps.people import names_of, new_email, new_user
from oneself.steps.recording import Deed, record
from oneself.store import accounts, sessions, users, views
from oneself.store.database import Reader, Tx
from oneself.store.retrying import Again

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a decision left behind: the user's whole view, the account, and what else it did."""

    view: UserView
    account: ExternalAccount
    created: bool = False
    reset_sessions: bool = False


@dataclass(frozen=True, slots=True)
class Linking:
    """The fixed part of carrying out one decision."""

    project_id: str
    dialect: str
    trip: Trip
    profile: Profile
    policy: Policy
    allow_connected_accounts: bool
    random: Random


async def read_facts(
    reader: Reader,
    project_id: str,
    trip: Trip,
    asker: Asker | None,
    profile: Profile,
    allow_sign_in: bool,
    allow_connected_accounts: bool,
) -> Facts:
    """Everything that the decision rests on, in one statement."""
    folded = (fold_email(profile.email) or "") if profile.email else ""
    found = await views.concerned(
        reader,
        project_id,
        trip.config_id,
        profile.issuer,
        (profile.subject, profile.legacy_subject or profile.subject),
        folded,
        asker.user_id if asker else "",
    )
    return Facts(
        intent=trip.intent,
        config_id=trip.config_id,
        profile=profile,
        folded=folded,
        views=found,
        asker=asker,
        allow_sign_in=allow_sign_in,
        allow_connected_accounts=allow_connected_accounts,
        only_account=trip.only_account,
    )


async def apply(tx: Tx, how: Linking, facts: Facts, decision: SignIn | Link | Create | Reclaim) -> Applied:
    """Carry a decision out. Raises Again when a user concerned moved since the facts were read."""
    match decision:
        case SignIn():
            return await _sign_in(tx, how, facts, decision)
        case Link():
            return await _link(tx, how, facts, decision)
        case Create():
            return await _create(tx, how, facts, decision)
        case Reclaim():
            return await _reclaim(tx, how, facts, decision)


async def _take(tx: Tx, how: Linking, view: UserView) -> User:
    """The user's row, locked, as the facts saw it."""
    if not await users.take(tx, how.project_id, view.user.id, view.user.version, tx.now):
        raise Again("a user moved since the facts were read")
    return msgspec.structs.replace(view.user, version=view.user.version + 1, last_active_at=tx.now)


async def _sign_in(tx: Tx, how: Linking, facts: Facts, decision: SignIn) -> Applied:
    view = facts.views[decision.user_id]
    user = await _take(tx, how, view)
    user = await _wake(tx, how, user)
    old = next(account for account in view.accounts if account.id == decision.account_id)
    emails, email_id = await _adopt_email(tx, how, facts, view, old.id)
    new = _refreshed(old, how.profile, email_id or old.email_id, view)
    if new != old:
        await accounts.update(tx, how.project_id, new, account_rules.slot(how.policy, new.id))
    listed = tuple(new if account.id == new.id else account for account in view.accounts)
    return Applied(msgspec.structs.replace(view, user=user, emails=emails, accounts=listed), new)


async def _link(tx: Tx, how: Linking, facts: Facts, decision: Link) -> Applied:
    view = facts.views[decision.user_id]
    user = await _take(tx, how, view)
    user = await _wake(tx, how, user)
    old = next((account for account in view.accounts if account.id == decision.account_id), None)
    account_id = old.id if old else new_uuid(how.random)
    emails, email_id = await _adopt_email(tx, how, facts, view, account_id)
    if old:
        turned = msgspec.structs.replace(old, allow_sign_in=old.allow_sign_in or decision.sign_in)
        account = _refreshed(turned, how.profile, email_id or old.email_id, view)
        await accounts.update(tx, how.project_id, account, account_rules.slot(how.policy, account.id))
    else:
        account = _new_account(how, account_id, user.id, decision.sign_in, email_id, tx.now)
        await _insert(tx, how, account)
    listed = (*(a for a in view.accounts if a.id != account.id), account)
    ordered = tuple(sorted(listed, key=lambda a: (a.created_at, a.id)))
    return Applied(msgspec.structs.replace(view, user=user, emails=emails, accounts=ordered), account)


async def _create(tx: Tx, how: Linking, facts: Facts, decision: Create) -> Applied:
    account_id = new_uuid(how.random)
    if decision.upgrade:
        view = facts.views[decision.upgrade]
        user = await _upgrade(tx, how, await _take(tx, how, view))
        view = msgspec.structs.replace(view, user=user)
    else:
        user = new_user(how.random, tx.now, **names_of(how.profile))
        await users.insert(tx, how.project_id, user)
        view = UserView(user=user)
    if decision.take_from:
        await _take_address(tx, how, facts, decision.take_from)
    email = None
    if decision.email:
        email = new_email(
            how.random,
            tx.now,
            user.id,
            how.profile.email.strip(),
            facts.folded,
            verified_by=account_id if how.profile.email_verified else "",
            is_primary=view.primary_email is None,
            claims_sign_in=decision.claims,
        )
        await users.insert_email(tx, how.project_id, email)
    proved = email.id if email and email.verified_at else ""
    account = _new_account(how, account_id, user.id, True, proved, tx.now)
    await _insert(tx, how, account)
    emails = (*view.emails, email) if email else view.emails
    view = msgspec.structs.replace(view, emails=emails, accounts=(*view.accounts, account))
    return Applied(view, account, created=True)


async def _reclaim(tx: Tx, how: Linking, facts: Facts, decision: Reclaim) -> Applied:
    """Nobody ever proved to be this user: the mailbox's owner takes it over, and whoever was inside is put out.

    With them goes all that they may have left to come back by, or to read along with: the password, sessions, other
    addresses, numbers, and accounts that the application used on this user's behalf.
    """
    view = facts.views[decision.user_id]
    user = await _take(tx, how, view)
    signed_up_at = tx.now if user.is_anonymous else user.signed_up_at
    user = msgspec.structs.replace(
        user,
        status="active",
        password_hash="",
        password_id="",
        extras={name: value for name, value in user.extras.items() if not name.startswith("totp")},
        security_epoch=user.security_epoch + 1,
        is_anonymous=False,
        signed_up_at=signed_up_at,
    )
    await users.update(tx, how.project_id, user)
    await _put_out(tx, how, view, decision.email_id)
    account = _new_account(how, new_uuid(how.random), user.id, True, decision.email_id, tx.now)
    await _insert(tx, how, account)
    claimed = next(email for email in view.emails if email.id == decision.email_id)
    proved = msgspec.structs.replace(claimed, verified_at=tx.now, verified_by=account.id, is_primary=True)
    await users.update_email(tx, how.project_id, proved)
    ended = await sessions.delete_others(tx, how.project_id, user.id)
    had_more = ended > 0 or bool(view.user.password_hash)
    return Applied(UserView(user=user, emails=(proved,), accounts=(account,)), account, reset_sessions=had_more)


async def _put_out(tx: Tx, how: Linking, view: UserView, kept_email_id: str) -> None:
    """Everything of a user whom nobody ever proved to be goes, but one address."""
    for email in view.emails:
        if email.id != kept_email_id:
            await users.delete_email(tx, how.project_id, email.id)
    for phone in view.phones:
        await users.delete_phone(tx, how.project_id, phone.id)
    for account in view.accounts:
        await accounts.delete(tx, how.project_id, account.id)


async def _take_address(tx: Tx, how: Linking, facts: Facts, email_id: str) -> None:
    """An address that its present holder never proved goes to the newcomer who did; the holder's history says so."""
    holder = next(view for view in facts.views.values() if any(e.id == email_id for e in view.emails))
    taken = await _take(tx, how, holder)
    await users.delete_email(tx, how.project_id, email_id)
    deed = Deed(
        action="email.remove",
        decision="moved",
        reason="address_proved_by_newcomer",
        actor="self",
        dialect=how.dialect,
    )
    await record(tx, how.project_id, taken.id, taken.version, deed, how.random)


async def _wake(tx: Tx, how: Linking, user: User) -> User:
    """A pending user becomes active by signing in."""
    if user.status != "pending":
        return user
    user = msgspec.structs.replace(user, status="active")
    await users.update(tx, how.project_id, user)
    return user


async def _upgrade(tx: Tx, how: Linking, user: User) -> User:
    """An anonymous user becomes a known one: what it had stays, what the provider says fills the gaps."""
    names = {field: value for field, value in names_of(how.profile).items() if value and not getattr(user, field)}
    user = msgspec.structs.replace(user, is_anonymous=False, signed_up_at=tx.now, **names)
    await users.update(tx, how.project_id, user)
    return user


async def _adopt_email(
    tx: Tx, how: Linking, facts: Facts, view: UserView, account_id: str
) -> tuple[tuple[EmailAddress, ...], str]:
    """Note the address that the account proves: the user's emails now, and the id of the proved one (or nothing)."""
    if not (how.policy.adopt_verified_email and how.profile.email_verified and facts.folded):
        held = next((e.id for e in view.emails if e.folded == facts.folded and e.verified_at), "")
        return view.emails, held if how.profile.email_verified else ""
    held_email = next((email for email in view.emails if email.folded == facts.folded), None)
    if held_email and held_email.verified_at:
        return view.emails, held_email.id
    if held_email:
        proved = msgspec.structs.replace(held_email, verified_at=tx.now, verified_by=account_id)
        await users.update_email(tx, how.project_id, proved)
        return tuple(proved if e.id == proved.id else e for e in view.emails), proved.id
    email = new_email(
        how.random,
        tx.now,
        view.user.id,
        how.profile.email.strip(),
        facts.folded,
        verified_by=account_id,
        is_primary=view.primary_email is None,
    )
    if not await users.insert_free_email(tx, how.project_id, email):
        return view.emails, ""
    return (*view.emails, email), email.id


async def _insert(tx: Tx, how: Linking, account: ExternalAccount) -> None:
    if not await accounts.insert(tx, how.project_id, account, account_rules.slot(how.policy, account.id)):
        raise Again("another request linked this account first")


def _new_account(
    how: Linking, account_id: str, user_id: str, sign_in: bool, email_id: str, now: int
) -> ExternalAccount:
    return ExternalAccount(
        id=account_id,
        user_id=user_id,
        config_id=how.trip.config_id,
        provider=how.trip.provider,
        issuer=how.profile.issuer,
        subject=how.profile.subject,
        allow_sign_in=sign_in,
        allow_connected_accounts=how.allow_connected_accounts,
        email=how.profile.email,
        email_verified=how.profile.email_verified,
        email_id=email_id,
        picture_url=how.profile.picture_url,
        locale=how.profile.locale,
        created_at=now,
    )


def _refreshed(old: ExternalAccount, profile: Profile, email_id: str, view: UserView) -> ExternalAccount:
    """The account as the provider describes it today; an old form of its id gives way to the present one, unless
    the user has a row under that already.
    """
    taken = any(
        other.id != old.id
        and (other.config_id, other.issuer, other.subject) == (old.config_id, old.issuer, profile.subject)
        for other in view.accounts
    )
    return msgspec.structs.replace(
        old,
        subject=old.subject if taken else profile.subject,
        email=profile.email or old.email,
        email_verified=profile.email_verified if profile.email else old.email_verified,
        email_id=email_id,
        picture_url=profile.picture_url or old.picture_url,
        locale=profile.locale or old.locale,
    )
