"""What PostgreSQL's planner knows of the tables that an import fills.

It gathers that by itself, about a minute after a table has grown, and keeps the plans of before until then: those of an
empty table read all of it for every row. (SQLite's is told once and for all by migration 0009.)
"""

from oneself.store.database import Database

GATHER = (
    "ANALYZE users",
    "ANALYZE emails",
    "ANALYZE phones",
    "ANALYZE external_accounts",
    "ANALYZE token_sets",
    "ANALYZE user_tombstones",
)


async def gather(db: Database) -> None:
    """Let the planner know how large the tables have become; nothing on SQLite.

    It is a sample of each, whatever the size. A role that does not own the tables is warned, and nothing happens.
    """
    if db.engine == "postgresql":
        for statement in GATHER:
            await db.change(statement)
