"""Time-based one-time passwords (RFC 6238): six digits of HMAC-SHA-1 over steps of thirty seconds."""

import hmac

STEP_SECONDS = 30
DIGITS = 6
# Clocks differ and people type slowly: one step before and one after count too (RFC 6238 section 5.2).
WINDOW = 1
_MICROS = 1_000_000


def at_step(secret: bytes, step: int) -> str:
    """The password of one step (RFC 4226 section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(now: int) -> int:
    """The step that a moment (microseconds since 1970) lies in."""
    return now // (_MICROS * STEP_SECONDS)


def matching_step(secret: bytes, password: str, now: int, after: int = 0) -> int | None:
    """The step whose password this is, of those that count now and come after the step `after`; None for no such.

    Whoever remembers the step and asks with it next time takes no password twice (RFC 6238 section 5.2).
    """
    present, given = step_of(now), password.encode("utf-8", "replace")
    found = None
    for step in range(max(present - WINDOW, after + 1), present + WINDOW + 1):
        if hmac.compare_digest(at_step(secret, step).encode(), given):
            found = step
    return found
