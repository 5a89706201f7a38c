"""Reading what providers answer: whatever the bytes, a value of the right shape or a Fault."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from oneself.faults import Fault, FaultCode
from oneself.model import TokenSet
from oneself.providers.spec import Match, Provider
from oneself.upstream.reply import Reply

MAX_FIELDS = 256
MAX_TOKEN = 16_384
MAX_SCOPES = 512
MAX_LIFETIME = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True, repr=False)
class TokenAnswer:
    """A successful answer of a token endpoint as it came: never shown, because it holds tokens."""

    fields: Mapping[str, Any]

    def __repr__(self) -> str:
        return "TokenAnswer(...)"

    def text(self, name: str) -> str:
        """Give a token of the answer, or nothing where it is missing or null.

        Raises `provider_reply_invalid` for anything but printable ASCII (RFC 6749 appendix A).
        """
        value = self.fields.get(name)
        if value is None or value == "":
            return ""
        if not isinstance(value, str) or len(value) > MAX_TOKEN:
            raise Fault(FaultCode.PROVIDER_REPLY_INVALID, f"{name} is no token")
        if not (value.isascii() and value.isprintable()):
            raise Fault(FaultCode.PROVIDER_REPLY_INVALID, f"{name} holds odd characters")
        return value


def document(reply: Reply) -> Any:
    """Read a body as JSON, or as a form where it says so (GitHub's answers by default).

    A body that says it is a page is not read. Raises `provider_reply_invalid`.
    """
    kind = reply.content_type
    if kind in ("text/html", "application/xhtml+xml"):
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "a page came instead of an answer")
    if kind == "application/x-www-form-urlencoded" or (
        kind == "text/plain" and not reply.body.lstrip().startswith((b"{", b"["))
    ):
        return _form(reply.body)
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the answer is no JSON") from None


def fields(reply: Reply) -> Mapping[str, Any]:
    """Read a body that must be an object. Raises `provider_reply_invalid`."""
    found = document(reply)
    if not isinstance(found, Mapping):
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the answer is no object")
    return found


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the answer is no form") from None
    found = dict(pairs)
    if not found or len(found) != len(pairs):
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the answer is no form")
    return found


def succeeded(reply: Reply, found: Mapping[str, Any]) -> bool:
    """Say whether a token call succeeded: several providers answer 200 to a failure."""
    token = found.get("access_token")
    return reply.ok and isinstance(token, str) and bool(token) and succeeding(found)


def succeeding(found: Mapping[str, Any]) -> bool:
    """Say whether a body does not speak of a failure."""
    return not found.get("error") and found.get("ok") is not False


def matches(patterns: Iterable[Match], status: int, found: Mapping[str, Any]) -> bool:
    """Say whether an answer is one that a provider's file describes."""
    return any(_matches(pattern, status, found) for pattern in patterns)


def _matches(pattern: Match, status: int, found: Mapping[str, Any]) -> bool:
    return (
        (not pattern.status or status in pattern.status)
        and all(_spoken(found, path) in allowed for path, allowed in pattern.equals)
        and all(part.lower() in _spoken(found, path).lower() for path, part in pattern.contains)
    )


def _spoken(found: Any, path: str) -> str:
    """Follow a dotted path and give what is there as JSON writes it; nothing where there is
    none.
    """
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found
    return "" if found is None else msgspec.json.encode(found).decode()


def tokens_from(
    provider: Provider,
    answer: TokenAnswer,
    *,
    now: int,
    asked: tuple[str, ...] = (),
    previous: TokenSet | None = None,
) -> TokenSet:
    """Make the token set of an answer that came at `now` (microseconds).

    What the answer leaves out is kept from `previous` (the set that was refreshed): the refresh
    token, the id_token and the scopes. Without any, the scopes are those that were `asked` for.
    """
    kept = previous or TokenSet(access_token="-", scopes=asked)
    lifetime = _lifetime(answer.fields.get("expires_in"))
    if lifetime is None:
        lifetime = provider.default_lifetime
    return TokenSet(
        access_token=answer.text("access_token"),
        refresh_token=answer.text("refresh_token") or kept.refresh_token,
        id_token=answer.text("id_token") or kept.id_token,
        scopes=_granted(answer, provider) or kept.scopes,
        expires_at=0 if lifetime is None else now + lifetime * 1_000_000,
        token_type=_token_type(answer.fields.get("token_type")),
    )


def _lifetime(value: Any) -> int | None:
    """Read `expires_in`: whole seconds, as a number or as text; None where it says nothing."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(max(int(value), 0), MAX_LIFETIME)


def _granted(answer: TokenAnswer, provider: Provider) -> tuple[str, ...]:
    said = (answer.fields.get(name) for name in provider.answer_scope_fields)
    return _scopes(next((value for value in said if value), None), provider.answer_separator)


def _scopes(value: Any, separator: str) -> tuple[str, ...]:
    """Read the granted scopes: a list, or text with blanks or the provider's separator between."""
    if isinstance(value, str):
        value = re.split(f"[\\s{re.escape(separator)}]+", value)
    if not isinstance(value, list):
        return ()
    named = [scope for scope in value if isinstance(scope, str) and scope and scope.isprintable()]
    return tuple(dict.fromkeys(named))[:MAX_SCOPES]


def _token_type(value: Any) -> str:
    known = isinstance(value, str) and value.isascii() and value.isalnum() and len(value) < 32
    return value if known else "Bearer"
