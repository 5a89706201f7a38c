"""UUIDv4 identifiers: made, recognised, and turned into their 16 bytes and back."""

from collections.abc import Callable

_HEX = frozenset("0123456789abcdef")


def new_uuid(random: Callable[[int], bytes]) -> str:
    """Return a fresh UUIDv4 in canonical lower-case text (RFC 9562 section 5.4)."""
    data = bytearray(random(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    return uuid_text(data)


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID (any version) in canonical form: 8-4-4-4-12 lower-case hex
    digits.

    `uuid.UUID` also takes braces, `urn:uuid:`, capitals and missing hyphens; an identifier here has
    one spelling.
    """
    if len(text) != 36 or text[8] != "-" or text[13] != "-" or text[18] != "-" or text[23] != "-":
        return False
    digits = text.replace("-", "")
    return len(digits) == 32 and _HEX.issuperset(digits)


def uuid_bytes(text: str) -> bytes:
    """Return the 16 bytes of a canonical UUID; ValueError for anything that `is_uuid` refuses."""
    if not is_uuid(text):
        raise ValueError("not a canonical UUID")
    return bytes.fromhex(text.replace("-", ""))


def uuid_text(data: bytes | bytearray) -> str:
    """Return the canonical text of 16 bytes; ValueError for any other length."""
    if len(data) != 16:
        raise ValueError("not 16 bytes")
    # Spelled here because an object of the standard library costs four times as much, on every request.
    digits = data.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
