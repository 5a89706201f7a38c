"""Users: make, read, change and delete them, and take single addresses and numbers away."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from oneself.actions.runtime import Runtime, account_issuer, credentials_of, post_of, takes_grants_back
from oneself.crypto.ids import new_uuid
from oneself.faults import Fault, FaultCode
from oneself.model import Dialect, EmailAddress, ExternalAccount, Noun, PhoneNumber, Project, User, UserView
from oneself.rules import accounts as account_rules
from oneself.rules.addresses import fold_email, is_phone_number
from oneself.rules.lifetimes import GRANTS_HANDED_BACK_FOR
from oneself.rules.linking import ways_in
from oneself.rules.policies import policy_of
from oneself.steps import second_factor
from oneself.steps.mailing import tell, tell_of_addresses
from oneself.steps.people import check_external_id, new_email, new_user
from oneself.steps.recording import Deed, record
from oneself.steps.second_factor import Door
from oneself.steps.teams import with_personal_team
from oneself.store import accounts, revocations, sessions, users, views
from oneself.store.database import Tx


class NewLinkedAccount(Noun, frozen=True, kw_only=True):
    """An account that a new user brings along, on the server's word."""

    config_id: str
    subject: str
    email: str = ""


class NewUser(Noun, frozen=True, kw_only=True):
    """A user to make. `email_verified` is the server's own word; `password_hash` is ready to store."""

    email: str = ""
    email_verified: bool = False
    email_claims_sign_in: bool = True
    phone: str = ""
    pending: bool = False
    is_anonymous: bool = False
    display_name: str = ""
    first_name: str = ""
    middle_name: str = ""
    last_name: str = ""
    picture_url: str = ""
    external_id: str = ""
    client_metadata: dict[str, Any] | None = None
    client_read_only_metadata: dict[str, Any] | None = None
    server_metadata: dict[str, Any] | None = None
    password_hash: str = ""
    # for time-based one-time passwords, in clear until it is sealed here
    totp_secret: bytes = b""
    extras: dict[str, Any] = msgspec.field(default_factory=dict)
    accounts: tuple[NewLinkedAccount, ...] = ()


class UserChanges(Noun, frozen=True, kw_only=True):
    """What to change of a user; what is unset stays. Metadata are given whole, merged by the face that merges."""

    status: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    first_name: str | UnsetType = UNSET
    middle_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    picture_url: str | UnsetType = UNSET
    external_id: str | UnsetType = UNSET
    client_metadata: dict[str, Any] | UnsetType | None = UNSET
    client_read_only_metadata: dict[str, Any] | UnsetType | None = UNSET
    server_metadata: dict[str, Any] | UnsetType | None = UNSET
    password_hash: str | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET
    # another secret for time-based one-time passwords; an empty one takes the second factor away
    totp_secret: bytes | UnsetType = UNSET
    is_anonymous: bool | UnsetType = UNSET
    # a changed password ends all sessions but this one
    keep_session_id: str = ""
    # the primary address: an empty text removes it
    primary_email: str | UnsetType = UNSET
    primary_email_verified: bool | UnsetType = UNSET
    primary_email_claims_sign_in: bool | UnsetType = UNSET


async def create(
    rt: Runtime, project: Project, wanted: NewUser, dialect: Dialect = "stytch", actor: str = "backend"
) -> UserView:
    """Make a user with what belongs to it, in one transaction.

    Raises Fault(EMAIL_INVALID), Fault(EMAIL_IN_USE), Fault(PHONE_INVALID), Fault(PHONE_IN_USE),
    Fault(EXTERNAL_ID_INVALID), Fault(EXTERNAL_ID_IN_USE), Fault(PROVIDER_NOT_CONFIGURED), Fault(ACCOUNT_SLOT_TAKEN),
    Fault(ACCOUNT_TWIN), Fault(ACCOUNT_SUBJECT_TAKEN), Fault(REQUEST_INVALID) for an account id without end.
    """
    folded = _folded(wanted.email)
    if wanted.phone and not is_phone_number(wanted.phone):
        raise Fault(FaultCode.PHONE_INVALID, "not in E.164")
    check_external_id(wanted.external_id)
    for account in wanted.accounts:
        account_rules.check_subject(account.subject)
    door = Door(project.id, await rt.projects.data_key(project.id), rt.random)
    linked = [(credentials_of(project, account.config_id), account) for account in wanted.accounts]

    async def work(tx: Tx) -> UserView:
        await _check_free(tx, project.id, wanted, folded)
        user = _user_of(rt, wanted, tx.now)
        if wanted.totp_secret:
            user = second_factor.with_secret(door, user, wanted.totp_secret)
        await users.insert(tx, project.id, user)
        view = UserView(user=user)
        if folded:
            verified_by = "backend" if wanted.email_verified else ""
            claims = wanted.email_claims_sign_in
            email = new_email(
                rt.random, tx.now, user.id, wanted.email.strip(), folded, verified_by=verified_by, claims_sign_in=claims
            )
            await users.insert_email(tx, project.id, email)
            view = msgspec.structs.replace(view, emails=(email,))
        if wanted.phone:
            phone = PhoneNumber(id=new_uuid(rt.random), user_id=user.id, number=wanted.phone, verified_at=0)
            await users.insert_phone(tx, project.id, phone)
            view = msgspec.structs.replace(view, phones=(phone,))
        for credentials, account in linked:
            new = _linked_account(rt, user.id, account, credentials.provider, account_issuer(credentials), tx.now)
            view = msgspec.structs.replace(view, accounts=(*view.accounts, new))
            await _link(tx, project, new, dialect)
        view = await with_personal_team(tx, project, view, rt.random)
        deed = Deed(action="user.create", decision="created", reason="asked_for", actor=actor, dialect=dialect)
        await record(tx, project.id, user.id, user.version, deed, rt.random)
        return view

    return await rt.db.write(work)


