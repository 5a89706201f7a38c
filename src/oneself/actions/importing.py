"""Import users out of a file: each row whole or not at all, many in one transaction, beside a server that goes on."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from oneself.actions.runtime import Runtime, account_issuer
from oneself.faults import Fault, FaultCode, RowRefused
from oneself.model import (
    ImportReport,
    Noun,
    Project,
    ProviderCredentials,
    RefusedRow,
    TransferFormat,
    UserRecord,
)
from oneself.providers import registry
from oneself.rules.policies import policy_of
from oneself.steps import importing
from oneself.steps.arriving import Resolve, arrival_of
from oneself.steps.importing import Arrival, Importing, Taken
from oneself.steps.importing_many import Key, create, keys_of, newcomer, seen
from oneself.store import statistics
from oneself.store.database import StatementFailed, Tx

T = TypeVar("T")

# A row of the file: the line where it begins, what it says or why it cannot be read, and how many bytes it took there.
Row = tuple[int, UserRecord | RowRefused, int]

# So many rows are taken at once: what has to be asked and committed is asked and committed once for all of them.
AT_ONCE = 256
# Of large rows fewer: so many bytes of the file, and one row more.
_LARGE = 1_048_576
# Rows that meet something here are looked at one by one, so many of them in a transaction.
_FEW = 16
# Of so many refused rows the report tells.
TOLD = 1_000
# A serving process shares SQLite's one writer, and asks for it again and again in pauses of 25 ms at first: so long at
# least nobody here writes after each batch, and a fifth of the time in all.
_REST, _SHORTEST_REST_SECONDS = 0.25, 0.025
_TRIES = 5
# The planner is told whenever there are so many times more users than when it was told last.
_GROWN = 4


class ImportWish(Noun, frozen=True, kw_only=True):
    """How to import. `leave_out` are providers, by the file's name of them, whose accounts are not taken."""

    source: TransferFormat
    dry_run: bool = False
    tokens: bool = True
    leave_out: frozenset[str] = frozenset()


