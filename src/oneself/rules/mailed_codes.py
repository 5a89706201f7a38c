"""Who may be let in by a code that was mailed to an address."""

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
    user = view.user
    waiting = (
        user.is_anonymous
        or user.password_hash
        or user.extras.get("totp")
        or view.accounts
        or view.phones
        or any(other.verified_at for other in view.emails)
    )
    return "reclaim" if user.extras.get("otp_auth_enabled") and not waiting else "refuse"
