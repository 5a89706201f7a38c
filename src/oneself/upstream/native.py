"""Who a provider's id_token proves, where an app got it on the device and no code was exchanged."""

import hashlib

from oneself.crypto.opaque import equal
from oneself.faults import Fault, FaultCode
from oneself.model import Identity, Secret, TokenSet
from oneself.providers.spec import Evidence
from oneself.upstream.client import Client
from oneself.upstream.http import Outbound
from oneself.upstream.id_token import verify_id_token
from oneself.upstream.trust import concluded

STEP = "native"


async def identify_native(
    outbound: Outbound,
    client: Client,
    token: Secret,
    *,
    audiences: frozenset[str],
    nonce: Secret | None,
    nonce_needed: bool,
    now: int,
) -> Identity:
    """Conclude whose account an id_token names; `now` in microseconds.

    `audiences` are the client ids of the project's own apps. A `nonce` must stand in the token, as it is or as the
    hex SHA-256 that apps send to the provider in its place; a token that carries one is refused without, where
    `nonce_needed`. Raises `id_token_invalid` for every token that does not hold, `provider_unavailable` where the
    provider's keys cannot be had.
    """
    try:
        claims = await verify_id_token(
            outbound, client, token.reveal(), nonce=None, access_token="", now=now, audiences=audiences
        )
        _check_nonce(claims.get("nonce"), nonce, needed=nonce_needed)
        evidence = Evidence(
            issuer=client.issuer,
            claims=claims,
            vendor_hosted=client.vendor_hosted,
            trusted_email_domains=client.trusted_email_domains,
            options=client.options,
            tenant=client.tenant,
        )
        profile = concluded(client, evidence)
    except Fault as fault:
        if fault.code is FaultCode.PROVIDER_REPLY_INVALID:
            raise Fault(FaultCode.ID_TOKEN_INVALID, fault.detail, STEP) from None
        raise
    # An id_token opens nothing at the provider: there is no grant to keep.
    return Identity(profile=profile, tokens=TokenSet(access_token="", id_token=token.reveal()))


def _check_nonce(said: object, nonce: Secret | None, *, needed: bool) -> None:
    if nonce is None:
        if said is not None and needed:
            raise Fault(FaultCode.ID_TOKEN_INVALID, "it carries a nonce, and none came with it", STEP)
        return
    plain = nonce.reveal()
    hashed = hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
    if not isinstance(said, str) or not (equal(said, plain) or equal(said, hashed)):
        raise Fault(FaultCode.ID_TOKEN_INVALID, "it carries another nonce", STEP)
