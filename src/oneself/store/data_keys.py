"""The data keys of all projects, as far as the key ring over them is concerned."""

from oneself.store.database import Reader, Tx

PAGE = """
SELECT project_id, id, wrapped FROM data_keys WHERE (project_id, id) > ($1, $2) ORDER BY project_id, id LIMIT $3"""

# Only over the bytes that were read: a key that somebody else wrapped anew meanwhile stays theirs.
REWRAP = "UPDATE data_keys SET wrapped = $4 WHERE project_id = $1 AND id = $2 AND wrapped = $3 RETURNING id"

OPEN_TRIPS = """
SELECT key_id, count(*) FROM flows WHERE expires_at > $1 AND key_id <> '' GROUP BY key_id ORDER BY key_id"""

COUNT = "SELECT count(*) FROM data_keys"


async def page(reader: Reader, after: tuple[str, str], limit: int) -> list[tuple[str, str, bytes]]:
    """Project, id and wrapped bytes of at most `limit` data keys that come after the project and id of `after`."""
    return [(row[0], row[1], bytes(row[2])) for row in await reader.all(PAGE, *after, limit)]


async def count(reader: Reader) -> int:
    """How many data keys there are."""
    row = await reader.one(COUNT)
    return 0 if row is None else int(row[0])


async def rewrap(tx: Tx, project_id: str, key_id: str, old: bytes, new: bytes) -> bool:
    """Put a data key's new wrapping in place of the one that was read; False if it moved meanwhile."""
    return await tx.one(REWRAP, project_id, key_id, old, new) is not None


async def open_trips(reader: Reader, now: int) -> dict[str, int]:
    """How many trips hang on each master key, by its id, that have not expired at `now` (microseconds)."""
    return {row[0]: int(row[1]) for row in await reader.all(OPEN_TRIPS, now)}
