"""The linking law: whom an outside account belongs to, as one pure function that returns a named decision.

The table stands in the architecture and, completed, in docs/decisions.md; tests/rules/test_linking.py holds it row by
row. A dialect's difference is a value of `Policy`, never a branch on the dialect.
"""

from typing import Literal

from oneself.faults import FaultCode
from oneself.model import Asker, EmailAddress, ExternalAccount, Intent, Noun, Policy, Profile, UserView


class Facts(Noun, frozen=True, kw_only=True):
    """Everything that the decision rests on.

    `views` are the users concerned: whoever holds the subject, whoever claims the address, whoever asked. `folded`
    is the folded address of the profile, empty where there is none usable. `allow_sign_in` and
    `allow_connected_accounts` are the provider's flags in the project. `only_account` is the asker's account that a
    trip for more consent is for; empty for any other trip.
    """

    intent: Intent
    config_id: str
    profile: Profile
    folded: str
    views: dict[str, UserView]
    asker: Asker | None
    allow_sign_in: bool
    allow_connected_accounts: bool
    only_account: str = ""


class SignIn(Noun, frozen=True, kw_only=True, tag=True):
    """The account belongs to this user already."""

    user_id: str
    account_id: str
    reason: str


class Link(Noun, frozen=True, kw_only=True, tag=True):
    """Give the account to this user; `account_id` names the row to change where there is one already."""

    user_id: str
    account_id: str
    sign_in: bool
    reason: str


class Create(Noun, frozen=True, kw_only=True, tag=True):
    """Make a new user, or turn the anonymous user `upgrade` into one.

    `email` says whether the address is kept, `claims` whether it counts for sign-in. `take_from` is the address row
    of somebody who never proved it, which moves here.
    """

    email: bool
    claims: bool
    upgrade: str
    take_from: str
    reason: str


class Reclaim(Noun, frozen=True, kw_only=True, tag=True):
    """The proven owner of the mailbox takes over a user that nobody ever proved to be: link, drop what was there."""

    user_id: str
    email_id: str
    reason: str


class Refuse(Noun, frozen=True, kw_only=True, tag=True):
    """Nothing changes; `code` says why."""

    code: FaultCode
    reason: str


Decision = SignIn | Link | Create | Reclaim | Refuse


def decide(facts: Facts, policy: Policy) -> Decision:
    """Whom the account belongs to. Pure: the same facts give the same decision."""
    return _attach(facts, policy) if facts.intent == "attach" else _sign_in(facts, policy)


def _attach(facts: Facts, policy: Policy) -> Decision:
    asker = facts.asker
    view = facts.views.get(asker.user_id) if asker else None
    if asker is None or view is None or view.user.status == "disabled":
        return Refuse(code=FaultCode.USER_UNAVAILABLE, reason="asking_user_gone")
    if view.user.security_epoch != asker.security_epoch:
        return Refuse(code=FaultCode.ASKER_GONE, reason="epoch_moved")
    if facts.only_account:
        return _same_account(facts, view)
    holder = sign_in_holder(facts)
    if holder and holder.user_id == view.user.id:
        return SignIn(user_id=view.user.id, account_id=holder.id, reason="already_linked")
    if holder:
        return Refuse(code=FaultCode.ACCOUNT_IN_USE, reason="account_of_another_user")
    return _link(facts, policy, view, "attached")


def _same_account(facts: Facts, view: UserView) -> Decision:
    """More consent changes whose an account is for nobody: the very account comes back, or nothing happens."""
    profile = facts.profile
    for account in view.accounts:
        same = account.issuer == profile.issuer and account.subject in (profile.subject, profile.legacy_subject)
        if account.id == facts.only_account and same:
            return SignIn(user_id=view.user.id, account_id=account.id, reason="consented_again")
    return Refuse(code=FaultCode.ACCOUNT_OTHER, reason="another_account_came_back")


def _sign_in(facts: Facts, policy: Policy) -> Decision:
    if not facts.allow_sign_in:
        return Refuse(code=FaultCode.PROVIDER_NOT_ENABLED, reason="provider_not_for_sign_in")
    holder = sign_in_holder(facts)
    if holder:
        if facts.views[holder.user_id].user.status == "disabled":
            return Refuse(code=FaultCode.USER_UNAVAILABLE, reason="user_disabled")
        return SignIn(user_id=holder.user_id, account_id=holder.id, reason="known_account")
    claimed = email_claim(facts)
    if claimed is None:
        return _create(facts, policy, claims=True, take_from="", reason="new_account")
    return _claimed(facts, policy, facts.views[claimed.user_id], claimed)