async def read(rt: Runtime, project: Project, user_id: str) -> UserView:
    """A user with all that belongs to it; one statement. Raises Fault(USER_NOT_FOUND)."""
    view = await views.read(rt.db, project.id, user_id)
    if view is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return view


async def read_with_team(rt: Runtime, project: Project, user_id: str) -> UserView:
    """The same with the team that the user has selected; one statement. Raises Fault(USER_NOT_FOUND)."""
    view = await views.read_with_team(rt.db, project.id, user_id)
    if view is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return view


async def id_of_external_id(rt: Runtime, project: Project, external_id: str) -> str:
    """Our id of the user whom the project calls `external_id`; one statement. Raises Fault(USER_NOT_FOUND)."""
    user_id = await users.id_by_external_id(rt.db, project.id, external_id) if external_id else None
    if user_id is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "nobody is called so")
    return user_id


async def change(
    rt: Runtime,
    project: Project,
    user_id: str,
    changes: UserChanges | Callable[[UserView], UserChanges],
    dialect: Dialect = "stytch",
    actor: str = "backend",
) -> UserView:
    """Change a user; `changes` may be a function of the user as it is now (merging metadata, say).

    A new password, an address that may sign in or is gone, and a second factor that is gone or is another one are told
    of by mail: one statement more for each address that the user had proved before.

    Raises Fault(USER_NOT_FOUND), Fault(EXTERNAL_ID_INVALID), Fault(EXTERNAL_ID_IN_USE), Fault(EMAIL_INVALID),
    Fault(EMAIL_IN_USE), and what the function raises.
    """
    how = await post_of(rt, project)
    door = Door(project.id, await rt.projects.data_key(project.id), rt.random)

    async def work(tx: Tx) -> UserView:
        version = await users.lock(tx, project.id, user_id)
        view = await views.read(tx, project.id, user_id)
        if version is None or view is None:
            raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
        wanted = changes if isinstance(changes, UserChanges) else changes(view)
        user = await _changed(tx, rt, project.id, view.user, wanted)
        if wanted.totp_secret is not UNSET:
            user = second_factor.with_secret(door, user, wanted.totp_secret)
        if user != view.user:
            await users.update(tx, project.id, user)
        if user.password_id != view.user.password_id:
            await sessions.delete_others(tx, project.id, user_id, wanted.keep_session_id)
            if user.password_hash:
                await tell(tx, how, view, "password_changed")
        lost = second_factor.notice(view.user, user)
        if lost:
            await tell(tx, how, view, lost)
        emails = await _changed_emails(tx, rt, project.id, view, wanted)
        await tell_of_addresses(tx, how, view, emails)
        deed = Deed(action="user.change", decision="changed", reason="asked_for", actor=actor, dialect=dialect)
        await record(tx, project.id, user_id, version, deed, rt.random)
        return msgspec.structs.replace(view, user=user, emails=emails)

    return await rt.db.write(work)


async def delete(
    rt: Runtime, project: Project, user_id: str, dialect: Dialect = "stytch", actor: str = "backend"
) -> None:
    """Delete a user with all that belongs to it; a tombstone keeps the id from coming back.

    Its accounts' grants are noted to be handed back to their providers, where those take them: one statement more.
    Raises Fault(USER_NOT_FOUND).
    """

    async def work(tx: Tx) -> bool:
        if takes_grants_back(project):
            await revocations.note_user(tx, project.id, user_id, GRANTS_HANDED_BACK_FOR)
        version = await users.delete(tx, project.id, user_id)
        if version is None:
            return False
        deed = Deed(action="user.delete", decision="deleted", reason="asked_for", actor=actor, dialect=dialect)
        await record(tx, project.id, user_id, version + 1, deed, rt.random)
        return True

    if not await rt.db.write(work):
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")


