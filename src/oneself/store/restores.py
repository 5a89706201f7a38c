"""The state of a database that was put back from a backup, and what a restore must take away from it."""

from oneself.model import Noun
from oneself.store.database import Reader, Tx

READ = "SELECT epoch, is_copy FROM restore_state WHERE id = 1"

SET = """
INSERT INTO restore_state (id, epoch, is_copy, restored_at) VALUES (1, $1, FALSE, $2)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, is_copy = FALSE, restored_at = excluded.restored_at"""

MARK_COPY = """
INSERT INTO restore_state (id, epoch, is_copy, restored_at) VALUES (1, 0, TRUE, 0)
ON CONFLICT (id) DO UPDATE SET is_copy = TRUE"""

VOID_FLOWS = "DELETE FROM flows"
VOID_CODES = "DELETE FROM one_time_codes"
VOID_LETTERS = "DELETE FROM outbox"
# Tokens that wait to be tried may have been tried since.
VOID_CANDIDATES = "DELETE FROM token_candidates"
END_SESSIONS = "DELETE FROM sessions"

# As if a refresh had been sent and its answer lost, for every grant that may have been refreshed since the backup, at
# its end or ahead of it, in the second half of its life: the next refresh asks the provider again where that does no
# harm, and else says that the grant is lost.
DOUBT = """
INSERT INTO refresh_journal (project_id, account_id, scopes, fence, state, at)
SELECT project_id, account_id, scopes, fence, 'sent', 0 FROM token_sets
WHERE has_refresh_token AND dead_at = 0
    AND (expires_at = 0 OR expires_at <= $1 OR $2 - obtained_at >= expires_at - $2)
ON CONFLICT DO NOTHING"""


class RestoreState(Noun, frozen=True, kw_only=True):
    """How often a database was restored, and whether it is a copy that nobody has restored yet."""

    epoch: int = 0
    is_copy: bool = False


class Voided(Noun, frozen=True, kw_only=True):
    """How much a restore took away, and how many grants it put in doubt."""

    flows: int
    codes: int
    letters: int
    candidates: int
    sessions: int
    doubtful_grants: int


async def read(reader: Reader) -> RestoreState:
    """The state as the database has it; one statement."""
    row = await reader.one(READ)
    return RestoreState() if row is None else RestoreState(epoch=row[0], is_copy=bool(row[1]))


async def begin_epoch(tx: Tx, epoch: int) -> None:
    """Say that this is the database of an epoch, and no copy."""
    await tx.run(SET, epoch, tx.now)


async def void(tx: Tx, *, fresh_until: int, end_sessions: bool) -> Voided:
    """Take away all that works once, and put grants in doubt whose access token lives no longer than `fresh_until`, or
    is past half of its life.
    """
    return Voided(
        flows=await tx.run(VOID_FLOWS),
        codes=await tx.run(VOID_CODES),
        letters=await tx.run(VOID_LETTERS),
        candidates=await tx.run(VOID_CANDIDATES),
        sessions=await tx.run(END_SESSIONS) if end_sessions else 0,
        doubtful_grants=await tx.run(DOUBT, fresh_until, tx.now),
    )
