"""What the audit keeps of one user: every decision with its reason."""

from oneself.actions.runtime import Runtime
from oneself.model import AuditEntry, Project
from oneself.store import audit


async def of_user(rt: Runtime, project: Project, user_id: str, limit: int) -> list[AuditEntry]:
    """The newest `limit` entries of one user, newest first; one statement."""
    return await audit.of_user(rt.db, project.id, user_id, limit)
