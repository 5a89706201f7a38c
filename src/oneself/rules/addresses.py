"""How e-mail addresses and telephone numbers are checked and folded, so that one mailbox is one row."""

import re
import unicodedata

import idna

# RFC 5321 section 4.5.3.1: at most 64 octets before the at sign and 254 in all.
_LOCAL_OCTETS, _ADDRESS_OCTETS = 64, 254
_LOCAL = re.compile(r"[^\s@\x00-\x1f\x7f\"(),:;<>\[\\\]]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def fold_email(address: str) -> str | None:
    """The form that uniqueness compares, or None where the text is no usable address.

    The local part is folded (NFKC, then case) although RFC 5321 section 2.4 calls it case-sensitive: no mailbox
    provider of today tells `Ada@` from `ada@`, and two people out of them invite impersonation. The domain becomes its
    ASCII form (RFC 5891), so that two spellings of one domain are one and look-alikes of another script stay apart.
    """
    text = unicodedata.normalize("NFKC", address.strip())
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or ".." in local or local[0] == "." or local[-1] == ".":
        return None
    try:
        ascii_domain = idna.encode(domain.lower(), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None
    if "." not in ascii_domain and ascii_domain != "localhost":
        return None
    folded = f"{local.casefold()}@{ascii_domain}"
    too_long = len(local.encode()) > _LOCAL_OCTETS or len(folded.encode()) > _ADDRESS_OCTETS
    return None if too_long else folded


def is_phone_number(text: str) -> bool:
    """Whether the text is a telephone number in E.164: a plus sign and 7 to 15 digits."""
    return _E164.fullmatch(text) is not None
