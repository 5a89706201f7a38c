"""The address at the provider that the browser is sent to (RFC 6749 4.1.1, RFC 7636 4.3)."""

from collections.abc import Mapping

from oneself.upstream import forms
from oneself.upstream.client import Client

# The order is part of one dialect's contract, and no provider minds it.
ORDER = (
    "client_id",
    "scope",
    "response_type",
    "redirect_uri",
    "code_challenge_method",
    "code_challenge",
    "state",
    "access_type",
    "prompt",
    "nonce",
    "response_mode",
)

# What decides where the code goes and what it is bound to: never the application's to set.
PROTECTED = frozenset(
    {
        "client_id",
        "client_key",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "redirect_uri",
        "state",
        "code_challenge",
        "code_challenge_method",
        "response_type",
        "response_mode",
        "scope",
        "nonce",
        "request",
        "request_uri",
        "registration",
        "dpop_jkt",
    }
)


def authorize_url(
    client: Client,
    *,
    redirect_uri: str,
    state: str,
    verifier_challenge: str | None = None,
    scopes: tuple[str, ...] = (),
    nonce: str | None = None,
    extra: Mapping[str, str] | None = None,
    base_params: Mapping[str, str] | None = None,
) -> str:
    """Build the address; `verifier_challenge` is the S256 challenge of our verifier.

    `scopes` are all that are asked for (the client's own where empty), beside those without which
    the provider does not say who it is. The challenge is left out
    where the provider is not to be sent one, the nonce where it does not come back. `base_params`
    are the dialect's (`access_type`, `prompt`), above the provider's own; `extra` are the
    application's, above both, but never above the protocol's own parameters.
    """
    provider = client.provider
    wanted = scopes or client.scopes
    params = dict(provider.authorize_params)
    params |= {name: client.options[name] for name in provider.option_params if client.options.get(name)}
    params |= {name: value for name, value in client.added("authorize").items() if _free(name)}
    params |= base_params or {}
    params |= {name: value for name, value in (extra or {}).items() if _free(name)}
    params |= {
        provider.client_id_param: client.client_id,
        "scope": client.scope_separator.join(dict.fromkeys((*wanted, *provider.identity_scopes))),
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "state": state,
    }
    if provider.response_mode:
        params["response_mode"] = provider.response_mode
    if verifier_challenge and client.pkce:
        params |= {"code_challenge_method": "S256", "code_challenge": client.challenge(verifier_challenge)}
    if nonce and client.id_token is not None and client.id_token.nonce:
        params["nonce"] = nonce
    return _with_query(client.address("authorization"), _ordered(params, provider.client_id_param))


def _free(name: str) -> bool:
    return name.strip().lower() not in PROTECTED


def _ordered(params: Mapping[str, str], client_id_param: str) -> dict[str, str]:
    order = (client_id_param, *ORDER[1:])
    first = {name: params[name] for name in order if params.get(name)}
    return {**first, **{name: value for name, value in params.items() if name not in first}}


def _with_query(address: str, params: Mapping[str, str]) -> str:
    """Add the parameters to the address of an endpoint, which may have a query of its own."""
    before, _, _ = address.partition("#")
    joint = "" if before.endswith(("?", "&")) else "&" if "?" in before else "?"
    return before + joint + forms.query(params)
