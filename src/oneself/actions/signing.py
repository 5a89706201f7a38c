"""Sign and verify tokens of our own; a key is made at its first use, sealed, and shared by all processes."""

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from oneself.actions.runtime import Runtime
from oneself.crypto import jwk, jwt
from oneself.crypto.ids import new_uuid
from oneself.crypto.jwk import Alg, PublicKey
from oneself.crypto.jwt import Signer
from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.rules.lifetimes import MINUTE
from oneself.store import signing_keys
from oneself.store.database import Tx
from oneself.store.signing_keys import StoredKey

Use = Literal["stytch", "stack", "stack_restricted", "stack_anonymous"]

_ALGS: dict[Use, Alg] = {"stytch": "RS256", "stack": "ES256", "stack_restricted": "ES256", "stack_anonymous": "ES256"}

# How long a process signs and verifies with what it read; a rotation is seen by then.
_KEPT = MINUTE
_MOST_PROVEN = 4096


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys of one use in this process: one signs, all verify, all are published."""

    signer: Signer
    verifying: dict[str, PublicKey]
    published: list[dict[str, Any]]
    read_at: int
    stored: list[StoredKey] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Proven:
    """A token's claims, and the keys that it was held against; other keys ask for another look."""

    verifying: dict[str, PublicKey]
    claims: dict[str, Any]


async def sign(rt: Runtime, project: Project, use: Use, claims: dict[str, Any]) -> str:
    """A compact JWS over `claims` (RFC 7515), with `kid` and `typ: JWT`."""
    return (await _signers(rt, project, use)).signer.sign(claims)


async def verify(rt: Runtime, project: Project, use: Use, token: str) -> dict[str, Any]:
    """The claims of a token that this project signed for this use; times and claims are the caller's to check, and not
    to change: a token that comes again within the minute is not computed again.

    Raises Fault(TOKEN_MALFORMED) or Fault(TOKEN_SIGNATURE_INVALID).
    """
    keys = await _signers(rt, project, use)
    known: _Proven | None = rt.proven.get(_fingerprint(token))
    if known is not None and known.verifying is keys.verifying:
        return known.claims
    try:
        return _prove(rt, keys, use, token)
    except Fault as fault:
        # Another process may have rotated: read once more, but not for every stranger's token.
        if not fault.facts.get("kid_unknown") or rt.clock() - keys.read_at < 5 * 1_000_000:
            raise
    rt.signers.pop((project.id, use), None)
    return _prove(rt, await _signers(rt, project, use), use, token)


def _prove(rt: Runtime, keys: Signers, use: Use, token: str) -> dict[str, Any]:
    claims = jwt.verify(token, keys.verifying, _ALGS[use])
    rt.proven[_fingerprint(token)] = _Proven(keys.verifying, claims)
    if len(rt.proven) > _MOST_PROVEN:
        rt.proven.popitem(last=False)
    return claims


def _fingerprint(token: str) -> bytes:
    """What a token is remembered by, so that none lies in memory."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def public_keys(rt: Runtime, project: Project, use: Use) -> list[dict[str, Any]]:
    """The published keys of a use as JWKs (RFC 7517)."""
    return (await _signers(rt, project, use)).published


def peek(rt: Runtime, token: str) -> dict[str, Any] | None:
    """The claims of any token, unverified: good for finding out whose it says it is, and for nothing else."""
    known: _Proven | None = rt.proven.get(_fingerprint(token))
    if known is not None:
        return known.claims
    try:
        return jwt.peek_claims(token)
    except Fault:
        return None


async def _signers(rt: Runtime, project: Project, use: Use) -> Signers:
    """The keys of a use; whoever asks while they are being read waits for that one reading."""
    found: Signers | None = rt.signers.get((project.id, use))
    if found is not None and rt.clock() - found.read_at < _KEPT:
        return found
    place = ("reading", project.id, use)
    reading: asyncio.Task[Signers] | None = rt.signers.get(place)
    if reading is None:
        reading = rt.signers[place] = asyncio.create_task(_read(rt, project, use, found))
        reading.add_done_callback(lambda _: rt.signers.pop(place, None))
    return await asyncio.shield(reading)


async def _read(rt: Runtime, project: Project, use: Use, known: Signers | None) -> Signers:
    stored = await signing_keys.of_use(rt.db, project.id, use, rt.clock())
    if not any(key.stage == "current" for key in stored):
        await _make(rt, project, use)
        stored = await signing_keys.of_use(rt.db, project.id, use, rt.clock())
    if known is not None and known.stored == stored:
        found = replace(known, read_at=rt.clock())
    else:
        found = await _opened(rt, project, use, stored)
    rt.signers[project.id, use] = found
    return found


async def _make(rt: Runtime, project: Project, use: Use) -> None:
    rsa = _ALGS[use] == "RS256"
    private = await asyncio.to_thread(jwk.generate_rsa) if rsa else jwk.generate_p256()
    kid = f"jwk-{project.environment}-{new_uuid(rt.random)}" if use == "stytch" else new_uuid(rt.random)
    data_key = await rt.projects.data_key(project.id)
    sealed = data_key.seal(jwk.dump_private(private), project.id, use, kid, "signing_keys.sealed_private")
    key = StoredKey(kid, "current", dict(jwk.jwk_public(private, kid)), sealed, rt.clock(), 0)

    async def work(tx: Tx) -> None:
        await signing_keys.insert(tx, project.id, use, key)

    await rt.db.write(work)


async def _opened(rt: Runtime, project: Project, use: Use, stored: list[StoredKey]) -> Signers:
    current = next((key for key in stored if key.stage == "current"), None)
    if current is None:
        raise Fault(FaultCode.SEAL_BROKEN, "the project has no current signing key")
    data_key = await rt.projects.data_key(project.id)
    place = (project.id, use, current.kid, "signing_keys.sealed_private")
    private = jwk.load_private(data_key.open(current.sealed_private, *place))
    return Signers(
        signer=Signer(_ALGS[use], current.kid, private),
        verifying={key.kid: jwk.load_public(key.public_jwk) for key in stored},
        published=[key.public_jwk for key in stored],
        read_at=rt.clock(),
        stored=stored,
    )
