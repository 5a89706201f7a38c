"""The second factor of a sign-in: nobody has a session before it is checked, and what was proved first waits for it."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from oneself.crypto import b64, totp
from oneself.crypto.seal import DataKey
from oneself.faults import Fault, FaultCode
from oneself.model import Factor, Flow, LetterKind, OneTimeCode, Secret, User, UserView
from oneself.rules.lifetimes import ATTEMPT_CODE
from oneself.steps import codes
from oneself.store.database import Tx

# Sign-ins of one user within an hour that stopped before the second factor: each bears a few guesses at it.
MOST_ATTEMPTS = 20
_SECRET, _STEP = "totp", "totp_step"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that waits: the first factor, and the trip that proved it, taken out, where that was a provider's."""

    factor: Factor | None = None
    flow: Flow | None = None

    def __repr__(self) -> str:
        return "Attempt(...)"


_ATTEMPT = msgspec.msgpack.Decoder(Attempt)


@dataclass(frozen=True, slots=True)
class Door:
    """What the second factor of a project's users is checked with. `passed` is the user who has brought it already."""

    project_id: str
    key: DataKey = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)
    passed: str = ""

    def is_shut(self, view: UserView) -> bool:
        """Whether this user must still bring a second factor."""
        return bool(view.user.extras.get(_SECRET)) and view.user.id != self.passed


async def hold(tx: Tx, door: Door, view: UserView, attempt: Attempt) -> Fault:
    """Let a sign-in wait for five minutes; the refusal as a value, so that it commits. Its fact is the attempt's code.

    Raises Fault(LIMIT_REACHED) where the same user's sign-ins stopped here too often.
    """
    user = view.user
    # The rate is that of the user, whatever address it came with.
    await codes.check_rate(tx, door.project_id, "second_factor", user.id, MOST_ATTEMPTS)
    code = codes.new_code(door.random)
    sealed = door.key.seal(msgspec.msgpack.encode(attempt), door.project_id, user.id, "one_time_codes.sealed")
    kept = OneTimeCode(
        kind="second_factor", user_id=user.id, folded=user.id, security_epoch=user.security_epoch, sealed=sealed
    )
    await codes.keep(tx, door.project_id, code, kept, ATTEMPT_CODE)
    return Fault(FaultCode.SECOND_FACTOR_NEEDED, "one is set", "second_factor", attempt_code=code.reveal())


async def begin(tx: Tx, door: Door, code: Secret) -> tuple[str, Attempt, int]:
    """Whose sign-in waits under a code, what it waits with, and its user's epoch then; this try is counted.

    Raises Fault(CODE_UNKNOWN), Fault(CODE_EXPIRED), Fault(CODE_USED), Fault(CODE_WORN) after five tries.
    """
    kept = await codes.count_try(tx, door.project_id, "second_factor", code)
    sealed = door.key.open(kept.sealed, door.project_id, kept.user_id, "one_time_codes.sealed")
    return kept.user_id, _ATTEMPT.decode(sealed), kept.security_epoch


def checked(door: Door, user: User, password: str, now: int) -> User | None:
    """The user with the time-based password noted as used; None where it is wrong, or was used before."""
    secret = _secret(door, user)
    step = totp.matching_step(secret, password, now, after=user.extras.get(_STEP, 0)) if secret else None
    if step is None:
        return None
    return msgspec.structs.replace(user, extras={**user.extras, _STEP: step})


def with_secret(door: Door, user: User, secret: bytes) -> User:
    """The user with another secret for time-based passwords, sealed; an empty one takes it away.

    What was begun under the one before is outdated, as by every change of the ways in. The same one again changes
    nothing: a password that was used under it stays used.
    """
    if _is_kept(door, user, secret):
        return user
    extras = {name: value for name, value in user.extras.items() if name not in (_SECRET, _STEP)}
    if secret:
        extras[_SECRET] = b64.encode(door.key.seal(secret, door.project_id, user.id, "users.totp"))
    return msgspec.structs.replace(user, extras=extras, security_epoch=user.security_epoch + 1)


def _is_kept(door: Door, user: User, secret: bytes) -> bool:
    """Whether the user has this secret; one that does not open any more is another, and can be taken away."""
    if not secret:
        return not user.extras.get(_SECRET)
    try:
        return hmac.compare_digest(secret, _secret(door, user))
    except Fault as fault:
        if fault.code is not FaultCode.SEAL_BROKEN:
            raise
        return False


def notice(before: User, after: User) -> LetterKind | None:
    """What a user is told of a change that `with_secret` made; nothing where it made none."""
    old, new = before.extras.get(_SECRET), after.extras.get(_SECRET)
    if old == new or not (old or new):
        return None
    # A first one too: whoever got in and sets it shuts the owner out.
    return "second_factor_off" if not new else "second_factor_changed" if old else "second_factor_on"


def _secret(door: Door, user: User) -> bytes:
    """The secret in clear; an empty one where there is none."""
    if not user.extras.get(_SECRET):
        return b""
    return door.key.open(b64.decode(user.extras[_SECRET]) or b"", door.project_id, user.id, "users.totp")
