"""The audit, which is also the event log: one row per decision, committed with the change that it
tells of.
"""

from collections.abc import Iterable

from oneself.model import AuditEntry
from oneself.store.database import Reader, Tx, Value

INSERT = """
INSERT INTO audit (project_id, user_id, user_version, id, at, action, decision, reason, actor, dialect, account_id,
    flow_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""

OF_USER = """
SELECT user_id, user_version, id, at, action, decision, reason, actor, dialect, account_id, flow_id
FROM audit WHERE project_id = $1 AND user_id = $2 ORDER BY at DESC, user_version DESC, id LIMIT $3"""


async def insert(tx: Tx, project_id: str, entry: AuditEntry) -> None:
    """Write one entry."""
    await tx.run(INSERT, *_row(project_id, entry))


async def insert_all(tx: Tx, project_id: str, entries: Iterable[AuditEntry]) -> None:
    """Write entries."""
    await tx.many(INSERT, [_row(project_id, entry) for entry in entries])


def _row(project_id: str, entry: AuditEntry) -> tuple[Value, ...]:
    return (
        project_id,
        entry.user_id,
        entry.user_version,
        entry.id,
        entry.at,
        entry.action,
        entry.decision,
        entry.reason,
        entry.actor,
        entry.dialect,
        entry.account_id,
        entry.flow_id,
    )


async def of_user(reader: Reader, project_id: str, user_id: str, limit: int) -> list[AuditEntry]:
    """The newest entries of one user, newest first."""
    return [
        AuditEntry(
            user_id=row[0],
            user_version=row[1],
            id=row[2],
            at=row[3],
            action=row[4],
            decision=row[5],
            reason=row[6],
            actor=row[7],
            dialect=row[8],
            account_id=row[9],
            flow_id=row[10],
        )
        for row in await reader.all(OF_USER, project_id, user_id, limit)
    ]
