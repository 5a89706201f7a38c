"""What no text may hold that is kept."""

import re

# PostgreSQL's texts have no NUL, and UTF-8 has no half of a surrogate pair (RFC 3629, section 3).
_ODD = re.compile("[\0\ud800-\udfff]")


def holds_odd(text: str) -> bool:
    """Whether a text holds characters that no database keeps."""
    return _ODD.search(text) is not None
