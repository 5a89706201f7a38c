"""Signing keys of a project, one current per use; private halves are sealed."""

from typing import Any

import msgspec

from oneself.store.database import Reader, Tx

OF_USE = """
SELECT kid, stage, public_jwk, sealed_private, created_at, retires_at
FROM signing_keys WHERE project_id = $1 AND use_name = $2 AND (retires_at = 0 OR retires_at > $3)
ORDER BY created_at DESC, kid"""

INSERT = """
INSERT INTO signing_keys (project_id, use_name, kid, stage, public_jwk, sealed_private, created_at, retires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT DO NOTHING"""


class StoredKey(msgspec.Struct, frozen=True):
    """One signing key as stored; times in microseconds, `retires_at` 0 while it may sign."""

    kid: str
    stage: str
    public_jwk: dict[str, Any]
    sealed_private: bytes
    created_at: int
    retires_at: int


async def of_use(reader: Reader, project_id: str, use: str, now: int) -> list[StoredKey]:
    """All keys that are still published for this use, newest first."""
    return [
        StoredKey(row[0], row[1], msgspec.json.decode(row[2]), bytes(row[3]), row[4], row[5])
        for row in await reader.all(OF_USE, project_id, use, now)
    ]


async def insert(tx: Tx, project_id: str, use: str, key: StoredKey) -> None:
    """Add a key unless the use has a current one already: the first writer wins,
    others read again.
    """
    await tx.run(
        INSERT,
        project_id,
        use,
        key.kid,
        key.stage,
        msgspec.json.encode(key.public_jwk).decode(),
        key.sealed_private,
        key.created_at,
    )
