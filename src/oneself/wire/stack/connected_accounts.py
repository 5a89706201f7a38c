"""`/connected-accounts`: which outside accounts a user lets the application use, and their access tokens."""

from msgspec import UNSET, UnsetType

from oneself.actions import access_token, accounts, consent, return_urls
from oneself.faults import Fault, FaultCode
from oneself.wire.http import Reply
from oneself.wire.stack.catalogue import known
from oneself.wire.stack.consent import consent_url
from oneself.wire.stack.faults import refusal_for
from oneself.wire.stack.fields import Form, Url, UserId
from oneself.wire.stack.live import require_live_session
from oneself.wire.stack.operation import Call, Operation, done, items, operation
from oneself.wire.stack.refusals import Refused
from oneself.wire.stack.replies import AccessToken, ConnectedAccounts

_MENDED_BY_CONSENT = (FaultCode.SCOPE_MISSING, FaultCode.RECONNECT_NEEDED)


class UserPath(Form):
    """Whose accounts."""

    user_id: UserId


class ProviderPath(UserPath):
    """All of a user's accounts at one provider."""

    provider_id: str


class AccountPath(ProviderPath):
    """One account of a user at one provider."""

    provider_account_id: str


class OwnProviderPath(Form):
    """The caller's accounts at one provider."""

    provider_id: str


class TokenBody(Form):
    """Which scopes the token must have, separated by spaces; and, beyond the original, where the browser goes after
    the consent that a refusal then offers a link to.
    """

    scope: str | UnsetType = UNSET
    consent_return_url: Url | UnsetType = UNSET


async def listing(call: Call) -> Reply:
    """List a user's connected accounts, oldest first."""
    user_id = call.params.user_id
    call.require_self(user_id, "Client can only list connected accounts for their own user.")
    rows = await accounts.listing(call.rt, call.project, user_id)
    return items(
        call,
        [
            {
                "user_id": row.user_id,
                "provider": row.config_id,
                "provider_account_id": row.subject,
            }
            for row in rows
            if row.allow_connected_accounts
        ],
    )


async def provider_token(call: Call, body: TokenBody) -> Reply:
    """Hand out a live access token of any of the user's accounts at a provider."""
    path: ProviderPath = call.params
    return await _token(call, path.user_id, path.provider_id, "", body)


async def account_token(call: Call, body: TokenBody) -> Reply:
    """Hand out a live access token of one account."""
    path: AccountPath = call.params
    return await _token(call, path.user_id, path.provider_id, path.provider_account_id, body)


async def own_token(call: Call, body: TokenBody) -> Reply:
    """The older address of `provider_token`, for the caller's own user."""
    return await _token(call, call.own_id(), call.params.provider_id, "", body)


async def _token(call: Call, user_id: str, config_id: str, subject: str, body: TokenBody) -> Reply:
    call.require_self(user_id, "Client can only access its own connected accounts")
    await require_live_session(call)
    scopes = tuple((body.scope or "").split())
    if body.consent_return_url and not return_urls.is_trusted(call.project, body.consent_return_url):
        raise known("REDIRECT_URL_NOT_WHITELISTED")
    try:
        tokens = await access_token.fresh(call.rt, call.project, user_id, config_id, subject, scopes)
    except Fault as fault:
        if body.consent_return_url and fault.code in _MENDED_BY_CONSENT:
            raise await _with_link(call, fault, user_id, config_id, scopes, body.consent_return_url) from fault
        raise
    return done(call, {"access_token": tokens.access_token})


async def _with_link(
    call: Call, fault: Fault, user_id: str, config_id: str, scopes: tuple[str, ...], url: str
) -> Refused:
    """The contract's refusal, with what to do next in its details; only who asks for them gets details at all."""
    refused = refusal_for(fault, call.operation.operation, fault.facts)
    link = await consent.sealed(call.rt, call.project, user_id, config_id, fault, scopes, url)
    refused.details = {"reason": fault.code.value, "consent_url": consent_url(call.rt, link) if link else None}
    return refused


OPERATIONS: tuple[Operation, ...] = (
    operation(
        "GET",
        "/connected-accounts/{user_id}",
        listing,
        "List a user's connected accounts",
        params=UserPath,
        response=ConnectedAccounts,
    ),
    operation(
        "POST",
        "/connected-accounts/{user_id}/{provider_id}/access-token",
        provider_token,
        "Get an access token of a user's account at a provider",
        status=201,
        params=ProviderPath,
        body=TokenBody,
        response=AccessToken,
    ),
    operation(
        "POST",
        "/connected-accounts/{user_id}/{provider_id}/{provider_account_id}/access-token",
        account_token,
        "Get an access token of one connected account",
        status=201,
        params=AccountPath,
        body=TokenBody,
        response=AccessToken,
    ),
    operation(
        "POST",
        "/auth/oauth/connected-accounts/{provider_id}/access-token",
        own_token,
        "Get an access token of the caller's account at a provider",
        status=201,
        params=OwnProviderPath,
        body=TokenBody,
        response=AccessToken,
    ),
)
