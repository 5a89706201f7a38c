"""What an issuer publishes of itself: its metadata (OpenID Connect Discovery 1.0 section 4) and its
keys.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from oneself.faults import Fault, FaultCode
from oneself.providers.spec import ClientAuth
from oneself.upstream.client import Client
from oneself.upstream.failures import unavailable
from oneself.upstream.http import Outbound
from oneself.upstream.replies import fields
from oneself.upstream.shelf import SECOND

# How often the keys of one issuer are fetched at most because a token names an unknown one.
KEYS_PAUSE = 30 * SECOND

# Our name of an address, and the members of the metadata that may hold it.
_ADDRESSES = (
    ("authorization", ("authorization_endpoint",)),
    ("token", ("token_endpoint",)),
    ("userinfo", ("userinfo_endpoint",)),
    ("jwks", ("jwks_uri",)),
    ("revocation", ("revocation_endpoint", "token_revocation_endpoint")),
)


async def complete(outbound: Outbound, client: Client) -> Client:
    """Fill in what the issuer's metadata says, for a client that is known by its issuer alone.

    A client whose addresses are known comes back as it is. What the project set itself stands above the metadata.
    Raises `provider_unavailable`, `provider_reply_invalid`, or `provider_misconfigured` where the
    document names another issuer than the configured one (compared byte for byte).
    """
    known = all(client.endpoints.get(name) for name in ("authorization", "token", "jwks"))
    if known or not client.endpoints.get("discovery"):
        return client
    if not client.issuer:
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "no issuer is configured", "discovery")
    address = client.address("discovery")
    metadata = await outbound.shelf.get(f"metadata {address}", lambda: _fetch(outbound, address))
    if metadata.get("issuer") != client.issuer:
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, "another issuer answered", "discovery")
    return _completed(client, metadata)


async def keys(outbound: Outbound, client: Client, *, again: bool = False) -> Mapping[str, Any]:
    """Give the issuer's keys (RFC 7517 section 5). `again` fetches them anew because a token names
    an unknown one, but not more often than `KEYS_PAUSE`.
    """
    address = client.address("jwks")
    found: Mapping[str, Any] = await outbound.shelf.get(
        f"keys {address}",
        lambda: _fetch(outbound, address),
        fresh=KEYS_PAUSE if again else 3600 * SECOND,
    )
    return found


async def _fetch(outbound: Outbound, address: str) -> Mapping[str, Any]:
    reply = await outbound.send("GET", address, headers={"Accept": "application/json"})
    later = unavailable(reply, "discovery")
    if later is not None:
        raise later
    if not reply.ok:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, f"status {reply.status}", "discovery")
    return fields(reply)


def _completed(client: Client, metadata: Mapping[str, Any]) -> Client:
    said = {name: _first(metadata, members) for name, members in _ADDRESSES}
    own = {name: url for name, url in client.endpoints.items() if url}
    endpoints = {**said, **own}
    if not endpoints["authorization"] or not endpoints["token"]:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "the metadata lacks addresses", "discovery")
    rule = client.id_token
    algs = _texts(metadata, "id_token_signing_alg_values_supported") or ("RS256",)
    methods = _texts(metadata, "code_challenge_methods_supported")
    chosen = client.options.get("pkce", "")
    return replace(
        client,
        endpoints=MappingProxyType(endpoints),
        auth=client.auth if client.options.get("client_auth") else _auth(client, metadata),
        pkce=client.pkce and (bool(chosen) or _takes_challenges(client, methods)),
        id_token=rule and replace(rule, algs=tuple(alg for alg in rule.algs if alg in algs)),
        redirect_issuer_required=client.redirect_issuer_required
        or metadata.get("authorization_response_iss_parameter_supported") is True,
    )


def _takes_challenges(client: Client, methods: tuple[str, ...]) -> bool:
    """Where nothing is announced a challenge is ignored at worst, but for the few that refuse it."""
    return "S256" in methods if methods else client.issuer not in client.provider.no_pkce_issuers


def _auth(client: Client, metadata: Mapping[str, Any]) -> ClientAuth:
    """Basic where the issuer says nothing (its default by the specification), else post before
    basic.
    """
    if client.public:
        return "none"
    methods = _texts(metadata, "token_endpoint_auth_methods_supported")
    return "post" if "client_secret_post" in methods else "basic"


def _first(metadata: Mapping[str, Any], members: tuple[str, ...]) -> str:
    found = (metadata.get(member) for member in members)
    return next((value for value in found if isinstance(value, str) and value), "")


def _texts(metadata: Mapping[str, Any], member: str) -> tuple[str, ...]:
    value = metadata.get(member)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
