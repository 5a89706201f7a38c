"""The checks of an id_token (OpenID Connect Core 3.1.3.7), after its signature."""

import hashlib
from collections.abc import Mapping
from typing import Any

from oneself.crypto import b64, jwt
from oneself.crypto.opaque import equal
from oneself.faults import Fault, FaultCode
from oneself.later import Later
from oneself.providers.spec import IdTokenRule
from oneself.upstream.client import Client, fill
from oneself.upstream.discovery import keys
from oneself.upstream.http import Outbound

SKEW = 60
STEP = "id_token"
_VERIFY = Later("oneself.crypto.foreign_jwt", "verify_parts")


async def verify_id_token(
    outbound: Outbound,
    client: Client,
    token: str,
    *,
    nonce: str | None,
    access_token: str,
    now: int,
    audiences: frozenset[str] | None = None,
) -> dict[str, Any]:
    """Give the claims of a token that this provider signed for this client; `now` in microseconds.

    `nonce` is the one that was sent, if any; `access_token` the one that came along, if any.
    `audiences` are the client ids that it may be made for and issued to, where those are others
    than the client's own.
    Raises `provider_reply_invalid` for every token that does not hold.
    """
    rule = client.id_token
    if rule is None:
        raise _refused("this provider signs none")
    ours = frozenset({client.client_id}) if audiences is None else audiences
    parts, claims = _plausible(token, rule, ours)
    await _check_signature(outbound, client, parts, claims, rule)
    _check_times(claims, now // 1_000_000)
    if nonce and rule.nonce and not _same(claims.get("nonce"), nonce):
        raise _refused("the nonce is not ours")
    if access_token and claims.get("at_hash") is not None:
        _check_at_hash(parts, claims["at_hash"], access_token)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise _refused("no subject")
    return claims


def _plausible(token: str, rule: IdTokenRule, audiences: frozenset[str]) -> tuple[jwt.Parts, dict[str, Any]]:
    """The token's parts and claims, of an accepted issuer for one of `audiences`, and still UNVERIFIED: what cannot be
    right is refused before anybody is asked for keys, for an app may send anything at all as a token.
    """
    try:
        parts = jwt.take_apart(token)
        claims = jwt.parse_object(parts.payload)
    except Fault as fault:
        raise _refused(fault.detail) from None
    if parts.header.get("alg") not in rule.algs:
        raise _refused("an algorithm that is not allowed here")
    _check_issuer(rule, claims)
    _check_audience(audiences, claims)
    return parts, claims


async def _check_signature(
    outbound: Outbound, client: Client, parts: jwt.Parts, claims: Mapping[str, Any], rule: IdTokenRule
) -> None:
    """Check the signature; fetch the keys once more where the token names an unknown one."""
    for again in (False, True):
        known = await keys(outbound, client, again=again)
        try:
            _VERIFY.get()(parts, known, rule.algs)
            _check_key_issuer(parts, known, claims)
            return
        except Fault as fault:
            if again or not fault.facts.get("kid_unknown"):
                raise _refused(fault.detail) from None


def _check_key_issuer(parts: jwt.Parts, known: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Where many issuers publish one set, a key may say whose it is (Microsoft's do): the token
    must be that issuer's.
    """
    kid = parts.header.get("kid")
    for key in known.get("keys", ()):
        owner = key.get("issuer") if isinstance(key, Mapping) and key.get("kid") == kid else None
        if isinstance(owner, str) and kid is not None:
            tenant = str(claims.get("tid", ""))
            if fill(owner, {"tenantid": tenant, "tid": tenant}) != claims.get("iss"):
                raise _refused("signed with another issuer's key")


def _check_issuer(rule: IdTokenRule, claims: Mapping[str, Any]) -> None:
    """Compare `iss` with the accepted ones, whose slots the token's own plain claims fill."""
    said = claims.get("iss")
    if said in rule.issuers and "{" not in said:
        return
    slots = {
        name: value for name, value in claims.items() if isinstance(value, str) and value.replace("-", "").isalnum()
    }
    accepted = {fill(template, slots) for template in rule.issuers}
    if not isinstance(said, str) or said not in accepted:
        raise _refused("another issuer")


def _check_audience(ours: frozenset[str], claims: Mapping[str, Any]) -> None:
    said = claims.get("aud")
    audience = said if isinstance(said, list) else [said]
    if not all(isinstance(one, str) for one in audience) or ours.isdisjoint(audience):
        raise _refused("made for another client")
    party = claims.get("azp")
    known = isinstance(party, str) and party in ours
    if not known and (party is not None or len(audience) > 1):
        raise _refused("issued to another party")


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    """Check `exp`, `iat` and `nbf` (seconds) with a minute of grace for clocks that differ."""
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    if expires is None or expires + SKEW <= now:
        raise _refused("expired")
    if issued is None or issued - SKEW > now:
        raise _refused("issued in the future")
    begins = _seconds(claims, "nbf")
    if "nbf" in claims and (begins is None or begins - SKEW > now):
        raise _refused("not valid yet")


def _seconds(claims: Mapping[str, Any], name: str) -> int | float | None:
    value = claims.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _check_at_hash(parts: jwt.Parts, said: Any, access_token: str) -> None:
    """Compare `at_hash` with the left half of the access token's hash (Core 3.1.3.6)."""
    alg = str(parts.header.get("alg", ""))
    name = f"sha{alg[2:]}" if alg[2:] in ("256", "384", "512") else "sha512"
    digest = hashlib.new(name, access_token.encode("ascii", "replace")).digest()
    if not _same(said, b64.encode(digest[: len(digest) // 2])):
        raise _refused("it belongs to another access token")


def after_refresh(client: Client, before: str, came: str) -> str:
    """Give the id_token to keep after a refresh: the one that came, or the one `before` where none did.

    It must be of the same subject, an accepted issuer and this client (OpenID Connect Core 12.2). It came from the
    token endpoint itself, so no keys are asked for; one that nobody can read counts as none. Raises
    `provider_reply_invalid` where it is of another account: then the tokens beside it are as well.
    """
    if client.id_token is None or not before or not came or came == before:
        return came or before
    try:
        old, new = jwt.peek_claims(before), jwt.peek_claims(came)
    except Fault:
        return before
    _check_issuer(client.id_token, new)
    _check_audience(frozenset({client.client_id}), new)
    if new.get("sub") != old.get("sub"):
        raise _refused("the refreshed one is of another account")
    return came


def _same(said: Any, wanted: str) -> bool:
    return isinstance(said, str) and equal(said, wanted)


def _refused(detail: str) -> Fault:
    return Fault(FaultCode.PROVIDER_REPLY_INVALID, detail, STEP)
