"""One-time codes over an open transaction: make one, look at one, spend one."""

from collections.abc import Callable
from typing import NoReturn

from oneself.crypto import opaque
from oneself.faults import Fault, FaultCode
from oneself.model import CodeKind, Letter, OneTimeCode, Secret
from oneself.rules.lifetimes import HOUR, MAILED_CODE, SECOND
from oneself.steps.mailing import Post, post
from oneself.store import codes
from oneself.store.database import Reader, Tx

# Codes that ask for something besides themselves bear so many guesses at that.
MOST_TRIES = 5


def new_code(random: Callable[[int], bytes]) -> Secret:
    """A fresh code: 45 characters of base32."""
    return Secret(opaque.base32_secret(random))


def code_hash(kind: CodeKind, code: Secret) -> bytes:
    """What is stored of a code; letters count the same in either case, as people type them."""
    return opaque.secret_hash(f"code:{kind}", code.reveal().strip().lower())


async def keep(tx: Tx, project_id: str, code: Secret, kept: OneTimeCode, lifetime: int) -> None:
    """Keep a fresh code for `lifetime` microseconds; one statement."""
    await codes.insert(tx, project_id, code_hash(kept.kind, code), kept, lifetime)


async def mail(tx: Tx, how: Post, code: Secret, kept: OneTimeCode, letter: Letter, lifetime: int = MAILED_CODE) -> None:
    """Keep a fresh code and put the letter that carries it into the outbox; two statements."""
    await keep(tx, how.project.id, code, kept, lifetime)
    await post(tx, how, kept.user_id, letter)


async def check_rate(tx: Tx, project_id: str, kind: CodeKind, folded: str, most: int) -> None:
    """Refuse one letter too many to one address within an hour; 0 is no limit. Raises Fault(LIMIT_REACHED)."""
    if most and await codes.count_since(tx, project_id, kind, folded, tx.now - HOUR) >= most:
        raise Fault(FaultCode.LIMIT_REACHED, "too many letters to one address", retry_after=HOUR // SECOND)


async def look(reader: Reader, project_id: str, kind: CodeKind, code: Secret, now: int) -> OneTimeCode:
    """A code that could be spent now; one statement. Raises as `spend`."""
    found = await codes.standing(reader, project_id, kind, code_hash(kind, code))
    if found is None or found.expires_at <= now or found.used_at or found.code.attempts >= MOST_TRIES:
        _refuse(found, now)
    return found.code


async def spend(tx: Tx, project_id: str, kind: CodeKind, code: Secret) -> OneTimeCode:
    """Spend a code, once, whoever else tries; one statement, and one more to say why not.

    Raises Fault(CODE_UNKNOWN), Fault(CODE_EXPIRED), Fault(CODE_USED), Fault(CODE_WORN) after too many guesses.
    """
    hashed = code_hash(kind, code)
    spent = await codes.spend(tx, project_id, kind, hashed, MOST_TRIES)
    if spent is None:
        _refuse(await codes.standing(tx, project_id, kind, hashed), tx.now)
    return spent


async def count_try(tx: Tx, project_id: str, kind: CodeKind, code: Secret) -> OneTimeCode:
    """Count a guess at what a code asks for, before it is looked at; raises as `spend`."""
    hashed = code_hash(kind, code)
    tried = await codes.count_try(tx, project_id, kind, hashed, MOST_TRIES)
    if tried is None:
        _refuse(await codes.standing(tx, project_id, kind, hashed), tx.now)
    return tried


def _refuse(found: codes.Standing | None, now: int) -> NoReturn:
    if found is None:
        raise Fault(FaultCode.CODE_UNKNOWN, "no such code")
    if found.expires_at <= now:
        raise Fault(FaultCode.CODE_EXPIRED, "too old")
    if found.used_at:
        raise Fault(FaultCode.CODE_USED, "spent")
    raise Fault(FaultCode.CODE_WORN, "too many guesses")
