"""Opaque secrets: session tokens, keys, what is stored of them, and the secrets of one flow.

A flow's secrets begin with identifiers, so that a request that carries nothing else (a callback
URL, a redeem) can name its row; the identifiers are no secret and grant nothing. Verifier, nonce,
browser binding and grant are derived from the `state` and a key that the database does not hold: a
stolen database lacks both, a leaked URL lacks the key.
"""

import hmac
from base64 import b32encode
from collections.abc import Callable
from hashlib import sha256

from oneself.crypto import b64
from oneself.crypto.ids import new_uuid, uuid_bytes, uuid_text

Random = Callable[[int], bytes]

TOKEN_LENGTH = 44
"""Characters of a session token, a ticket and a grant: 33 bytes in base64url."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_CROCKFORD_SET = frozenset(_CROCKFORD)
_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _CROCKFORD.encode())
_BASE32_LENGTH = 45
_STATE_BYTES = 48
_TOKEN_BYTES = 33


def session_token(random: Random) -> str:
    """Return a fresh session token: 33 random bytes as 44 characters of base64url."""
    return b64.encode(random(_TOKEN_BYTES))


def is_session_token(text: str) -> bool:
    """Tell whether `text` has the form of a session token (44 characters of base64url)."""
    return _token_bytes(text) is not None


def base32_secret(random: Random) -> str:
    """Return a fresh secret of 225 random bits: 45 characters of lower-case Crockford base32."""
    return b32encode(random(29))[:_BASE32_LENGTH].translate(_TO_CROCKFORD).decode("ascii")


def is_base32_secret(text: str) -> bool:
    """Tell whether `text` has the form of a `base32_secret`."""
    return len(text) == _BASE32_LENGTH and _CROCKFORD_SET.issuperset(text)


def prefixed_key(prefix: str, random: Random) -> str:
    """Return a fresh API key: `prefix` (`pck_`, `ssk_`, `sak_`) and a `base32_secret`."""
    return prefix + base32_secret(random)


def stytch_secret(env: str, random: Random) -> str:
    """Return a fresh project secret for `env` (`test` or `live`): 26 random bytes, base64url
    with its padding.
    """
    return f"secret-{env}-{b64.encode(random(26))}="


def public_token(env: str, random: Random) -> str:
    """Return a fresh public token for `env` (`test` or `live`)."""
    return f"public-token-{env}-{new_uuid(random)}"


def secret_hash(kind: str, secret: str) -> bytes:
    """Return what is stored of a secret: SHA-256 under its kind, 32 bytes.

    The kind enters the hash, so that a secret of one kind is never found where another kind is
    looked up. No salt and no stretching: every secret hashed here carries at least 128 random bits
    (passwords go to `passwords`).
    """
    name = kind.encode()
    return sha256(b"oneself\0" + len(name).to_bytes(2, "big") + name + _utf8(secret)).digest()


def equal(a: str | bytes | None, b: str | bytes | None) -> bool:
    """Compare two secrets in constant time; an absent or empty one equals nothing, not even its
    like.
    """
    if not a or not b:
        return False
    return hmac.compare_digest(_utf8(a), _utf8(b))


def new_state(project_id: str, flow_id: str, random: Random) -> str:
    """Return a fresh OAuth `state` (64 characters) that names its project and flow and adds 128
    random bits.
    """
    return b64.encode(uuid_bytes(project_id) + uuid_bytes(flow_id) + random(16))


def read_state(text: str) -> tuple[str, str] | None:
    """Return (project id, flow id) that a `state` names, or None for anything that is not one.
    Never raises.
    """
    data = b64.decode(text)
    if data is None or len(data) != _STATE_BYTES:
        return None
    return uuid_text(data[:16]), uuid_text(data[16:32])


def new_ticket(flow_id: str, random: Random) -> str:
    """Return a fresh attach ticket (44 characters) that names its flow and adds 136 random bits."""
    return b64.encode(uuid_bytes(flow_id) + random(17))


def read_ticket(text: str) -> str | None:
    """Return the flow id that a ticket names, or None for anything that is not one. Never
    raises.
    """
    data = _token_bytes(text)
    return None if data is None else uuid_text(data[:16])


def derive_grant(flow_key: bytes, state: str) -> str:
    """Return the one-time grant (44 characters) of the flow whose `state` this is; it names the
    flow.

    Derived, so that the browser that repeats its callback gets the same answer again. ValueError if
    `state` is not one.
    """
    found = read_state(state)
    if found is None:
        raise ValueError("not a state")
    return b64.encode(uuid_bytes(found[1]) + _derive(flow_key, b"grant", state)[:17])


def read_grant(text: str) -> str | None:
    """Return the flow id that a grant names, or None for anything that is not one. Never raises."""
    return read_ticket(text)


def derive_verifier(flow_key: bytes, state: str) -> str:
    """Return our PKCE verifier towards the provider: 43 characters (RFC 7636 section 4.1)."""
    return b64.encode(_derive(flow_key, b"verifier", state))


def derive_nonce(flow_key: bytes, state: str) -> str:
    """Return the OpenID Connect `nonce` that the id_token must echo: 43 characters."""
    return b64.encode(_derive(flow_key, b"nonce", state))


def derive_browser(flow_key: bytes, state: str) -> str:
    """Return the value of the cookie that binds a flow to the browser that began it: 43
    characters.
    """
    return b64.encode(_derive(flow_key, b"browser", state))


def _derive(flow_key: bytes, label: bytes, state: str) -> bytes:
    return hmac.digest(flow_key, label + b"\0" + _utf8(state), "sha256")


def _token_bytes(text: str) -> bytes | None:
    data = b64.decode(text) if len(text) == TOKEN_LENGTH else None
    return data if data is not None and len(data) == _TOKEN_BYTES else None


def _utf8(value: str | bytes) -> bytes:
    # A lone surrogate can arrive in JSON; it must compare unequal, not raise.
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
