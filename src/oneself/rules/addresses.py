"""How e-mail addresses and telephone numbers are checked and folded, so that one mailbox is one row."""

import re
import unicodedata
from functools import lru_cache

import idna

# RFC 5321 section 4.5.3.1: at most 64 octets before the at sign and 254 in all.
_LOCAL_OCTETS, _ADDRESS_OCTETS = 64, 254
_LOCAL = re.compile(r"[^\s@\x00-\x1f\x7f\"(),:;<>\[\\\]]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def fold_email(address: str) -> str | None:
    """The form that uniqueness compares, or None where the text is no usable address.

    The local part is folded although RFC 5321 section 2.4 calls it case-sensitive: no mailbox provider of today tells
    `Ada@` from `ada@`, and two people out of them invite impersonation. The domain becomes its ASCII form (RFC 5891),
    so that two spellings of one domain are one and look-alikes of another script stay apart.
    """
    # Before anything else: normalising takes time that grows with the square of the length.
    if len(address) > _ADDRESS_OCTETS:
        return None
    local, at, domain = address.strip().rpartition("@")
    folded_local, ascii_domain = _folded_local(local), _ascii_domain(domain)
    if not at or not folded_local or not ascii_domain:
        return None
    folded = f"{folded_local}@{ascii_domain}"
    too_long = len(folded_local.encode()) > _LOCAL_OCTETS or len(folded.encode()) > _ADDRESS_OCTETS
    return None if too_long else folded


def folded_part(text: str) -> str:
    """A piece of an address as it stands in the folded form, for searches; one that fits in none is empty."""
    return unicodedata.normalize("NFC", text).lower() if len(text) <= _ADDRESS_OCTETS else ""


def _folded_local(local: str) -> str:
    """The local part in one case, or nothing.

    Folding makes no other mailbox of it (RFC 6531 has mail servers compare octets): whoever owned the full-width
    `ａda@` would otherwise be `ada@`. So what only looks like other letters is refused, and nothing is replaced.
    """
    if not _LOCAL.fullmatch(local) or not local.isprintable() or ".." in local or local[0] == "." or local[-1] == ".":
        return ""
    folded = folded_part(local)
    same = unicodedata.normalize("NFKC", folded) == folded and folded.isascii() == local.isascii()
    return folded if same else ""


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    """The domain's ASCII form, or nothing. Remembered, for few domains serve most people and each takes a while."""
    try:
        ascii_domain = idna.encode(domain.lower(), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return ""
    dotted = "." in ascii_domain.strip(".") or ascii_domain == "localhost"
    return ascii_domain if dotted and not ascii_domain.endswith(".") else ""


def is_phone_number(text: str) -> bool:
    """Whether the text is a telephone number in E.164: a plus sign and 7 to 15 digits."""
    return _E164.fullmatch(text) is not None
