"""Seals for what must not be readable in the database: AES-256-GCM, and the keys over the keys.

A sealed value opens only where it was sealed: the place (project, user or flow, row, column) is
associated data, each part with its length before it, so that neither a swapped ciphertext nor a
shifted boundary opens.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from oneself.crypto.ids import uuid_bytes, uuid_text
from oneself.faults import Fault, FaultCode

Random = Callable[[int], bytes]

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SEALED_V1 = b"\x01"
_WRAPPED_V1 = b"\x81"  # not a sealed value's version: one can never be taken for the other
_HEADER_BYTES = 1 + 16
_BODY = _HEADER_BYTES + _NONCE_BYTES
_LEAST_SEALED = _BODY + _TAG_BYTES
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_data_key(random: Random) -> bytes:
    """Return a fresh data key: 32 random bytes, to be kept only wrapped."""
    return random(KEY_BYTES)


def sealed_under(sealed: bytes) -> str:
    """Return the id (UUID) of the data key that sealed this value; Fault(seal_broken) if none."""
    if len(sealed) < _LEAST_SEALED or sealed[:1] != _SEALED_V1:
        _broken("not a sealed value")
    return uuid_text(sealed[1:_HEADER_BYTES])


class DataKey:
    """One key that seals values, known by a UUID.

    The layout, in bytes: version 1, key id 16, nonce 12, ciphertext, tag 16. Nonces are random, so
    one key seals at most 2**32 values (NIST SP 800-38D section 8.3): hence a key per project.
    """

    __slots__ = ("_aead", "_header", "_random", "id")

    def __init__(self, key_id: str, key: bytes, random: Random) -> None:
        """Take the key's id (UUID), its 32 bytes, and the source of nonces."""
        self.id = key_id
        self._header = _SEALED_V1 + uuid_bytes(key_id)
        self._aead = AESGCM(_checked(key))
        self._random = random

    def __repr__(self) -> str:
        return "<DataKey>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never serialised")

    def seal(self, plaintext: bytes, *where: str) -> bytes:
        """Encrypt `plaintext`, 45 bytes longer then, so that it opens only with the same
        `where`.
        """
        nonce = self._random(_NONCE_BYTES)
        aad = _aad(self._header, where)
        return self._header + nonce + self._aead.encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, *where: str) -> bytes:
        """Return the plaintext; Fault(seal_broken) if a bit, the key or the place differs."""
        if len(sealed) < _LEAST_SEALED or not sealed.startswith(self._header):
            _broken("sealed under another key, or not a sealed value")
        nonce, body = sealed[_HEADER_BYTES:_BODY], sealed[_BODY:]
        try:
            return self._aead.decrypt(nonce, body, _aad(self._header, where))
        except InvalidTag:
            _broken("altered, or sealed for another place")


