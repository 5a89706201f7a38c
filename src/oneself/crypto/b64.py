"""Base64url without padding (RFC 7515 section 2), in its one canonical spelling."""

from binascii import a2b_base64, b2a_base64

# The standard library's own functions for this alphabet cost twice as much, on every token.
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def encode(data: bytes) -> str:
    """Return `data` as base64url text without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")


def decode(text: str) -> bytes | None:
    """Return the bytes that `text` spells, or None unless `encode` of those bytes gives `text`
    back.

    Python's decoder skips foreign characters and ignores stray low bits, so that many texts mean
    the same bytes; comparing with the re-encoding leaves exactly one, and a token has no second
    spelling.
    """
    try:
        data = a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if encode(data) == text else None