def _claimed(facts: Facts, policy: Policy, owner: UserView, claimed: EmailAddress) -> Decision:
    if policy.email_match == "refuse":
        return Refuse(code=FaultCode.EMAIL_IN_USE, reason="address_of_another_user")
    if policy.email_match == "duplicate":
        return _create(facts, policy, claims=False, take_from="", reason="duplicate_allowed")
    verified = facts.profile.email_verified
    if not verified and policy.unverified_email == "create":
        return _create(facts, policy, claims=False, take_from="", reason="address_not_vouched_for")
    if not claimed.verified_at:
        if policy.unverified_owner == "refuse":
            return Refuse(code=FaultCode.EMAIL_OWNER_UNVERIFIED, reason="owner_never_proved_address")
        return _from_unproven(facts, policy, owner, claimed)
    if not verified:
        return Refuse(code=FaultCode.EMAIL_UNVERIFIED, reason="address_not_vouched_for")
    if owner.user.status == "disabled":
        return Refuse(code=FaultCode.USER_UNAVAILABLE, reason="user_disabled")
    return _link(facts, policy, owner, "verified_address")


def _from_unproven(facts: Facts, policy: Policy, owner: UserView, claimed: EmailAddress) -> Decision:
    if owner.user.status == "disabled":
        return Refuse(code=FaultCode.USER_UNAVAILABLE, reason="user_disabled")
    if has_proven_factor(owner):
        return _create(facts, policy, claims=True, take_from=claimed.id, reason="address_proved_by_newcomer")
    return Reclaim(user_id=owner.user.id, email_id=claimed.id, reason="address_proved_by_provider")


def _create(facts: Facts, policy: Policy, *, claims: bool, take_from: str, reason: str) -> Decision:
    if not policy.sign_up:
        return Refuse(code=FaultCode.SIGN_UP_CLOSED, reason="sign_up_closed")
    asker = facts.views.get(facts.asker.user_id) if facts.asker else None
    upgrade = asker.user.id if asker and asker.user.is_anonymous else ""
    if upgrade and facts.asker and asker and asker.user.security_epoch != facts.asker.security_epoch:
        return Refuse(code=FaultCode.ASKER_GONE, reason="epoch_moved")
    vouched = facts.profile.email_verified or policy.keep_unverified_email
    keep = bool(facts.folded) and vouched and (claims or policy.email_match == "duplicate")
    return Create(
        email=keep,
        claims=keep and claims,
        upgrade=upgrade,
        take_from=take_from,
        reason="anonymous_upgraded" if upgrade else reason,
    )


def _link(facts: Facts, policy: Policy, view: UserView, reason: str) -> Decision:
    own = [account for account in view.accounts if account.config_id == facts.config_id]
    same = next((account for account in own if _is_subject(account, facts.profile)), None)
    taken = policy.one_sign_in_account_per_provider and any(
        account.allow_sign_in and account is not same for account in own
    )
    return Link(
        user_id=view.user.id,
        account_id=same.id if same else "",
        sign_in=facts.allow_sign_in and not taken,
        reason=f"{reason}_slot_taken" if taken else reason,
    )


def sign_in_holder(facts: Facts) -> ExternalAccount | None:
    """The row that may sign in with this subject; one of the provider's present id goes before one of an older id."""
    rows = [
        account
        for view in facts.views.values()
        for account in view.accounts
        if account.allow_sign_in and account.config_id == facts.config_id and _is_subject(account, facts.profile)
    ]
    return next((row for row in rows if row.subject == facts.profile.subject), rows[0] if rows else None)


def email_claim(facts: Facts) -> EmailAddress | None:
    """The address row that claims the profile's address for sign-in."""
    if not facts.folded:
        return None
    return next(
        (
            email
            for view in facts.views.values()
            for email in view.emails
            if email.claims_sign_in and email.folded == facts.folded
        ),
        None,
    )


def has_proven_factor(view: UserView) -> bool:
    """Whether anybody ever proved to be this user: a verified address or number, or an account that signs in."""
    return (
        any(email.verified_at for email in view.emails)
        or any(phone.verified_at for phone in view.phones)
        or any(account.allow_sign_in for account in view.accounts)
    )


def _is_subject(account: ExternalAccount, profile: Profile) -> bool:
    subjects = (profile.subject, profile.legacy_subject) if profile.legacy_subject else (profile.subject,)
    return account.issuer == profile.issuer and account.subject in subjects


WaysIn = Literal["account", "password", "email", "phone"]


def ways_in(view: UserView, without_account: str = "", without_email: str = "", without_phone: str = "") -> set[WaysIn]:
    """The ways in which a user could still sign in when the named rows were gone.

    An address is one, proved or not: whoever owns the mailbox comes in through any provider that vouches for it.
    """
    ways: set[WaysIn] = set()
    if any(account.allow_sign_in and account.id != without_account for account in view.accounts):
        ways.add("account")
    if any(email.claims_sign_in and email.id != without_email for email in view.emails):
        ways.add("email")
    if any(phone.verified_at and phone.id != without_phone for phone in view.phones):
        ways.add("phone")
    if view.user.password_hash and any(email.claims_sign_in and email.id != without_email for email in view.emails):
        ways.add("password")
    return ways
