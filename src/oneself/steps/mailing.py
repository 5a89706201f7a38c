"""Put letters into the outbox, over the open transaction of the change that they tell of."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from oneself.crypto.ids import new_uuid
from oneself.crypto.seal import DataKey
from oneself.model import EmailAddress, Letter, LetterKind, Project, UserView
from oneself.rules.lifetimes import MAIL_GIVEN_UP_AFTER
from oneself.store import outbox
from oneself.store.database import Tx
from oneself.store.outbox import NEVER, Waiting

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
    """Tell a user by mail of a new way in: one statement where mail goes out and an address is proved, else none."""
    if how is None or not how.project.config.mail_notices:
        return
    known = notice_address(view)
    if known is not None:
        letter = Letter(kind=kind, to=mailbox(known), project_name=how.project.display_name, what=what)
        await post(tx, how, view.user.id, letter)


def notice_address(view: UserView) -> EmailAddress | None:
    """Where a user is told of things: the primary address if it is proved, else the oldest proved one."""
    proved = [email for email in view.emails if email.verified_at]
    return next((email for email in proved if email.is_primary), proved[0] if proved else None)


def mailbox(email: EmailAddress) -> str:
    """The address as mail servers take it: the local part as its owner wrote it, the domain in its ASCII form."""
    return f"{email.address.strip().rpartition('@')[0]}@{email.folded.rpartition('@')[2]}"
