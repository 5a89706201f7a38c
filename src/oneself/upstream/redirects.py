"""What a provider says with the redirect back: its issuer, that the person said no, or what
failed.
"""

from collections.abc import Mapping

from oneself.faults import Fault, FaultCode
from oneself.providers.spec import Provider
from oneself.upstream.client import Client

_CANCELLED = frozenset(
    {
        "access_denied",
        "consent_required",
        "user_cancelled_login",
        "user_cancelled_authorize",
        "user_denied",
    }
)
_UNAVAILABLE = frozenset({"temporarily_unavailable", "server_error"})
_MISCONFIGURED = frozenset(
    {
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unauthorized_scope_error",
        "unsupported_response_type",
        "redirect_uri_mismatch",
        "invalid_redirect_uri",
        "application_suspended",
    }
)


def check_iss(client: Client, params: Mapping[str, str]) -> None:
    """Compare the `iss` of a redirect with the provider's (RFC 9207 2.4), on errors too.

    One that is there must be equal, byte for byte, where the provider's is known; it must be there
    only where the provider announces it. Raises `provider_reply_invalid`.
    """
    said = params.get("iss")
    if said is None:
        if client.redirect_issuer_required:
            raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the redirect lacks its issuer", "iss")
    elif client.redirect_issuer and said != client.redirect_issuer:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the redirect is another issuer's", "iss")


def denied(provider: Provider, params: Mapping[str, str]) -> bool:
    """Say whether the redirect means that the person (or their administrator) said no."""
    words = {params.get("error", ""), params.get("error_reason", "")}
    return not words.isdisjoint(_CANCELLED) or not words.isdisjoint(provider.cancel_words)


def refusal(provider: Provider, params: Mapping[str, str]) -> Fault | None:
    """Turn the error of a redirect into a fault, or None where it carries none.

    `provider_denied`, `provider_unavailable`, `provider_misconfigured`, and for words that nobody
    knows `provider_reply_invalid`. The provider's text is never repeated.
    """
    word = params.get("error") or params.get("error_code") or params.get("error_message")
    if not word:
        return None
    if denied(provider, params):
        return Fault(FaultCode.PROVIDER_DENIED, "the person said no", "redirect")
    if word in _UNAVAILABLE:
        return Fault(FaultCode.PROVIDER_UNAVAILABLE, word, "redirect", sent=False)
    if word in _MISCONFIGURED:
        return Fault(FaultCode.PROVIDER_MISCONFIGURED, word, "redirect")
    if word in ("login_required", "interaction_required", "account_selection_required"):
        return Fault(FaultCode.PROVIDER_DENIED, word, "redirect")
    return Fault(FaultCode.PROVIDER_REPLY_INVALID, "an error of its own", "redirect")
