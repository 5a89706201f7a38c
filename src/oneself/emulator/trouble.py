"""Faults that a test orders for the next requests: which, where, how often."""

from typing import Literal

import msgspec

from oneself.emulator.flaws import FLAWS

Kind = Literal[
    "delay",
    "hang",
    "hang_in_body",
    "reset",
    "reset_in_body",
    "drip",
    "rate_limit",
    "server_error",
    "status",
    "html",
    "empty",
    "garbage",
    "truncated",
    "huge",
    "wrong_types",
    "redirect_loop",
    "oauth_error",
    "id_token",
]

KINDS: dict[str, str] = {
    "delay": "answers after `seconds`",
    "hang": "never answers, for `seconds` at most",
    "hang_in_body": "answers half of the body, then hangs for `seconds` at most",
    "reset": "resets the connection before any answer",
    "reset_in_body": "resets the connection in the middle of the body",
    "drip": "sends the body one byte at a time, one each `seconds`",
    "rate_limit": "429 with Retry-After",
    "server_error": "500 with an HTML page",
    "status": "`status` with `body`, and Retry-After where given",
    "html": "200 with an HTML page instead of JSON",
    "empty": "200 with no body",
    "garbage": "200 with `body` (or bytes that are no JSON) as JSON",
    "truncated": "the real answer without its second half, complete by its length",
    "huge": "200 with a JSON text of `size` bytes",
    "wrong_types": "the real answer with every value of another JSON type",
    "redirect_loop": "307 to the same address",
    "oauth_error": "an OAuth error named `error`",
    "id_token": "an id_token that is spoiled as `flaw` says",
}


# What an order of each kind can say beside where, how often and whether after the act.
DETAILS: dict[str, tuple[str, ...]] = {
    "delay": ("seconds",),
    "hang": ("seconds",),
    "hang_in_body": ("seconds",),
    "drip": ("seconds",),
    "rate_limit": ("retry_after", "body"),
    "server_error": ("status", "body"),
    "status": ("status", "body", "retry_after"),
    "html": ("body",),
    "garbage": ("body",),
    "huge": ("size",),
    "redirect_loop": ("status",),
    "oauth_error": ("error", "description", "status"),
    "id_token": ("flaw",),
}


class Trouble(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One ordered fault. `*` stands for every provider or endpoint; `times` 0 is until cleared.

    `seconds` and `retry_after` are seconds, `size` bytes. `grant_type` limits it to such token
    requests. With `after` the request is carried out first and only its answer is lost: a
    provider that acted, and a client that does not know.
    """

    kind: Kind
    provider: str = "*"
    endpoint: str = "*"
    times: int = 1
    grant_type: str = ""
    after: bool = False
    seconds: float = 60.0
    retry_after: int | None = None
    status: int = 0
    error: str = "invalid_grant"
    description: str = ""
    body: str = ""
    size: int = 100_000_000
    flaw: str = "bad_signature"

    def __post_init__(self) -> None:
        if self.flaw not in FLAWS:
            raise ValueError(f"flaw is one of {', '.join(FLAWS)}")
        if not 0 <= self.seconds <= 3_600 or not 0 <= self.size <= 2_000_000_000:
            raise ValueError("seconds is at most 3600, size at most 2000000000")
        if self.times < 0 or not (self.status == 0 or 200 <= self.status <= 599):
            raise ValueError("times is not negative, status is 200 to 599")


def take(troubles: list[Trouble], provider: str, endpoint: str, grant_type: str = "") -> Trouble | None:
    """Find the first fault that is ordered for this request, and count it down."""
    for trouble in troubles:
        if trouble.kind == "id_token" or trouble.provider not in ("*", provider):
            continue
        if trouble.endpoint not in ("*", endpoint):
            continue
        if trouble.grant_type and trouble.grant_type != grant_type:
            continue
        return _count_down(troubles, trouble)
    return None


def id_token_flaw(troubles: list[Trouble], provider: str) -> str:
    """Give the flaw ordered for this provider's next id_token, or nothing, and count it down."""
    for trouble in troubles:
        if trouble.kind == "id_token" and trouble.provider in ("*", provider):
            return _count_down(troubles, trouble).flaw
    return ""


def _count_down(troubles: list[Trouble], trouble: Trouble) -> Trouble:
    if trouble.times == 1:
        troubles.remove(trouble)
    elif trouble.times > 1:
        trouble.times -= 1
    return trouble
