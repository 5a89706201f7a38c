"""A refresh as a state machine over open transactions: the lease with its journal row, and the ways it ends.

Every outcome is told once, in the user's audit: the journal remembers what was told until the grant works again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from oneself.model import SealedTokens
from oneself.rules.renewing import Failure
from oneself.steps.mailing import Post, tell_at_one
from oneself.steps.recording import Deed, record
from oneself.store import users, vault, views
from oneself.store.database import Tx

_REASONS: dict[Failure, str] = {
    "ambiguous": "the provider's answer was lost after the request was sent",
    "unavailable": "the provider did not serve the refresh",
    "misconfigured": "the provider refused our client",
}


@dataclass(frozen=True, slots=True)
class Leased:
    """The right to call. `fence` is what the answer is written under; `given_up` says that there is no such right:
    an earlier call has no known outcome, and this provider takes no refresh token twice.
    """

    fence: int
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a grant lies, and whose it is."""

    project_id: str
    user_id: str
    account_id: str
    scopes: str
    random: Callable[[int], bytes]

    @property
    def key(self) -> tuple[str, str, str]:
        """What names it in the vault."""
        return self.project_id, self.account_id, self.scopes


async def lease(
    tx: Tx, place: Place, kept: SealedTokens, owner: str, length: int, replay_within: int | None
) -> Leased | None:
    """Take the lease for `length` microseconds and write the journal row; None where another was first.

    A journal row that still says "sent" is a process that died between asking and writing. For `replay_within`
    microseconds (None: for ever) the provider takes the same refresh token again, so it is simply sent again; after
    that the grant is given up and told as ambiguous, once.
    """
    sent = [at for state, at in await vault.journal(tx, *place.key) if state == "sent"]
    fence = await vault.lease(tx, place.project_id, kept, owner, tx.now + length)
    if fence is None:
        return None
    if not sent or replay_within is None or tx.now - min(sent) <= replay_within:
        return Leased(fence)
    await vault.release(tx, *place.key, fence, 0, tx.now)
    await vault.close(tx, *place.key, fence)
    await _tell(tx, place, "ambiguous", "an earlier refresh has no known outcome")
    return Leased(fence, given_up=True)


async def keep(tx: Tx, place: Place, answered: SealedTokens, fence: int, traded: bytes, *, single_use: bool) -> bool:
    """Write the provider's answer; False where it came too late and what the vault holds counts instead.

    A late answer to a grant that was given up meanwhile brings it back: `traded` are the sealed tokens it was got for.
    """
    before = await vault.journal(tx, *place.key)
    if await vault.store(tx, place.project_id, answered, fence):
        if any(state != "sent" for state, _ in before):
            await _tell(tx, place, "recovered", "the grant works again")
        return True
    if single_use and await vault.revive(tx, place.project_id, answered, traded):
        await _tell(tx, place, "recovered", "the answer came after the grant was given up")
        return True
    return False


async def postpone(tx: Tx, place: Place, fence: int, failure: Failure, retry_at: int) -> None:
    """Give the lease back after a failure that leaves the grant as it is, to be tried again at `retry_at`."""
    if not await vault.release(tx, *place.key, fence, retry_at, 0):
        await vault.close(tx, *place.key, fence)
    elif await vault.note(tx, *place.key, fence, failure):
        await _tell(tx, place, failure, _REASONS[failure])


async def ask_to_reconnect(tx: Tx, place: Place, post: Post | None, provider: str) -> None:
    """Tell the person too that a grant was lost by nobody's wish; two statements where mail goes out, else none."""
    view = await views.read(tx, place.project_id, place.user_id) if post is not None else None
    if view is not None:
        await tell_at_one(tx, post, view, "reconnect", provider)


async def end(tx: Tx, place: Place, fence: int, post: Post | None, provider: str) -> bool:
    """Write down that the provider ended the grant; True if an answer of its was lost before, of which the person is
    told: `post` is the way out, `provider` the name that people know.
    """
    ambiguous = any(state == "ambiguous" for state, _ in await vault.journal(tx, *place.key))
    if await vault.release(tx, *place.key, fence, 0, tx.now):
        lost = "the provider ended the grant after an answer of its was lost"
        await _tell(tx, place, "revoked", lost if ambiguous else "the provider ended the grant")
        if ambiguous:
            await ask_to_reconnect(tx, place, post, provider)
    await vault.close(tx, *place.key, fence)
    return ambiguous


async def replace(tx: Tx, place: Place, candidate: SealedTokens, fence: int) -> bool:
    """Put the tokens of an unredeemed sign-in in the place of an ended grant; False where the fence moved."""
    if not await vault.store(tx, place.project_id, candidate, fence):
        return False
    await _tell(tx, place, "replaced", "tokens of a sign-in that nobody redeemed took the place of an ended grant")
    return True


async def narrowed(tx: Tx, place: Place) -> None:
    """Tell that the provider grants less than it did."""
    await _tell(tx, place, "narrowed", "the provider's answer names fewer scopes than were granted")


async def _tell(tx: Tx, place: Place, decision: str, reason: str) -> None:
    version = await users.lock(tx, place.project_id, place.user_id) or 0
    deed = Deed(
        action="token.refresh",
        decision=decision,
        reason=reason,
        actor="backend",
        dialect="",
        account_id=place.account_id,
    )
    await record(tx, place.project_id, place.user_id, version, deed, place.random)
