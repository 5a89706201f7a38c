"""What decisions and refusals mean, in words for the person that they happened to."""

from collections.abc import Mapping
from types import MappingProxyType

from oneself.faults import FaultCode

WHY: Mapping[str, str] = MappingProxyType(
    {
        "new_account": "Nobody had this account and nobody claimed its address, so a new user was made.",
        "known_account": "This account belonged to this user already, so they were signed in.",
        "verified_address": "The provider vouches for the address, and this user had proved the same "
        "address: one person, so the account was linked.",
        "verified_address_slot_taken": "The provider vouches for an address of this user, who already "
        "signs in with another account there: linked for its tokens only.",
        "attached": "This user was signed in and asked for the link, so the account was linked whatever its address.",
        "attached_slot_taken": "This user asked for the link and already signs in with another account "
        "there: linked for its tokens only.",
        "already_linked": "This user asked to link an account that was theirs already: nothing changed.",
        "address_not_vouched_for": "Somebody has this address, but the provider does not vouch for it. An "
        "address alone is no proof, so a user of their own was made.",
        "duplicate_allowed": "Somebody has this address, and the project allows users with the same "
        "address: another user was made.",
        "address_proved_by_provider": "Nobody had ever proved to be this user, and the provider vouches "
        "for the address: its owner took the user over, and what was set before was dropped.",
        "address_proved_by_newcomer": "The provider vouches for an address that another user had claimed "
        "without proof: it moved here.",
        "anonymous_upgraded": "This user had been anonymous, and signed in: they were kept.",
        "address_proved": "A code that was mailed to an address of this user came back, so whoever brought it "
        "has the mailbox.",
        "address_first_proved": "A code that was mailed to an address that nobody had proved came back: the "
        "mailbox's owner took the user over, and what was set before was dropped.",
        "second_factor": "The second factor was right, so the sign-in that waited for it went on.",
        "consented_again": "This user consented again at the provider, for an account that is linked already.",
        "another_account_came_back": "Another account than the one that was asked about came back from the "
        "provider: nothing was changed.",
        "stytch_file": "It came with a file of Stytch's users that an operator imported.",
        "stack_file": "It came with a file of Stack Auth's users that an operator imported.",
        "csv_file": "It came with a table that an operator imported.",
        "by_server": "The application's server said so.",
        "asked_for": "It was asked for.",
        "last_way_in_by_explicit_act": "It was asked for, although it was the last way in.",
    }
)

_REFUSED: Mapping[FaultCode, str] = MappingProxyType(
    {
        FaultCode.ACCOUNT_IN_USE: "That account belongs to another user. Nothing was changed. Sign in with it "
        "to become that user, or unlink it there first.",
        FaultCode.LAST_WAY_IN: "That is the last way to sign in as this user. Link another account first, "
        "then unlink this one.",
        FaultCode.ACCOUNT_NOT_FOUND: "That account is not linked any more.",
        FaultCode.SIGN_UP_CLOSED: "This project takes no new users at the moment.",
        FaultCode.EMAIL_IN_USE: "Somebody has that address. Sign in the way you did before, then link this account.",
        FaultCode.EMAIL_UNVERIFIED: "Somebody has that address, and the provider does not vouch that it is "
        "yours. Sign in the way you did before, then link this account.",
        FaultCode.EMAIL_OWNER_UNVERIFIED: "That address is claimed by somebody who never proved it.",
        FaultCode.USER_UNAVAILABLE: "This user cannot sign in.",
        FaultCode.PROVIDER_DENIED: "You said no at the provider. Nothing was changed.",
        FaultCode.PROVIDER_UNAVAILABLE: "The provider does not answer. Try again in a moment.",
        FaultCode.PROVIDER_NOT_CONFIGURED: "This provider is not configured here.",
        FaultCode.PROVIDER_UNKNOWN: "There is no such provider.",
        FaultCode.FLOW_UNKNOWN: "That sign-in is finished, or was not begun here. Start again.",
        FaultCode.FLOW_EXPIRED: "That sign-in took too long. Start again.",
        FaultCode.FLOW_USED: "That sign-in was finished already.",
        FaultCode.FLOW_COOKIE_MISSING: "That sign-in was begun in another browser. Start again in this one.",
        FaultCode.ASKER_GONE: "You signed out, or something about your user changed meanwhile. Sign in, then "
        "link again.",
        FaultCode.ATTACH_PROOF_MISSING: "You signed out meanwhile. Sign in, then link again.",
        FaultCode.SESSION_NOT_FOUND: "You are not signed in any more.",
        FaultCode.DATABASE_UNAVAILABLE: "The database does not answer. Try again in a moment.",
    }
)

_DONE: Mapping[str, str] = MappingProxyType(
    {
        "account.remove": "An account was unlinked",
        "account.revoke": "The grant of an account that was unlinked",
        "token.refresh": "A token of the provider's",
    }
)

NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "signed-in": "You are signed in.",
        "created": "Welcome. A new user was made for you.",
        "linked": "The account was linked to this user.",
        "unlinked": "The account was unlinked.",
        "unlinked-and-out": "The account was unlinked, and you are signed out: the session rested on it alone. "
        "The user stays, and comes back through any provider that vouches for its address.",
        "signed-out": "You are signed out.",
    }
)


def refusal(code: FaultCode) -> str:
    """Say why something was refused and what to do."""
    return _REFUSED.get(code, "That did not work. Nothing was changed.")


def told(action: str, decision: str, reason: str) -> str:
    """Say what one entry of the audit means: what was done, and why.

    A reason that is no name of ours is a sentence already.
    """
    refused = next((code for code in FaultCode if decision == f"Refuse:{code.value}"), None)
    if refused:
        return f"Refused: {refusal(refused)}"
    why = WHY.get(reason, reason)
    if action in _DONE:
        return f"{_DONE[action]}: {why[:1].lower()}{why[1:].rstrip('.')}."
    return why if reason in WHY else f"{why[:1].upper()}{why[1:]}."
