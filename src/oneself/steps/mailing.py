"""Put letters into the outbox, over the open transaction of the change that they tell of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import DataKey
from oneself.model import EmailAddress, Letter, LetterKind, Project, UserView
from oneself.rules.lifetimes import MAIL_GIVEN_UP_AFTER
from oneself.store import outbox
from oneself.store.database import Tx
from oneself.store.outbox import NEVER, Waiting

# So many addresses of one user are told of one thing, the primary one and the oldest first.
MOST_TOLD = 10

_LETTER = msgspec.msgpack.Decoder(Letter)


@dataclass(frozen=True, slots=True)
class Post:
    """How letters of one project leave; `sent` False keeps them to be looked at, since no mail server is there."""

    project: Project
    key: DataKey = field(repr=False)
    random: Callable[[int], bytes] = field(repr=False)
    sent: bool = True


async def post(tx: Tx, how: Post, user_id: str, letter: Letter) -> None:
    """Put one letter into the outbox, sealed to its row; one statement."""
    project_id, letter_id = how.project.id, new_uuid(how.random)
    sealed = how.key.seal(msgspec.msgpack.encode(letter), project_id, letter_id, "outbox.sealed")
    waiting = Waiting(
        project_id=project_id,
        id=letter_id,
        user_id=user_id,
        kind=letter.kind,
        sealed=sealed,
        attempts=0,
        next_at=tx.now if how.sent else NEVER,
        sent_at=0,
        created_at=tx.now,
        expires_at=tx.now + MAIL_GIVEN_UP_AFTER,
    )
    await outbox.insert(tx, waiting)


def unseal(key: DataKey, waiting: Waiting) -> Letter:
    """Open a letter of the outbox. Raises Fault(SEAL_BROKEN)."""
    return _LETTER.decode(key.open(bytes(waiting.sealed), waiting.project_id, waiting.id, "outbox.sealed"))


async def tell(tx: Tx, how: Post | None, view: UserView, kind: LetterKind, what: str = "") -> None:
    """Tell a user by mail of what changed about the ways in: one statement for each address that is proved.

    `view` is the user with the addresses that were proved before the change. All of them, since whoever got in may have
    made one of their own the primary one, and would be the only reader then. Nothing where no mail goes out.
    """
    for email in _proved(view)[:MOST_TOLD]:
        await _notify(tx, how, view, email, kind, what)


async def tell_at_one(tx: Tx, how: Post | None, view: UserView, kind: LetterKind, what: str = "") -> None:
    """Tell a user by mail of what is no danger, at one address: one statement, or none as above."""
    for email in _proved(view)[:1]:
        await _notify(tx, how, view, email, kind, what)


async def tell_of_addresses(tx: Tx, how: Post | None, before: UserView, after: Sequence[EmailAddress]) -> None:
    """Tell a user, as `tell` does, of an address among all of now that may sign in, and that none of before could; else
    of one that was proved and is so no more. Without that, whoever got in would take the owner's addresses away first,
    and nobody would read of what follows.
    """
    could = {email.folded for email in before.emails if email.claims_sign_in}
    added = [email for email in after if email.claims_sign_in and email.folded not in could]
    proved = {email.folded for email in after if email.verified_at}
    lost = [email for email in _proved(before) if email.folded not in proved]
    for email in added or lost:
        await tell(tx, how, before, "address_added" if added else "address_removed", mailbox(email))


def _proved(view: UserView) -> list[EmailAddress]:
    """Where a user is told of things: the proved addresses, the primary one first, then the oldest."""
    return sorted((email for email in view.emails if email.verified_at), key=lambda email: not email.is_primary)


async def _notify(tx: Tx, how: Post | None, view: UserView, email: EmailAddress, kind: LetterKind, what: str) -> None:
    if how is not None and how.project.config.mail_notices:
        letter = Letter(kind=kind, to=mailbox(email), project_name=how.project.display_name, what=what)
        await post(tx, how, view.user.id, letter)


def mailbox(email: EmailAddress) -> str:
    """The address as mail servers take it: the local part as its owner wrote it, the domain in its ASCII form."""
    return f"{email.address.strip().rpartition('@')[0]}@{email.folded.rpartition('@')[2]}"
