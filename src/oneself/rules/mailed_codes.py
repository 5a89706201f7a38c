"""Who may be let in, or given another password, by a code that was mailed to an address."""

from typing import Literal

from oneself.model import EmailAddress, UserView

# `enter`: the address is proved. `reclaim`: nobody ever proved to be its user, so its mailbox is the first proof, and
# whoever was inside until then is put out. `refuse`: somebody else may have made this user and waits inside.
Entry = Literal["enter", "reclaim", "refuse"]


def entry(view: UserView, email: EmailAddress) -> Entry:
    """What a mailed code opens, where its address signs this user in.

    An address that was never proved may have been given by anybody, to wait for its owner: whatever else could bring
    that somebody back is a reason to refuse. Only a user who has nothing but this address, and for whom mailed codes
    were switched on, is the mailbox's.
    """
    if email.verified_at:
        return "enter"
    waiting = bool(view.user.password_hash) or _has_more(view)
    return "reclaim" if view.user.extras.get("otp_auth_enabled") and not waiting else "refuse"


def reset_entry(view: UserView) -> Entry:
    """What a mailed code does about a password, where its address signs this user in and was never proved.

    A user with nothing but a password on an address is the mailbox's: whoever chose the password is put out with it.
    Where there is more, that is somebody's who proved it elsewhere, and a mailbox that was only claimed opens nothing.
    """
    return "refuse" if _has_more(view) else "reclaim"


def _has_more(view: UserView) -> bool:
    """Whether a user has anything beside unproved addresses and a password."""
    return bool(
        view.user.is_anonymous
        or view.user.extras.get("totp")
        or view.accounts
        or view.phones
        or any(email.verified_at for email in view.emails)
    )
