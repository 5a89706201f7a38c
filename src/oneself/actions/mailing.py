"""Send what waits in the outbox, after the commits that put it there; and show what a development server kept."""

import asyncio
import logging
from typing import TYPE_CHECKING, Literal

from oneself.actions.runtime import Runtime
from oneself.faults import Fault, FaultCode
from oneself.later import Later
from oneself.mail.letters import write
from oneself.model import LetterKind, Noun
from oneself.rules.lifetimes import HOUR, SECOND
from oneself.steps import mailing
from oneself.steps.recording import Deed, record
from oneself.store import outbox
from oneself.store.database import Tx
from oneself.store.outbox import NEVER, Waiting

if TYPE_CHECKING:
    from oneself.mail.smtp import Line

_LINE = Later("oneself.mail.smtp", "Line")
_LOG = logging.getLogger("oneself.mail")

# So many connections to the mail server at once, in each process.
LANES = 4
# The longest that one letter may take; whoever takes it has it for twice that.
LETTER_SECONDS = 30
LEASE = 2 * LETTER_SECONDS * SECOND
# The first pause after a failure; each next one is four times as long.
FIRST_PAUSE = 5 * SECOND
LONGEST_PAUSE = HOUR
# For how long a server that stops waits for letters that are on their way.
GOODBYE_SECONDS = 5
SHOWN = 200
_FOR_GOOD = frozenset({FaultCode.MAIL_REFUSED, FaultCode.SEAL_BROKEN, FaultCode.PROJECT_UNKNOWN})


class KeptLetter(Noun, frozen=True, kw_only=True):
    """One letter of the outbox in words.

    `state` says whether it was sent, waits, or is only kept because there is no mail server; `at` is when it was
    written (microseconds).
    """

    id: str
    kind: LetterKind
    state: Literal["sent", "waiting", "kept"]
    at: int
    to: str
    subject: str
    text: str
    html: str
    link: str
    code: str


async def drain(rt: Runtime) -> int:
    """Try every letter that is due, once; how many were tried. One statement where there is none.

    Several processes may do so at once: each letter is taken by one of them. A process that dies after the mail server
    took a letter and before that is noted leaves it to be sent a second time, under the same Message-ID.
    """
    server = rt.mail_server
    if server is None:
        return 0
    lines: list[Line] = [_LINE.get()(server) for _ in range(LANES)]
    tried = 0
    try:
        while await outbox.is_due(rt.db, rt.clock()):
            batch = await rt.db.write(lambda tx: outbox.take(tx, tx.now + LEASE, LANES))
            if not batch:
                break  # another process has them
            reached = await _finished(rt, lines, batch)
            tried += len(batch)
            if not reached:
                break
    finally:
        await asyncio.gather(*(line.close() for line in lines))
    return tried


async def _finished(rt: Runtime, lines: "list[Line]", batch: list[Waiting]) -> bool:
    """Try a batch side by side; whether the mail server could be reached. A stopping process sees it to its end."""
    group = asyncio.gather(*(_try(rt, line, waiting) for line, waiting in zip(lines, batch, strict=False)))
    try:
        return all(await asyncio.shield(group))
    except asyncio.CancelledError:
        await asyncio.wait([group], timeout=GOODBYE_SECONDS)
        group.cancel()
        raise


async def _try(rt: Runtime, line: "Line", waiting: Waiting) -> bool:
    """Try one letter; False where the mail server cannot be reached, so that others need not be tried now."""
    try:
        await _send(rt, line, waiting)
    except Fault as fault:
        if fault.code in _FOR_GOOD or rt.clock() >= waiting.expires_at:
            _LOG.warning("letter %s (%s) is given up: %s", waiting.id, waiting.kind, fault)
            await _end(rt, waiting, fault)
        else:
            _LOG.info("letter %s (%s) is sent later: %s", waiting.id, waiting.kind, fault)
            await _put_off(rt, waiting)
        return fault.step != "connect"
    await _end(rt, waiting, None)
    return True


async def _send(rt: Runtime, line: "Line", waiting: Waiting) -> None:
    letter = mailing.unseal(await rt.projects.data_key(waiting.project_id), waiting)
    try:
        async with asyncio.timeout(LETTER_SECONDS):
            await line.send(letter, waiting.id, waiting.created_at)
    except TimeoutError:
        line.drop()
        raise Fault(FaultCode.MAIL_NOT_SENT, "the mail server did not answer in time", "send") from None


async def _end(rt: Runtime, waiting: Waiting, fault: Fault | None) -> None:
    """Strike a letter off that was sent, or given up; the latter is told in its user's history."""

    async def work(tx: Tx) -> None:
        if fault is None and rt.settings.keep_mail:
            await outbox.file(tx, waiting)
        elif await outbox.end(tx, waiting) and fault is not None:
            deed = Deed(
                action=f"mail.{waiting.kind}", decision="given_up", reason=fault.code.value, actor="backend", dialect=""
            )
            await record(tx, waiting.project_id, waiting.user_id, 0, deed, rt.random)

    await rt.db.write(work)


async def _put_off(rt: Runtime, waiting: Waiting) -> None:
    pause = min(FIRST_PAUSE * 4 ** min(waiting.attempts - 1, 12), LONGEST_PAUSE)
    await rt.db.write(lambda tx: outbox.postpone(tx, waiting, tx.now + pause))


async def newest(rt: Runtime) -> list[KeptLetter]:
    """The newest letters of all projects, in clear: for a development server's own pages alone."""
    return [await _shown(rt, waiting) for waiting in await outbox.newest(rt.db, SHOWN)]


async def _shown(rt: Runtime, waiting: Waiting) -> KeptLetter:
    letter = mailing.unseal(await rt.projects.data_key(waiting.project_id), waiting)
    written = write(letter, waiting.created_at)
    return KeptLetter(
        id=waiting.id,
        kind=letter.kind,
        state="sent" if waiting.sent_at else "kept" if waiting.next_at == NEVER else "waiting",
        at=waiting.created_at,
        to=letter.to,
        subject=written.subject,
        text=written.text,
        html=written.html,
        link=letter.link,
        code=letter.code,
    )
