"""Sign and verify tokens of our own; a key is made at its first use, sealed, and shared by all processes."""

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

from oneself.actions.runtime import Runtime
from oneself.crypto import jwk, jwt
from oneself.crypto.jwk import PublicKey
from oneself.crypto.jwt import Signer
from oneself.faults import Fault, FaultCode
from oneself.model import Project
from oneself.rules.lifetimes import SIGNATURE_KNOWN
from oneself.steps import signing_keys as making
from oneself.steps.signing_keys import ALGS
from oneself.steps.signing_keys import Use as Use  # the faces name it
from oneself.store import signing_keys
from oneself.store.database import Tx
from oneself.store.signing_keys import StoredKey

_MOST_PROVEN = 4096


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys of one use in this process: one signs, those that are not retired are published, all verify.

    They are as `project` found them: whatever changes the project has them read anew.
    """

    project: Project
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


async def signing_kid(rt: Runtime, project: Project, use: Use) -> str:
    """The id of the key that signs now."""
    return (await _signers(rt, project, use)).signer.kid


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
    claims = jwt.verify(token, keys.verifying, ALGS[use])
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
    if found is not None and found.project is project and rt.clock() - found.read_at < rt.settings.keys_kept:
        return found
    place = ("reading", project.id, use)
    reading: asyncio.Task[Signers] | None = rt.signers.get(place)
    if reading is None:
        reading = rt.signers[place] = asyncio.create_task(_read(rt, project, use, found))
        reading.add_done_callback(lambda _: rt.signers.pop(place, None))
    return await asyncio.shield(reading)


async def _read(rt: Runtime, project: Project, use: Use, known: Signers | None) -> Signers:
    now = rt.clock()
    stored = await signing_keys.of_use(rt.db, project.id, use, now - SIGNATURE_KNOWN)
    if not stored:
        await _make_first(rt, project, use)
        stored = await signing_keys.of_use(rt.db, project.id, use, now - SIGNATURE_KNOWN)
    current = _current(stored, rt.clock())
    if known is not None and known.stored == stored and known.signer.kid == current.kid:
        found = replace(known, project=project, read_at=now, published=_published(stored, now))
    else:
        found = await _opened(rt, project, use, stored, current, now)
    rt.signers[project.id, use] = found
    return found


async def _make_first(rt: Runtime, project: Project, use: Use) -> None:
    data_key = await rt.projects.data_key(project.id)
    now = rt.clock()
    # Nobody can have kept a list that lacks it, so it signs at once.
    key = await making.make(project, use, data_key, rt.random, generation=0, now=now, signs_at=now)

    async def work(tx: Tx) -> None:
        await signing_keys.insert(tx, project.id, use, key)

    await rt.db.write(work)


def _current(stored: list[StoredKey], now: int) -> StoredKey:
    """The newest key whose time to sign has come; of a machine whose clock is behind the maker's, the oldest."""
    if not stored:
        raise Fault(FaultCode.SEAL_BROKEN, "the project has no signing key")
    return next((key for key in stored if key.signs_at <= now), stored[-1])


def _published(stored: list[StoredKey], now: int) -> list[dict[str, Any]]:
    return [key.public_jwk for key in stored if not key.retires_at or key.retires_at > now]


async def _opened(
    rt: Runtime, project: Project, use: Use, stored: list[StoredKey], current: StoredKey, now: int
) -> Signers:
    data_key = await rt.projects.data_key(project.id)
    return Signers(
        project=project,
        signer=Signer(ALGS[use], current.kid, making.unseal(data_key, project.id, use, current)),
        verifying={key.kid: jwk.load_public(key.public_jwk) for key in stored},
        published=_published(stored, now),
        read_at=now,
        stored=stored,
    )
