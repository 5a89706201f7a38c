"""Signing keys as they are made: of which kind for which use, under which name, and sealed."""

import asyncio
from collections.abc import Callable
from typing import Literal

from oneself.crypto import jwk
from oneself.crypto.ids import new_uuid
from oneself.crypto.jwk import Alg, PrivateKey
from oneself.crypto.seal import DataKey
from oneself.model import Project
from oneself.store.signing_keys import StoredKey

Use = Literal["stytch", "stack", "stack_restricted", "stack_anonymous"]

ALGS: dict[Use, Alg] = {"stytch": "RS256", "stack": "ES256", "stack_restricted": "ES256", "stack_anonymous": "ES256"}


async def make(
    project: Project,
    use: Use,
    data_key: DataKey,
    random: Callable[[int], bytes],
    *,
    generation: int,
    now: int,
    signs_at: int,
) -> StoredKey:
    """A fresh key, to be stored; an RSA key takes a tenth of a second, in a thread of its own."""
    private = await asyncio.to_thread(jwk.generate_rsa) if ALGS[use] == "RS256" else jwk.generate_p256()
    kid = f"jwk-{project.environment}-{new_uuid(random)}" if use == "stytch" else new_uuid(random)
    return StoredKey(
        kid=kid,
        generation=generation,
        public_jwk=dict(jwk.jwk_public(private, kid)),
        sealed_private=data_key.seal(jwk.dump_private(private), *_place(project.id, use, kid)),
        created_at=now,
        signs_at=signs_at,
    )


def unseal(data_key: DataKey, project_id: str, use: Use, key: StoredKey) -> PrivateKey:
    """The private half of a key. Raises Fault(SEAL_BROKEN)."""
    return jwk.load_private(data_key.open(key.sealed_private, *_place(project_id, use, key.kid)))


def _place(project_id: str, use: Use, kid: str) -> tuple[str, str, str, str]:
    return project_id, use, kid, "signing_keys.sealed_private"
