"""From a token answer to a proven identity: check the id_token, read the user documents, conclude."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from oneself.faults import Fault, FaultCode
from oneself.model import Identity
from oneself.providers.spec import Document, Evidence
from oneself.upstream.client import Client, filled
from oneself.upstream.failures import unavailable
from oneself.upstream.http import Outbound
from oneself.upstream.id_token import verify_id_token
from oneself.upstream.redirects import check_iss, denied, refusal
from oneself.upstream.replies import TokenAnswer, document, tokens_from
from oneself.upstream.reply import Reply
from oneself.upstream.trust import concluded

__all__ = ["check_iss", "denied", "identify", "probe", "refusal"]

TRIES = 3
FIRST_PAUSE = 0.25
STEP = "userinfo"


async def identify(
    outbound: Outbound,
    client: Client,
    answer: TokenAnswer,
    *,
    nonce: str | None,
    now: int,
    asked_scopes: tuple[str, ...] = (),
    form: Mapping[str, str] | None = None,
) -> Identity:
    """Conclude whose account the tokens of `answer` are; `now` in microseconds.

    `nonce` is the one that was sent, if any; `form` what came with the redirect (Apple's `user`).
    Raises `provider_reply_invalid` where anything does not hold together, `provider_unavailable`
    where a document could not be read, `provider_misconfigured` where the token may not read it.
    """
    tokens = tokens_from(client.provider, answer, now=now, asked=asked_scopes or client.scopes)
    claims = await _claims(outbound, client, answer, nonce, now)
    documents: dict[str, Any] = {}
    for wanted in client.provider.documents:
        if client.endpoints.get(wanted.name) and (wanted.always or claims is None):
            found = await _read(outbound, client, wanted, tokens.access_token)
            if found is not None:
                documents[wanted.name] = found
    _check_same_subject(client, claims, documents)
    evidence = Evidence(
        issuer=client.issuer,
        token=answer.fields,
        documents=documents,
        claims=claims,
        vendor_hosted=client.vendor_hosted,
        trusted_email_domains=client.trusted_email_domains,
        options=client.options,
        form=form or {},
        tenant=client.tenant,
    )
    return Identity(profile=concluded(client, evidence), tokens=tokens)


async def probe(outbound: Outbound, client: Client, access_token: str) -> bool:
    """Ask the provider whether an access token still lives, by reading the first user document.

    True where there is none to read. Raises `provider_unavailable`.
    """
    for wanted in client.provider.documents[:1]:
        if client.endpoints.get(wanted.name):
            reply = await _ask(outbound, client, wanted, access_token)
            later = unavailable(reply, "probe")
            if later is not None:
                raise later
            return reply.ok
    return True


async def _claims(
    outbound: Outbound, client: Client, answer: TokenAnswer, nonce: str | None, now: int
) -> dict[str, Any] | None:
    if client.id_token is None:
        return None
    token = answer.text("id_token")
    if not token:
        if client.id_token.required:
            raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "no id_token came", "id_token")
        return None
    access = answer.text("access_token")
    return await verify_id_token(outbound, client, token, nonce=nonce, access_token=access, now=now)


async def _read(outbound: Outbound, client: Client, wanted: Document, access_token: str) -> Any:
    """Read one document, three times at most where the provider stumbles; None where an optional
    one was refused.
    """
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        try:
            return _understood(wanted, await _ask(outbound, client, wanted, access_token))
        except Fault as fault:
            last = attempt == TRIES - 1
            if fault.code is not FaultCode.PROVIDER_UNAVAILABLE or last or _must_wait(fault):
                raise
    raise AssertionError("unreachable")


def _must_wait(fault: Fault) -> bool:
    """A provider that named a time, or used up a whole deadline, is not asked again at once."""
    return "retry_after" in fault.facts or fault.detail.endswith("TimeoutError")


def _understood(wanted: Document, reply: Reply) -> Any:
    later = unavailable(reply, STEP)
    if later is not None:
        raise later
    if reply.status in (401, 403, 404) and not wanted.required:
        return None
    if reply.status in (401, 403):
        detail = f"{wanted.name}: status {reply.status}"
        raise Fault(FaultCode.PROVIDER_MISCONFIGURED, detail, STEP)
    found = document(reply) if reply.ok else None
    refused = isinstance(found, Mapping) and found.get("ok") is False
    if not isinstance(found, Mapping | list) or refused:
        detail = f"{wanted.name}: status {reply.status}"
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, detail, STEP)
    return found


async def _ask(outbound: Outbound, client: Client, wanted: Document, access_token: str) -> Reply:
    secret = client.secret.reveal().encode("utf-8", "replace")
    proof = hmac.new(secret, access_token.encode("ascii", "replace"), hashlib.sha256).hexdigest()
    names = {
        "access_token": access_token,
        "client_id": client.client_id,
        "client_secret": client.secret.reveal(),
        "token_hmac": proof,
    }
    headers = {"Accept": "application/json", **filled(wanted.headers, names)}
    if wanted.bearer:
        headers["Authorization"] = f"Bearer {access_token}"
    address = client.address(wanted.name)
    if wanted.query:
        joint = "&" if "?" in address else "?"
        address += joint + urlencode(filled(wanted.query, names))
    form = filled(wanted.form, names)
    return await outbound.send("POST" if form else "GET", address, headers=headers, form=form or None)


def _check_same_subject(client: Client, claims: Mapping[str, Any] | None, documents: Mapping[str, Any]) -> None:
    """The user document must be of the account that the id_token names (Core 5.3.2): else a token
    of another account was slipped in.
    """
    found = documents.get("userinfo")
    if client.provider.kind != "oidc" or claims is None or found is None:
        return
    if not isinstance(found, Mapping) or found.get("sub") != claims["sub"]:
        raise Fault(FaultCode.PROVIDER_REPLY_INVALID, "another account's document", STEP)
