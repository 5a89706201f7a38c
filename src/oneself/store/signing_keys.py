"""Signing keys of a project, one after the other for each use; private halves are sealed."""

from typing import Any

import msgspec

from oneself.store.database import Reader, Row, Tx

OF_USE = """
SELECT kid, generation, public_jwk, sealed_private, created_at, signs_at, retires_at
FROM signing_keys WHERE project_id = $1 AND use_name = $2 AND (retires_at = 0 OR retires_at > $3)
ORDER BY generation DESC"""

# `stage` is for code of before generations, which signs with the one that is called current.
INSERT = """
INSERT INTO signing_keys (project_id, use_name, kid, stage, generation, public_jwk, sealed_private, created_at,
    signs_at, retires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) ON CONFLICT DO NOTHING RETURNING kid"""

RETIRE_OLDER = """
UPDATE signing_keys SET retires_at = $4
WHERE project_id = $1 AND use_name = $2 AND generation < $3 AND retires_at = 0"""

DELETE_OLDER = "DELETE FROM signing_keys WHERE project_id = $1 AND use_name = $2 AND generation < $3"

# Only the newest key of a use has no end yet.
NEWEST_SINCE = """
SELECT project_id, use_name FROM signing_keys WHERE retires_at = 0 AND signs_at <= $1
ORDER BY signs_at, project_id, use_name LIMIT $2"""

NEWEST = """
SELECT project_id, use_name FROM signing_keys WHERE retires_at = 0 AND (project_id, use_name) > ($1, $2)
ORDER BY project_id, use_name LIMIT $3"""

ERASE_RETIRED = """
UPDATE signing_keys SET sealed_private = $2
WHERE retires_at <> 0 AND retires_at <= $1 AND length(sealed_private) > 0"""

DELETE_RETIRED = "DELETE FROM signing_keys WHERE retires_at <> 0 AND retires_at <= $1"

SUMMARY = """
SELECT use_name,
    count(*) FILTER (WHERE signs_at <= $1 AND NOT followed),
    coalesce(min(signs_at) FILTER (WHERE signs_at <= $1 AND NOT followed), 0),
    count(*) FILTER (WHERE signs_at > $1),
    coalesce(max(signs_at) FILTER (WHERE signs_at > $1), 0),
    count(*) FILTER (WHERE followed AND retires_at > $1)
FROM (
    SELECT use_name, signs_at, retires_at, EXISTS (
        SELECT 1 FROM signing_keys AS later WHERE later.project_id = keys.project_id AND later.use_name = keys.use_name
            AND later.generation > keys.generation AND later.signs_at <= $1
    ) AS followed FROM signing_keys AS keys
) AS each_key
GROUP BY use_name ORDER BY use_name"""


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """One signing key as stored; times in microseconds.

    Keys of one use are counted by `generation`. A key is published from `created_at` on, signs from `signs_at` on until
    a later one does, and is published until `retires_at`, which is 0 while no later key is known.
    """

    kid: str
    generation: int
    public_jwk: dict[str, Any]
    sealed_private: bytes
    created_at: int
    signs_at: int
    retires_at: int = 0


class UseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How the keys of one use stand over all projects; times in microseconds, 0 for none.

    `signing` keys sign, the oldest of them since `oldest_signs_since`; `coming` are published already, the last of them
    signs from `last_signs_at` on; `retiring` sign no more and are still published.
    """

    use: str
    signing: int
    oldest_signs_since: int
    coming: int
    last_signs_at: int
    retiring: int


async def of_use(reader: Reader, project_id: str, use: str, retired_after: int) -> list[StoredKey]:
    """The keys of one use but for those that retired before `retired_after`, the newest first."""
    return [_key(row) for row in await reader.all(OF_USE, project_id, use, retired_after)]


def _key(row: Row) -> StoredKey:
    return StoredKey(
        kid=row[0],
        generation=row[1],
        public_jwk=msgspec.json.decode(row[2]),
        sealed_private=bytes(row[3]),
        created_at=row[4],
        signs_at=row[5],
        retires_at=row[6],
    )


async def insert(tx: Tx, project_id: str, use: str, key: StoredKey) -> bool:
    """Add a key unless its use has one of this generation already: the first writer wins, others read again."""
    row = await tx.one(
        INSERT,
        project_id,
        use,
        key.kid,
        "next" if key.generation else "current",
        key.generation,
        msgspec.json.encode(key.public_jwk).decode(),
        key.sealed_private,
        key.created_at,
        key.signs_at,
    )
    return row is not None


async def retire_older(tx: Tx, project_id: str, use: str, generation: int, at: int) -> None:
    """Say until when the keys before a generation are published."""
    await tx.run(RETIRE_OLDER, project_id, use, generation, at)


async def delete_older(tx: Tx, project_id: str, use: str, generation: int) -> None:
    """Remove the keys before a generation, so that nothing they signed is believed any more."""
    await tx.run(DELETE_OLDER, project_id, use, generation)


async def newest_since(reader: Reader, until: int, limit: int) -> list[tuple[str, str]]:
    """Project and use of at most `limit` keys that began to sign by `until` and have no later one, the oldest first."""
    return [(row[0], row[1]) for row in await reader.all(NEWEST_SINCE, until, limit)]


async def newest(reader: Reader, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
    """At most `limit` pairs of project and use that have keys, those that come after the pair of `after`."""
    return [(row[0], row[1]) for row in await reader.all(NEWEST, *after, limit)]


async def erase_retired(tx: Tx, until: int) -> int:
    """Remove the private half of every key that retired by `until`; how many."""
    return await tx.run(ERASE_RETIRED, until, b"")


async def delete_retired(tx: Tx, until: int) -> int:
    """Remove every key that retired by `until`; how many."""
    return await tx.run(DELETE_RETIRED, until)


async def summary(reader: Reader, now: int) -> list[UseSummary]:
    """How the keys of each use stand at `now`, over all projects."""
    return [
        UseSummary(
            use=row[0],
            signing=int(row[1]),
            oldest_signs_since=int(row[2]),
            coming=int(row[3]),
            last_signs_at=int(row[4]),
            retiring=int(row[5]),
        )
        for row in await reader.all(SUMMARY, now)
    ]
