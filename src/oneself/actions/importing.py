"""Import users out of a file: row by row, each whole or not at all, beside a server that goes on serving."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

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
from oneself.store.database import Tx

# A row of the file: the line where it begins, and what it says, or why it cannot be read.
Row = tuple[int, UserRecord | RowRefused]

# So many rows are under way at once, and of so many refused ones the report tells.
WIDTH = 32
TOLD = 1_000
# A serving process shares SQLite's one writer: this part of the time belongs to it alone.
_REST = 0.25
_TRIES = 5


class ImportWish(Noun, frozen=True, kw_only=True):
    """How to import. `leave_out` are providers, by the file's name of them, whose accounts are not taken."""

    source: TransferFormat
    dry_run: bool = False
    tokens: bool = True
    leave_out: frozenset[str] = frozenset()


class _DryRun(Exception):
    """Undoes what a dry run wrote, and carries what would have become of the row."""

    def __init__(self, taken: Taken) -> None:
        super().__init__()
        self.taken = taken


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
    # for each key of a user, the row under way that claims it: one that meets it waits, so the first one wins
    last: dict[tuple[str, ...], asyncio.Task[Taken | RowRefused]] = field(default_factory=dict)
    # in a dry run nothing stays, so what rows would have claimed is remembered here: a hash of key and of owner
    claims: dict[int, int] = field(default_factory=dict)


async def run(
    rt: Runtime,
    project: Project,
    rows: Iterable[Row],
    wish: ImportWish,
    refused: Callable[[RefusedRow], None] = lambda _: None,
) -> ImportReport:
    """Import all rows; `refused` hears of each one that is not taken, in the order of the file.

    Every row is a transaction of its own, and running the same file again changes nothing that is there. Raises
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
    under_way: deque[tuple[int, asyncio.Task[Taken | RowRefused]]] = deque()
    began = time.monotonic()
    for line, said in rows:
        job.counts["rows"] += 1
        under_way.append((line, _begin(job, said)))
        if len(under_way) >= WIDTH:
            while under_way:
                _note(job, *await _ended(under_way), refused)
            if rt.db.engine == "sqlite":
                await asyncio.sleep((time.monotonic() - began) * _REST)
            began = time.monotonic()
    while under_way:
        _note(job, *await _ended(under_way), refused)
    return _report(job)


async def _ended(
    under_way: deque[tuple[int, asyncio.Task[Taken | RowRefused]]],
) -> tuple[int, Taken | RowRefused]:
    """The outcome of the oldest row under way; what stops the import stops the others too."""
    line, task = under_way.popleft()
    try:
        return line, await task
    except BaseException:
        for _, other in under_way:
            other.cancel()
        await asyncio.gather(*(other for _, other in under_way), return_exceptions=True)
        raise


def _begin(job: _Import, said: UserRecord | RowRefused) -> asyncio.Task[Taken | RowRefused]:
    """Start a row, behind every row under way that it shares a key with."""
    arrival: Arrival | RowRefused = said if isinstance(said, RowRefused) else _arrival(job, said)
    keys = [] if isinstance(arrival, RowRefused) else _keys(arrival)
    before = {job.last[key] for key in keys if key in job.last}
    task = asyncio.create_task(_row(job, arrival, keys, before))
    for key in keys:
        job.last[key] = task

    def forget(ended: asyncio.Task[Taken | RowRefused]) -> None:
        for key in keys:
            if job.last.get(key) is ended:
                del job.last[key]

    task.add_done_callback(forget)
    return task


def _arrival(job: _Import, record: UserRecord) -> Arrival | RowRefused:
    left = {name.casefold() for name in job.wish.leave_out}
    kept = tuple(one for one in record.accounts if one.provider.casefold() not in left)
    if len(kept) < len(record.accounts):
        job.not_taken["account left out, as asked"] += len(record.accounts) - len(kept)
    if not job.wish.tokens:
        job.not_taken["token set left out, as asked"] += sum(len(one.tokens) for one in kept)
        kept = tuple(msgspec.structs.replace(one, tokens=()) for one in kept)
    try:
        arrival, lost = arrival_of(
            msgspec.structs.replace(record, accounts=kept), job.resolve, job.rt.clock(), job.rt.random
        )
    except RowRefused as refusal:
        return refusal
    job.not_taken.update(lost)
    return arrival


async def _row(
    job: _Import,
    arrival: Arrival | RowRefused,
    keys: list[tuple[str, ...]],
    before: set[asyncio.Task[Taken | RowRefused]],
) -> Taken | RowRefused:
    if before:
        await asyncio.wait(before)
    if isinstance(arrival, RowRefused):
        return arrival
    try:
        if job.wish.dry_run:
            _check_claims(job, keys)
        if await importing.is_here(job.rt.db, job.how, arrival):
            return Taken(outcome="unchanged")
        taken = await _written(job, arrival)
    except RowRefused as refusal:
        return refusal
    if job.wish.dry_run:
        return _claimed(job, keys, taken)
    return taken


async def _written(job: _Import, arrival: Arrival) -> Taken:
    async def work(tx: Tx) -> Taken:
        taken = await importing.take(tx, job.how, arrival)
        if job.wish.dry_run:
            raise _DryRun(taken)
        return taken

    for left in reversed(range(_TRIES)):
        try:
            return await job.rt.db.write(work)
        except _DryRun as tried:
            return tried.taken
        except Fault as fault:
            if fault.code is not FaultCode.DATABASE_CONTENDED or not left:
                raise
    raise AssertionError("unreachable: the last try returns or raises")


def _keys(arrival: Arrival) -> list[tuple[str, ...]]:
    """What no two users may share; the first one names the user itself."""
    user = arrival.user
    keys: list[tuple[str, ...]] = [("user", user.id) if arrival.by_id else ("external_id", user.external_id)]
    if arrival.by_id and user.external_id:
        keys.append(("external_id", user.external_id))
    keys += [("email", email.folded) for email in arrival.emails if email.claims_sign_in]
    keys += [("phone", phone.number) for phone in arrival.phones]
    keys += [("part", part_id) for part_id in sorted(arrival.chosen_ids)]
    for one in arrival.accounts:
        if one.account.allow_sign_in:
            keys.append(("account", one.account.config_id, one.account.issuer, one.account.subject))
    return keys


def _check_claims(job: _Import, keys: list[tuple[str, ...]]) -> None:
    owner = hash(keys[0])
    if any(job.claims.get(hash(key), owner) != owner for key in keys):
        raise RowRefused(
            "an earlier row of the file gives one of its ids, addresses, numbers or accounts to another user",
            "Decide which of the two it belongs to and take it out of the other.",
        )


def _claimed(job: _Import, keys: list[tuple[str, ...]], taken: Taken) -> Taken:
    """Remember a dry run's row; one whose user an earlier row would have made, would have completed it, and a user who
    is there keeps the password.
    """
    owner = hash(keys[0])
    again = owner in job.claims
    for key in keys:
        job.claims[hash(key)] = owner
    return msgspec.structs.replace(taken, outcome="completed", hash_kind="") if again else taken


def _note(job: _Import, line: int, ended: Taken | RowRefused, refused: Callable[[RefusedRow], None]) -> None:
    if isinstance(ended, RowRefused):
        job.counts["refused"] += 1
        told = RefusedRow(line=line, reason=ended.reason, what_to_do=ended.what_to_do)
        refused(told)
        if len(job.refused_rows) < TOLD:
            job.refused_rows.append(told)
        return
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
