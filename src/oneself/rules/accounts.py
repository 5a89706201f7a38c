"""Which law of uniqueness a new or changed external account breaks, and what an account's sign-in slot is."""

from collections.abc import Iterable

from oneself.faults import Fault, FaultCode
from oneself.model import ExternalAccount, Policy

# As long as we take one from a provider (an index of PostgreSQL bears 2.7 kB a row).
MAX_SUBJECT = 255


def check_subject(subject: str) -> None:
    """Check an account id that somebody else than its provider gives. Raises Fault(REQUEST_INVALID)."""
    if len(subject) > MAX_SUBJECT:
        raise Fault(FaultCode.REQUEST_INVALID, "longer than any provider's account id")


def slot(policy: Policy, account_id: str) -> str:
    """The value that makes "one sign-in account per user and provider" a unique index, or lifts it."""
    return "" if policy.one_sign_in_account_per_provider else account_id


def explain(wanted: ExternalAccount, others: Iterable[ExternalAccount], policy: Policy) -> FaultCode | None:
    """Name the first law that `wanted` breaks against the other rows (itself left out), in the contract's order."""
    rows = [row for row in others if row.id != wanted.id and row.config_id == wanted.config_id]
    mine = [row for row in rows if row.user_id == wanted.user_id]
    if wanted.allow_sign_in and policy.one_sign_in_account_per_provider and any(row.allow_sign_in for row in mine):
        return FaultCode.ACCOUNT_SLOT_TAKEN
    if any(_same(row, wanted) for row in mine):
        return FaultCode.ACCOUNT_TWIN
    if wanted.allow_sign_in and any(row.allow_sign_in and _same(row, wanted) for row in rows):
        return FaultCode.ACCOUNT_SUBJECT_TAKEN
    return None


def _same(left: ExternalAccount, right: ExternalAccount) -> bool:
    return left.issuer == right.issuer and left.subject == right.subject
