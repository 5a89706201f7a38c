"""One-time codes over an open transaction: make one, look at one, spend one."""

from collections.abc import Callable
from typing import NoReturn

import msgspec

from oneself.crypto import opaque
from oneself.faults import Fault, FaultCode
from oneself.model import CodeKind, Letter, OneTimeCode, Secret
from oneself.rules.lifetimes import HOUR, MAILED_CODE, SECOND
from oneself.steps.mailing import Post, post
from oneself.store import codes
from oneself.store.database import Reader, Tx

# Codes that ask for something besides themselves bear so many guesses at that.
MOST_TRIES = 5
# What people type of a code that came by mail; the rest, its nonce, is told to whoever asked for the letter.
TYPED = 6
# Six characters are 30 bits: so many guesses at them are a chance of one in fifty million.
MOST_GUESSES = 20


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


async def mail_parted(tx: Tx, how: Post, code: Secret, kept: OneTimeCode, letter: Letter) -> None:
    """Keep a code by its nonce, and post the letter that alone carries the rest; two statements.

    Whoever asked for the letter knows the nonce, so the rest bears a few guesses only: see `is_wrong_guess`.
    """
    nonce, proof = _parted(code)
    await mail(tx, how, nonce, msgspec.structs.replace(kept, sealed=proof), letter)


async def is_wrong_guess(tx: Tx, project_id: str, kind: CodeKind, code: Secret) -> bool:
    """Whether the typed part of a living code is wrong; it is counted then, so let that commit. One statement."""
    nonce, proof = _parted(code)
    return await codes.count_wrong(tx, project_id, kind, code_hash(kind, nonce), proof, MOST_GUESSES)


async def look_parted(reader: Reader, project_id: str, kind: CodeKind, code: Secret, now: int) -> OneTimeCode:
    """`look` for a code whose typed part was no wrong guess."""
    return await look(reader, project_id, kind, _parted(code)[0], now, MOST_GUESSES)


async def spend_parted(tx: Tx, project_id: str, kind: CodeKind, code: Secret) -> OneTimeCode:
    """`spend` for a code whose typed part was no wrong guess in this transaction."""
    return await _spend(tx, project_id, kind, _parted(code)[0], MOST_GUESSES - 1)


def _parted(code: Secret) -> tuple[Secret, bytes]:
    """The nonce of a code, and what is stored of the whole."""
    text = code.reveal().strip()
    return Secret(text[TYPED:]), opaque.secret_hash("code:whole", text.lower())


async def look(
    reader: Reader, project_id: str, kind: CodeKind, code: Secret, now: int, most_tries: int = MOST_TRIES
) -> OneTimeCode:
    """A code that could be spent now; one statement. Raises as `spend`."""
    found = await codes.standing(reader, project_id, kind, code_hash(kind, code))
    if found is None or found.expires_at <= now or found.used_at or found.code.attempts >= most_tries:
        _refuse(found, now)
    return found.code


async def spend(tx: Tx, project_id: str, kind: CodeKind, code: Secret) -> OneTimeCode:
    """Spend a code, once, whoever else tries; one statement, and one more to say why not.

    Raises Fault(CODE_UNKNOWN), Fault(CODE_EXPIRED), Fault(CODE_USED), Fault(CODE_WORN) after too many guesses.
    """
    return await _spend(tx, project_id, kind, code, MOST_TRIES)


async def _spend(tx: Tx, project_id: str, kind: CodeKind, code: Secret, most_tries: int) -> OneTimeCode:
    hashed = code_hash(kind, code)
    spent = await codes.spend(tx, project_id, kind, hashed, most_tries)
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
