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
    entry = AuditEntry(
        id=new_uuid(random),
        user_id=user_id,
        user_version=user_version,
        at=tx.now,
        action=deed.action,
        decision=deed.decision,
        reason=deed.reason,
        actor=deed.actor,
        dialect=deed.dialect,
        account_id=deed.account_id,
        flow_id=deed.flow_id,
    )
    await audit.insert(tx, project_id, entry)
