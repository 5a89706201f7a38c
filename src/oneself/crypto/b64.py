"""Base64url without padding (RFC 7515 section 2), in its one canonical spelling."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """Return `data` as base64url text without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """Return the bytes that `text` spells, or None unless `encode` of those bytes gives `text`
    back.

    Python's decoder skips foreign characters and ignores stray low bits, so that many texts mean
    the same bytes; comparing with the re-encoding leaves exactly one, and a token has no second
    spelling.
    """
    try:
        data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if encode(data) == text else None
