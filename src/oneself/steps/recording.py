"""Write the audit row of a decision, in the transaction that carries it out."""

from collections.abc import Callable

from oneself.crypto.ids import new_uuid
from oneself.model import AuditEntry, Noun
from oneself.store import audit
from oneself.store.database import Tx


class Deed(Noun, frozen=True, kw_only=True):
    """What happened and why, without when and under which version."""

    action: str
    decision: str
    reason: str
    actor: str
    dialect: str
    account_id: str = ""
    flow_id: str = ""


async def record(
    tx: Tx, project_id: str, user_id: str, user_version: int, deed: Deed, random: Callable[[int], bytes]
) -> None:
    """Write one audit row; a refusal that concerns no user has an empty user id and version 0."""
    await audit.insert(tx, project_id, entry_of(user_id, user_version, deed, tx.now, new_uuid(random)))


def entry_of(user_id: str, user_version: int, deed: Deed, at: int, entry_id: str) -> AuditEntry:
    """The audit row of a deed, at that moment (microseconds)."""
    return AuditEntry(
        id=entry_id,
        user_id=user_id,
        user_version=user_version,
        at=at,
        action=deed.action,
        decision=deed.decision,
        reason=deed.reason,
        actor=deed.actor,
        dialect=deed.dialect,
        account_id=deed.account_id,
        flow_id=deed.flow_id,
    )
