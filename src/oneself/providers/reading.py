"""Strict readers for what providers send: nothing is guessed, no text is taken for a boolean."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from oneself.faults import Fault, FaultCode
from oneself.model import EmailVerdict, Profile
from oneself.providers.spec import Evidence

# Longer texts are no names or addresses of anybody; a provider that sends them is broken or hostile.
MAX_TEXT = 2048
MAX_SUBJECT = 255
MAX_EMAIL = 320
MAX_FORM = 4096
_DATE = re.compile(r"\d{4}-\d\d-\d\dT")


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """Give a text of at most `limit` characters without control characters, or nothing."""
    if not isinstance(value, str) or len(value) > limit:
        return ""
    trimmed = value.strip()
    return trimmed if trimmed.isprintable() else ""


def flag(value: Any) -> bool:
    """Only the boolean true and the text `true` mean yes; 1, "1", "yes", [] and all else do not."""
    return value is True or (isinstance(value, str) and value == "true")


def mapping(value: Any) -> Mapping[str, Any]:
    """Give an object as it is, and an empty one for everything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """Give the objects of a list, and an empty list for everything else."""
    listed = value if isinstance(value, list) else []
    return [entry for entry in listed if isinstance(entry, Mapping)]


def marked(value: Any, mark: str) -> Mapping[str, Any]:
    """Give the first object of a list whose field `mark` is the boolean true, or an empty one."""
    return next((entry for entry in items(value) if entry.get(mark) is True), {})


def dated(value: Any) -> bool:
    """Whether a text begins as a date with a time of day does (RFC 3339)."""
    return isinstance(value, str) and bool(_DATE.match(value))


def parsed(value: str) -> Any:
    """Give what a form's field of at most `MAX_FORM` characters says in JSON; an empty object where it is none."""
    try:
        return msgspec.json.decode(value) if 0 < len(value) <= MAX_FORM else {}
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}


def subject(value: Any) -> str:
    """Turn a provider's account id (text, or a whole number) into text; a missing or odd one is
    refused.

    Raises `provider_reply_invalid`, because an account without a stable id can never be found
    again.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > MAX_SUBJECT:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the account id is missing or no text")
    if not value.isprintable() or value != value.strip():
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the account id holds odd characters")
    return value


def email(value: Any) -> str:
    """Give an address that has one part on each side of the last `@`, or nothing."""
    address = text(value, MAX_EMAIL)
    local, at, domain = address.rpartition("@")
    # Of all blanks only this one is printable, and `text` lets nothing else through.
    if not (local and at and domain) or " " in address:
        return ""
    return address


def verdict(address: str, said: Any, *, proof: bool = True) -> EmailVerdict:
    """Judge an address by the provider's flag `said` (None: there was none); `proof` False: the
    flag proves nothing.
    """
    if not address:
        return EmailVerdict.ABSENT
    if said is None:
        return EmailVerdict.SILENT
    if not flag(said):
        return EmailVerdict.UNVERIFIED
    return EmailVerdict.VERIFIED if proof else EmailVerdict.SILENT


def said_of(evidence: Evidence) -> dict[str, Any]:
    """Put the standard claims together: the id_token's first, the userinfo document's after them.

    The address and its flag stay a pair: a flag that came with another address says nothing of this one.
    """
    document, claims = mapping(evidence.documents.get("userinfo")), evidence.claims or {}
    teller, other = (claims, document) if email(claims.get("email")) else (document, claims)
    address, verified = teller.get("email"), teller.get("email_verified")
    if verified is None and email(other.get("email")) == email(address):
        verified = other.get("email_verified")
    return {**document, **claims, "email": address, "email_verified": verified}


def claims_profile(evidence: Evidence, *, proof: bool = True) -> Profile:
    """Read the standard claims (OpenID Connect Core 5.1) of the id_token and the userinfo document."""
    said = said_of(evidence)
    address = email(said.get("email"))
    return Profile(
        subject=subject(said.get("sub")),
        issuer=evidence.issuer,
        email=address,
        email_verdict=verdict(address, said.get("email_verified"), proof=proof),
        display_name=text(said.get("name")),
        first_name=text(said.get("given_name")),
        last_name=text(said.get("family_name")),
        picture_url=picture(said.get("picture")),
        locale=text(said.get("locale"), 35),
    )


def picture(value: Any) -> str:
    """Give the address of a picture, or nothing where it is not one of the web."""
    address = text(value)
    return address if address.startswith(("https://", "http://")) else ""


def at(value: Any, *path: str) -> Any:
    """Follow a path of names through objects; None where one is missing."""
    for name in path:
        value = mapping(value).get(name)
    return value


def unproved(address: str) -> EmailVerdict:
    """The verdict on an address of a provider that never says whether it is proved."""
    return EmailVerdict.SILENT if address else EmailVerdict.ABSENT
