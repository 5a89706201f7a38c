"""Password hashes that other systems made and ours never makes: bcrypt, and scrypt (RFC 7914) as a PHC string.

They are verified as their makers do it, so that people keep their passwords, and only where that costs no more than a
sign-in may: whoever writes a file of users chooses the cost. Each call releases the GIL.
"""

import hashlib
import hmac
import re
from binascii import a2b_base64, b2a_base64

import bcrypt

MOST_BCRYPT_COST = 15
"""Each step doubles the work: 10 to 12 are usual, and 15 takes seconds."""

MOST_SCRYPT_BYTES = 134_217_728
"""Memory: `ln=17,r=8`, the first that OWASP's cheat sheet on password storage recommends."""

_MOST_SCRYPT_WORK = 2 * MOST_SCRYPT_BYTES
_MOST_SCRYPT_FACTOR = 64
_BCRYPT_BYTES = 72

# 16 bytes of salt and 23 of hash in bcrypt's own alphabet; the last character of each has bits to spare, which are 0.
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]")
_SCRYPT = re.compile(
    r"\$scrypt\$ln=([1-9][0-9]{0,9}),r=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,9})"
    r"\$([A-Za-z0-9+/]{2,128})\$([A-Za-z0-9+/]{22,128})"
)


def bcrypt_objection(encoded: str) -> str:
    """Why a bcrypt hash is not taken, as what is said of it after "its password hash"; empty where it is."""
    found = _BCRYPT.fullmatch(encoded)
    if found is None:
        return "is cut off or misspelt"
    return f"has a bcrypt cost above {MOST_BCRYPT_COST}" if int(found[1]) > MOST_BCRYPT_COST else ""


def bcrypt_matches(encoded: str, password: bytes) -> bool:
    """Whether `password` gives an `encoded` that nothing was said against.

    Of a longer password bcrypt reads 72 bytes, and whoever made the hash read no more. A NUL ended it for some of them
    and not for others, so that a password with one matches nothing; it takes as long as any other.
    """
    matches = bcrypt.checkpw(password[:_BCRYPT_BYTES], encoded.encode("ascii"))
    return matches and b"\0" not in password


def scrypt_objection(encoded: str) -> str:
    """The same of an scrypt hash, which also has numbers that mean nothing together."""
    found = _SCRYPT.fullmatch(encoded)
    if found is None or phc_bytes(found[4]) is None or phc_bytes(found[5]) is None:
        return "is cut off or misspelt"
    log_n, r, p = (int(found[place]) for place in (1, 2, 3))
    if r > _MOST_SCRYPT_FACTOR or p > _MOST_SCRYPT_FACTOR or log_n > MOST_SCRYPT_BYTES.bit_length():
        return _too_much()
    if log_n >= 16 * r:
        return "has scrypt parameters that RFC 7914 does not allow"
    memory = 128 * r << log_n
    return _too_much() if memory > MOST_SCRYPT_BYTES or memory * p > _MOST_SCRYPT_WORK else ""


def _too_much() -> str:
    return f"has scrypt parameters that ask for more than {MOST_SCRYPT_BYTES >> 20} MiB, or for too much work"


def scrypt_matches(encoded: str, password: bytes) -> bool:
    """Whether `password` gives an `encoded` that nothing was said against."""
    found = _SCRYPT.fullmatch(encoded)
    salt, expected = (phc_bytes(found[4]), phc_bytes(found[5])) if found else (None, None)
    if found is None or salt is None or expected is None:
        return False
    n, r, p = 1 << int(found[1]), int(found[2]), int(found[3])
    # OpenSSL counts two more blocks than the algorithm has.
    memory = 128 * r * (n + p + 2)
    given = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=len(expected))
    return hmac.compare_digest(given, expected)


def phc_bytes(text: str) -> bytes | None:
    """What a PHC string says in base64 without padding; None unless the text is the one spelling of it."""
    try:
        data = a2b_base64(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if b2a_base64(data, newline=False).rstrip(b"=") == text.encode("ascii") else None
