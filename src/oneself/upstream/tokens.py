"""The calls to a provider's token endpoints: exchange a code, refresh a grant, hand it back."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from oneself.faults import Fault, FaultCode
from oneself.providers.reading import at
from oneself.providers.spec import Revocation
from oneself.upstream.client import Client, fill, filled
from oneself.upstream.failures import Call, failure, unavailable
from oneself.upstream.http import Outbound
from oneself.upstream.replies import TokenAnswer, fields, succeeded, succeeding
from oneself.upstream.reply import Reply
from oneself.upstream.secrets import client_secret


async def exchange_code(
    outbound: Outbound, client: Client, code: str, redirect_uri: str, verifier: str | None
) -> TokenAnswer:
    """Exchange an authorization code (RFC 6749 4.1.3, RFC 7636 4.5).

    Raises `provider_grant_invalid` for a dead code, else as `failures.failure` says.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    if verifier and client.pkce:
        form["code_verifier"] = verifier
    reply = await _post(outbound, client, client.address("token"), form)
    return _answer(client, reply, "exchange")


async def refresh(
    outbound: Outbound,
    client: Client,
    refresh_token: str,
    scopes: tuple[str, ...] = (),
    *,
    redirect_uri: str = "",
) -> TokenAnswer:
    """Ask for a fresh access token (RFC 6749 6). Where the provider trades the live access token
    instead (`Refresh.kind` is `exchange`), that is what `refresh_token` must hold.

    `scopes` are sent where given; `redirect_uri` is our callback URI, for providers that want it
    again. Raises `reconnect_needed` for a grant that is dead for good, else as `failures.failure`
    says: with the fact `sent` False the provider cannot have used the token up.
    """
    rule = client.provider.refresh
    if rule.kind == "none":
        raise Fault(FaultCode.RECONNECT_NEEDED, "this provider has nothing to refresh", "refresh")
    form = filled(rule.params, {"access_token": refresh_token, "refresh_token": refresh_token})
    if rule.kind == "standard":
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **form}
        if scopes:
            form["scope"] = client.scope_separator.join(scopes)
    if rule.redirect_uri and redirect_uri:
        form["redirect_uri"] = redirect_uri
    address = client.endpoints.get("refresh") or client.address("token")
    reply = await _post(outbound, client, address, form)
    return _answer(client, reply, "refresh")


async def revoke(
    outbound: Outbound,
    client: Client,
    *,
    access_token: str = "",
    refresh_token: str = "",
    subject: str = "",
) -> bool:
    """Hand a grant back (RFC 7009 2.1, or the provider's own way). True: it is gone, now or before;
    False: this provider has no such call, or not for the tokens at hand.

    Raises `provider_unavailable`, or `provider_misconfigured` where our client was refused.
    """
    rule = client.provider.revocation
    address = client.endpoints.get("revocation", "")
    token = {
        "access": access_token,
        "refresh": refresh_token,
        "either": refresh_token or access_token,
    }[rule.takes if rule else "either"]
    if rule is None or not address or not token:
        return False
    names = {"token": quote_plus(token), "subject": quote_plus(subject)}
    kind = "refresh_token" if token == refresh_token else "access_token"
    reply = await _hand_back(outbound, client, rule, fill(address, names), token, {"token_type_hint": kind})
    later = unavailable(reply, "revoke")
    if later is not None:
        raise later
    if reply.status in (401, 403) and rule.auth != "bearer":
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, f"status {reply.status}", "revoke")
    return reply.ok or reply.status in (400, 401, 404, 422)


async def _hand_back(
    outbound: Outbound, client: Client, rule: Revocation, address: str, token: str, hint: dict[str, str]
) -> Reply:
    headers = {"Accept": "application/json"}
    body = {} if rule.body == "path" else {rule.field: token, **(hint if rule.hint else {})}
    form: dict[str, str] = {}
    if rule.auth == "bearer":
        headers["Authorization"] = f"Bearer {token}"
    elif rule.auth != "none":
        auth = client.auth if rule.auth == "client" else rule.auth
        form = _authenticate(outbound, client, headers, auth)
    if rule.body == "json":
        return await outbound.send(rule.method, address, headers=headers, json={**body, **form})
    if rule.body == "query":
        joint = "&" if "?" in address else "?"
        address += joint + "&".join(f"{name}={quote_plus(value)}" for name, value in body.items())
        body = {}
    return await outbound.send(rule.method, address, headers=headers, form={**body, **form} or None)


async def _post(outbound: Outbound, client: Client, address: str, form: Mapping[str, str]) -> Reply:
    headers = dict(client.provider.token_headers)
    identity = _authenticate(outbound, client, headers, client.auth)
    params = {**dict(client.provider.token_params), **client.added("token")}
    return await outbound.send("POST", address, headers=headers, form={**params, **form, **identity})


def _authenticate(outbound: Outbound, client: Client, headers: dict[str, str], auth: str) -> dict[str, str]:
    """Say who we are (RFC 6749 2.3.1): in `headers`, or in the form fields that come back."""
    name = client.provider.client_id_param
    if auth in ("none", "client_id"):
        return {name: client.client_id}
    secret = client_secret(client, outbound.clock())
    if auth == "post":
        return {name: client.client_id, "client_secret": secret}
    pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
    return {}


def _answer(client: Client, reply: Reply, call: Call) -> TokenAnswer:
    if reply.ok:
        found = _inner(client, fields(reply))
        if succeeded(reply, found):
            return TokenAnswer(found)
    raise failure(client, call, reply)


def _inner(client: Client, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where a project says that the answer lies deeper (`token_path`), what lies there; a failure stays as it is."""
    path = client.options.get("token_path", "")
    inner = at(found, *path.split(".")) if path and succeeding(found) else None
    return inner if isinstance(inner, Mapping) else found