async def remove_email(
    rt: Runtime, project: Project, email_id: str, dialect: Dialect = "stytch", actor: str = "backend"
) -> UserView:
    """Take an address away; one that was proved is told of by mail, at all that were.

    Raises Fault(EMAIL_NOT_FOUND), Fault(LAST_WAY_IN) where the policy keeps one.
    """
    owner = await users.email_owner(rt.db, project.id, email_id)
    if owner is None:
        raise Fault(FaultCode.EMAIL_NOT_FOUND, "no such address")
    how = await post_of(rt, project)

    async def work(tx: Tx) -> UserView:
        version, view = await _locked(tx, project, owner)
        gone = next((email for email in view.emails if email.id == email_id), None)
        if gone is None:
            raise Fault(FaultCode.EMAIL_NOT_FOUND, "no such address")
        if policy_of(project, dialect).keep_last_way_in and not ways_in(view, without_email=email_id):
            raise Fault(FaultCode.LAST_WAY_IN, "it is the last way in")
        await users.delete_email(tx, project.id, email_id)
        kept = tuple(email for email in view.emails if email.id != email_id)
        if gone.is_primary and kept:
            first = msgspec.structs.replace(kept[0], is_primary=True)
            await users.update_email(tx, project.id, first)
            kept = (first, *kept[1:])
        await tell_of_addresses(tx, how, view, kept)
        deed = Deed(action="email.remove", decision="removed", reason="asked_for", actor=actor, dialect=dialect)
        await record(tx, project.id, owner, version, deed, rt.random)
        return msgspec.structs.replace(view, emails=kept)

    return await rt.db.write(work)


async def remove_phone(
    rt: Runtime, project: Project, phone_id: str, dialect: Dialect = "stytch", actor: str = "backend"
) -> UserView:
    """Take a number away. Raises Fault(PHONE_NOT_FOUND), Fault(LAST_WAY_IN) where the policy keeps one."""
    owner = await users.phone_owner(rt.db, project.id, phone_id)
    if owner is None:
        raise Fault(FaultCode.PHONE_NOT_FOUND, "no such number")

    async def work(tx: Tx) -> UserView:
        version, view = await _locked(tx, project, owner)
        had = bool(ways_in(view))
        if policy_of(project, dialect).keep_last_way_in and had and not ways_in(view, without_phone=phone_id):
            raise Fault(FaultCode.LAST_WAY_IN, "it is the last way in")
        await users.delete_phone(tx, project.id, phone_id)
        deed = Deed(action="phone.remove", decision="removed", reason="asked_for", actor=actor, dialect=dialect)
        await record(tx, project.id, owner, version, deed, rt.random)
        return msgspec.structs.replace(view, phones=tuple(p for p in view.phones if p.id != phone_id))

    return await rt.db.write(work)


async def _locked(tx: Tx, project: Project, user_id: str) -> tuple[int, UserView]:
    version = await users.lock(tx, project.id, user_id)
    view = await views.read(tx, project.id, user_id)
    if version is None or view is None:
        raise Fault(FaultCode.USER_NOT_FOUND, "no such user")
    return version, view


def _folded(address: str) -> str:
    if not address:
        return ""
    folded = fold_email(address)
    if folded is None:
        raise Fault(FaultCode.EMAIL_INVALID, "not an address")
    return folded


async def _check_free(tx: Tx, project_id: str, wanted: NewUser, folded: str) -> None:
    if folded and wanted.email_claims_sign_in:
        owner = await users.sign_in_owner(tx, project_id, folded)
        if owner:
            raise Fault(FaultCode.EMAIL_IN_USE, "somebody signs in with it", email=wanted.email)
    if wanted.phone and await users.phone_by_number(tx, project_id, wanted.phone):
        raise Fault(FaultCode.PHONE_IN_USE, "somebody has it")
    if wanted.external_id and await users.id_by_external_id(tx, project_id, wanted.external_id):
        raise Fault(FaultCode.EXTERNAL_ID_IN_USE, "somebody is called so")


def _user_of(rt: Runtime, wanted: NewUser, now: int) -> User:
    return new_user(
        rt.random,
        now,
        status="pending" if wanted.pending else "active",
        is_anonymous=wanted.is_anonymous,
        display_name=wanted.display_name,
        first_name=wanted.first_name,
        middle_name=wanted.middle_name,
        last_name=wanted.last_name,
        picture_url=wanted.picture_url,
        external_id=wanted.external_id,
        client_metadata=wanted.client_metadata,
        client_read_only_metadata=wanted.client_read_only_metadata,
        server_metadata=wanted.server_metadata,
        password_hash=wanted.password_hash,
        password_id=new_uuid(rt.random) if wanted.password_hash else "",
        extras=wanted.extras,
    )


