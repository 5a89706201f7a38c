"""Metadata of a user in this dialect: how it merges, and how large it may grow."""

from collections.abc import Mapping
from typing import Any

import msgspec

from oneself.faults import Fault, FaultCode

MAX_KEYS = 20
MAX_BYTES = 4096


def merge_metadata(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return `old` with `new` laid over it at the top level, where a null deletes; None for nothing
    new.

    Fault(metadata_too_many_keys) above 20 keys, Fault(metadata_too_large) above 4 KB.
    """
    if new is None:
        return None
    merged = {name: value for name, value in {**(old or {}), **new}.items() if value is not None}
    if len(merged) > MAX_KEYS:
        raise Fault(FaultCode.METADATA_TOO_MANY_KEYS, f"{len(merged)} keys")
    if len(msgspec.json.encode(merged)) > MAX_BYTES:
        raise Fault(FaultCode.METADATA_TOO_LARGE, "above 4 KB")
    return merged
