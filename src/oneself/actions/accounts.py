"""External accounts on a server's word: add, list, read, change, unlink."""

from collections.abc import Callable

import msgspec
from msgspec import UNSET, UnsetType

from oneself.actions.runtime import (
    Runtime,
    account_issuer,
    credentials_of,
    post_of,
    provider_name,
    takes_grants_back,
)
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, ExternalAccount, Noun, Policy, Project, UserView
from oneself.rules import accounts as rules
from oneself.rules.lifetimes import GRANTS_HANDED_BACK_FOR
from oneself.rules.linking import ways_in
from oneself.rules.policies import policy_of
from oneself.steps.mailing import tell, tell_of_addresses
from oneself.steps.recording import Deed, record
from oneself.store import accounts, revocations, sessions, users, views
from oneself.store.database import Tx

# How often an account is tried again when what stood in its way went away before it could be named.
_TRIES = 3


class NewAccount(Noun, frozen=True, kw_only=True):
    """An account to add, as a server describes it."""

    user_id: str
    config_id: str
    subject: str
    allow_sign_in: bool
    allow_connected_accounts: bool
    email: str = ""


class AccountChanges(Noun, frozen=True, kw_only=True):
    """What to change of an account; what is unset stays."""

    subject: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    allow_sign_in: bool | UnsetType = UNSET
    allow_connected_accounts: bool | UnsetType = UNSET


async def add(
    rt: Runtime, project: Project, wanted: NewAccount, dialect: Dialect = "stack", actor: str = "backend"
) -> ExternalAccount:
    """Link an account to a user: three statements, one commit. The unique indexes decide; a refusal is then explained.
    Where mail goes out and the account may sign in, the user is told: two statements more.

    Raises Fault(PROVIDER_NOT_CONFIGURED), Fault(PROVIDER_UNKNOWN), Fault(USER_NOT_FOUND), Fault(ACCOUNT_SLOT_TAKEN),
    Fault(ACCOUNT_TWIN), Fault(ACCOUNT_SUBJECT_TAKEN), Fault(REQUEST_INVALID) for an account id without end.
    """
    rules.check_subject(wanted.subject)
    credentials = credentials_of(project, wanted.config_id)
    policy = policy_of(project, dialect)
    account = ExternalAccount(
        id=new_uuid(rt.random),
        user_id=wanted.user_id,
        config_id=wanted.config_id,
        provider=credentials.provider,
        issuer=account_issuer(credentials),
        subject=wanted.subject,
        allow_sign_in=wanted.allow_sign_in,
        allow_connected_accounts=wanted.allow_connected_accounts,
        email=wanted.email,
        email_verified=False,
        email_id="",
        picture_url="",
        locale="",
        created_at=rt.clock(),
    )
    for _ in range(_TRIES):
        if await _insert(rt, project, account, policy, dialect, actor):
            return account
        others = await accounts.in_the_way(rt.db, project.id, account)
        broken = rules.explain(account, others, policy)
        if broken is not None:
            raise Fault(broken, "a law of linking stands against it")
    raise Fault(FaultCode.DATABASE_CONTENDED, "what stood in the way came and went")


async def _insert(
    rt: Runtime, project: Project, account: ExternalAccount, policy: Policy, dialect: Dialect, actor: str
) -> bool:
    how = await post_of(rt, project) if account.allow_sign_in else None

    async def work(tx: Tx) -> bool | None:
        version = await users.lock(tx, project.id, account.user_id)
        if version is None:
            return None
        view = await views.read(tx, project.id, account.user_id) if how is not None else None
        if not await accounts.insert(tx, project.id, account, rules.slot(policy, account.id)):
            # Nothing happened: the user's version must not move for it.
            raise _InTheWay
        deed = Deed(
            action="account.add",
            decision="linked",
            reason="by_server",
            actor=actor,
            dialect=dialect,
            account_id=account.id,
        )
        await record(tx, project.id, account.user_id, version, deed, rt.random)
        if view is not None:
            await tell(tx, how, view, "account_linked", provider_name(account.provider))
        return True

    try:
        done = await rt.db.write(work)
    except _InTheWay:
        return False
    if done is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return True


class _InTheWay(Exception):
    """Rolls back an insert that a law stands against."""


async def listing(rt: Runtime, project: Project, user_id: str | None) -> list[ExternalAccount]:
    """A user's accounts, or with None all of the project's, oldest first; one statement.

    Raises Fault(USER_NOT_FOUND) for an id that nobody has.
    """
    if user_id is None:
        return await accounts.all_of_project(rt.db, project.id)
    found = await accounts.of_user(rt.db, project.id, user_id)
    if found is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return found


async def read(rt: Runtime, project: Project, user_id: str, account_id: str) -> ExternalAccount:
    """One account of one user; one statement. Raises Fault(USER_NOT_FOUND), Fault(ACCOUNT_NOT_FOUND)."""
    for account in await listing(rt, project, user_id):
        if account.id == account_id:
            return account
    raise Fault(FaultCode.ACCOUNT_NOT_FOUND, "this user has no such account")


def _anything(_row: ExternalAccount) -> None:
    """Let every row be changed."""