class KeyRing:
    """The master keys, by id: the first is active, the others still unwrap and derive as before.

    Nothing is encrypted under a master key itself: every use has a key of its own, derived by HKDF
    (RFC 5869).
    """

    __slots__ = ("_aeads", "_derived", "_keys", "_random", "active_id")

    def __init__(self, keys: dict[str, bytes], random: Random) -> None:
        """Take the keys in order, the active one first, 32 bytes each, and the source of nonces."""
        if not keys:
            _no_master_key("no master key is configured")
        self.active_id = next(iter(keys))
        self._keys = {key_id: _checked(key) for key_id, key in keys.items()}
        self._random = random
        self._derived: dict[tuple[str, str], bytes] = {}
        self._aeads: dict[str, AESGCM] = {}

    def __repr__(self) -> str:
        return "<KeyRing>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key ring is never serialised")

    @classmethod
    def parse(cls, text: str, random: Random) -> "KeyRing":
        """Read `id:base64key` entries, the active one first, parted by line ends or commas.

        A line that begins with `#` is a comment.
        Fault(master_key_missing) for no entry, a bad or repeated id, or a key that is not 32 bytes.
        The detail names the entry's place, never its text.
        """
        lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
        entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(entries, start=1):
            key_id, _, encoded = entry.partition(":")
            key = _base64(encoded)
            if not _KEY_ID.fullmatch(key_id) or key_id in keys or len(key) != KEY_BYTES:
                _no_master_key(f"entry {place} is not a new id and 32 bytes in base64")
            keys[key_id] = key
        return cls(keys, random)

    @property
    def flow_key_id(self) -> str:
        """The id that new flows keep on their row, for `flow_key`."""
        return self.active_id

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all keys, the active one first."""
        return tuple(self._keys)

    def flow_key(self, key_id: str) -> bytes:
        """Return the key from which a flow's secrets are derived; Fault(master_key_missing) if
        it left the ring.
        """
        return self.derive(key_id, "flow")

    def derive(self, key_id: str, label: str) -> bytes:
        """Return 32 bytes that belong to this master key and `label` (HKDF-SHA256, RFC 5869), kept
        once computed.

        Fault(master_key_missing) names a key id that the ring lacks.
        """
        found = self._derived.get((key_id, label))
        if found is None:
            info = b"oneself\0" + label.encode()
            hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info)
            found = self._derived[key_id, label] = hkdf.derive(self._master(key_id))
        return found

    def wrap(self, data_key: bytes, *where: str) -> bytes:
        """Encrypt a data key under the active master key, for this place only."""
        header = _WRAPPED_V1 + bytes([len(self.active_id)]) + self.active_id.encode()
        nonce = self._random(_NONCE_BYTES)
        body = self._aead(self.active_id).encrypt(nonce, data_key, _aad(header, where))
        return header + nonce + body

    def unwrap(self, wrapped: bytes, *where: str) -> bytes:
        """Return the data key.

        Fault(master_key_missing) names the key id if the ring lacks it; Fault(seal_broken) if a
        bit, the key or the place differs.
        """
        key_id = wrapped_under(wrapped)
        end = 2 + len(key_id)
        header, nonce, body = wrapped[:end], wrapped[end : end + 12], wrapped[end + 12 :]
        try:
            return self._aead(key_id).decrypt(nonce, body, _aad(header, where))
        except InvalidTag:
            _broken(f"a key wrapped under {key_id}: altered, elsewhere, or that key is another")

    def _aead(self, key_id: str) -> AESGCM:
        found = self._aeads.get(key_id)
        if found is None:
            found = self._aeads[key_id] = AESGCM(self.derive(key_id, "wrap"))
        return found

    def _master(self, key_id: str) -> bytes:
        if key_id not in self._keys:
            _no_master_key(f"the key ring lacks the master key {key_id}", key_id)
        return self._keys[key_id]


def wrapped_under(wrapped: bytes) -> str:
    """Return the id of the master key that wrapped this data key; Fault(seal_broken) if it has
    no such form.
    """
    end = 2 + wrapped[1] if len(wrapped) > 1 else 0
    if wrapped[:1] != _WRAPPED_V1 or len(wrapped) < end + _NONCE_BYTES + _TAG_BYTES:
        _broken("not a wrapped key")
    key_id = wrapped[2:end].decode("ascii", "replace")
    if not _KEY_ID.fullmatch(key_id):
        _broken("not a wrapped key")
    return key_id


def generate_line(random: Random) -> str:
    """Return a fresh master key as a line for `KeyRing.parse`: a random id, a colon, 32 bytes in
    base64.
    """
    return f"key-{random(4).hex()}:{b64encode(random(KEY_BYTES)).decode()}"


def _aad(header: bytes, where: tuple[str, ...]) -> bytes:
    parts = [header]
    for part in where:
        data = part.encode("utf-8", "surrogatepass")
        parts += (len(data).to_bytes(4, "big"), data)
    return b"".join(parts)


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")
    return key


def _broken(detail: str) -> NoReturn:
    raise Fault(FaultCode.SEAL_BROKEN, detail) from None


def _no_master_key(detail: str, key_id: str = "") -> NoReturn:
    raise Fault(FaultCode.MASTER_KEY_MISSING, detail, key_id=key_id)
