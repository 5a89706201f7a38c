"""Telling a provider's failures apart: try later, ask the person again, or mend the settings."""

from collections.abc import Mapping
from typing import Any, Literal

from oneself.faults import Fault, FaultCode
from oneself.upstream.client import Client
from oneself.upstream.replies import fields, matches
from oneself.upstream.reply import Reply

Call = Literal["exchange", "refresh"]

_TRANSIENT = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_SAID_NO = frozenset({"access_denied", "consent_required", "interaction_required"})
# Words that may stand in a log; any other is a provider's own text and is not repeated.
_KNOWN = (
    _TRANSIENT
    | _SAID_NO
    | {
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "invalid_token",
        "redirect_uri_mismatch",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)


def unavailable(reply: Reply, step: str) -> Fault | None:
    """Give `provider_unavailable` for 5xx, 429 and 408, and for a 403 that says when to come back;
    else None. The fact `retry_after` is in seconds and present where the provider said it.
    """
    limited = reply.status in (408, 425, 429) or (reply.status == 403 and reply.retry_after is not None)
    if reply.status < 500 and not limited:
        return None
    facts = {"status": reply.status} | ({} if reply.retry_after is None else {"retry_after": reply.retry_after})
    return Fault(FaultCode.PROVIDER_UNAVAILABLE, f"status {reply.status}", step, sent=True, **facts)


def failure(client: Client, call: Call, reply: Reply) -> Fault:
    """Say what a failed token call means.

    `provider_unavailable` (the grant stays), `reconnect_needed` (a refresh token that is dead for
    good), `provider_grant_invalid` (a code that is), `provider_denied`, `provider_misconfigured`,
    and `provider_reply_invalid` for what is no answer of a token endpoint. The fact `status` says
    that the provider did answer.
    """
    later = unavailable(reply, call)
    if later is not None:
        return later
    try:
        found = fields(reply)
    except Fault as fault:
        return Fault(fault.code, f"status {reply.status}: {fault.detail}", call, sent=True, status=reply.status)
    return Fault(_meaning(client, call, reply, found), _told(reply, found), call, sent=True, status=reply.status)


def _meaning(client: Client, call: Call, reply: Reply, found: Mapping[str, Any]) -> FaultCode:
    provider, word = client.provider, _word(found)
    if word in _TRANSIENT or matches(provider.transient, reply.status, found):
        return FaultCode.PROVIDER_UNAVAILABLE
    if matches(provider.misconfigured, reply.status, found):
        return FaultCode.PROVIDER_MISCONFIGURED
    if call == "refresh":
        if matches(provider.dead_grant, reply.status, found) or word in client.dead_grant_words:
            return FaultCode.RECONNECT_NEEDED
    elif matches(provider.dead_code, reply.status, found):
        return FaultCode.PROVIDER_GRANT_INVALID
    elif word in _SAID_NO:
        return FaultCode.PROVIDER_DENIED
    if 300 <= reply.status < 400 or (reply.ok and not word and found.get("ok") is not False):
        return FaultCode.PROVIDER_REPLY_INVALID
    return FaultCode.PROVIDER_MISCONFIGURED


def _word(found: Mapping[str, Any]) -> str:
    """Give the error's code: some providers send an object or a boolean in its place."""
    word = found.get("error")
    return word if isinstance(word, str) else "other" if word else ""


def _told(reply: Reply, found: Mapping[str, Any]) -> str:
    word = _word(found)
    said = word if word in _KNOWN else "an error of its own"
    return f"status {reply.status}: {said}"
