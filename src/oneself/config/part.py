"""What every group of settings is built from: the closed struct, and the bounds that several settings share."""

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Seconds = Annotated[int, Meta(ge=1, le=10 * 366 * 86_400)]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Texts = tuple[str, ...]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all groups of settings: immutable, and closed to settings that nobody knows."""