async def change(
    rt: Runtime,
    project: Project,
    user_id: str,
    account_id: str,
    changes: AccountChanges,
    dialect: Dialect = "stack",
    actor: str = "backend",
    check: Callable[[ExternalAccount], None] = _anything,
) -> ExternalAccount:
    """Change an account; the state that results decides, not the fields that were sent.

    `check` may refuse the row as it is, by raising, before anything happens.

    Raises Fault(USER_NOT_FOUND), Fault(ACCOUNT_NOT_FOUND), Fault(ACCOUNT_SLOT_TAKEN), Fault(ACCOUNT_TWIN),
    Fault(ACCOUNT_SUBJECT_TAKEN), Fault(LAST_WAY_IN) where the policy keeps one, Fault(REQUEST_INVALID) for an account
    id without end.
    """
    rules.check_subject(changes.subject or "")
    policy = policy_of(project, dialect)
    given = {
        field: value
        for field in ("subject", "email", "allow_sign_in", "allow_connected_accounts")
        if (value := getattr(changes, field)) is not UNSET
    }

    how = await post_of(rt, project)

    async def work(tx: Tx) -> ExternalAccount:
        version = await users.lock(tx, project.id, user_id)
        view = await views.read(tx, project.id, user_id)
        if version is None or view is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        old = _own(view, account_id)
        check(old)
        new = msgspec.structs.replace(old, **given)
        if new == old:
            return old
        broken = rules.explain(new, await accounts.in_the_way(tx, project.id, new), policy)
        if broken is not None:
            raise Fault(broken, "a law of linking stands against it")
        if old.allow_sign_in and not new.allow_sign_in:
            _keep_a_way_in(policy, view, account_id)
        await accounts.update(tx, project.id, new, rules.slot(policy, new.id))
        deed = Deed(
            action="account.change",
            decision="changed",
            reason="by_server",
            actor=actor,
            dialect=dialect,
            account_id=account_id,
        )
        await record(tx, project.id, user_id, version, deed, rt.random)
        if new.allow_sign_in and (not old.allow_sign_in or new.subject != old.subject):
            await tell(tx, how, view, "account_linked", provider_name(new.provider))
        return new

    return await rt.db.write(work)


async def remove(
    rt: Runtime,
    project: Project,
    account_id: str,
    user_id: str | None = None,
    dialect: Dialect = "stack",
    actor: str = "backend",
) -> UserView:
    """Unlink an account, its tokens and the addresses that it alone proved; sessions lose it as a factor.

    Such an address is told of by mail, at all that were proved. The account's grants are noted to be handed back to the
    provider, where that takes them: one statement more.
    With `user_id` the account must be theirs. Raises Fault(USER_NOT_FOUND), Fault(ACCOUNT_NOT_FOUND), and
    Fault(LAST_WAY_IN) where the policy keeps one and it was the last.
    """
    owner = user_id or await accounts.owner(rt.db, project.id, account_id)
    if owner is None:
        raise Fault(FaultCode.ACCOUNT_NOT_FOUND, "no such account")
    policy = policy_of(project, dialect)
    how = await post_of(rt, project)

    async def work(tx: Tx) -> UserView:
        version = await users.lock(tx, project.id, owner)
        before = await views.read(tx, project.id, owner)
        if version is None or before is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        account = _own(before, account_id)
        if account.allow_sign_in:
            _keep_a_way_in(policy, before, account_id)
        if takes_grants_back(project, account.config_id):
            await revocations.note_account(tx, project.id, account_id, GRANTS_HANDED_BACK_FOR)
        await accounts.delete(tx, project.id, account_id)
        view = await _without_proof(tx, project.id, before, account_id)
        await tell_of_addresses(tx, how, before, view.emails)
        await _trim_sessions(tx, project.id, owner, account_id)
        last = account.allow_sign_in and not ways_in(view)
        deed = Deed(
            action="account.remove",
            decision="unlinked",
            reason="last_way_in_by_explicit_act" if last else "asked_for",
            actor=actor,
            dialect=dialect,
            account_id=account_id,
        )
        await record(tx, project.id, owner, version, deed, rt.random)
        return view

    return await rt.db.write(work)


def _own(view: UserView, account_id: str) -> ExternalAccount:
    for account in view.accounts:
        if account.id == account_id:
            return account
    raise Fault(FaultCode.ACCOUNT_NOT_FOUND, "this user has no such account")


def _keep_a_way_in(policy: Policy, view: UserView, account_id: str) -> None:
    if policy.keep_last_way_in and not ways_in(view, without_account=account_id):
        raise Fault(FaultCode.LAST_WAY_IN, "it is the last way in")


async def _without_proof(tx: Tx, project_id: str, view: UserView, account_id: str) -> UserView:
    """An address that the gone account alone proved is no longer verified, unless another account still proves it."""
    remaining = tuple(account for account in view.accounts if account.id != account_id)
    emails = []
    for email in view.emails:
        if email.verified_by == account_id:
            other = next((a for a in remaining if a.email_id == email.id and a.email_verified), None)
            shown = msgspec.structs.replace(
                email, verified_at=email.verified_at if other else 0, verified_by=other.id if other else ""
            )
            await users.update_email(tx, project_id, shown)
            emails.append(shown)
        else:
            emails.append(email)
    return msgspec.structs.replace(view, accounts=remaining, emails=tuple(emails))


async def _trim_sessions(tx: Tx, project_id: str, user_id: str, account_id: str) -> None:
    """Sessions that rested on the account alone end; others lose the factor."""
    for session in await sessions.of_user(tx, project_id, user_id, tx.now) or []:
        kept = tuple(factor for factor in session.factors if factor.account_id != account_id)
        if len(kept) == len(session.factors):
            continue
        if kept:
            await sessions.update(tx, project_id, msgspec.structs.replace(session, factors=kept))
        else:
            await sessions.delete_in(tx, project_id, session.id)