def _linked_account(
    rt: Runtime, user_id: str, account: NewLinkedAccount, provider: str, issuer: str, now: int
) -> ExternalAccount:
    return ExternalAccount(
        id=new_uuid(rt.random),
        user_id=user_id,
        config_id=account.config_id,
        provider=provider,
        issuer=issuer,
        subject=account.subject,
        allow_sign_in=True,
        allow_connected_accounts=True,
        email=account.email,
        email_verified=False,
        email_id="",
        picture_url="",
        locale="",
        created_at=now,
    )


async def _link(tx: Tx, project: Project, account: ExternalAccount, dialect: Dialect) -> None:
    policy = policy_of(project, dialect)
    broken = account_rules.explain(account, await accounts.in_the_way(tx, project.id, account), policy)
    if broken is not None:
        raise Fault(broken, "a law of linking stands against it")
    if not await accounts.insert(tx, project.id, account, account_rules.slot(policy, account.id)):
        raise Fault(FaultCode.DATABASE_CONTENDED, "another request linked it this moment")


async def _changed(tx: Tx, rt: Runtime, project_id: str, user: User, wanted: UserChanges) -> User:
    fields = {name: value for name in User.__struct_fields__ if (value := getattr(wanted, name, UNSET)) is not UNSET}
    external_id = fields.get("external_id")
    if external_id and external_id != user.external_id:
        check_external_id(external_id)
        if await users.id_by_external_id(tx, project_id, external_id):
            raise Fault(FaultCode.EXTERNAL_ID_IN_USE, "somebody is called so")
    if "password_hash" in fields and fields["password_hash"] != user.password_hash:
        # A changed password outdates every request that was begun before.
        fields["security_epoch"] = user.security_epoch + 1
        fields["password_id"] = new_uuid(rt.random) if fields["password_hash"] else ""
    return msgspec.structs.replace(user, **fields)


async def _changed_emails(
    tx: Tx, rt: Runtime, project_id: str, view: UserView, wanted: UserChanges
) -> tuple[EmailAddress, ...]:
    """The addresses after a change of the primary one: its text, its proof, whether it claims sign-in."""
    old = view.primary_email
    emails = view.emails
    if wanted.primary_email is not UNSET and (old is None or wanted.primary_email != old.address):
        emails, old = await _replaced_primary(tx, rt, project_id, view, wanted)
    if old is None:
        return emails
    new = old
    if wanted.primary_email_verified is not UNSET and bool(old.verified_at) != wanted.primary_email_verified:
        verified = wanted.primary_email_verified
        new = msgspec.structs.replace(new, verified_at=tx.now if verified else 0, verified_by="backend" * verified)
    if wanted.primary_email_claims_sign_in is not UNSET:
        new = msgspec.structs.replace(new, claims_sign_in=wanted.primary_email_claims_sign_in)
    if new.claims_sign_in and not old.claims_sign_in and await users.sign_in_owner(tx, project_id, new.folded):
        raise Fault(FaultCode.EMAIL_IN_USE, "somebody signs in with it", email=new.address)
    if new != old:
        await users.update_email(tx, project_id, new)
    return tuple(new if email.id == new.id else email for email in emails)


async def _replaced_primary(
    tx: Tx, rt: Runtime, project_id: str, view: UserView, wanted: UserChanges
) -> tuple[tuple[EmailAddress, ...], EmailAddress | None]:
    """Another primary address: one that the user has already, a new one, or none (an empty text)."""
    old = view.primary_email
    address = "" if wanted.primary_email is UNSET else wanted.primary_email
    folded = _folded(address)
    claims = old.claims_sign_in if old else False
    kept = tuple(email for email in view.emails if email is not old)
    if old is not None:
        await users.delete_email(tx, project_id, old.id)
    if not folded:
        return kept, None
    known = next((email for email in kept if email.folded == folded), None)
    if known is not None:
        raised = msgspec.structs.replace(known, is_primary=True)
        await users.update_email(tx, project_id, raised)
        return tuple(raised if email is known else email for email in kept), raised
    if claims:
        owner = await users.sign_in_owner(tx, project_id, folded)
        if owner and owner[0] != view.user.id:
            raise Fault(FaultCode.EMAIL_IN_USE, "somebody signs in with it", email=address)
    email = new_email(rt.random, tx.now, view.user.id, address.strip(), folded, claims_sign_in=claims)
    await users.insert_email(tx, project_id, email)
    return (*kept, email), email
