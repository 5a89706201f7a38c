"""What an error of PostgreSQL or its driver means to a statement: again, gone, or a bug."""

import asyncio

import asyncpg

from oneself.faults import Fault, FaultCode
from oneself.store.database import StatementFailed
from oneself.store.retrying import Again, LockTimeout

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_COLLIDED = {
    "23505",  # unique_violation
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
}
_READ_ONLY = "25006"  # a primary that became a standby under us
_LOCK_TIMEOUT = "55P03"
_QUERY_CANCELED = "57014"  # statement_timeout, or an operator
_SERVER_GOES = {"57P01", "57P02", "57P03", "57P05", "25P03", _READ_ONLY}
_GROUND = {"53", "58"}  # insufficient resources; an error outside of PostgreSQL
_CONNECTION = "08"
_DATA = "22"  # its messages quote values; the driver's own complaints carry it too


class Lost(Exception):
    """The connection is of no use any more; whether its last statement took effect is unknown.

    `undone`: the server itself said that nothing was changed. `everywhere`: the server as a whole
    is in doubt, so its other connections are not worth a try. `late`: the time is used up.
    """

    def __init__(self, reason: str, *, undone: bool = False, everywhere: bool = False, late: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.undone = undone
        self.everywhere = everywhere
        self.late = late

    def nothing_done(self) -> Exception:
        """The error for a caller who had committed nothing: again, unless the time is used up."""
        if self.late:
            return Fault(FaultCode.DATABASE_UNAVAILABLE, detail=self.reason)
        return Again(self.reason, FaultCode.DATABASE_UNAVAILABLE)

    def maybe_done(self) -> Exception:
        """The error for a caller whose commit may have happened: nobody makes that again."""
        return self.nothing_done() if self.undone else outcome_unknown(self.reason)


def meaning(error: BaseException, *, closed: bool) -> Exception:
    """Translate what the driver raised; `closed` says whether the connection has gone.

    The texts name the error and the constraint, never the values that PostgreSQL puts in its
    DETAIL and the driver in its complaints about parameters.
    """
    if isinstance(error, asyncpg.PostgresError):
        return _server_error(error, closed=closed)
    name = type(error).__name__
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return Lost("no answer in time", everywhere=True, late=True)
    if closed or isinstance(error, OSError):
        return Lost(f"connection lost ({name})")
    if isinstance(error, asyncpg.DataError | ValueError | TypeError | OverflowError):
        return StatementFailed(f"a parameter does not fit: {name}")
    return StatementFailed(f"{name}: {error.args[0] if error.args else ''}")


def _server_error(error: "asyncpg.PostgresError", *, closed: bool) -> Exception:
    """Translate what the server answered, by its SQLSTATE."""
    state = str(error.sqlstate or "")
    if state.startswith(_DATA):
        return StatementFailed(f"{state} a value does not fit")
    constraint = getattr(error, "constraint_name", None)
    text = f"{state} {error.args[0] if error.args else ''}" + (f" [{constraint}]" if constraint else "")
    if closed or state in _SERVER_GOES or state.startswith(_CONNECTION):
        return Lost(text, undone=state == _READ_ONLY, everywhere=state == _READ_ONLY)
    if state in _COLLIDED or isinstance(error, asyncpg.InvalidCachedStatementError):
        return Again(text)
    if state == _LOCK_TIMEOUT:
        return LockTimeout(text)
    if state == _QUERY_CANCELED or state[:2] in _GROUND:
        return Fault(FaultCode.DATABASE_UNAVAILABLE, detail=text)
    return StatementFailed(text)


def outcome_unknown(reason: str) -> Fault:
    """The fault of a commit that may or may not have happened: nobody makes it again."""
    detail = f"the outcome of a commit is unknown: {reason}"
    return Fault(FaultCode.DATABASE_UNAVAILABLE, detail=detail)