class _DryRun(Exception):
    """Undoes what a dry run wrote, and carries what would have become of the rows."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found


@dataclass(slots=True)
class _Import:
    """One import under way: what it goes by, and what has become of the rows so far."""

    rt: Runtime
    how: Importing
    wish: ImportWish
    resolve: Resolve
    refused_rows: list[RefusedRow] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    hashes: Counter[str] = field(default_factory=Counter)
    not_taken: Counter[str] = field(default_factory=Counter)
    # how many users had come in when the planner was told last; before that, so few that it need not be told
    known: int = AT_ONCE
    # in a dry run nothing stays, so what rows would have claimed is remembered here: a hash of key and of owner
    claims: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Candidate:
    """A row that can be read, and its outcome once it has one."""

    line: int
    arrival: Arrival
    keys: list[Key]
    outcome: Taken | RowRefused | None = None


async def run(
    rt: Runtime,
    project: Project,
    rows: Iterable[Row],
    wish: ImportWish,
    refused: Callable[[RefusedRow], None] = lambda _: None,
) -> ImportReport:
    """Import all rows; `refused` hears of each one that is not taken, in the order of the file.

    A row is taken whole or not at all, and running the same file again changes nothing that is there. Raises
    Fault(DATABASE_UNAVAILABLE) or Fault(DATABASE_CONTENDED) where the database does not go along: what was taken until
    then stays, and another run goes on.
    """
    dialect = wish.source if wish.source != "csv" else ""
    how = Importing(
        project=project,
        key=await rt.projects.data_key(project.id),
        policy=policy_of(project, dialect or "stytch"),
        dialect=dialect,
        source=wish.source,
        random=rt.random,
    )
    job = _Import(rt, how, wish, _resolver(project))
    rest_until = 0.0
    for some in _batches(rows):
        read = [_read(job, line, said) for line, said, _ in some]
        if rt.db.engine == "sqlite":
            await asyncio.sleep(max(rest_until - time.monotonic(), 0.0))
        began = time.monotonic()
        await _in_rounds(job, [one for one in read if isinstance(one, _Candidate)])
        for one in read:
            _note(job, one, refused)
        if not wish.dry_run and job.counts["created"] >= job.known * _GROWN:
            job.known = job.counts["created"]
            with contextlib.suppress(Fault, StatementFailed):  # plans may get worse by that, and nothing else
                await statistics.gather(rt.db)
        ended = time.monotonic()
        rest_until = ended + max((ended - began) * _REST, _SHORTEST_REST_SECONDS)
    return _report(job)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in lists that are neither long nor large."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row[2]
        if len(batch) >= AT_ONCE or size >= _LARGE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(job: _Import, line: int, said: UserRecord | RowRefused) -> _Candidate | RefusedRow:
    if isinstance(said, RowRefused):
        return _told(line, said)
    try:
        arrival = _arrival(job, said)
    except RowRefused as refusal:
        return _told(line, refusal)
    return _Candidate(line, arrival, keys_of(arrival))


async def _in_rounds(job: _Import, rows: list[_Candidate]) -> None:
    """Find an outcome for all: a row that shares a key with an earlier one waits for the next round, so that the
    earlier one wins.
    """
    while rows:
        claimed: set[Key] = set()
        now: list[_Candidate] = []
        later: list[_Candidate] = []
        for one in rows:
            (now if claimed.isdisjoint(one.keys) else later).append(one)
            claimed.update(one.keys)
        await _round(job, now)
        rows = later


async def _round(job: _Import, rows: Sequence[_Candidate]) -> None:
    """Find an outcome for rows that have nothing in common."""
    if job.wish.dry_run:
        for one in rows:
            _check_claims(job, one)
    rows = _open(rows)
    new: list[_Candidate] = []
    for one, whole in zip(rows, await seen(job.rt.db, job.how, [row.arrival for row in rows]), strict=True):
        if whole:
            one.outcome = Taken(outcome="unchanged")
        elif whole is None:
            new.append(one)
    await _create(job, new)
    left = _open(rows)
    await _all_of(_closely(job, left[place : place + _FEW]) for place in range(0, len(left), _FEW))
    if job.wish.dry_run:
        for one in rows:
            _claim(job, one)


def _open(rows: Sequence[_Candidate]) -> list[_Candidate]:
    return [one for one in rows if one.outcome is None]


async def _create(job: _Import, rows: Sequence[_Candidate]) -> None:
    """Write those who meet nothing here, in one transaction; the others stay without an outcome."""
    ready = [(row, planned) for row in rows if (planned := newcomer(job.how, row.arrival, row.keys)) is not None]
    if not ready:
        return
    try:
        made = await _written(job, lambda tx: create(tx, job.how, [planned for _, planned in ready]))
    except (Fault, StatementFailed) as wrong:
        if isinstance(wrong, Fault) and wrong.code is not FaultCode.DATABASE_CONTENDED:
            raise
        return  # one of them is in the way of all: by itself it takes nobody along
    for (row, planned), is_made in zip(ready, made, strict=True):
        row.outcome = planned.taken if is_made else None


async def _closely(job: _Import, rows: Sequence[_Candidate]) -> None:
    """Look at each of a few rows, in one transaction if all goes well, else in one for each."""
    try:
        found = await _written(job, lambda tx: _each(tx, job.how, rows))
    except (RowRefused, Fault, StatementFailed) as wrong:
        if isinstance(wrong, Fault) and wrong.code is not FaultCode.DATABASE_CONTENDED:
            raise
        for one in rows:
            await _alone(job, one)
        return
    for one, taken in zip(rows, found, strict=True):
        one.outcome = taken


async def _each(tx: Tx, how: Importing, rows: Sequence[_Candidate]) -> list[Taken]:
    return [await importing.take(tx, how, one.arrival) for one in rows]


async def _alone(job: _Import, row: _Candidate) -> None:
    """Take one row in a transaction of its own."""
    for left in reversed(range(_TRIES)):
        try:
            row.outcome = await _written(job, lambda tx: importing.take(tx, job.how, row.arrival))
        except RowRefused as refusal:
            row.outcome = refusal
        except Fault as fault:
            if fault.code is not FaultCode.DATABASE_CONTENDED or not left:
                raise
            continue
        return


async def _written(job: _Import, work: Callable[[Tx], Coroutine[Any, Any, T]]) -> T:
    """What comes of the work, which stays unless this is a dry run."""

    async def tried(tx: Tx) -> T:
        found = await work(tx)
        if job.wish.dry_run:
            raise _DryRun(found)
        return found

    try:
        return await job.rt.db.write(tried)
    except _DryRun as dry:
        found: T = dry.found
        return found


async def _all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once; what stops one stops the others too."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        for task in tasks:
            await task
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _arrival(job: _Import, record: UserRecord) -> Arrival:
    """What would be written of a row. Raises RowRefused."""
    left = {name.casefold() for name in job.wish.leave_out}
    kept = tuple(one for one in record.accounts if one.provider.casefold() not in left)
    if len(kept) < len(record.accounts):
        job.not_taken["account left out, as asked"] += len(record.accounts) - len(kept)
    if not job.wish.tokens:
        job.not_taken["token set left out, as asked"] += sum(len(one.tokens) for one in kept)
        kept = tuple(msgspec.structs.replace(one, tokens=()) for one in kept)
    record = msgspec.structs.replace(record, accounts=kept)
    arrival, lost = arrival_of(record, job.resolve, job.rt.clock(), job.rt.random)
    job.not_taken.update(lost)
    return arrival


def _check_claims(job: _Import, row: _Candidate) -> None:
    owner = hash(row.keys[0])
    if any(job.claims.get(hash(key), owner) != owner for key in row.keys):
        row.outcome = RowRefused(
            "an earlier row of the file gives one of its ids, addresses, numbers or accounts to another user",
            "Decide which of the two it belongs to and take it out of the other.",
        )


def _claim(job: _Import, row: _Candidate) -> None:
    """Remember a dry run's row; one whose user an earlier row would have made, would have completed it, and a user who
    is there keeps the password.
    """
    if not isinstance(row.outcome, Taken) or row.outcome.outcome == "unchanged":
        return
    owner = hash(row.keys[0])
    if owner in job.claims:
        row.outcome = msgspec.structs.replace(row.outcome, outcome="completed", hash_kind="")
    for key in row.keys:
        job.claims[hash(key)] = owner


def _told(line: int, refusal: RowRefused) -> RefusedRow:
    return RefusedRow(line=line, reason=refusal.reason, what_to_do=refusal.what_to_do)


def _note(job: _Import, row: _Candidate | RefusedRow, refused: Callable[[RefusedRow], None]) -> None:
    """Count what became of a row."""
    job.counts["rows"] += 1
    ended = row if isinstance(row, RefusedRow) else row.outcome
    if isinstance(ended, RowRefused) and isinstance(row, _Candidate):
        ended = _told(row.line, ended)
    if isinstance(ended, RefusedRow):
        job.counts["refused"] += 1
        refused(ended)
        if len(job.refused_rows) < TOLD:
            job.refused_rows.append(ended)
    elif isinstance(ended, Taken):
        job.counts[ended.outcome] += 1
        job.counts["accounts"] += ended.accounts
        job.counts["token_sets"] += ended.token_sets
        if ended.hash_kind:
            job.hashes[ended.hash_kind] += 1


def _report(job: _Import) -> ImportReport:
    names = ("rows", "created", "completed", "unchanged", "refused", "accounts", "token_sets")
    return ImportReport(
        dry_run=job.wish.dry_run,
        **{name: job.counts[name] for name in names},
        password_hashes=dict(sorted(job.hashes.items())),
        not_taken={name: count for name, count in sorted(job.not_taken.items()) if count},
        refused_rows=tuple(job.refused_rows),
    )


def _resolver(project: Project) -> Resolve:
    """Find the credentials that a file means: by the project's own name of them, else by the provider they are of."""

    def resolve(name: str) -> tuple[ProviderCredentials, str]:
        listed = project.config.providers
        known = registry.find(name.lower())
        by_name = [one for spelled in (name, name.lower()) for one in listed if one.config_id == spelled][:1]
        same = by_name or [one for one in listed if known is not None and one.provider == known.id]
        if not same:
            raise Fault(FaultCode.PROVIDER_NOT_CONFIGURED, "neither a configured name nor a configured provider")
        if len(same) > 1:
            raise RowRefused(
                "the project has several credentials for one of its providers",
                "Name them in the row as the project does; `oneself project show` lists the names.",
            )
        return same[0], account_issuer(same[0])

    return resolve
