"""Proof Key for Code Exchange (RFC 7636): challenges, their check, and the syntax of both
values.
"""

import re
from hashlib import sha256

from oneself.crypto import b64
from oneself.crypto.opaque import equal

S256 = "S256"
PLAIN = "plain"

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def challenge_s256(verifier: str) -> str:
    """Return the S256 challenge of `verifier`: 43 characters of base64url (RFC 7636 section
    4.2).
    """
    return b64.encode(sha256(verifier.encode("utf-8", "surrogatepass")).digest())


def verify(method: str, challenge: str, verifier: str) -> bool:
    """Tell whether `verifier` proves `challenge` under `method` (`S256` or `plain`), in constant
    time.

    Any other method, and an empty challenge or verifier, proves nothing (RFC 7636 section 4.6).
    """
    if method == S256:
        return bool(verifier) and equal(challenge, challenge_s256(verifier))
    return method == PLAIN and equal(challenge, verifier)


def is_verifier(text: str) -> bool:
    """Tell whether `text` is 43 to 128 unreserved characters (RFC 7636 section 4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def is_challenge_s256(text: str) -> bool:
    """Tell whether `text` can be an S256 challenge: 43 characters of canonical base64url, 32
    bytes.
    """
    return len(text) == 43 and b64.decode(text) is not None
